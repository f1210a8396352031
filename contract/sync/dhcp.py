"""How the edge's own DHCP stands: answer to the question `dhcp_status`."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contract.snapshot.provisioning import Ipv4Address
from contract.values import Frozen, MacAddress, Text, UtcTime

MAX_SHOWN_LEASES: Final = 4096

DhcpState = Literal["off", "looking", "serving", "proxy", "withdrawn", "failed"]
"""`looking`: for other servers, before anything is served; `proxy`: it gives no addresses; `withdrawn`: another server
answered, so that it gives no new ones; `failed`: its port cannot be used, and `problem` says why."""


class DhcpLease(Frozen):
    """An address that a phone has."""

    address: Ipv4Address
    mac: MacAddress
    vendor_class: Text = ""
    """What the phone says it is (option 60)."""
    switch_port: Text = ""
    """Where it is plugged in, when a switch or relay said so (option 82)."""
    reserved: bool = False
    ends_at: UtcTime


class OtherServer(Frozen):
    """A DHCP server at the site that is not the edge's."""

    address: Ipv4Address
    interface: Text
    """Of the edge, on which it answered."""
    offered: Ipv4Address | None = None
    seen_at: UtcTime


class DhcpStatus(Frozen):
    """DHCP of one edge."""

    state: DhcpState
    problem: Text = ""
    leases: Annotated[tuple[DhcpLease, ...], Field(max_length=MAX_SHOWN_LEASES)] = ()
    """Those that are not over, by address."""
    pool_size: Annotated[int, Field(ge=0)] = 0
    pool_free: Annotated[int, Field(ge=0)] = 0
    others: Annotated[tuple[OtherServer, ...], Field(max_length=64)] = ()
    looked_at: UtcTime | None = None
    """When other servers were looked for the last time."""
    dropped: dict[str, int] = {}
    """How many messages were not answered, by reason."""
