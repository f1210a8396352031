"""The sockets of the site's trunks: one on loopback for the proxy, and those for providers while there is a trunk."""

import ipaddress
import logging
from collections.abc import Callable
from typing import Final

from contract.sync.events import AlarmChanged
from edge_agent.clock import Clock
from edge_agent.network.own_addresses import address_outwards, address_outwards_six
from edge_agent.ports import Reporter
from edge_agent.settings import SipSettings
from edge_agent.sip.dialog import DialogKey
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.message import Flow
from edge_agent.sip.observation.tape import Tape
from edge_agent.sip.relaying import RelayPool
from edge_agent.sip.relaying.recording import RecordingRules
from edge_agent.sip.resolver import Resolver
from edge_agent.sip.resolver.dns_lookup import DnsLookup
from edge_agent.sip.transport import CertificateUnusable, SipTransport
from edge_agent.sip.transport.proofs import ContextBy, Proof
from edge_agent.sip.transport.streams import TlsContext
from edge_agent.sip.trunks import Joins, Trunks, TrunkSettings, TrunkStatus
from edge_agent.sip.trunks.earlier import port_of
from edge_agent.sip.trunks.relays import Relays, RelaySettings
from edge_agent.sip.user_agent import UserAgentSettings
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
_ALARM: Final = "trunk_down"
_LONGEST_TEXT: Final = 1024

Outages = Callable[[frozenset[str]], None]
"""Told ids of the trunks that do not work."""


class TrunkPorts:
    """Sockets, and the trunks on them.

    Args:
        settings: of this machine.
        proxy: advertised host and bound port of the proxy's UDP socket.
        client_tls: for connections to providers.
        client_tls_by: for those to providers whose trunk names the authorities that count.
        server_tls: for connections of theirs; None: TLS is not listened for.
        advertised: this edge's own address.
        pool: ports of relayed media.
        tape: what is sent and received.
        recording: which calls are recorded; configured here.
        kept: keeps calls, for the next process to end.
        clock: monotonic time.
        tokens: tags, branches, ids.
    """

    def __init__(
        self,
        settings: SipSettings,
        proxy: tuple[str, int],
        *,
        client_tls: TlsContext | None,
        client_tls_by: ContextBy | None,
        server_tls: TlsContext | None,
        advertised: str,
        pool: RelayPool,
        tape: Tape | None,
        recording: RecordingRules,
        kept: KeptRows,
        clock: Clock,
        tokens: Tokens,
    ) -> None:
        self._recording, self._kept = recording, kept
        self._settings, self._clock, self._tokens, self._tape = settings, clock, tokens, tape
        own = settings.address
        self._edge = Flow("udp", LOOPBACK if own in ("0.0.0.0", "::") else own, proxy[1])
        self._client_tls, self._server_tls = client_tls, server_tls
        self._client_tls_by = client_tls_by
        self._advertised = settings.trunks.public_host or advertised
        self._pool = pool
        self._inside = SipTransport(clock, udp=(LOOPBACK, 0), tape=tape)
        self._outside: SipTransport | None = None
        self._trunks: Trunks | None = None
        self._prepared = TrunkSettings("")
        self._reporter: Reporter | None = None
        self._outages: Outages | None = None
        self._raised = False
        self.joins = SiteJoins()
        """Whom joined calls are told to."""

    async def open(self) -> None:
        """Bind the loopback port: that of an earlier process whose calls are not over, if it is free.

        Raises:
            OSError: none can be bound.
        """
        if earlier := port_of(self._kept):
            self._inside = SipTransport(self._clock, udp=(LOOPBACK, earlier), tape=self._tape)
            try:
                await self._inside.open()
            except OSError:
                self._inside = SipTransport(self._clock, udp=(LOOPBACK, 0), tape=self._tape)
            else:
                return
        await self._inside.open()

    @property
    def address(self) -> tuple[str, int]:
        """Where the proxy reaches the trunks."""
        return self._inside.local["udp"]

    @property
    def down(self) -> frozenset[str]:
        """Ids of the trunks that do not work now."""
        return self._trunks.down if self._trunks is not None else frozenset()

    def prepare(self, settings: TrunkSettings) -> None:
        """What `commit` is to run.

        Raises:
            CertificateUnusable: of a trunk's authorities.
        """
        for account in settings.accounts.values():
            if account.trunk.certificate_authorities and self._client_tls_by is not None:
                try:
                    self._client_tls_by(account.trunk.certificate_authorities)
                except CertificateUnusable as error:
                    raise CertificateUnusable(f"trunk {account.trunk.name}: {error}") from None
        self._prepared = settings

    async def commit(self, reporter: Reporter, outages: Outages) -> None:
        """Run the prepared settings; the sockets for providers are bound with the first trunk.

        Raises:
            OSError: one of the ports for providers cannot be bound.
        """
        self._reporter, self._outages = reporter, outages
        settings = self._prepared
        self._recording.configure(settings.recording, settings.for_help, settings.recorders, settings.groups)
        if self._trunks is not None and self._outside is not None:
            self._outside.streams.prove(proofs_of(self._prepared))
            self._trunks.configure(self._prepared, self._clock.monotonic())
        elif self._prepared.accounts:
            self._trunks = await self._begun()

    async def _begun(self) -> Trunks:
        own, ports = self._settings.address, self._settings.trunks
        tls = None if self._server_tls is None or ports.tls_port == "off" else (own, ports.tls_port)
        outside = SipTransport(
            self._clock,
            udp=(own, ports.udp_port),
            tcp=(own, ports.tcp_port),
            tls=tls,
            server_tls=self._server_tls,
            client_tls=self._client_tls,
            client_tls_by=self._client_tls_by,
            resolver=Resolver(DnsLookup(), self._clock, self._tokens),
            advertised=self._advertised,
            tape=self._tape,
        )
        outside.streams.prove(proofs_of(self._prepared))
        await outside.open()
        self._outside = outside
        inside_host, inside_port = self.address
        streams = {kind: port for kind, (_, port) in outside.local.items() if kind in ("tcp", "tls")}
        if self._client_tls is not None:
            # What is not listened for is opened from here all the same, and answered by the same connection.
            streams.setdefault("tls", streams["tcp"])
        trunks = Trunks(
            self._prepared,
            inside=UserAgentSettings(inside_host, inside_port, most_calls=ports.calls, parts=True),
            outside=UserAgentSettings(
                self._advertised,
                outside.local["udp"][1],
                {"tcp": streams["tcp"], **({"tls": streams["tls"]} if "tls" in streams else {})},
                most_calls=ports.calls,
                session_expires=1800,
                min_session_expires=ports.min_session_expires,
            ),
            edge=self._edge,
            send_inside=self._inside.send,
            send_outside=outside.send,
            finder=outside,
            peer_of=outside.peer,
            clock=self._clock,
            tokens=self._tokens,
            told=self._told,
            relays=Relays(relay_settings(self._settings), self._pool, self._recording),
            complaint=outside.streams.proofs.complaint,
            joins=self.joins,
            kept=self._kept,
        )
        self._inside.attach(trunks.inside)
        outside.attach(trunks.outside)
        trunks.earlier.restore(self._clock.monotonic())
        return trunks

    def _told(self, trunks: tuple[TrunkStatus, ...]) -> None:
        bad = [one for one in trunks if one.problem]
        if self._outages is not None:
            self._outages(frozenset(one.trunk_id for one in bad))
        if self._reporter is None or (not bad and not self._raised):
            return
        text = "; ".join(f"{one.name}: {one.problem}" for one in bad)[:_LONGEST_TEXT] if bad else "over"
        self._raised = bool(bad)
        log.info("trunks_changed", extra={"down": len(bad), "of": len(trunks)})
        self._reporter.report(AlarmChanged(alarm=_ALARM, severity="warning", active=bool(bad), text=text))

    def key_pressed(self, call_id: str, key: str) -> None:
        """Who is at the site pressed a key in the relayed call whose record has this Call-ID."""
        if self._trunks is not None:
            self._trunks.key_pressed(call_id, key)

    def figures(self) -> dict[str, int]:
        """What there is now, and what happened since the start."""
        if self._trunks is None:
            return {}
        strange = self._trunks.outside.drops.total()
        return {**self._trunks.figures(), "trunks.dropped": strange}

    async def close(self) -> None:
        """Give registrations back and let go of every socket."""
        if self._trunks is not None:
            self._trunks.leave(self._clock.monotonic())
        await self._inside.close()
        if self._outside is not None:
            await self._outside.close()


class SiteJoins:
    """`Joins` of the site's proxy, once there is one, safe against kill -9 when it returns."""

    def __init__(self) -> None:
        self._to: Joins | None = None
        self._keep: Callable[[], None] = lambda: None

    def attach(self, to: Joins, keep: Callable[[], None]) -> None:
        """Whom to tell, and what makes the records safe."""
        self._to, self._keep = to, keep

    def joined(self, kept: DialogKey, other: DialogKey) -> None:
        """See `Joins`."""
        if self._to is not None:
            self._to.joined(kept, other)
            self._keep()

    def not_joined(self, kept: DialogKey, other: DialogKey) -> None:
        """See `Joins`."""
        if self._to is not None:
            self._to.not_joined(kept, other)
            self._keep()

    def parted(self, kept: DialogKey, by_other: bool) -> None:
        """See `Joins`."""
        if self._to is not None:
            self._to.parted(kept, by_other)
            self._keep()


def proofs_of(settings: TrunkSettings) -> dict[str, Proof]:
    """What providers' certificates have to be, by the host that is connected to."""
    found: dict[str, Proof] = {}
    for account in settings.accounts.values():
        if not account.trunk.may_be_encrypted:
            continue
        # Several accounts at one provider share its connections; their authorities are the same (`Snapshot`).
        names = found.get(account.way.host, Proof()).names | frozenset(account.trunk.certificate_names)
        found[account.way.host] = Proof(account.trunk.certificate_authorities, names)
    return found


def relay_settings(settings: SipSettings) -> RelaySettings:
    """When and at which addresses media of trunks is relayed, by the settings of this machine."""
    own, trunks = settings.address, settings.trunks
    if own in ("0.0.0.0", "::"):
        advertised = settings.advertised_host if _is_numeric(settings.advertised_host) else ""
        here = (advertised or address_outwards(), address_outwards_six() if own == "::" else "")
    else:
        here = (own, "")
    inside = tuple(host for host in here if host)
    numeric = (one for one in (trunks.relay_address, trunks.public_host, settings.public_host) if _is_numeric(one))
    told = next(numeric, "")
    outside = (told, *(host for host in inside if (":" in host) != (":" in told))) if told else inside
    return RelaySettings(trunks.relay, inside, outside, trunks.relay_first_port, trunks.relay_last_port)


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
