"""From a name to hops (RFC 3263 §4): NAPTR, SRV, A and AAAA, remembered as long as they are valid."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from edge_agent.clock import Clock
from edge_agent.sip.message import SipError
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.resolver.dead_hops import DeadHops
from edge_agent.sip.resolver.hops import (
    DEFAULT_PORTS,
    SRV_PREFIXES,
    Hop,
    Naptr,
    Srv,
    in_srv_order,
    usable_naptr,
)
from edge_agent.sip.resolver.numeric import is_numeric
from edge_agent.tokens import Tokens

R = TypeVar("R")

HOPS_LIMIT: Final = 16
"""Addresses that one name is tried at."""
CACHED_NAMES: Final = 2_000
LONGEST_TTL: Final = 3_600.0
SHORTEST_TTL: Final = 5.0
NOTHING_SECONDS: Final = 30.0
"""How long it is remembered that a name has no such record."""
PENDING_LIMIT: Final = 200
"""Look-ups under way at one time."""


class LookupFailed(SipError):
    """No name server could say whether the name has such records, or too many are asked already."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, reason)


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """Records of one name, none where it has none of the kind; valid for so long."""

    records: tuple[R, ...] = ()
    ttl_seconds: float = NOTHING_SECONDS


class Lookup(Protocol):
    """Asks name servers. Each method raises `LookupFailed`."""

    async def naptr(self, name: str) -> Answer[Naptr]:
        """NAPTR records."""
        ...

    async def srv(self, name: str) -> Answer[Srv]:
        """SRV records."""
        ...

    async def addresses(self, name: str) -> Answer[str]:
        """A and AAAA records, in the order in which they are to be tried."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Args:
        host: name or numeric address, without brackets.
        port: as the URI says; 0: it says none.
        transport: as the URI says; None: it says none.
        secure: only what is encrypted (a sips URI).
    """

    host: str
    port: int = 0
    transport: Transport | None = None
    secure: bool = False


class Resolver:
    """Finds hops, and remembers which of them did not answer.

    Args:
        lookup: asks.
        clock: for what is remembered.
        tokens: draws by weight.
        supported: transports that can be used, best first where nothing is said.
    """

    def __init__(
        self,
        lookup: Lookup,
        clock: Clock,
        tokens: Tokens,
        supported: Sequence[Transport] = ("udp", "tcp", "tls"),
    ) -> None:
        self._lookup = lookup
        self._clock = clock
        self._tokens = tokens
        self._supported = tuple(supported)
        self._cache: dict[tuple[str, str], tuple[float, Answer[object]]] = {}
        self._pending: dict[tuple[str, str], asyncio.Task[Answer[object]]] = {}
        self.dead = DeadHops()
        """Hops that failed."""

    async def find(self, wanted: Wanted) -> list[Hop]:
        """Where to send, best first; those that failed lately last. Empty: the name leads nowhere.

        Raises:
            LookupFailed: it cannot be known.
        """
        hops: list[Hop] = []
        for transport, host, port in await self._services(wanted):
            addresses = (host,) if is_numeric(host) else (await self._addresses(host)).records
            hops += [Hop(transport, address, port, wanted.host) for address in addresses]
        hops = list(dict.fromkeys(hops))[:HOPS_LIMIT]
        return self.dead.living_first(hops, self._clock.monotonic())

    async def _services(self, wanted: Wanted) -> list[tuple[Transport, str, int]]:
        """Transport, host and port of each server (RFC 3263 §4.1, §4.2)."""
        allowed: tuple[Transport, ...] = ("tls",) if wanted.secure else self._supported
        if wanted.transport is not None:
            # sips with transport=tcp is TLS over TCP.
            allowed = ("tls",) if wanted.secure and wanted.transport == "tcp" else (wanted.transport,)
        if not allowed or (wanted.secure and allowed != ("tls",)):
            return []
        default = allowed[0]
        if wanted.port or is_numeric(wanted.host):
            return [(default, wanted.host, wanted.port or DEFAULT_PORTS.get(default, 5060))]
        names: list[tuple[Transport, str]] = []
        if wanted.transport is None:
            records = await self._ask("NAPTR", wanted.host, self._lookup.naptr)
            names = usable_naptr(records.records, allowed)
        if not names:
            names = [(one, SRV_PREFIXES[one] + wanted.host) for one in allowed if one in SRV_PREFIXES]
        found: list[tuple[Transport, str, int]] = []
        for transport, name in names:
            servers = await self._ask("SRV", name, self._lookup.srv)
            ordered = in_srv_order(servers.records, self._tokens.fraction)
            found += [(transport, server.target.rstrip("."), server.port) for server in ordered]
        return found or [(default, wanted.host, DEFAULT_PORTS.get(default, 5060))]

    async def _addresses(self, name: str) -> Answer[str]:
        return await self._ask("A", name, self._lookup.addresses)

    async def _ask(self, kind: str, name: str, ask: Callable[[str], Awaitable[Answer[R]]]) -> Answer[R]:
        """An answer that is remembered, or one that is under way, or a new one."""
        key = kind, name.rstrip(".").lower()
        known = self._cache.get(key)
        if known is not None and known[0] > self._clock.monotonic():
            return known[1]  # type: ignore[return-value]  # the kind says which records they are
        task = self._pending.get(key)
        if task is None:
            if len(self._pending) >= PENDING_LIMIT:
                raise LookupFailed("Too Many Look-ups")
            task = asyncio.ensure_future(self._fetch(key, ask))
            self._pending[key] = task
            task.add_done_callback(lambda _: self._pending.pop(key, None))
        # Several wait for one look-up; that one of them gives up is nothing to the others.
        return await asyncio.shield(task)  # type: ignore[arg-type]  # as above

    async def _fetch(self, key: tuple[str, str], ask: Callable[[str], Awaitable[Answer[R]]]) -> Answer[object]:
        answer = await ask(key[1])
        seconds = min(max(answer.ttl_seconds, SHORTEST_TTL), LONGEST_TTL)
        kept: Answer[object] = Answer(answer.records, answer.ttl_seconds)
        self._cache.pop(key, None)
        self._cache[key] = self._clock.monotonic() + seconds, kept
        if len(self._cache) > CACHED_NAMES:
            del self._cache[next(iter(self._cache))]
        return kept

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._pending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
