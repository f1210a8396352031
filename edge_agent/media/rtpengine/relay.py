"""Relayed streams at rtpengine, and at our own relay whatever rtpengine cannot carry, on the very same ports.

rtpengine chooses its ports, and a description cannot wait for it. So some pairs are opened ahead for every two hosts of
ours, and offered to whoever writes descriptions. A stream that was given such a pair is rtpengine's; when that ends, is
killed or loses the stream, our own relay binds the pair's ports, so that no party has to be told anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import combinations_with_replacement
from typing import Final, Literal

from contract.sync.quality import CallQuality
from edge_agent.clock import Clock
from edge_agent.media.rtpengine.control import Asking, RtpengineError
from edge_agent.media.rtpengine.requests import (
    PARTIES,
    Heard,
    call_ids_of,
    deleted,
    described,
    interface_name,
    listed,
    opened,
    parties_of,
    ping,
    queried,
)
from edge_agent.ports import MediaRelay, PortsAhead, QualityTold, RelayedStream, RelayEnd
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

AHEAD: Final = 16
"""Pairs open ahead for every two hosts."""
LEASE_SECONDS: Final = 30.0
"""Streams end when the signalling has not named them for so long: its process is gone."""
LIST_LOOKS: Final = 5
"""Every so many looks it is seen whether streams are still there."""
HEAR_LOOKS: Final = 2
"""Every so many, whether parties are heard."""
REBOUND_PACKETS: Final = 20
"""So many packets from elsewhere between two looks, and none from the party: it sends from elsewhere now."""

Told = tuple[tuple[str, int] | None, tuple[str, int] | None]
"""Where a party receives media and its control."""


class _State(Enum):
    AHEAD = auto()
    USED = auto()
    LEAVING = auto()
    """rtpengine is to let go of its ports."""
    OURS = auto()
    """Our own relay has its ports."""
    ENDED = auto()


@dataclass(slots=True, eq=False)
class _Pair:
    """A stream of rtpengine's."""

    offered: PortsAhead
    state: _State = _State.AHEAD
    stream: RelayedStream | None = None
    told: list[Told] = field(default_factory=lambda: [(None, None), (None, None)])
    heard: tuple[Heard, Heard] | None = None
    works: bool = False

    def ends(self) -> tuple[RelayEnd, RelayEnd] | None:
        """The ends of its stream in the order of its parties; None: they are at other hosts than it was opened for."""
        if self.stream is None:
            return None
        ports, hosts = self.offered.ports, self.offered.hosts
        for one, other in ((self.stream.first, self.stream.second), (self.stream.second, self.stream.first)):
            if (one.port, other.port) == ports and (one.at, other.at) == hosts:
                return one, other
        return None


class RtpengineRelay:
    """See `MediaRelay`.

    Args:
        places: the local address that each host of ours is reached at, by the host that parties are told; numeric.
        others: carries what rtpengine does not.
        offer: hears which ports are open ahead, whenever that changes.
        clock, tokens: monotonic time, and names of streams.
        measured: hears how much of each party of a call's stream came, when that is over.
    """

    def __init__(
        self,
        places: Mapping[str, str],
        others: MediaRelay,
        offer: Callable[[tuple[PortsAhead, ...]], None],
        clock: Clock,
        tokens: Tokens,
        measured: QualityTold = lambda quality: None,
    ) -> None:
        self._places, self._others, self._offer = dict(places), others, offer
        self._clock, self._tokens, self._measured = clock, tokens, measured
        self._control: Asking | None = None
        self._pairs: dict[str, _Pair] = {}
        self._streams: tuple[RelayedStream, ...] = ()
        self._passed_on: tuple[RelayedStream, ...] = ()
        self._named_at = clock.monotonic()
        self._looks = 0
        self._filling = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()
        """What our own relay took over, and what could not be opened."""
        self.problem = ""
        """Why no ports can be opened; empty: they can."""

    def figures(self) -> dict[str, int]:
        """Streams that rtpengine carries, ports open ahead, and what went wrong since the start."""
        states = Counter(pair.state for pair in self._pairs.values())
        return {
            "rtpengine.streams": states[_State.USED],
            "rtpengine.ahead": states[_State.AHEAD],
            "rtpengine.taken_over": self.counts["taken_over"],
            "rtpengine.refused": self.counts["refused"],
        }

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """See `MediaRelay`."""
        self._named_at, self._streams = self._clock.monotonic(), streams
        named = {stream.ahead: stream for stream in streams if stream.ahead}
        for ahead_id, pair in list(self._pairs.items()):
            stream = named.get(ahead_id)
            if stream is not None:
                pair.stream = stream
                if pair.state is _State.AHEAD:
                    pair.state = _State.USED
                if pair.state is _State.USED and pair.ends() is None:
                    self._leave(pair, "other_hosts")
            elif pair.state is _State.OURS:
                del self._pairs[ahead_id]
            elif pair.state in (_State.USED, _State.LEAVING):
                pair.state = _State.ENDED
            if pair.state is not _State.AHEAD:
                self._work_on(pair)
        self._pass_on()
        self._fill()

    def up(self, control: Asking) -> None:
        """rtpengine answers: have ports opened."""
        self._control = control
        self._fill()

    def down(self) -> None:
        """rtpengine is gone, and so are its sockets: what it carried is carried here."""
        self._control = None
        for ahead_id, pair in list(self._pairs.items()):
            if pair.state in (_State.USED, _State.LEAVING):
                pair.state = _State.OURS
                self.counts["taken_over"] += 1
            elif pair.state is not _State.OURS:
                del self._pairs[ahead_id]
        self._tell_ahead()
        self._pass_on()

    async def look(self) -> None:
        """To be called once a second while rtpengine is up.

        Raises:
            RtpengineError: it does not answer as it should.
        """
        control = self._control
        if control is None:
            return
        await control.ask(ping())
        self._looks += 1
        if self._streams and self._clock.monotonic() - self._named_at > LEASE_SECONDS:
            log.warning("relay_left_alone", extra={"streams": len(self._streams)})
            self.carry(())
        if self._looks % LIST_LOOKS == 0:
            self._compare(call_ids_of(await control.ask(listed())))
        if self._looks % HEAR_LOOKS == 0:
            for pair in [one for one in self._pairs.values() if one.state is _State.USED]:
                await self._hear(control, pair)
        self._fill()

    def tell_again(self) -> None:
        """Who writes descriptions has been started anew."""
        self._tell_ahead()

    async def close(self) -> None:
        """Ask nothing any more."""
        self._control = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what is whose

    def _pass_on(self) -> None:
        """Have our own relay carry what rtpengine does not."""
        found = []
        for stream in self._streams:
            pair = self._pairs.get(stream.ahead) if stream.ahead else None
            if pair is None or pair.state is _State.OURS:
                found.append(self._placed(stream))
        if found or self._passed_on:
            self._passed_on = tuple(found)
            self._others.carry(self._passed_on)

    def _placed(self, stream: RelayedStream) -> RelayedStream:
        """A stream whose ports were rtpengine's, bound where rtpengine had them: others may have the same numbers."""
        if not stream.ahead:
            return stream
        first, second = (
            RelayEnd(end.port, end.six, end.media, end.control, self._places.get(end.at, ""))
            for end in (stream.first, stream.second)
        )
        return RelayedStream(first, second, stream.call_id, stream.caller, stream.ahead)

    def _leave(self, pair: _Pair, reason: str) -> None:
        log.warning("rtpengine_stream_taken_over", extra={"reason": reason})
        self.counts["taken_over"] += 1
        pair.state = _State.LEAVING
        self._work_on(pair)

    def _compare(self, there: frozenset[str]) -> None:
        """Take over what rtpengine knows no more: it was started anew, or thinks that the stream is over."""
        for ahead_id, pair in list(self._pairs.items()):
            if ahead_id in there or pair.works or pair.state not in (_State.AHEAD, _State.USED):
                continue
            if pair.state is _State.AHEAD:
                del self._pairs[ahead_id]
            else:
                pair.state = _State.OURS
                self.counts["taken_over"] += 1
        self._tell_ahead()
        self._pass_on()

    async def _hear(self, control: Asking, pair: _Pair) -> None:
        """Whether a party sends from elsewhere now, which only our own relay recognises."""
        try:
            heard = parties_of(await control.ask(queried(pair.offered.ahead_id)))
        except RtpengineError:
            return  # whether it is there at all, `look` finds out
        before, pair.heard = pair.heard, heard
        if before is None or pair.state is not _State.USED:
            return
        for was, now in zip(before, heard, strict=True):
            if now.packets == was.packets and now.refused - was.refused >= REBOUND_PACKETS:
                self._leave(pair, "sends_from_elsewhere")
                return

    # -- work with rtpengine

    def _spawn(self, work: asyncio.Task[None]) -> None:
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)

    def _work_on(self, pair: _Pair) -> None:
        if not pair.works and self._control is not None:
            pair.works = True
            self._spawn(asyncio.get_running_loop().create_task(self._work(pair)))

    async def _work(self, pair: _Pair) -> None:
        """Until rtpengine has done everything for a pair."""
        try:
            while self._control is not None and await self._step(self._control, pair):
                pass
        finally:
            pair.works = False

    async def _step(self, control: Asking, pair: _Pair) -> bool:
        """One request for a pair, if there is one to be made."""
        ahead_id, hosts = pair.offered.ahead_id, pair.offered.hosts
        if pair.state is _State.USED:
            ends = pair.ends()
            changed = [] if ends is None else [i for i in (0, 1) if _told(ends[i]) != pair.told[i]]
            if ends is None or not changed:
                return False
            index = changed[0]
            media, rtcp = pair.told[index] = _told(ends[index])
            try:
                await control.ask(described(ahead_id, hosts, PARTIES[index], media, rtcp))
            except RtpengineError as error:
                if pair.state is _State.USED:
                    self._leave(pair, str(error))
            return True
        if pair.state not in (_State.LEAVING, _State.ENDED):
            return False
        try:
            if pair.state is _State.ENDED:
                with contextlib.suppress(RtpengineError):
                    self._tell_heard(pair, parties_of(await control.ask(queried(ahead_id))))
            await control.ask(deleted(ahead_id))
        except RtpengineError as error:
            log.warning("rtpengine_stream_not_deleted", extra={"problem": str(error)})
        if pair.state is _State.LEAVING:
            pair.state = _State.OURS
            self._pass_on()
        elif pair.state is _State.ENDED:
            self._pairs.pop(ahead_id, None)
        return False

    def _tell_heard(self, pair: _Pair, heard: tuple[Heard, Heard]) -> None:
        stream, ends = pair.stream, pair.ends()
        if stream is None or ends is None or not stream.call_id or not any(one.packets for one in heard):
            return
        for end, one in zip(ends, heard, strict=True):
            whose: Literal["caller", "callee"] | None = None
            if stream.caller is not None:
                whose = "caller" if end is (stream.first, stream.second)[stream.caller] else "callee"
            self._measured(
                CallQuality(sip_call_id=stream.call_id[:1024], source="relay", heard=whose, packets=one.packets)
            )

    def _fill(self) -> None:
        if self._control is not None and not self._filling and self._missing() is not None:
            self._filling = True
            self._spawn(asyncio.get_running_loop().create_task(self._open_missing(self._control)))

    def _missing(self) -> tuple[str, str] | None:
        """Two hosts for which too few pairs are open ahead."""
        ahead = Counter(pair.offered.hosts for pair in self._pairs.values() if pair.state is _State.AHEAD)
        return next((two for two in combinations_with_replacement(self._places, 2) if ahead[two] < AHEAD), None)

    async def _open_missing(self, control: Asking) -> None:
        """Open what is missing, until a request fails: `look` begins again."""
        try:
            while self._control is control and (hosts := self._missing()) is not None:
                await self._open(control, hosts)
            self.problem = ""
        except RtpengineError as error:
            self.counts["refused"] += 1
            if self.problem != str(error):
                log.warning("rtpengine_opens_no_ports", extra={"problem": str(error)})
            self.problem = str(error)
        finally:
            self._filling = False
        self._tell_ahead()

    async def _open(self, control: Asking, hosts: tuple[str, str]) -> None:
        ahead_id = self._tokens.token(8)
        try:
            for request in opened(ahead_id, hosts):
                await control.ask(request)
            found = parties_of(await control.ask(queried(ahead_id)))
        except RtpengineError:
            with contextlib.suppress(RtpengineError):
                await control.ask(deleted(ahead_id))  # half a stream would keep its ports
            raise
        for host, one in zip(hosts, found, strict=True):
            if one.address != self._places[host]:
                await control.ask(deleted(ahead_id))
                meant = self._places[host]
                name = interface_name(host)
                raise RtpengineError(
                    f"it opens ports at {one.address}, not {meant}: its interface there has to be {name}"
                )
        if self._control is control:
            offered = PortsAhead(ahead_id, hosts, (found[0].port, found[1].port))
            self._pairs[ahead_id] = _Pair(offered)

    def _tell_ahead(self) -> None:
        self._offer(tuple(one.offered for one in self._pairs.values() if one.state is _State.AHEAD))


def _told(end: RelayEnd) -> Told:
    return end.media, end.control
