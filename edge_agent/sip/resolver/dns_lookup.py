"""Look-ups by dnspython, which is loaded with the first one: a site without names never pays for it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from edge_agent.sip.resolver.hops import Naptr, Srv
from edge_agent.sip.resolver.resolver import NOTHING_SECONDS, Answer, LookupFailed

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.rrset import RRset

_LIFETIME_SECONDS: Final = 5.0
"""For one question, at all servers and attempts together."""
_ATTEMPT_SECONDS: Final = 1.5


class DnsLookup:
    """See `Lookup`.

    Args:
        servers: addresses of name servers; none: those that the machine uses.
        port: of the servers.
    """

    def __init__(self, servers: Sequence[str] = (), port: int = 53) -> None:
        self._servers = list(servers)
        self._port = port
        self._made: Resolver | None = None

    async def naptr(self, name: str) -> Answer[Naptr]:
        """See `Lookup`."""
        found = await self._ask(name, "NAPTR")
        if found is None:
            return Answer()
        records = tuple(
            Naptr(
                one.order,
                one.preference,
                one.flags.decode("ascii", "replace"),
                one.service.decode("ascii", "replace"),
                one.replacement.to_text(omit_final_dot=True),
            )
            for one in found
        )
        return Answer(records, found.ttl)

    async def srv(self, name: str) -> Answer[Srv]:
        """See `Lookup`."""
        found = await self._ask(name, "SRV")
        if found is None:
            return Answer()
        records = tuple(Srv(one.priority, one.weight, one.port, one.target.to_text()) for one in found)
        return Answer(records, found.ttl)

    async def addresses(self, name: str) -> Answer[str]:
        """See `Lookup`: A before AAAA, since phones' networks carry IPv4 at every site."""
        records: list[str] = []
        ttl, failed = NOTHING_SECONDS, None
        for kind in ("A", "AAAA"):
            try:
                found = await self._ask(name, kind)
            except LookupFailed as error:
                failed = error
                continue
            if found is not None:
                ttl = min(ttl, found.ttl) if records else found.ttl
                records += [str(ipaddress.ip_address(one.address)) for one in found]
        if failed is not None and not records:
            raise failed
        return Answer(tuple(records), ttl)

    async def _ask(self, name: str, kind: str) -> RRset | None:
        from dns.exception import DNSException
        from dns.resolver import NXDOMAIN

        try:
            answer = await self._resolver().resolve(name, kind, raise_on_no_answer=False, search=False)
        except NXDOMAIN:
            return None
        except DNSException as error:
            raise LookupFailed("Name Servers Do Not Answer") from error
        return answer.rrset

    def _resolver(self) -> Resolver:
        from dns.asyncresolver import Resolver

        if self._made is None:
            self._made = Resolver(configure=not self._servers)
            if self._servers:
                self._made.port = self._port
                self._made.nameservers = list(self._servers)
            self._made.lifetime, self._made.timeout = _LIFETIME_SECONDS, _ATTEMPT_SECONDS
        return self._made
