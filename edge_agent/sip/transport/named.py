"""Flows that lead to a name: looked up without waiting, kept to one hop, moved on when that hop fails (RFC 3263 §4.3).

A request with a transaction asks for the hops (`find`) and tries them itself, see `NamedRequest`. A message without
one, such as the ACK of a 2xx, is sent by `send`: again to the next hop when a connection cannot be opened, when the
network refuses a datagram, or when a hop has not answered datagrams for a while.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sip.message import DropReason, Flow
from edge_agent.sip.message.flow import TO_A_NAME_ANYHOW
from edge_agent.sip.resolver import Hop, LookupFailed, Resolver, Wanted

SILENT_SECONDS: Final = 3.0
"""A hop that has left datagrams unanswered for so long is dead; three retransmissions of RFC 3261 went there then."""
ROUTES: Final = 500
UNANSWERED: Final = 32
"""Messages kept for the next hop, for each name."""
WAITING: Final = 1_000
"""Requests that wait for one look-up."""
LOOK_UP_SECONDS: Final = 8.0
"""For all questions about one name together; what was found earlier is used when they take longer."""
FRESH_SECONDS: Final = 60.0
"""After this time a name is looked up again (from memory as long as its records are valid)."""

SendToHop = Callable[[bytes, Flow], bool]
"""Sends by a numeric flow; False: it cannot be."""


Found = Callable[[tuple[Flow, ...], float], None]
"""Takes the hops of a name, none where it leads nowhere, and the moment."""


class Route:
    """The way to one name."""

    __slots__ = ("found_at", "hops", "looking", "since", "unanswered", "waiting")

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self.unanswered: OrderedDict[bytes, None] = OrderedDict()
        """What was sent since the hop was heard last, oldest first."""
        self.since = 0.0
        """When the oldest of them was sent."""
        self.found_at = 0.0
        self.looking: asyncio.Task[None] | None = None
        self.waiting: list[Found] = []
        """Who asked for the hops."""


class NamedFlows:
    """Every name that is sent to.

    Args:
        resolver: finds hops.
        clock: for time-outs.
        send: to a hop.
        failed: told of a flow that leads nowhere any more.
        dropped: told of what is dropped.
        tell: hands hops to who asked for them a while ago.
    """

    def __init__(
        self,
        resolver: Resolver,
        clock: Clock,
        send: SendToHop,
        failed: Callable[[Flow], None],
        dropped: Callable[[DropReason], None],
        tell: Callable[[Found, tuple[Flow, ...]], None],
    ) -> None:
        self._resolver = resolver
        self._clock = clock
        self._send = send
        self._failed = failed
        self._dropped = dropped
        self._tell = tell
        self._routes: OrderedDict[Flow, Route] = OrderedDict()
        self._by_hop: dict[tuple[str, str, int], Flow] = {}

    def _route(self, flow: Flow) -> Route:
        route = self._routes.get(flow)
        if route is None:
            if len(self._routes) >= ROUTES:
                self._forget_oldest()
            route = self._routes[flow] = Route()
        self._routes.move_to_end(flow)
        return route

    def find(self, flow: Flow, found: Found, now: float) -> None:
        """See `Finder`."""
        route = self._route(flow)
        if len(route.waiting) >= WAITING:
            self._dropped(DropReason.UNREACHABLE)
            asyncio.get_running_loop().call_soon(self._tell, found, ())
        elif route.looking is None and route.hops and now - route.found_at <= FRESH_SECONDS:
            found(tuple(hop.flow for hop in route.hops), now)
        else:
            route.waiting.append(found)
            if route.looking is None:
                self._look_up(flow, route)

    def failed(self, flow: Flow, hop: Flow, now: float, wished_seconds: float | None = None) -> None:
        """See `Finder`."""
        route = self._routes.get(flow)
        known = self._hop(route, hop)
        if route is not None and known is not None:
            self._resolver.dead.failed(known, now, wished_seconds)
            route.hops.remove(known)
            route.hops.append(known)

    def answered(self, flow: Flow, hop: Flow) -> None:
        """See `Finder`."""
        route = self._routes.get(flow)
        known = self._hop(route, hop)
        if route is not None and known is not None:
            self._resolver.dead.answered(known)
            if route.hops[0] is not known:
                route.hops.remove(known)
                route.hops.insert(0, known)

    @staticmethod
    def _hop(route: Route | None, flow: Flow) -> Hop | None:
        return next((hop for hop in route.hops if hop.flow == flow), None) if route is not None else None

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send, now or when the name is looked up; False when too much waits already."""
        route = self._route(flow)
        now = self._clock.monotonic()
        if not route.unanswered:
            route.since = now
        if data not in route.unanswered:
            if len(route.unanswered) >= UNANSWERED:
                if route.looking is not None:
                    return False
                route.unanswered.popitem(last=False)
            route.unanswered[data] = None
        if route.looking is not None:
            return True
        if not route.hops or now - route.found_at > FRESH_SECONDS:
            self._look_up(flow, route)
            return True
        hop = route.hops[0]
        silent = flow.transport == "udp" and now - route.since > SILENT_SECONDS
        if silent or not self._send(data, hop.flow):
            self._next(flow, route, now)
        return True

    def heard(self, flow: Flow) -> None:
        """Something came from there."""
        route = self._routes.get(self._by_hop.get(flow[:3], flow))
        if route is not None and route.hops:
            if route.unanswered:
                self._resolver.dead.answered(route.hops[0])
            route.unanswered.clear()

    def hop_failed(self, flow: Flow) -> None:
        """A numeric flow failed; whoever went that way goes another."""
        named = self._by_hop.get(flow[:3])
        route = self._routes.get(named) if named is not None else None
        if named is not None and route is not None and route.looking is None:
            self._next(named, route, self._clock.monotonic())

    def __len__(self) -> int:
        return len(self._by_hop)

    def _next(self, flow: Flow, route: Route, now: float) -> None:
        """The hop is dead: everything that it did not answer goes to the next one."""
        while route.hops:
            dead = route.hops.pop(0)
            self._by_hop.pop((dead.transport, dead.host, dead.port), None)
            self._resolver.dead.failed(dead, now)
            if not route.hops:
                break
            if self._send_all(flow, route, now):
                return
        waited = bool(route.unanswered)
        del self._routes[flow]
        if waited:
            self._dropped(DropReason.UNREACHABLE)
            self._failed(flow)

    def _send_all(self, flow: Flow, route: Route, now: float) -> bool:
        hop = route.hops[0]
        self._by_hop[hop.transport, hop.host, hop.port] = flow
        route.since = now
        # Each is tried: a datagram may be refused while the next one is not.
        sent = [self._send(data, hop.flow) for data in list(route.unanswered)]
        return all(sent)

    def _look_up(self, flow: Flow, route: Route) -> None:
        route.looking = asyncio.get_running_loop().create_task(self._find(flow, route))

    async def _find(self, flow: Flow, route: Route) -> None:
        transport = None if flow.connection == TO_A_NAME_ANYHOW else flow.transport
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                hops = await self._resolver.find(Wanted(flow.host, flow.port, transport))
        except (LookupFailed, TimeoutError):
            # What was found earlier is better than nothing: a site goes on while its name servers do not.
            hops = list(route.hops)
        route.looking = None
        now = route.found_at = self._clock.monotonic()
        for old in route.hops:
            self._by_hop.pop((old.transport, old.host, old.port), None)
        if route.hops and route.hops[0] in hops and not self._resolver.dead.is_dead(route.hops[0], now):
            # Stay with the hop that answers; what is drawn by weight is drawn once.
            hops.remove(route.hops[0])
            hops.insert(0, route.hops[0])
        route.hops = hops
        waiting, route.waiting = route.waiting, []
        if not hops:
            del self._routes[flow]
            self._dropped(DropReason.UNREACHABLE)
            if route.unanswered:
                self._failed(flow)
        elif route.unanswered and not self._send_all(flow, route, now):
            self._next(flow, route, now)
        for found in waiting:
            self._tell(found, tuple(hop.flow for hop in hops))

    def _forget_oldest(self) -> None:
        flow, route = self._routes.popitem(last=False)
        if route.looking is not None:
            route.looking.cancel()
        for hop in route.hops:
            self._by_hop.pop((hop.transport, hop.host, hop.port), None)
        if route.unanswered:
            self._failed(flow)
        for found in route.waiting:
            asyncio.get_running_loop().call_soon(self._tell, found, ())

    async def close(self) -> None:
        """Give up every look-up."""
        tasks = [route.looking for route in self._routes.values() if route.looking is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._routes.clear()
        self._by_hop.clear()
        await self._resolver.close()
