"""Calls that voice applications place (`edge_agent.media.calling`), by the site's proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from edge_agent.media.calling import NotReached, Ringing, Transfers
from edge_agent.media.embedded.engine import EmbeddedEngine
from edge_agent.media.embedded.session import EmbeddedSession
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import EndCause, MediaSession
from edge_agent.ports import CallLeg, CallRefused, Transfer, TransferTold
from edge_agent.processes.link import Prepare
from edge_agent.sip.answering import FOR_BROWSERS, LOOKED_FOR, OTHER_FORM, PHONES_ONLY
from edge_agent.sip.message import Flow, Uri, escaped_user
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.user_agent import UserAgent
from edge_agent.sip.user_agent.leg import PlacedLeg, wanted_of

_LOOPBACK: Final = "127.0.0.1"
_BEYOND: Final = ("find_me", "call_back")
"""Kinds of calls that may leave the site."""


class Placer(Protocol):
    """An engine that can call somebody."""

    async def place(self, wanted: Ringing, domain: str, proxy: Flow) -> MediaSession:
        """As `PhoneCaller.ring`.

        Args:
            wanted: whom, and how.
            domain: of the site.
            proxy: the site's, which calls go by.
        """
        ...

    def close(self) -> None:
        """Hang up every call that was placed."""
        ...


class SitePhones:
    """Rings phones of the site (`PhoneCaller`), once it has an engine and a configuration."""

    def __init__(self) -> None:
        self._placer: Placer | None = None
        self._host = _LOOPBACK
        self._prepared: Prepare | None = None
        self._proxy: Flow | None = None
        self._domain = ""
        self._users: frozenset[str] = frozenset()

    def attach(self, placer: Placer, address: str) -> None:
        """What places the calls, and the address that the site's proxy is bound to."""
        self._placer = placer
        self._host = _LOOPBACK if address in ("0.0.0.0", "::") else address

    @property
    def can_ring(self) -> bool:
        """See `PhoneCaller`."""
        return self._placer is not None and self._proxy is not None

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        self._prepared = message

    def commit(self) -> None:
        """Go by it, from the next call on."""
        if self._prepared is not None:
            port, snapshot = self._prepared.sip_ports.get("udp", 0), self._prepared.snapshot
            self._domain = snapshot.site.domain
            self._proxy = Flow("udp", self._host, port) if port else None
            self._users = frozenset(
                name
                for user in snapshot.users
                for name in (user.username, user.extension, *user.aliases)
                if name is not None
            )
            self._prepared = None

    def leads_beyond(self, wanted: Ringing) -> bool:
        """Whether a call may leave the site, to gateways, trunks and other sites."""
        return wanted.how in _BEYOND and wanted.username not in self._users

    async def ring(self, wanted: Ringing) -> MediaSession:
        """See `PhoneCaller`."""
        if self._placer is None or self._proxy is None:
            raise NotReached(503)
        return await self._placer.place(wanted, self._domain, self._proxy)

    def close(self) -> None:
        """Hang up every call."""
        if self._placer is not None:
            self._placer.close()


class _RefusedAsItCame(NotReached):
    """Nobody was rung, because of the session that was offered, or because none was."""


class EmbeddedPlacer:
    """Places calls by the embedded engine (`Placer`).

    A call to phones of the site offers what browsers take, DTLS and ICE. The proxy, which knows them, leaves that away
    for every other phone, so that it says by itself what it can and must do (RFC 3261 §13.2.1): SDES, DTLS or neither.
    It is one call that rings at every one. Beyond the site, where many know no calls without an offer, it offers plain
    RTP. Who refuses the one is tried with the other.

    Args:
        agent: places the calls.
        engine: carries them.
        leads_beyond: whether a call may leave the site.
    """

    def __init__(self, agent: UserAgent, engine: EmbeddedEngine, leads_beyond: Callable[[Ringing], bool]) -> None:
        self._agent, self._engine, self._leads_beyond = agent, engine, leads_beyond
        self._calls: set[_Placed] = set()

    async def place(self, wanted: Ringing, domain: str, proxy: Flow) -> MediaSession:
        """See `Placer`."""
        offers = self._leads_beyond(wanted)
        try:
            return await self._call(wanted, domain, proxy, offers=offers)
        except _RefusedAsItCame:
            return await self._call(wanted, domain, proxy, offers=not offers)

    async def _call(self, wanted: Ringing, domain: str, proxy: Flow, *, offers: bool) -> MediaSession:
        """One INVITE; it `offers` plain RTP, or as phones of the site take it."""
        host = domain.encode()
        placed = _Placed(self._calls.discard, wanted.transfers, host, asks=not offers)
        user = escaped_user(wanted.username)
        try:
            session = placed.begin(self._engine.session(placed))
            self._calls.add(placed)
            placed.leg = self._agent.place(
                Uri(host, user, params=_parameters(wanted, asks=not offers)),
                Uri(host, escaped_user(wanted.number)),
                placed,
                session.description if offers else session.offer_for_browsers(),
                flow=proxy,
                headers=_asserted(wanted, host),
                display=_quoted(wanted.name),
                addressee=Uri(host, user),
                asks=not offers,
            )
        except CallRefused as refused:
            placed.hang_up()
            raise NotReached(refused.status) from refused
        try:
            await session.answer()
        except SessionEnded:
            kind = _RefusedAsItCame if placed.refused and placed.status in OTHER_FORM else NotReached
            raise kind(placed.status) from None
        except asyncio.CancelledError:
            session.end(EndCause.LOCAL)
            raise
        return session

    def close(self) -> None:
        """See `Placer`."""
        for placed in tuple(self._calls):
            placed.end()


def _quoted(name: str) -> bytes:
    """A display name as it stands in a header; empty for none."""
    plain = "".join(one for one in name if one.isprintable() and one not in '"\\')
    return f'"{plain}"'.encode() if plain else b""


def _parameters(wanted: Ringing, *, asks: bool) -> dict[bytes, bytes | None]:
    whose: dict[bytes, bytes | None] = {LOOKED_FOR: wanted.whose.encode()} if wanted.whose else {}
    browsers: dict[bytes, bytes | None] = {FOR_BROWSERS: None} if asks else {}
    return {PHONES_ONLY: wanted.how.encode(), **whose, **browsers}


def _asserted(wanted: Ringing, domain: bytes) -> tuple[RawHeader, ...]:
    return ((b"P-Asserted-Identity", b"<sip:" + escaped_user(wanted.number) + b"@" + domain + b">"),)


class _Placed:
    """A call that is placed, as a `CallLeg` for the engine and a `CallListener` for the user agent."""

    called = caller = caller_name = asserted = ""
    placed = True
    offer: bytes | None = None
    replaces: CallLeg | None = None

    def __init__(
        self, over: Callable[[_Placed], None], transfers: Transfers | None, domain: bytes, *, asks: bool
    ) -> None:
        self._over, self._transfers, self._domain, self._asks = over, transfers, domain, asks
        self._told: TransferTold | None = None
        self._session: EmbeddedSession | None = None
        self.leg: PlacedLeg | None = None
        self.arguments: Mapping[str, str] = {}
        self.status = 480
        """What came of it, as long as nobody answered."""
        self.refused = False
        """Whether that is what a phone or the proxy said."""

    @property
    def call_id(self) -> str:
        """Of the call; empty before it is placed."""
        return "" if self.leg is None else self.leg.call_id

    def begin(self, session: EmbeddedSession) -> EmbeddedSession:
        """The engine's session of the call."""
        self._session = session
        return session

    def end(self) -> None:
        """Hang it up."""
        if self._session is not None:
            self._session.end(EndCause.LOCAL)

    # -- see `CallLeg`

    def ring(self) -> None:
        """It was placed, not taken."""

    def answer(self, description: bytes) -> None:
        """Whoever is called answers; our description goes with the INVITE or the ACK."""

    def refuse(self, status: int, reason: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """It was placed, not taken."""
        self.hang_up()

    def transfer(self, to: str | Transfer, told: TransferTold, proven: str = "") -> None:
        """Ask whoever was called to call somebody else."""
        if self.leg is None:
            told(481, True)
            return
        self._told = told
        self.leg.refer(wanted_of(to, self._domain, proven))

    def hang_up(self) -> None:
        """End the call, or stop ringing."""
        self._over(self)
        if self.leg is not None:
            self.leg.hang_up()

    # -- see `CallListener`

    def progressed(self, status: int, description: bytes | None) -> bytes | None:
        """It rings."""
        return None

    def answered(self, description: bytes | None) -> bytes | None:
        """Somebody answered."""
        if self._session is not None:
            try:
                if self._asks and description is not None:
                    return self._session.taken(description)
                self._session.confirmed(description)
            except CallRefused as refused:
                self.status = refused.status
                self._session.end(EndCause.FAILED)
        return None

    def reoffered(self, offer: bytes | None) -> bytes:
        """Another session is wanted, such as hold."""
        if self._session is None:
            raise CallRefused("the call is over")
        return self._session.reoffered(offer)

    def acknowledged(self, answer: bytes | None) -> None:
        """The answer to an offer of ours."""
        if self._session is not None and answer is not None:
            self._session.confirmed(answer)

    def changed(self, status: int, description: bytes | None) -> None:
        """Nothing was wished for."""

    def informed(self, content_type: str, body: bytes) -> None:
        """Keys come by RTP."""
        raise CallRefused("information is not understood")

    def record_wanted(self, wanted: bool) -> None:
        """What is recorded here is the application's decision."""
        raise CallRefused("calls of this application are not recorded")

    def transfer_wanted(self, transfer: Transfer) -> None:
        """Whom to call is the application's decision."""
        if self._transfers is None or self.leg is None:
            raise CallRefused("calls of this application are not sent on")
        self._transfers(transfer, self.leg.transfer_progress)

    def transfer_progressed(self, status: int, final: bool) -> None:
        """What became of where we sent whoever was called."""
        if self._told is not None:
            self._told(status, final)

    def ended(self, cause: str, status: int) -> None:
        """It is over."""
        self.status, self.refused = status or self.status, cause == "refused"
        self._over(self)
        if self._session is not None:
            self._session.ended_by_peer(EndCause.CALLER if cause == "peer" else EndCause.LOCAL)
