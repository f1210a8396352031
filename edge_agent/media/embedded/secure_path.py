"""A path whose audio is keyed by DTLS: who may use it, the handshake on it, and where it leads in the end.

Under ICE an address is the peer's once it was checked. Without, one has to send a cookie back, and the handshake shows
whose it is. No clock and no socket: datagrams in, and what is to be done with each out.
"""

from dataclasses import dataclass
from typing import Final

from edge_agent.media.dtls_terms import DtlsTerms
from edge_agent.media.embedded.arrivals import Arrival, arrival
from edge_agent.media.embedded.dtls import DtlsAssociation, DtlsIdentity, begins_handshake
from edge_agent.media.embedded.ice_lite import IceLite
from edge_agent.media.embedded.rtp import MAX_BYTES, DropReason
from edge_agent.media.embedded.source import Address
from edge_agent.media.sdes import SrtpKeys
from edge_agent.tokens import Tokens

HANDSHAKE_SECONDS: Final = 10.0
"""A handshake that has no end by then gives way to another one."""
MOST_HANDSHAKES: Final = 8
"""That one set of terms allows; somebody who has no right to be here cannot use up those of the described address."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Datagrams that go out, in their order."""

    datagrams: tuple[bytes, ...]
    to: Address


@dataclass(frozen=True, slots=True)
class Media:
    """The datagram is audio or a report of somebody who may send it: still encrypted."""


@dataclass(frozen=True, slots=True)
class Unused:
    """The datagram was not used."""

    reason: DropReason


@dataclass(frozen=True, slots=True)
class Secured:
    """What a path has come to: its keys, and the peer's end of it."""

    keys: SrtpKeys
    remote: Address


class SecurePath:
    """One path: that of audio, or where reports go by themselves, theirs.

    Args:
        identity: our certificate.
        tokens: for cookies.
    """

    def __init__(self, identity: DtlsIdentity, tokens: Tokens) -> None:
        self._identity, self._tokens = identity, tokens
        self._terms: DtlsTerms | None = None
        self._described: Address | None = None
        self._ice: IceLite | None = None
        self._association: DtlsAssociation | None = None
        self._peer: Address | None = None
        self._begun_at = 0.0
        self._started = False
        self._handshakes = {True: 0, False: 0}
        self.failure = ""
        """Why the last handshake that failed did; empty: none did."""

    def agree(self, terms: DtlsTerms, described: Address | None) -> None:
        """What an offer and its answer say. Another peer, or without ICE another address, means another handshake.

        `described` is None under ICE, and while the peer holds the call in the manner of RFC 2543.
        """
        before = self._terms
        ice = terms.theirs.ice
        if ice is None:
            self._ice = None
        elif self._ice is None:
            self._ice = IceLite(terms.ours.ice, ice)
        elif before is None or before.theirs.ice != ice:
            self._ice.restart(terms.ours.ice, ice)
        moved = ice is None and described is not None and described != self._described
        if before is None or other_association(before, terms) or moved:
            self._association, self._peer = None, None
            self._handshakes = {True: 0, False: 0}
        self._terms, self._described = terms, described or self._described

    def start(self) -> None:
        """The peer knows our answer: if it is ours to begin, we do at the next tick."""
        self._started = True

    @property
    def secured(self) -> Secured | None:
        """Keys and the peer's address, as soon as there are both."""
        if self._association is None or self._association.keys is None:
            return None
        remote = self._ice.chosen if self._ice is not None else self._peer
        return None if remote is None else Secured(self._association.keys, remote)

    def receive(self, data: bytes, source: Address, now: float) -> Outgoing | Media | Unused:
        """A datagram came; any bytes from anywhere lead to one of these."""
        if len(data) > MAX_BYTES:
            return Unused(DropReason.TOO_LONG)
        match arrival(data):
            case Arrival.STUN:
                if self._ice is None:
                    return Unused(DropReason.NOT_EXPECTED)
                answer = self._ice.receive(data, source, now)
                return Unused(answer) if isinstance(answer, DropReason) else Outgoing((answer,), source)
            case Arrival.DTLS:
                return self._dtls(data, source, now)
            case Arrival.MEDIA:
                if self._ice is not None and not self._ice.checked(source, now):
                    return Unused(DropReason.UNCHECKED)
                return Media() if self.secured is not None else Unused(DropReason.NOT_EXPECTED)
            case Arrival.OTHER:
                return Unused(DropReason.NOT_EXPECTED)

    def tick(self, now: float) -> Outgoing | None:
        """Time has passed: what is to be sent, or sent again."""
        association = self._alive(now)
        if association is not None and self._peer is not None:
            datagrams = association.advance()
            return Outgoing(tuple(datagrams), self._peer) if datagrams else None
        to = self._ice.chosen if self._ice is not None else self._described
        terms = self._terms
        if not self._started or terms is None or not terms.ours.active or to is None:
            return None
        made = self._begin(terms, to, now)
        return None if made is None else Outgoing(tuple(made.begin()), to)

    def _dtls(self, data: bytes, source: Address, now: float) -> Outgoing | Unused:
        if self._ice is not None and not self._ice.checked(source, now):
            return Unused(DropReason.UNCHECKED)
        association, terms = self._alive(now), self._terms
        if association is not None and self._ice is None and source != self._peer:
            # The address that was described comes before one that came first, unless that one has proven itself.
            if association.keys is not None or source != self._described:
                return Unused(DropReason.FOREIGN_SOURCE)
            association = None
        if association is None:
            if terms is None or terms.ours.active or not begins_handshake(data):
                return Unused(DropReason.NOT_EXPECTED)
            association = self._begin(terms, source, now)
            if association is None:
                return Unused(DropReason.TOO_MANY_HANDSHAKES)
        if association.keys is None:
            self._peer = source
        return Outgoing(tuple(association.receive(data)), source)

    def _begin(self, terms: DtlsTerms, peer: Address, now: float) -> DtlsAssociation | None:
        expected = self._ice is not None or peer == self._described
        if self._handshakes[expected] >= MOST_HANDSHAKES:
            return None
        self._handshakes[expected] += 1
        cookie = b"" if self._ice is not None else bytes.fromhex(self._tokens.token(16))
        self._association = DtlsAssociation(self._identity, terms.ours.active, terms.theirs.fingerprints, cookie)
        self._peer, self._begun_at = peer, now
        return self._association

    def _alive(self, now: float) -> DtlsAssociation | None:
        """The association, unless it has failed or takes too long."""
        association = self._association
        if association is None or association.keys is not None:
            return association
        if association.failed or now - self._begun_at > HANDSHAKE_SECONDS:
            self.failure = association.failed or f"no end after {HANDSHAKE_SECONDS:.0f} s"
            self._association = None
        return self._association


def other_association(before: DtlsTerms, after: DtlsTerms) -> bool:
    """Whether what is said now means another association than what was said before (RFC 8842 §4)."""
    return (before.theirs.fingerprints, before.theirs.tls_id, before.ours.active) != (
        after.theirs.fingerprints,
        after.theirs.tls_id,
        after.ours.active,
    )
