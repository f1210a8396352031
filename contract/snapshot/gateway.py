"""Ways out of the site, and the caller ID that calls leave with."""

from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.pattern import Dialled
from contract.values import Frozen, HostName, Id, Text


class Gateway(Frozen):
    """A SIP peer that carries calls to the public network: a gateway on the LAN."""

    gateway_id: Id
    name: Text
    enabled: bool = True
    host: HostName
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0: as the host's name says (RFC 3263), 5060 for an address."""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    prefix: Dialled = ""
    """Put before every number that is sent there."""
    caller_id: Dialled | None = None
    """What calls show whose user has no number of his own."""
    ignore_user_caller_id: bool = False
    """Show `caller_id` for everybody."""
    block_caller_id: bool = False
    """Let every call leave anonymously (RFC 3323)."""
