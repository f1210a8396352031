"""What a site's edge shows to those who connect by TLS."""

from typing import Annotated

from pydantic import Field

from contract.values import Frozen, SecretRef

MAX_CHAIN_CHARACTERS = 32_768

Certificates = Annotated[str, Field(max_length=MAX_CHAIN_CHARACTERS, pattern=r"^-----BEGIN CERTIFICATE-----")]
"""PEM."""


class SipCertificate(Frozen):
    """A certificate with its chain, and where its key is; without one an edge signs its own."""

    chain: Certificates
    """The site's own certificate first, then those that lead to an authority."""
    key: SecretRef
    """Its private key, PKCS #8 in PEM."""
