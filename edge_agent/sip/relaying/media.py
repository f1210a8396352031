"""The relayed media of one call between two positions: each side's description is rewritten once, where it comes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from edge_agent.ports import RecordingOrder, RelayedStream, RelayEnd, WatchedKeys
from edge_agent.sip.relaying.descriptions import BadDescription, Place, Stream, redirected, streams_of
from edge_agent.sip.relaying.pool import RelayPool, TakenPorts

FIRST: Final = 0
SECOND: Final = 1

HostFor = Callable[[int], str]
"""The relay's address as whoever stands at a position is told it."""


@dataclass(slots=True)
class _Line:
    """One m= line: a port for each position, and who is there."""

    taken: TakenPorts
    ends: list[Stream | None] = field(default_factory=lambda: [None, None])


class RelayedMedia:
    """Media of one call, or of one branch of it, that goes through the relay.

    Args:
        pool: ports.
        host_for: the relay's address for a position.
        own: whether it has to be our own relay, which alone can record.
    """

    __slots__ = ("_closed", "_direct", "_host_for", "_lines", "_own", "_pool", "call_id", "caller", "record", "watched")

    def __init__(self, pool: RelayPool, host_for: HostFor, *, own: bool = False) -> None:
        self._pool, self._host_for, self._own = pool, host_for, own
        self._lines: list[_Line] = []
        self._closed = self._direct = False
        self.call_id = ""
        """Of the call's record, whoever carries the media; empty: it is not known yet."""
        self.caller: int | None = None
        """Where the caller stands; None: it is not known."""
        self.record: RecordingOrder | None = None
        """How its voice is to be recorded; None: it is not."""
        self.watched: int | None = None
        """Where who presses keys stands, which are to be told; None: nobody's are."""

    def through(self, position: int, description: bytes, source: str = "") -> bytes:
        """A description as the other side is to see it; what cannot be relayed stays as it is, and is counted.

        Args:
            position: where who wrote it stands.
            description: as it came.
            source: the address that he really sends from, where he does not know it himself; empty: he does. His media
                is sent there until it is known better, and not to an address that means somebody else here.
        """
        if self._closed or self._direct or not description:
            return description
        try:
            found = streams_of(description)
            if not self._has_ports(len(found)):
                # Where nothing of the first description is relayed, the answer to it is not either.
                self._direct = not self._lines
                return description
            host = self._host_for(1 - position)
            places = [
                Place(host, line.taken.ports[1 - position]) if stream.carried else None
                for line, stream in zip(self._lines, found, strict=False)
            ]
            changed = redirected(description, places)
        except BadDescription:
            self._pool.counts["not_relayable"] += 1
            return description
        for line, stream in zip(self._lines, found, strict=False):
            line.ends[position] = _sent_from(stream, source) if source else stream
        self._pool.tell()
        return changed

    def described(self, position: int) -> tuple[Stream | None, ...]:
        """How whoever stands at a position described himself last; for `restore`."""
        return tuple(line.ends[position] for line in self._lines)

    def restore(self, position: int, described: tuple[Stream | None, ...]) -> None:
        """What was described since was refused: the session goes on as it was (RFC 3261 §14.1)."""
        if self._closed or self.described(position) == described:
            return
        padded = (*described, *[None] * (len(self._lines) - len(described)))
        for line, stream in zip(self._lines, padded, strict=True):
            line.ends[position] = stream
        self._pool.tell()

    def speaks_six(self, position: int) -> bool | None:
        """Whether who stands at a position named an IPv6 address; None: none yet."""
        for line in self._lines:
            end = line.ends[position]
            if end is not None and end.media is not None:
                return ":" in end.media[0]
        return None

    def streams(self) -> list[RelayedStream]:
        """What is to be carried now."""
        found = [
            RelayedStream(self._end(line, FIRST), self._end(line, SECOND), ahead=line.taken.ahead_id)
            for line in self._lines
        ]
        # The first line is the voice; how pictures arrive is not said of a call.
        voice = found[:1]
        order = replace(self.record, secure=self.secure) if self.record is not None else None
        keys = self._keys()
        told = [replace(one, call_id=self.call_id, caller=self.caller, record=order, keys=keys) for one in voice]
        return told + found[1:]

    def _keys(self) -> WatchedKeys | None:
        """What either side takes keys as, the other one may send."""
        ends = self._lines[0].ends if self._lines else []
        types = sorted({one for end in ends if end is not None and not end.secure for one in end.keys})
        return WatchedKeys(self.watched, tuple(types)) if self.watched is not None and types else None

    @property
    def relayed(self) -> bool:
        """Whether its voice goes through the relay."""
        return bool(self._lines)

    @property
    def secure(self) -> bool:
        """Whether its voice is encrypted for the ends only."""
        return any(end is not None and end.secure for line in self._lines[:1] for end in line.ends)

    def close(self) -> None:
        """The call is over."""
        if not self._closed:
            self._closed = True
            self._pool.closed(self, [line.taken for line in self._lines])

    def _end(self, line: _Line, position: int) -> RelayEnd:
        end = line.ends[position]
        host = self._host_for(position)
        six = ":" in host
        media, control = (end.media, end.control) if end is not None else (None, None)
        # Media of the other family than what we named there cannot be sent to.
        fits = media is not None and (":" in media[0]) == six
        at = host if line.taken.ahead_id else ""
        return RelayEnd(line.taken.ports[position], six, media if fits else None, control if fits else None, at)

    def _has_ports(self, count: int) -> bool:
        while len(self._lines) < count:
            taken = self._pool.take(None if self._own else (self._host_for(FIRST), self._host_for(SECOND)))
            if taken is None:
                return False
            self._lines.append(_Line(taken))
            if len(self._lines) == 1:
                self._pool.opened(self)
            if taken.ahead_id:
                self._pool.tell()  # so that its relay knows of it whatever becomes of this description
        return True


def _sent_from(stream: Stream, source: str) -> Stream:
    media = (source, stream.media[1]) if stream.media is not None else None
    control = (source, stream.control[1]) if stream.control is not None else None
    return replace(stream, media=media, control=control)
