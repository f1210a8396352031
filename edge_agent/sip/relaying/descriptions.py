"""Session descriptions (RFC 8866) whose media a relay is to carry: where it goes, and the same text with other ports.

Only what names an address is changed; everything else stays byte for byte. Candidates (RFC 8839) are taken out, so
that neither side goes past the relay.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = 16_384
MAX_LINES: Final = 500
MAX_STREAMS: Final = 8
_CANDIDATES: Final = (b"a=candidate:", b"a=ice-", b"a=remote-candidates:", b"a=end-of-candidates", b"a=rtcp:")

_KEYS: Final = re.compile(rb"a=rtpmap:(9[6-9]|1[01][0-9]|12[0-7]) telephone-event/8000", re.IGNORECASE)

Address = tuple[str, int]


class BadDescription(ValueError):
    """A description that cannot be relayed; the text says why."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Where one m= line wants its media.

    Args:
        media: the address for RTP; None: nowhere at present (port 0, or held with 0.0.0.0).
        control: the one for RTCP.
        carried: whether it is RTP that is not declined, so that a relay carries it.
        secure: whether it is encrypted (RTP/SAVP and the like).
        keys: payload types that stand for keys (RFC 4733).
    """

    media: Address | None
    control: Address | None
    carried: bool
    secure: bool = False
    keys: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a relay wants the media of one m= line: an address of ours and an even port; RTCP goes to the next one."""

    host: str
    port: int


def streams_of(description: bytes) -> tuple[Stream, ...]:
    """Every m= line's stream, in order.

    Raises:
        BadDescription: it is too large, or names no usable address.
    """
    session, sections = _parts(description)
    common = _connection(session)
    return tuple(_stream(section, common) for section in sections)


def redirected(description: bytes, places: Sequence[Place | None]) -> bytes:
    """The same description with the media of every m= line that has a place going there.

    Args:
        description: as a party wrote it.
        places: one for each m= line; None leaves that line alone.

    Raises:
        BadDescription: as `streams_of`, or there are not as many places as m= lines.
    """
    session, sections = _parts(description)
    if len(places) != len(sections):
        raise BadDescription(f"{len(places)} places for {len(sections)} m= lines")
    first = next((place for place in places if place is not None), None)
    if first is None:
        return description
    common = _connection(session)
    end = b"\r\n" if b"\r\n" in description else b"\n"
    lines: list[bytes] = []
    for line in session:
        if line.startswith(b"o="):
            words = line.rsplit(b" ", 3)
            lines.append(b"%s %s" % (words[0], _named(first.host)) if len(words) == 4 else line)
        elif line.startswith(b"c=") and not _is_unspecified(line):
            lines.append(b"c=" + _named(first.host))
        elif not line.startswith(_CANDIDATES):
            lines.append(line)
    for section, place in zip(sections, places, strict=True):
        own = any(line.startswith(b"c=") for line in section)
        if place is None:
            lines.append(section[0])
            if not own and common is not None:
                lines.append(b"c=" + _named(common))
            lines += section[1:]
            continue
        kind, _, rest = section[0].split(b" ", 2)
        lines.append(b"%s %d %s" % (kind, place.port, rest))
        if not own and place.host != first.host:
            lines.append(b"c=" + _named(place.host))
        for line in section[1:]:
            if line.startswith(b"c=") and not _is_unspecified(line):
                lines.append(b"c=" + _named(place.host))
            elif not line.startswith(_CANDIDATES):
                lines.append(line)
    return end.join(lines) + end


def _parts(description: bytes) -> tuple[list[bytes], list[list[bytes]]]:
    """The session's lines, and those of every m= line."""
    if len(description) > MAX_BYTES:
        raise BadDescription(f"more than {MAX_BYTES} bytes")
    lines = [line for line in description.replace(b"\r\n", b"\n").split(b"\n") if line]
    if len(lines) > MAX_LINES:
        raise BadDescription(f"more than {MAX_LINES} lines")
    if not lines or lines[0] != b"v=0":
        raise BadDescription("no v=0 at the beginning")
    starts = [index for index, line in enumerate(lines) if line.startswith(b"m=")]
    if not 1 <= len(starts) <= MAX_STREAMS:
        raise BadDescription(f"{len(starts)} m= lines, 1 to {MAX_STREAMS} are relayed")
    sections = [lines[start:until] for start, until in zip(starts, [*starts[1:], len(lines)], strict=True)]
    return lines[: starts[0]], sections


def _stream(section: list[bytes], common: str | None) -> Stream:
    words = section[0].split(b" ")
    if len(words) < 4 or not words[1].isdigit() or len(words[1]) > 5:
        raise BadDescription("an m= line without port, protocol and formats")
    port = int(words[1])
    if port > 65534:
        raise BadDescription("an m= line whose port is no port")
    carried = port != 0 and words[2].upper().find(b"RTP/") >= 0
    if not carried:
        return Stream(None, None, carried=False)
    secure = words[2].upper().find(b"RTP/SAVP") >= 0
    keys = tuple(int(found[1]) for line in section if (found := _KEYS.match(line)) is not None)
    host = _connection(section) or common
    if host is None:
        raise BadDescription("an m= line without a c= line")
    if ipaddress.ip_address(host).is_unspecified:
        return Stream(None, None, carried=True, secure=secure, keys=keys)
    control = (host, port + 1)
    for line in section:
        if line.startswith(b"a=rtcp:"):
            control = _control(line[7:], host)
    return Stream((host, port), control, carried=True, secure=secure, keys=keys)


def _control(value: bytes, host: str) -> Address:
    """RFC 3605 §2.1."""
    words = value.split()
    if not words or not words[0].isdigit() or len(words[0]) > 5 or not 0 < int(words[0]) <= 65535:
        raise BadDescription("an a=rtcp line whose port is no port")
    return (_host(words[1:]) if len(words) > 1 else host), int(words[0])


def _connection(lines: list[bytes]) -> str | None:
    found = next((line for line in lines if line.startswith(b"c=")), None)
    return None if found is None else _host(found[2:].split())


def _host(words: list[bytes]) -> str:
    if len(words) != 3 or words[0] != b"IN":
        raise BadDescription("an address that is not IN IP4 or IN IP6")
    try:
        address = ipaddress.ip_address(words[2].decode("ascii"))
    except ValueError:
        raise BadDescription("an address that is not numeric") from None
    if words[1] != b"IP%d" % address.version or address.is_multicast or getattr(address, "scope_id", None):
        raise BadDescription("an address of the other family, or of more than one host")
    return str(address)


def _named(host: str) -> bytes:
    return b"IN IP%d %s" % (6 if ":" in host else 4, host.encode())


def _is_unspecified(line: bytes) -> bool:
    return ipaddress.ip_address(_host(line[2:].split())).is_unspecified
