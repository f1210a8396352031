"""Paging groups: one speaks, and the phones of many play it by themselves."""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from contract.snapshot.served import Served
from contract.values import Frozen, Id

SCOPED: Final = ipaddress.IPv4Network("239.0.0.0/8")
"""Multicast addresses that a site may use as it likes (RFC 2365)."""


def _scoped(value: str) -> str:
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        address = None
    if address is None or address not in SCOPED:
        raise ValueError("no multicast address for a site's own use, 239.0.0.0 to 239.255.255.255")
    return str(address)


class Multicast(Frozen):
    """An address to which a page goes as one RTP stream, for all phones that listen to it."""

    address: Annotated[str, StringConstraints(max_length=15), AfterValidator(_scoped)]
    port: Annotated[int, Field(ge=1024, le=65_534, multiple_of=2)]
    """Even, as RTP's are (RFC 3550 §11)."""
    priority: Annotated[int, Field(ge=1, le=10)] = 5
    """Phones that listen to several play the most important one: 1 before 10."""
    codec: Literal["pcmu", "g722"] = "pcmu"
    hops: Annotated[int, Field(ge=1, le=32)] = 1
    """How many networks it may cross, and routers on the way (the TTL); 1: it stays in the edge's own network."""


class Paging(Served):
    """Whoever calls its number speaks to all of its members, who cannot answer."""

    kind: Literal["paging"] = "paging"
    members: Annotated[tuple[Id, ...], Field(max_length=45)] = ()
    """User ids; the one who calls is passed over. An edge carries 50 calls at a time by default."""
    beep: bool = True
    """Everybody hears a tone first; whoever calls speaks after it."""
    urgent: bool = False
    """Phones are paged also while they are in a call, not to be disturbed, or want no intercom."""
    longest_seconds: Annotated[int, Field(ge=5, le=3600)] = 120
    multicast: Multicast | None = None
    """Phones of members that can are told to listen there, and are not called; None: every member is called."""


def listened(services: Iterable[object], lines: Iterable[tuple[str | None, str]]) -> Mapping[str, tuple[Paging, ...]]:
    """Which paging groups each device is to listen to, by device id: the most important first.

    Args:
        services: voice services of the site.
        lines: of the site: on which device each is, if on any, and whose; a device listens for each user there.
    """
    groups = [one for one in services if isinstance(one, Paging) and one.enabled and one.multicast is not None]
    groups.sort(key=lambda one: (one.multicast.priority if one.multicast else 0, one.service_id))
    users: dict[str, set[str]] = defaultdict(set)
    for device_id, user_id in lines if groups else ():
        if device_id is not None:
            users[device_id].add(user_id)
    found = {
        device_id: tuple(one for one in groups if not those.isdisjoint(one.members))
        for device_id, those in users.items()
    }
    return {device_id: heard for device_id, heard in found.items() if heard}


def multicast_problems(services: Iterable[object]) -> Iterable[str]:
    """Addresses that two paging groups would send to."""
    streams = [one.multicast for one in services if isinstance(one, Paging) and one.multicast is not None]
    for (address, port), count in Counter((one.address, one.port) for one in streams).items():
        if count > 1:
            yield f"dial_plan: {count} paging groups send to {address}, port {port}: each needs a place of its own"
