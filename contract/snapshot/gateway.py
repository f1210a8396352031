"""Ways out of the site, and the caller ID that calls leave with."""

from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.pattern import Dialled
from contract.snapshot.qualify import QualifySeconds
from contract.values import Frozen, HostName, Id, Text


class NumberFormat(Frozen):
    """How a gateway wants numbers written that the dial plan gives in E.164, with their plus; others go as they are."""

    style: Literal["plus", "digits", "national"] = "plus"
    """`+41441112233`, `41441112233`, or as they are dialled in the gateway's own country: `0441112233`."""
    country_code: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = ""
    """Of the gateway's country, for `national`."""
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = "0"
    international_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,5}$")] = "00"


class IncomingNumbers(Frozen):
    """What a gateway sends as the called number, made into a number of the dial plan."""

    strip: Dialled = ""
    """Taken off the beginning, when it stands there."""
    prefix: Dialled = ""
    """Then put before it."""
    style: Literal["as_sent", "digits", "national"] = "as_sent"
    """What it is then: a number of the plan as it stands, E.164 without its plus, or as dialled in the gateway's
    country; the last two get their plus. Callers' numbers of a trunk are made E.164 by the same."""
    country_code: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = ""
    """Of the gateway's country, for `national`."""
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = "0"
    international_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,5}$")] = "00"


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
    caller_id_in: Literal["asserted", "from", "both"] = "both"
    """Where the gateway looks for the caller ID: P-Asserted-Identity (RFC 3325), From, or it is not known which."""
    numbers: NumberFormat = NumberFormat()
    incoming: IncomingNumbers = IncomingNumbers()
    trusted: bool = True
    """Whether its calls need no password, what it says of callers counts, and it is told who calls by an asserted
    identity, though he is private (RFC 3325 §9). False for a server of somebody else's, such as a feature server that
    has a range of numbers: it learns what From shows."""
    send_location: bool = False
    """Send the caller's dispatchable location with calls for help (RFC 6442)."""
    qualify_seconds: QualifySeconds | None = None
    """How often it is asked whether it is there; None: as the site's policy says, 0: never. Trunks have
    `options_seconds` for that."""
