"""What a site decides about its SIP: whom it trusts, whom it may send to, and who counts as calling for help."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contract.snapshot.emergency_numbers import NUMBERS_BY_COUNTRY
from contract.snapshot.provisioning import Network
from contract.snapshot.qualify import QualifySeconds
from contract.values import Frozen, HostName, Id, Text

FromPolicy = Literal["strict", "lenient", "rfc3325"]
"""What From of a phone's request may say, and which of its user's addresses is asserted (RFC 3325).

`strict`: one of the user's own, or anonymous; anything else is refused. P-Preferred-Identity counts among his own.
`lenient`: anything; the user's first address is asserted beside it, whatever is preferred.
`rfc3325`: anything; P-Preferred-Identity counts among his own, else his first address (RFC 3325 §5).
"""


def _host(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        if value.replace(".", "").isdigit():
            raise ValueError("no address such as 192.0.2.1") from None
        return value


def _country(value: str) -> str:
    if value not in NUMBERS_BY_COUNTRY:
        raise ValueError("no emergency numbers are known of this country")
    return value


ForeignHost = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-z]([0-9a-z.-]{0,251}[0-9a-z])?$|^[0-9a-f:.]{2,45}$"),
    AfterValidator(_host),
]
"""A DNS name in lower case, or a numeric address without brackets."""
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_country)]
"""ISO 3166-1 alpha-2."""
EmergencyNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,8}$")]


RelayMedia = Literal["never", "behind_nat", "always"]
"""When media of calls goes through this edge: `behind_nat` where the two ends cannot be sure to reach each other."""

QualifiedPhones = Literal["behind_nat", "all"]
"""`behind_nat`: those that are reached another way than their Contact says."""


class TrustedPeer(Frozen):
    """A trunk, another edge of the site, or another server whose requests need no digest and whose word counts.

    It is known by where it sends from or by the certificate that it proves itself with on a connection that it opened,
    either of them; never by a header.
    """

    name: Text
    networks: Annotated[tuple[Network, ...], Field(max_length=16)] = ()
    """Addresses that it sends from. A datagram's source can be forged: over UDP only what is on the site's own network
    or on a line of its own should be named so."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """That its datagrams come from; 0: any. Streams come from any port."""
    certificate_names: Annotated[tuple[HostName, ...], Field(max_length=16)] = ()
    """DNS names: its certificate is for one of them, signed by an authority of ours (`sip.tls_client_authorities`)."""

    @model_validator(mode="after")
    def _can_be_known(self) -> Self:
        if not self.networks and not self.certificate_names:
            raise ValueError("networks, or certificate_names: a peer is known by at least one")
        return self


class MediaException(Frozen):
    """A user or a device whose calls' media goes another way than the site's; that of the device counts first."""

    user_id: Id | None = None
    device_id: Id | None = None
    relay_media: RelayMedia

    @model_validator(mode="after")
    def _is_of_one(self) -> Self:
        if (self.user_id is None) == (self.device_id is None):
            raise ValueError("user_id or device_id: an exception is for one of them")
        return self


class SipPolicy(Frozen):
    """What a site decides about its SIP."""

    from_policy: FromPolicy = "strict"
    foreign_hosts: Annotated[tuple[ForeignHost, ...], Field(max_length=64)] = ()
    """Hosts beyond the site that its users may send requests to; everything else that is not the site's is refused."""
    trusted_peers: Annotated[tuple[TrustedPeer, ...], Field(max_length=32)] = ()
    country: Country | None = None
    """Whose emergency numbers count; absent: those of the dial plan and of `emergency_numbers` only."""
    emergency_numbers: Annotated[tuple[EmergencyNumber, ...], Field(max_length=16)] = ()
    """Further numbers for help, such as a works fire brigade."""
    qualify_phones_seconds: QualifySeconds = 0
    """How often phones are asked whether they are there (OPTIONS), which keeps their NAT open; those that leave it
    unanswered twice are no longer rung. 0: never."""
    qualify_phones: QualifiedPhones = "behind_nat"
    qualify_gateways_seconds: QualifySeconds = 0
    """The same for gateways; one that leaves it unanswered twice raises an alarm."""
    relay_media: RelayMedia = "behind_nat"
    """When media of phones' calls goes through this edge."""
    media_exceptions: Annotated[tuple[MediaException, ...], Field(max_length=256)] = ()
    """Users and devices whose media goes another way."""
    local_networks: Annotated[tuple[Network, ...], Field(max_length=64)] = ()
    """The site's own networks: phones anywhere else are remote. Empty: every private address is the site's."""
    direct_behind_one_nat: bool = True
    """Whether two phones behind the same NAT send to each other, where they seem to be in one network there."""
    remote_tls_only: bool = False
    """Whether phones from remote networks may register and call by TLS only."""

    @property
    def numbers_for_help(self) -> tuple[str, ...]:
        """The country's, then the site's own."""
        by_country = NUMBERS_BY_COUNTRY[self.country] if self.country is not None else ()
        return tuple(dict.fromkeys((*by_country, *self.emergency_numbers)))
