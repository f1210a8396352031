"""SIP trunks: gateways that a provider (ITSP) runs, reached through the edge's back-to-back user agent."""

import re
from base64 import b64decode
from binascii import Error as NoBase64
from ipaddress import ip_network
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from contract.snapshot.gateway import Gateway
from contract.values import HostName, SecretRef, SipUser


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no address and no network such as 192.0.2.0/24 ({error})") from None


MAX_AUTHORITIES_CHARACTERS: Final = 32_768
_CERTIFICATE: Final = re.compile(r"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_SEQUENCE: Final = b"\x30"
"""What every certificate begins with in DER."""


def _certificates(value: str) -> str:
    """Each begins and ends as PEM does (RFC 7468 §5); whether it is in order, whoever loads it says."""
    at = 0
    while at < len(value):
        found = _CERTIFICATE.match(value, at)
        try:
            if found is None or not b64decode(re.sub(r"\s", "", found[1]), validate=True).startswith(_SEQUENCE):
                raise ValueError("not certificates in PEM, from BEGIN CERTIFICATE to END CERTIFICATE, one or several")
        except NoBase64:
            raise ValueError("not certificates in PEM: one of them is cut off or was changed") from None
        at = found.end()
    return value


Network = Annotated[str, Field(max_length=64), AfterValidator(_network)]
AuthName = Annotated[str, Field(max_length=128, pattern=r"^[!#-\[\]-~]*$")]
"""A digest user name: printable ASCII without blanks, quotes and backslashes."""


class Trunk(Gateway):
    """A way to the public network that rules name as they name gateways, by `gateway_id`.

    `host` is the provider's registrar or proxy, and the host of what is called there. Where a trunk has no account
    (`username`), the provider knows the site by its address.
    """

    username: SipUser | None = None
    """The account, user part of its address; None: a static trunk without one."""
    auth_username: AuthName = ""
    """Of digest, where it is another than `username`."""
    password_ref: SecretRef | None = None
    """Its password, which is set apart from the dial plan; None: challenges cannot be answered."""
    domain: HostName | None = None
    """Host of the account's address, where it is another than `host`."""
    outbound_proxy: HostName | None = None
    """Where requests are sent, when it is not `host`; `port` and `transport` are its."""
    register_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    """How long a registration is asked for; 0: the trunk does not register."""
    options_seconds: Annotated[int, Field(ge=0, le=3600)] = 25
    """How often the provider is asked whether it is there (OPTIONS), which also keeps a NAT open; 0: never."""
    identity_in: Literal["asserted", "preferred", "remote_party", "from_only"] = "asserted"
    """Beside or in place of From: P-Asserted-Identity or P-Preferred-Identity (RFC 3325), or Remote-Party-ID."""
    called_number_in: Literal["request_uri", "to", "p_called_party"] = "request_uri"
    """Where the provider writes the number that is called (RFC 7315 §4.2 for the last)."""
    caller_number_in: Literal["asserted", "from"] = "asserted"
    """Where it writes who calls; From, too, where the other is missing."""
    user_is_phone: bool = False
    """Write `;user=phone` behind numbers."""
    networks: Annotated[tuple[Network, ...], Field(max_length=50)] = ()
    """Where the provider's calls come from, besides `host` where that is an address."""
    certificate_names: Annotated[tuple[HostName, ...], Field(max_length=20)] = ()
    """Names that the provider's certificate may be for besides the one that is connected to; and what it has to be for
    where the provider calls by mutual TLS."""
    certificate_authorities: Annotated[
        str, Field(max_length=MAX_AUTHORITIES_CHARACTERS), AfterValidator(_certificates)
    ] = ""
    """PEM: who may sign the provider's certificate, and nobody else; empty: whom this edge's machine trusts."""
    max_calls: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Calls at one time, both directions together; 0: as many as the edge carries."""
    session_expires: Annotated[int, Field(ge=0, le=86_400)] = 1800
    """The session timer that is asked for (RFC 4028), at least 90; 0: none is asked for."""
    fail_over_on: Annotated[tuple[Annotated[int, Field(ge=400, le=699)], ...], Field(max_length=50)] = ()
    """Refusals after which the next gateway of a rule is tried, besides those that always are."""

    @property
    def may_be_encrypted(self) -> bool:
        """Whether its provider may be reached by TLS: because it says so, or because the provider's name might."""
        return self.transport == "tls" or (self.transport == "udp" and not self.port)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.register_seconds and self.username is None:
            raise ValueError(f"trunk {self.name}: a trunk that registers needs a username")
        if 0 < self.register_seconds < 30:
            raise ValueError(f"trunk {self.name}: register_seconds is 0 or at least 30")
        if 0 < self.session_expires < 90:
            raise ValueError(f"trunk {self.name}: session_expires is 0 or at least 90 (RFC 4028)")
        return self
