"""The tenant's other sites: who is there, where their edges are, and the name that each proves itself by."""

from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from contract.snapshot.gateway import Gateway
from contract.snapshot.pattern import Dialled
from contract.values import Frozen, HostName, Id, SipUser, Text

SITE_NAMES: Final = ".tandem-sites.invalid"
"""How the names end by which edges of one tenant know each other: they stand in certificates and are never looked up
(RFC 6761 §6.4)."""
MAX_EDGES: Final = 4
"""Of one site."""
SITES_PORT: Final = 5063
"""Where edges listen for each other, unless their settings say otherwise."""


def _site_name(value: str) -> str:
    if not value.endswith(SITE_NAMES):
        raise ValueError(f"it has to end in {SITE_NAMES}")
    return value


def _address(value: str) -> str:
    try:
        return str(IPv4Address(value))
    except AddressValueError:
        raise ValueError(f"{value!r} is no IPv4 address such as 192.0.2.1") from None


SiteName = Annotated[HostName, AfterValidator(_site_name)]
"""What the certificate of a site's edges is for; of one site of one tenant only."""
EdgeHost = Annotated[str, Field(max_length=64), AfterValidator(_address)]
"""The IPv4 address at which other sites reach an edge. It is what the edge calls itself (`sip.advertised_host`)."""


class EdgeAddress(Frozen):
    """Where an edge listens for the tenant's other sites."""

    edge_id: Id
    host: EdgeHost
    port: Annotated[int, Field(ge=1, le=65535)] = SITES_PORT


class Colleague(Frozen):
    """Somebody, or a hunt group, at another site."""

    name: Text
    dialled: Annotated[tuple[SipUser, ...], Field(min_length=1, max_length=40)]
    """User name, extension, aliases."""
    number: Dialled | None = None
    """The public number, for when the other site is not reached; None: there is none."""


class OtherSite(Frozen):
    """Another site of the tenant."""

    site_id: Id
    name: Text
    certificate_name: SiteName
    edges: Annotated[tuple[EdgeAddress, ...], Field(min_length=1, max_length=MAX_EDGES)]
    """In the order in which they are tried."""
    colleagues: Annotated[tuple[Colleague, ...], Field(max_length=20_000)] = ()


class SiteLink(Gateway):
    """The way to one edge of another site, made of `OtherSite`: a gateway that proves itself by its certificate."""

    site_id: Id
    certificate_name: SiteName
