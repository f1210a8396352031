"""Session descriptions (RFC 8866) and the offer/answer rules (RFC 3264), as far as one stream of G.711 needs them,
plain or secure.

`parse` gives a `SessionDescription` or raises `BadSdp`; `answer` and `offer` build ours. Bytes in, bytes out, no I/O:
an address that is not numeric is refused rather than looked up.
"""

import ipaddress
from dataclasses import dataclass, replace
from enum import StrEnum

from edge_agent.media import sdes
from edge_agent.media.errors import BadSdp, NotAcceptable
from edge_agent.media.sdes import SrtpKeys

MAX_BYTES = 8192
MAX_LINES = 250
MAX_MEDIA = 8
MAX_FORMATS = 64
LOWEST_PORT = 1024
PLAIN, SECURE = "RTP/AVP", "RTP/SAVP"

PCMU, PCMA = 0, 8
TELEPHONE_EVENT = 101
_STATIC_CODECS = {PCMU: "PCMU/8000", PCMA: "PCMA/8000"}
_CODECS = {name: payload_type for payload_type, name in _STATIC_CODECS.items()}


class Direction(StrEnum):
    """Which way media flows, as the side that says it sees it (RFC 3264 §5.1)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """The side that says this may send."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """The side that says this wants to receive."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)


def direction_of(sends: bool, receives: bool) -> Direction:
    """The word for a pair of wishes."""
    if sends:
        return Direction.SENDRECV if receives else Direction.SENDONLY
    return Direction.RECVONLY if receives else Direction.INACTIVE


@dataclass(frozen=True, slots=True)
class MediaLine:
    """One m= section: what it is, where it goes, its formats in order of preference and its attributes."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...] = ()
    address: str | None = None
    """From the section's own c= line."""


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A description as read: the session's own address and attributes, then its media in order."""

    media: tuple[MediaLine, ...]
    address: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """What both sides agreed on for the audio stream, from our side."""

    remote: tuple[str, int] | None
    """Where to send; None while the other side is on hold in the manner of RFC 2543 (0.0.0.0)."""
    codec: int
    """The payload type that we send and expect: 0 (PCMU) or 8 (PCMA), static ones only."""
    accepted: frozenset[int]
    """The audio payload types that the peer may send."""
    event_type: int | None
    """The payload type of telephone-event (RFC 4733), when agreed."""
    direction: Direction
    """Ours."""
    srtp: SrtpKeys | None = None
    """The keys of both sides, where the stream is secure (RTP/SAVP)."""


def parse(body: bytes) -> SessionDescription:
    """Read a session description; raises `BadSdp` naming what is wrong, for any bytes at all."""
    if len(body) > MAX_BYTES:
        raise BadSdp(f"more than {MAX_BYTES} bytes of session description")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadSdp("session description is not UTF-8") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > MAX_LINES:
        raise BadSdp(f"more than {MAX_LINES} lines of session description")
    if not lines or lines[0] != "v=0":
        raise BadSdp("session description does not begin with v=0")
    reader = _Reader()
    for line in lines[1:]:
        if len(line) < 2 or line[1] != "=" or not line[0].isalpha():
            raise BadSdp("line of the session description is not type=value")
        reader.take(line[0], line[2:])
    return reader.finish()


class _Reader:
    """Collects the lines that matter, session level first, then per m= section."""

    def __init__(self) -> None:
        self.address: str | None = None
        self.attributes: list[tuple[str, str]] = []
        self.media: list[MediaLine] = []
        self.current: tuple[str, int, str, tuple[str, ...]] | None = None
        self.media_address: str | None = None
        self.media_attributes: list[tuple[str, str]] = []

    def take(self, kind: str, value: str) -> None:
        if kind == "m":
            self.close_media()
            self.current = _media_line(value)
        elif kind == "c":
            if self.current is None:
                self.address = _connection(value)
            else:
                self.media_address = _connection(value)
        elif kind == "a":
            name, _, detail = value.partition(":")
            (self.attributes if self.current is None else self.media_attributes).append((name, detail.strip()))

    def close_media(self) -> None:
        if self.current is None:
            return
        if len(self.media) == MAX_MEDIA:
            raise BadSdp(f"more than {MAX_MEDIA} media sections")
        kind, port, protocol, formats = self.current
        self.media.append(MediaLine(kind, port, protocol, formats, tuple(self.media_attributes), self.media_address))
        self.current, self.media_address, self.media_attributes = None, None, []

    def finish(self) -> SessionDescription:
        self.close_media()
        return SessionDescription(tuple(self.media), self.address, tuple(self.attributes))


def _media_line(value: str) -> tuple[str, int, str, tuple[str, ...]]:
    kind, *rest = value.split()[: 3 + MAX_FORMATS + 1] or [""]
    if len(rest) < 3 or len(rest) > 2 + MAX_FORMATS:
        raise BadSdp("m= line without port, protocol and formats, or with too many formats")
    port_text = rest[0].partition("/")[0]
    if not (port_text.isascii() and port_text.isdigit() and len(port_text) <= 5 and int(port_text) <= 65535):
        raise BadSdp("m= line whose port is no port")
    return kind, int(port_text), rest[1], tuple(rest[2:])


def _connection(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in ("IP4", "IP6"):
        raise BadSdp("c= line that is not IN IP4 or IN IP6")
    try:
        address = ipaddress.ip_address(words[2].partition("/")[0])
    except ValueError:
        raise BadSdp("c= line whose address is not numeric") from None
    if address.version != int(words[1][2]):
        raise BadSdp("c= line whose address is of the other family")
    return str(address)


def _direction(description: SessionDescription, line: MediaLine) -> Direction:
    for name, _ in (*reversed(line.attributes), *reversed(description.attributes)):
        if name in Direction.__members__.values():
            return Direction(name)
    return Direction.SENDRECV


def _payload_types(line: MediaLine) -> dict[int, str]:
    """Payload type → encoding name in upper case with its clock rate, in the order of preference."""
    mapped: dict[str, str] = {}
    for name, detail in line.attributes:
        if name == "rtpmap":
            number, _, encoding = detail.partition(" ")
            parts = encoding.strip().upper().split("/")
            mapped[number] = "/".join(parts[:2]) if parts[2:] in ([], ["1"]) else encoding.upper()
    found: dict[int, str] = {}
    for text in line.formats:
        if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) < 128:
            found[int(text)] = mapped.get(text, _STATIC_CODECS.get(int(text), ""))
    return found


def _remote(description: SessionDescription, line: MediaLine, local_address: str) -> tuple[str, int] | None:
    text = line.address or description.address
    if text is None:
        raise BadSdp("audio without a c= line")
    address = ipaddress.ip_address(text)
    if address.is_unspecified:
        return None
    if address.version != ipaddress.ip_address(local_address).version:
        raise NotAcceptable("audio at an address of the other family than ours")
    if address.is_multicast or text == "255.255.255.255":
        raise NotAcceptable("audio at an address that is not one host's")
    if line.port < LOWEST_PORT:
        raise NotAcceptable(f"audio at a port under {LOWEST_PORT}")
    return text, line.port


def _agree(description: SessionDescription, line: MediaLine, local_address: str) -> AudioPlan | None:
    """What one m= section allows; None when it is not RTP audio with a codec of ours.

    Of secure RTP the keys are still to be agreed on.
    """
    if line.kind != "audio" or line.port == 0 or line.protocol not in (PLAIN, SECURE):
        return None
    types = _payload_types(line)
    # A codec of ours under a dynamic number is left alone: both have static numbers that everyone uses (RFC 3551).
    codecs = [number for number, name in types.items() if _CODECS.get(name) == number]
    if not codecs:
        return None
    event = next((number for number, name in types.items() if name == "TELEPHONE-EVENT/8000"), None)
    remote = _remote(description, line, local_address)
    theirs = _direction(description, line)
    ours = direction_of(sends=theirs.receives and remote is not None, receives=theirs.sends)
    return AudioPlan(remote, codecs[0], frozenset(codecs), event, ours)


def audio_address(body: bytes) -> str | None:
    """Where a description wants its audio sent, for choosing which of our addresses to name; None if nowhere."""
    description = parse(body)
    line = next((line for line in description.media if line.kind == "audio" and line.port), None)
    return None if line is None else line.address or description.address


def answer(
    body: bytes, address: str, port: int, session_id: int, version: int, key: bytes = b""
) -> tuple[AudioPlan, bytes]:
    """Answer an offer (RFC 3264 §6): one audio section that we can do, every other one refused by port 0.

    It is the first one that is secure, else the first one. `address` and `port` are where our RTP listens; `session_id`
    and `version` go into our o= line, `version` one higher with each change; `key` is what we encrypt with, without it
    nothing secure is taken. Raises `BadSdp` or `NotAcceptable`.
    """
    offered = parse(body)
    chosen: tuple[int, AudioPlan, str] | None = None
    for index, line in enumerate(offered.media):
        if chosen is not None and (chosen[2] or line.protocol != SECURE):
            continue
        crypto = sdes.chosen(line.attributes) if line.protocol == SECURE and key else None
        if (line.protocol == SECURE and crypto is None) or (plan := _agree(offered, line, address)) is None:
            continue
        attribute, keys = crypto.answered(key) if crypto is not None else ("", None)
        chosen = index, replace(plan, srtp=keys), attribute
    if chosen is None:
        raise NotAcceptable("no audio section with PCMU or PCMA, over RTP/AVP, or RTP/SAVP with AES_CM_128_HMAC_SHA1")
    index, plan, attribute = chosen
    lines = _session_lines(address, session_id, version)
    for number, line in enumerate(offered.media):
        if number == index:
            lines += _audio_lines(port, (plan.codec,), plan.event_type, plan.direction, attribute)
        else:
            lines.append(f"m={_word(line.kind)} 0 {_word(line.protocol)} {_word(line.formats[0])}")
    return replace(plan, accepted=frozenset({plan.codec})), _join(lines)


def offer(address: str, port: int, session_id: int, version: int) -> bytes:
    """Our own offer, for an INVITE that came without one: both codecs, PCMU first, and telephone-event."""
    lines = _session_lines(address, session_id, version)
    return _join(lines + _audio_lines(port, (PCMU, PCMA), TELEPHONE_EVENT, Direction.SENDRECV))


def accept_answer(body: bytes, address: str) -> AudioPlan:
    """What the answer to our own offer agrees on; raises `BadSdp` or `NotAcceptable`."""
    answered = parse(body)
    if (
        not answered.media
        or answered.media[0].protocol != PLAIN
        or (plan := _agree(answered, answered.media[0], address)) is None
    ):
        raise NotAcceptable("the answer to our offer takes none of its codecs")
    return plan


def _session_lines(address: str, session_id: int, version: int) -> list[str]:
    family = "IP6" if ":" in address else "IP4"
    return [
        "v=0",
        f"o=tandem {session_id} {version} IN {family} {address}",
        "s=-",
        f"c=IN {family} {address}",
        "t=0 0",
    ]


def _audio_lines(
    port: int, codecs: tuple[int, ...], event_type: int | None, direction: Direction, crypto: str = ""
) -> list[str]:
    formats = [str(codec) for codec in codecs] + ([str(event_type)] if event_type is not None else [])
    lines = [f"m=audio {port} {SECURE if crypto else PLAIN} {' '.join(formats)}"]
    lines += [f"a=rtpmap:{codec} {_STATIC_CODECS[codec]}" for codec in codecs]
    if event_type is not None:
        lines += [f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15"]
    return [*lines, *([f"a={crypto}"] if crypto else []), "a=ptime:20", f"a={direction}"]


def _word(text: str) -> str:
    """A peer's word as it may stand in our answer; anything else than printable ASCII becomes a dash."""
    return text if text.isascii() and text.isprintable() else "-"


def _join(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()
