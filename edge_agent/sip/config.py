"""What the SIP subsystem needs to know of the site; built from the snapshot by the composition."""

from dataclasses import dataclass, field

from pydantic import SecretStr

from contract.dialplan import CompiledPlan, SiteState
from contract.snapshot import FromPolicy, QualifiedPhones, TrustedPeer, User
from edge_agent.sip.gateways import Gateways
from edge_agent.sip.message import DEFAULT_LIMITS, Limits
from edge_agent.sip.relaying.rules import NO_MEDIA_RULES, MediaRules
from edge_agent.sip.transaction import DEFAULT_TIMERS, Timers

NO_STATE = SiteState()


@dataclass(frozen=True, slots=True)
class Credential:
    """What one line proves itself with.

    Args:
        auth_username: the digest user name.
        line_id: the line.
        user_id: the user whose line it is.
        device_id: the device that the line is on, if any.
        ha1: H(auth_username:realm:password) in hexadecimal by algorithm (`MD5`, `SHA-256`); see `message.ha1`. One for
            each of the site's digest algorithms.
        password: in clear, for phones that challenge what we send them; None: only hashes are known.
    """

    auth_username: str
    line_id: str
    user_id: str
    device_id: str | None
    ha1: dict[str, str] = field(repr=False)
    password: SecretStr | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """How much guessing is allowed.

    Args:
        failures_per_name_and_source: wrong passwords of one name from one address.
        failures_per_source: of any name from one address, by names that never proved themselves there.
        failures_per_name: of one name from any address, from addresses where it never proved itself.
        window_seconds: in how long a time.
        lock_seconds: how long is refused afterwards.
        challenges_per_second: challenges, and other answers by UDP, given to one address from which nobody ever proved
            anything.
        challenge_burst: of those, at once.
        remembered: entries of each table.
        alarm_seconds: while locks fall, the alarm is told anew at most so often.
    """

    failures_per_name_and_source: int = 10
    failures_per_source: int = 50
    failures_per_name: int = 200
    window_seconds: float = 300.0
    lock_seconds: float = 300.0
    challenges_per_second: float = 50.0
    challenge_burst: int = 500
    remembered: int = 20_000
    alarm_seconds: float = 60.0


DEFAULT_LOCKOUT = LockoutRules()


@dataclass(frozen=True, slots=True)
class OverloadRules:
    """When more arrives than can be handled.

    Args:
        full_batch: messages read at once that mean that more were waiting; the transport's limit.
        standing_seconds: so long nothing but full batches: new dialogs are turned away.
        release_seconds: so long without one: they are taken again.
        retry_after_seconds: first and last of the times after which a caller is told to try again.
    """

    full_batch: int = 64
    standing_seconds: float = 0.25
    release_seconds: float = 1.0
    retry_after_seconds: tuple[int, int] = (5, 14)


DEFAULT_OVERLOAD = OverloadRules()


@dataclass(frozen=True, slots=True)
class SipConfig:
    """One site, as its registrar and proxy see it.

    Args:
        domain: host of every address of record, lower case.
        former_domains: what the domain was before; phones may still go by them.
        realm: of digest authentication.
        plan: compiled dial plan; its users are the site's.
        credentials: by digest user name.
        lists: ids of the users whose lamps are on the phones of each user, by his id.
        device_locations: ids of emergency locations, by the id of the device that is there.
        notified_of_emergencies: ids of the users whose phones show that somebody called for help.
        hosts: further names and addresses of this edge, lower case, without ports; the transport's advertised address
            is always one.
        digest_algorithms: in the order in which they are offered.
        state: what users changed at the site.
        services: SIP URI of each voice service by its name in the dial plan, numeric host.
        hides_replaces: whether voice services read `proxy.voice_dialogs.TAKES_PLACE` for Replaces.
        trusted: `(address, port)` of the site's own services, whose requests need no digest.
        trunks_at: address and port of the user agent of the site's trunks, one of `trusted`; None: there is none here.
        peers: others whose requests need no digest: trunks, the site's other edge (see `trust.Trust`).
        from_policy: what From of a user's request may say; see `contract.snapshot.FromPolicy`.
        foreign_hosts: hosts beyond the site that its users may send requests to, lower case, as the dial plan allows;
            everything else that is neither the site nor a phone of it is refused.
        contacts_elsewhere: whether a phone may register a contact at another address than it sends from.
        min_expires: shortest registration granted, seconds.
        max_expires: longest registration granted, seconds.
        default_expires: granted when a phone asks for none.
        serial_ring_seconds: how long contacts of one q ring before those of the next lower q do.
        nonce_seconds: how long a nonce may be used.
        notices_per_second: pace at which phones are told things they did not subscribe to.
        notice_wait_seconds: how long such a notice waits for the phone's call to end.
        unsolicited_messages: whether phones that did not subscribe are told of waiting messages all the same.
        administrators: ids of users who may see what concerns other users only.
        max_subscription: longest subscription and publication granted, seconds.
        notifies_per_batch: NOTIFYs of subscriptions sent at once; the rest follows within moments.
        restored_per_second: subscriptions of before a restart that are told their state again, each second.
        path_without_support: whether a Path is kept for a phone that does not say that it knows Path (RFC 3327 §5.3).
        qualify_phones_seconds: how often phones are asked whether they are there, by OPTIONS; 0: never.
        qualify_phones: which.
        qualify_gateways_seconds: the same for gateways.
        service_route: whether phones are told to send everything through this edge (RFC 3608).
        flow_timer_seconds: how often phones with outbound promise to be heard on a connection; 0: as they like.
        session_expires: seconds after which a call whose caller did not ask for a session timer has to be refreshed, if
            the callee can; 0: none is asked for.
        min_session_expires: shortest session timer that is let through, at least 90 by RFC 4028; 0: any.
        emergency_numbers: what is dialled for help; such calls need no digest and no permission, and are shed last;
            the first stands for `urn:service:sos` too.
        overload: when new dialogs are turned away.
        lockout: how much guessing of passwords is allowed.
        media: when media of calls is relayed.
        public_host: what remote phones are told to reach this edge by; empty: they are told the same as those at the
            site.
        remote_tls_only: whether phones from remote networks may register and call by TLS only.
        limits: bounds on what peers can push.
        timers: durations of the transaction layer.
        gateways: of the plan, by address.
    """

    domain: str
    realm: str
    plan: CompiledPlan
    credentials: dict[str, Credential] = field(repr=False)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    device_locations: dict[str, str] = field(default_factory=dict, repr=False)
    notified_of_emergencies: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    former_domains: tuple[str, ...] = ()
    digest_algorithms: tuple[str, ...] = ("MD5",)
    state: SiteState = NO_STATE
    services: dict[str, str] = field(default_factory=dict)
    hides_replaces: bool = False
    trusted: frozenset[tuple[str, int]] = frozenset()
    trunks_at: tuple[str, int] | None = None
    peers: tuple[TrustedPeer, ...] = ()
    from_policy: FromPolicy = "strict"
    foreign_hosts: frozenset[str] = frozenset()
    contacts_elsewhere: bool = False
    min_expires: int = 30
    max_expires: int = 3600
    default_expires: int = 3600
    serial_ring_seconds: float = 20.0
    nonce_seconds: int = 300
    notices_per_second: float = 20.0
    notice_wait_seconds: float = 6 * 3600.0
    unsolicited_messages: bool = True
    administrators: frozenset[str] = frozenset()
    max_subscription: int = 3600
    notifies_per_batch: int = 200
    restored_per_second: float = 50.0
    path_without_support: bool = True
    qualify_phones_seconds: int = 0
    qualify_phones: QualifiedPhones = "behind_nat"
    qualify_gateways_seconds: int = 0
    service_route: bool = False
    flow_timer_seconds: int = 120
    session_expires: int = 0
    min_session_expires: int = 0
    emergency_numbers: tuple[str, ...] = ()
    overload: OverloadRules = DEFAULT_OVERLOAD
    lockout: LockoutRules = DEFAULT_LOCKOUT
    media: MediaRules = NO_MEDIA_RULES
    public_host: str = ""
    remote_tls_only: bool = False
    limits: Limits = DEFAULT_LIMITS
    timers: Timers = DEFAULT_TIMERS
    gateways: Gateways = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gateways", Gateways(self.plan.gateways.values()))

    @property
    def users(self) -> dict[str, User]:
        """The site's users by id."""
        return self.plan.users

    def problems(self) -> list[str]:
        """Why this configuration cannot be run; empty when it can."""
        found: list[str] = []
        for name, credential in self.credentials.items():
            if credential.user_id not in self.users:
                found.append(f"credential {name} belongs to no user of the site")
            missing = [one for one in self.digest_algorithms if one not in credential.ha1]
            if missing:
                found.append(f"credential {name} has no hash for {', '.join(missing)}")
        if not self.digest_algorithms:
            found.append("no digest algorithm")
        if (self.session_expires and self.session_expires < 90) or 0 < self.min_session_expires < 90:
            found.append("session_expires and min_session_expires are 0 or at least 90 seconds")
        if 0 < self.session_expires < self.min_session_expires:
            found.append("session_expires is less than min_session_expires")
        if not 0 < self.min_expires <= self.default_expires <= self.max_expires:
            found.append("min_expires, default_expires and max_expires are not in order")
        return found
