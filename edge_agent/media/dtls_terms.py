"""DTLS-SRTP and ICE in a session description (RFC 5763, 8122, 8839, 8842): what an offer says, and how ours is said.

The audio's keys come by a handshake on the audio's own path. What ties it to the call is the fingerprint of the peer's
certificate in its description, so that is worth as much as the way that the description came by.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Attributes = Sequence[tuple[str, str]]

PROTOCOLS: Final = ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")
HASHES: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Hashes of certificates that we compare by, and their lengths; weaker ones prove nothing (RFC 8122 §5)."""
MOST_FINGERPRINTS: Final = 8
MOST_CANDIDATES: Final = 64
HOST_PRIORITY: Final = 2_130_706_431
"""Of a host's only address and the first component (RFC 8445 §5.1.2.1)."""
_FINGERPRINT: Final = re.compile(r"([A-Za-z0-9-]{1,16})[ \t]+([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){15,63})")
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
_TLS_ID: Final = re.compile(r"[A-Za-z0-9+/_-]{20,255}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]{1,64}")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a certificate hashes to."""

    hash_name: str
    digest: bytes

    def __str__(self) -> str:
        return f"{self.hash_name} {self.digest.hex(':').upper()}"


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """What one side's connectivity checks go by (RFC 8839 §5.4)."""

    ufrag: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DtlsOffer:
    """What a peer says of its side.

    Args:
        fingerprints: of its certificates; one of them has to show up.
        setup: who it says begins the handshake (RFC 4145).
        tls_id: names the association; empty: not given.
        ice: None where it does no ICE, or is as lite as we are.
        protocol: one of `PROTOCOLS`.
        mid: the section's name; empty: it has none.
        bundled: whether the section is in a bundle.
    """

    fingerprints: tuple[Fingerprint, ...]
    setup: Literal["active", "passive", "actpass"]
    tls_id: str = ""
    ice: IceCredentials | None = None
    protocol: str = PROTOCOLS[0]
    mid: str = ""
    bundled: bool = False


@dataclass(frozen=True, slots=True)
class DtlsAnswer:
    """What we say of ours; `active`: we begin the handshake."""

    fingerprint: Fingerprint
    active: bool
    tls_id: str
    ice: IceCredentials


@dataclass(frozen=True, slots=True)
class DtlsTerms:
    """What both sides said."""

    theirs: DtlsOffer
    ours: DtlsAnswer


Answering = Callable[[DtlsOffer], DtlsAnswer]
"""What we answer to what a peer says; it may be asked about descriptions that come to nothing."""


def offered(session: Attributes, media: Attributes, protocol: str) -> DtlsOffer | None:
    """What a section of this protocol says, or else its session; None: nothing that we can do."""
    if protocol not in PROTOCOLS:
        return None
    said = [value for name, value in media if name == "fingerprint"]
    said = said or [value for name, value in session if name == "fingerprint"]
    fingerprints = tuple(found for value in said[:MOST_FINGERPRINTS] if (found := _fingerprint(value)) is not None)
    setup = _value("setup", media, session) or "active"
    if not fingerprints or setup not in ("active", "passive", "actpass"):
        return None
    tls_id = _value("tls-id", media, session)
    if tls_id and not _TLS_ID.fullmatch(tls_id):
        return None
    who: Literal["active", "passive", "actpass"] = (
        "active" if setup == "active" else "passive" if setup == "passive" else "actpass"
    )
    mid = mid_of(media)
    return DtlsOffer(fingerprints, who, tls_id, _ice(session, media), protocol, mid, mid in _bundled(session))


def _fingerprint(value: str) -> Fingerprint | None:
    found = _FINGERPRINT.fullmatch(value)
    if found is None:
        return None
    name, digest = found[1].lower(), bytes.fromhex(found[2].replace(":", ""))
    return Fingerprint(name, digest) if HASHES.get(name) == len(digest) else None


def _ice(session: Attributes, media: Attributes) -> IceCredentials | None:
    """A peer's credentials. Without RTCP on the audio's port there would be a second path, which we do not check."""
    ufrag, password = _value("ice-ufrag", media, session), _value("ice-pwd", media, session)
    lite = any(name == "ice-lite" for name, _ in session)
    muxed = any(name == "rtcp-mux" for name, _ in media)
    if lite or not muxed or not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        return None
    return IceCredentials(ufrag, password)


def _value(name: str, *levels: Attributes) -> str:
    """The first value of an attribute, in the first of the levels that has it; empty: none has."""
    return next((value for level in levels for given, value in level if given == name), "")


def candidate_address(media: Attributes) -> str | None:
    """The first numeric address among a section's candidates for UDP, to choose by which of ours to name."""
    values = (value for name, value in media if name == "candidate")
    for _, value in zip(range(MOST_CANDIDATES), values, strict=False):
        words = value.split()
        if len(words) < 8 or words[2].lower() != "udp":
            continue
        try:
            return str(ipaddress.ip_address(words[4]))
        except ValueError:  # a name by multicast DNS
            continue
    return None


def section_lines(terms: DtlsTerms, address: str, port: int, *, offers: bool = False) -> list[str]:
    """The attributes of our section, in an answer unless it `offers`; `address` and `port` are where it is reached."""
    ours = terms.ours
    setup = "actpass" if offers else "active" if ours.active else "passive"
    lines = [f"a=fingerprint:{ours.fingerprint}", f"a=setup:{setup}"]
    lines += [f"a=tls-id:{ours.tls_id}"] if terms.theirs.tls_id else []
    if terms.theirs.ice is not None:
        lines += [
            f"a=ice-ufrag:{ours.ice.ufrag}",
            f"a=ice-pwd:{ours.ice.password}",
            f"a=candidate:1 1 UDP {HOST_PRIORITY} {address} {port} typ host",
            "a=end-of-candidates",
        ]
    return lines + ([f"a=mid:{terms.theirs.mid}"] if terms.theirs.mid else [])


def session_lines(terms: DtlsTerms) -> list[str]:
    """The attributes of our session: ICE is lite, and the one section that we take is alone in its bundle."""
    lines = ["a=ice-lite", "a=ice-options:ice2"] if terms.theirs.ice is not None else []
    return lines + ([f"a=group:BUNDLE {terms.theirs.mid}"] if terms.theirs.bundled else [])


def mid_of(media: Attributes) -> str:
    """The name of a section (RFC 5888), for our answer to say again; empty: it has none."""
    mid = _value("mid", media)
    return mid if _TOKEN.fullmatch(mid) else ""


def _bundled(session: Attributes) -> Iterable[str]:
    groups = (value.split() for name, value in session if name == "group")
    return {mid for words in groups if words[:1] == ["BUNDLE"] for mid in words[1:]}
