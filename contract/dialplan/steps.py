"""What a decision is made of: the call that is asked about, the next step, and the reasons for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from contract.dialplan.hot_desks import HotDesk
from contract.queue_state import AgentPresence
from contract.snapshot import Forwarding, SpeedDial

PhonesOnly = Literal["", "ring", "page", "urgent", "find_me", "call_back"]
"""How a voice service of the site places a call; see `Call.phones`."""
MAX_FORWARDS: Final = 10
"""How often one call may be forwarded; beyond, the forwards are taken for a loop."""
DECLINED: Final = frozenset({603})
"""Statuses by which who is called wants nobody else to be tried either."""


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt to reach something.

    Args:
        caller: the authenticated user's id, or None for a caller from outside.
        dialled: the user part of the Request-URI, unescaped.
        location_id: where the caller's phone is, for emergencies; None: not known.
        gateway_id: the gateway that a call from outside came by.
        number: what the caller shows, a number or a user name; empty: not known.
        anonymous: the caller does not want to be named.
        line_id: the line that the caller calls from, where it is known.
        host: whose line that is; somebody else than the caller, where he is logged in at another's phone.
        phones: how a voice service of the site rings the phones of a user, and nothing else: `ring`; `page`, so that
            they answer by themselves; `urgent`, that also while the user wants no calls; `find_me`, a number beyond the
            site as a place where `caller` is looked for; `call_back`, who asked the queue `service` for it, also beyond
            the site. Empty: it is no such call.
        engaged: whether whoever is dialled is in a call, which no page is to disturb.
        service: id of the attendant that sent the caller there, whose permissions count in place of the caller's; of an
            authorization code, `contract.authorization_state.payer_of`; with `call_back`, of the queue.
    """

    caller: str | None
    dialled: str
    location_id: str | None = None
    gateway_id: str | None = None
    number: str = ""
    anonymous: bool = False
    line_id: str | None = None
    host: str | None = None
    phones: PhonesOnly = ""
    engaged: bool = False
    service: str | None = None


@dataclass(frozen=True, slots=True)
class SiteState:
    """What users changed at the site and what is known of its surroundings, as far as routing asks for it.

    Args:
        do_not_disturb: ids of the users who want no call now.
        forwarding: what users set themselves, in place of the snapshot's, by user id.
        rotation: how many calls each hunt group has had, by group id: where round robin goes on.
        last_call_ended: when each user's last call ended (seconds, any epoch), by user id; missing: never busy.
        gateways_down: ids of the gateways that are known not to answer.
        no_second_call: ids of the users who want no call while they are in one.
        in_call: ids of those of them who are in one.
        no_anonymous: ids of the users who want no call from who is not named.
        no_intercom: ids of the users whose phones do not answer by themselves.
        blocked: whose calls a user does not want (see `callers.plain`), by user id.
        speed_dials: a user's own, by user id and slot.
        last_caller: what whoever called a user last showed, by user id.
        called_for_help: numbers of places (ELIN) from which somebody called for help not long ago.
        hot_desks: who is logged in at somebody else's phone, by line id.
        call_backs: whom a user wants to be called back for, each until when (seconds since 1970), by user id.
        last_unreached: whom a user called last without reaching him, ids by user id.
        queue_agents: how agents stand at call queues, where they said so, by user id and queue id.
        full_lines: ids of the users whose shared line has no appearance left.
    """

    do_not_disturb: frozenset[str] = frozenset()
    forwarding: Mapping[str, Forwarding] = field(default_factory=dict)
    rotation: Mapping[str, int] = field(default_factory=dict)
    last_call_ended: Mapping[str, float] = field(default_factory=dict)
    gateways_down: frozenset[str] = frozenset()
    no_second_call: frozenset[str] = frozenset()
    in_call: frozenset[str] = frozenset()
    no_anonymous: frozenset[str] = frozenset()
    no_intercom: frozenset[str] = frozenset()
    blocked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    speed_dials: Mapping[str, Mapping[str, SpeedDial]] = field(default_factory=dict)
    last_caller: Mapping[str, str] = field(default_factory=dict)
    called_for_help: frozenset[str] = frozenset()
    hot_desks: Mapping[str, HotDesk] = field(default_factory=dict)
    call_backs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    last_unreached: Mapping[str, str] = field(default_factory=dict)
    queue_agents: Mapping[str, Mapping[str, AgentPresence]] = field(default_factory=dict)
    full_lines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an earlier step of the same call ended.

    Args:
        status: its final SIP status code.
        reached: whether there was anything to send the call to: a registered phone, a gateway, a service.
    """

    status: int
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a fixed `code` for programs and tests, a `text` for people, and the rule it came from."""

    code: str
    text: str
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whoever answers presses a key before he gets the call.

    Args:
        user_id: who is looked for.
        dialled: what he would dial to get there.
        seconds: how long it may ring; 0: as long as the caller waits.
    """

    user_id: str
    dialled: str
    seconds: int = 0


CONFIRMING_SECONDS: Final = 20
"""How much longer than it may ring a step takes where somebody has to press a key."""


@dataclass(frozen=True, slots=True)
class Outward:
    """A number at a gateway.

    Args:
        gateway_id: which gateway.
        number: the user part that is sent there.
        caller_id: the number that the call shows; None: whatever the caller has.
        anonymous: the call shows nobody (RFC 3323).
        emergency: a call for help: never shed, and told to those who are to know.
        location_id: where a call for help comes from, if its gateway wants to know.
        confirmed: what asks for a key there; None: whoever answers has the call.
    """

    gateway_id: str
    number: str
    caller_id: str | None = None
    anonymous: bool = False
    emergency: bool = False
    location_id: str | None = None
    confirmed: Confirmation | None = None


DiversionReason = Literal["unconditional", "user-busy", "do-not-disturb", "no-answer", "unavailable", "follow-me"]
"""RFC 5806 §4; `follow-me` for find-me, and `no-answer` for what a hunt group falls back on."""


@dataclass(frozen=True, slots=True)
class Diversion:
    """That a call was sent on.

    Args:
        name: user name or extension that it was sent on from.
        reason: why.
    """

    name: str
    reason: DiversionReason


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring every contact of these users, and these numbers, at once.

    Args:
        user_ids: whose phones.
        numbers: beyond the site.
        seconds: how long before the step counts as not answered; None: as long as the caller waits.
        hidden: phones of the site do not show who calls either.
        answered_at_once: phones are asked to answer by themselves.
        diversions: how the call came here, the first one first.
        called_back: the number of a place (ELIN); its phones that called for help ring, whatever their users set.
    """

    user_ids: tuple[str, ...]
    numbers: tuple[Outward, ...] = ()
    seconds: int | None = None
    hidden: bool = False
    answered_at_once: bool = False
    diversions: tuple[Diversion, ...] = ()
    called_back: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """Connect to a voice service of the site; `confirmed` and `declined` are tones that say so.

    Args:
        name: which.
        arguments: what it is told, by name: of `voicemail`, `action` (`deposit` or `retrieve`), `mailbox` (the user
            name of whose it is), and `cause` (RFC 4458 §3.2) for a call that was sent on there; of `hot_desk`, `line`
            and `host` (ids of the line and of whose it is), `hours`, and `user` (the id of who logs in, where it was
            dialled); of one that has a number of its own, `service` (its id); of `user_conferences`, `room` (the id of
            whose it is, where that was dialled); of `attendant`, `paging`, `music` and `music_on_hold`, `user` (the id
            of the user who calls); of `park`, `orbit` (empty: a free one), `action` (`retrieve`; without it whoever
            dials a taken orbit takes up who waits there) and `user` (the id of who parks or takes up); of `queue`, for
            a supervisor, `action` (`listen`, `whisper` or `barge`) and `agent` (the id of whose call it is).
        diversions: how the call came here, the first one first.
    """

    name: Literal[
        "echo_test",
        "music_on_hold",
        "confirmed",
        "declined",
        "voicemail",
        "hot_desk",
        "music",
        "conference",
        "user_conferences",
        "park",
        "paging",
        "announcement",
        "authorization",
        "attendant",
        "queue",
        "mailbox",
        "fax",
    ]
    arguments: tuple[tuple[str, str], ...] = ()
    diversions: tuple[Diversion, ...] = ()


@dataclass(frozen=True, slots=True)
class Pickup:
    """Take the call that rings at the phones of one of these users, the one that has been ringing the longest."""

    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Change what a user set, before anything else happens.

    Args:
        owner_id: whose: a user's id, or a line's where it is about a phone.
        values: of each site state record, by its kind (`contract.dialplan.site_state`).
    """

    owner_id: str
    values: tuple[tuple[str, str | bool], ...]


@dataclass(frozen=True, slots=True)
class Reject:
    """End the call with this SIP status code and reason phrase."""

    status: int
    phrase: str


Step = Ring | Service | Pickup | Change | Reject


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step, with what was found on the way to it since the step before, oldest first.

    Args:
        step: what to do.
        reasons: why.
        hunted: ids of the hunt groups that were come to.
    """

    step: Step
    reasons: tuple[Reason, ...]
    hunted: tuple[str, ...] = ()
