"""Whose packets are taken (symmetric RTP, RFC 4961; probation as in RFC 3550 appendix A.1).

The description names an address, but behind a NAT packets come from another: the first source that proves to be an RTP
sender is learned, and after that nobody else is heard until a new description says so.
"""

from edge_agent.media.embedded.rtp import DropReason, Packet

Address = tuple[str, int]

PROBATION_PACKETS = 3
"""Packets in sequence that a source other than the described one must show before it is taken."""


class SourceLock:
    """The one source of a stream: the described address at its first packet, another after its probation."""

    def __init__(self, described: Address | None) -> None:
        self._described = described
        self._locked: Address | None = None
        self._ssrc: int | None = None
        self._candidate: tuple[Address, int, int] | None = None
        self._shown = 0

    @property
    def destination(self) -> Address | None:
        """Where to send: where the peer's packets come from, and before any came where it said it listens."""
        return self._locked or self._described

    @property
    def locked(self) -> bool:
        """A source has been learned."""
        return self._locked is not None

    def redescribe(self, described: Address | None) -> None:
        """A new description names `described`; when that is another address than before, learning begins again."""
        if described != self._described:
            self._described = described
            self._locked, self._ssrc, self._candidate, self._shown = None, None, None, 0

    def follow(self, source: Address) -> None:
        """The sender that was learned sends from here now; whoever says so has seen that it is the same."""
        self._locked = source

    def admit(self, packet: Packet, source: Address) -> DropReason | bool:
        """A reason not to use a packet; else True when a new sender begins with it, False when one goes on."""
        if source == self._locked and packet.ssrc == self._ssrc:
            return False
        if self._locked is None:
            if source != self._described and not self._passed_probation(packet, source):
                return DropReason.PROBATION
            self._locked, self._candidate = source, None
        if source != self._locked:
            return DropReason.FOREIGN_SOURCE
        began = packet.ssrc != self._ssrc
        self._ssrc = packet.ssrc
        return began

    def _passed_probation(self, packet: Packet, source: Address) -> bool:
        expected = (source, packet.ssrc, packet.sequence)
        self._shown = self._shown + 1 if self._candidate == expected else 1
        self._candidate = (source, packet.ssrc, packet.sequence + 1 & 0xFFFF)
        return self._shown >= PROBATION_PACKETS
