"""Who may fetch what: the site's rules, asked once for each request. Pure.

A file with passwords goes to a phone on a network where the site allows that, or to one that proves who it is: by its
vendor's certificate, or by the password that its first file told it. Over protocols in clear, the network decides.
"""

import hashlib
import hmac
import ipaddress
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Protocol = Literal["tftp", "http", "https", "ftp", "sip", "dhcp"]
Proof = Literal["none", "password", "certificate"]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PASSWORD_CHARACTERS: Final = 26
"""130 bits."""


class Refusal(StrEnum):
    """Why a request was not served; most are `contract.sync.events.RefusalReason`s."""

    NO_SUCH_FILE = "no_such_file"
    UNKNOWN_PHONE = "unknown_phone"
    TOO_MANY_GUESSES = "too_many_guesses"
    TOO_MANY_REQUESTS = "too_many_requests"
    NETWORK_NOT_SERVED = "network_not_served"
    NOT_APPROVED = "not_approved"
    CLEAR_TEXT = "clear_text"
    PROOF_NEEDED = "proof_needed"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  (a reason, no password)
    WRONG_CERTIFICATE = "wrong_certificate"
    NOT_TAKEN = "not_taken"


@dataclass(frozen=True, slots=True)
class Access:
    """A site's rules.

    Args:
        served: phones elsewhere get nothing; empty serves every network.
        clear_text: where passwords may go out in clear, and to phones without proof.
        proof_required: proof is asked for on every network.
        answer_unknown: plug and play answers unknown phones too.
        approved_only: who is no device of the site gets nothing at all.
        requests_per_address, requests_per_phone: in a minute.
    """

    served: tuple[_Network, ...] = ()
    clear_text: tuple[_Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
    proof_required: bool = False
    answer_unknown: bool = False
    approved_only: bool = False
    requests_per_address: int = 1200
    requests_per_phone: int = 120

    def serves(self, address: str) -> bool:
        """Whether phones at this address are served at all."""
        return not self.served or _within(address, self.served)

    def may_have_secrets(self, address: str, protocol: Protocol, proof: Proof) -> Refusal | None:
        """Why a file with passwords must not go out, or None when it may."""
        near = _within(address, self.clear_text)
        if protocol != "https" and not near:
            return Refusal.CLEAR_TEXT
        if proof == "none" and (self.proof_required or not near):
            return Refusal.PROOF_NEEDED if protocol in ("http", "https") else Refusal.CLEAR_TEXT
        return None


def networks(texts: Iterable[str]) -> tuple[_Network, ...]:
    """Networks from their texts, which the contract has checked."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def phone_password(key: bytes, mac: str) -> str:
    """The password by which a phone proves who it is when it fetches its files; its user name is its MAC address.

    Args:
        key: the edge's own secret.
        mac: twelve lower-case digits.
    """
    digest = hmac.new(key, b"tandem-phone-password\0" + mac.encode(), hashlib.sha256).digest()
    return b32encode(digest).decode().lower()[:PASSWORD_CHARACTERS]


def _within(address: str, among: Iterable[_Network]) -> bool:
    try:
        parsed: _Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed.version == network.version and parsed in network for network in among)
