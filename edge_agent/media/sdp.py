"""Session descriptions (RFC 8866) and the offer/answer rules (RFC 3264), as far as one stream of audio needs them,
plain or secure.

`parse` gives a `SessionDescription` or raises `BadSdp`; `answer` and `offer` build ours. Bytes in, bytes out, no I/O:
an address that is not numeric is refused rather than looked up.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge_agent.media import dtls_terms, sdes
from edge_agent.media.codecs import FIRST_DYNAMIC, OPUS, STATIC, Codec, OpusTerms
from edge_agent.media.dtls_terms import Answering, DtlsOffer, DtlsTerms
from edge_agent.media.errors import BadSdp, NotAcceptable
from edge_agent.media.sdes import SrtpKeys

MAX_BYTES = 8192
MAX_LINES = 250
MAX_MEDIA = 8
MAX_FORMATS = 64
LOWEST_PORT = 1024
PLAIN, SECURE = "RTP/AVP", "RTP/SAVP"

TELEPHONE_EVENT = 101
LEAST_OPUS_BITS = 6000
"""Bits in a second; with fewer nobody is understood (RFC 7587 §3.1.1)."""
_OPUS_WISHES = "maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1"


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
    """The payload type that we send and expect."""
    accepted: frozenset[int]
    """The audio payload types that the peer may send."""
    event_type: int | None
    """The payload type of telephone-event (RFC 4733), when agreed."""
    direction: Direction
    """Ours."""
    srtp: SrtpKeys | None = None
    """The keys of both sides, where the stream is secure; those of DTLS come later than the plan."""
    rtcp: tuple[str, int] | None = None
    """Where to send RTCP; None: nowhere is known."""
    rtcp_mux: bool = False
    """RTCP comes and goes with the audio (RFC 5761)."""
    event_clock: int = 8000
    """Ticks in a second of the events' timestamps."""
    opus: OpusTerms | None = None
    """How Opus goes, where it was agreed on."""
    dtls: DtlsTerms | None = None
    """Where the keys come by DTLS: what both sides said of it. Under ICE `remote` is not known from the description."""
    srtcp: SrtpKeys | None = None
    """The keys of RTCP, where they are not those of the audio."""

    @property
    def codecs(self) -> dict[int, Codec]:
        """What the payload types of audio stand for."""
        known = STATIC if self.opus is None else {**STATIC, self.opus.payload_type: OPUS}
        return {number: known[number] for number in sorted({self.codec, *self.accepted})}


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
            static = STATIC.get(int(text))
            found[int(text)] = mapped.get(text, "" if static is None else static.encoding)
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


def _agree(
    description: SessionDescription, line: MediaLine, local_address: str, ours: Sequence[Codec], checked: bool = False
) -> AudioPlan | None:
    """What one m= section allows; None when it is not RTP audio with a codec of ours.

    Of secure RTP the keys are still to be agreed on; of a section that is `checked` by ICE, the peer's address.
    """
    if line.kind != "audio" or line.port == 0 or line.protocol not in (PLAIN, SECURE, *dtls_terms.PROTOCOLS):
        return None
    types = _payload_types(line)
    known = {codec.encoding.upper(): codec for codec in ours}
    codecs = {number: known[name] for number, name in types.items() if name in known and _fits(known[name], number)}
    if not codecs:
        return None
    first, codec = next(iter(codecs.items()))
    opus = next((_opus_terms(line, number) for number, codec in codecs.items() if codec is OPUS), None)
    events = {name.partition("/")[2]: number for number, name in types.items() if name.startswith("TELEPHONE-EVENT/")}
    # Events should have the clock of the audio (RFC 4733 §2.4), but many know 8,000 only.
    clock = codec.clock if str(codec.clock) in events else 8000
    remote = None if checked else _remote(description, line, local_address)
    theirs = _direction(description, line)
    direction = direction_of(sends=theirs.receives and (checked or remote is not None), receives=theirs.sends)
    mux = any(name == "rtcp-mux" for name, _ in line.attributes)
    rtcp = _rtcp(line, remote, mux)
    event = events.get(str(clock))
    return AudioPlan(remote, first, frozenset(codecs), event, direction, None, rtcp, mux, clock, opus)


def _fits(codec: Codec, number: int) -> bool:
    """A codec with a static number is left alone under another one: everybody uses the static one (RFC 3551)."""
    return number >= FIRST_DYNAMIC if codec is OPUS else number == codec.payload_type


def _opus_terms(line: MediaLine, payload_type: int) -> OpusTerms:
    """What the peer's `a=fmtp` wants of Opus; what makes no sense in it is passed over."""
    formats = (detail.partition(" ") for name, detail in line.attributes if name == "fmtp")
    text = next((rest for number, _, rest in formats if number == str(payload_type)), "")
    wishes = dict(part.strip().partition("=")[::2] for part in text.lower().split(";"))
    bits = wishes.get("maxaveragebitrate", "")
    most = OpusTerms(payload_type).bits_a_second
    if bits.isascii() and bits.isdigit() and len(bits) <= 6 and int(bits) >= LEAST_OPUS_BITS:
        most = min(most, int(bits))
    return OpusTerms(payload_type, wishes.get("useinbandfec") == "1", most)


def _rtcp(line: MediaLine, remote: tuple[str, int] | None, mux: bool) -> tuple[str, int] | None:
    """Where the peer takes RTCP: the port that it names (RFC 3605), else the one after that of its audio.

    The address that it may name is not taken: reports go to the host that the audio goes to, and to no third one.
    """
    if remote is None or mux:
        return remote
    named = next((detail.split() for name, detail in line.attributes if name == "rtcp"), [])
    if not named:
        return (remote[0], remote[1] + 1) if remote[1] < 65535 else None
    text = named[0]
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and LOWEST_PORT <= int(text) <= 65535):
        return None
    return remote[0], int(text)


def audio_address(body: bytes) -> str | None:
    """Where a description wants its audio sent, for choosing which of our addresses to name; None if nowhere."""
    description = parse(body)
    line = next((line for line in description.media if line.kind == "audio" and line.port), None)
    if line is None:
        return None
    named = line.address or description.address
    if named is None or ipaddress.ip_address(named).is_unspecified:
        return dtls_terms.candidate_address(line.attributes)
    return named


def answer(
    body: bytes,
    address: str,
    port: int,
    session_id: int,
    version: int,
    codecs: Sequence[Codec],
    key: bytes = b"",
    dtls: Answering | None = None,
    *,
    by_our_order: bool = False,
) -> tuple[AudioPlan, bytes]:
    """Answer an offer (RFC 3264 §6): one audio section that we can do, every other one refused by port 0.

    It is the first one that is secure, else the first one, with that of our `codecs` which it names first, or
    `by_our_order` the first of ours. `address`
    and `port` are where our RTP listens; `session_id` and `version` go into our o= line, `version` one higher with each
    change; `key` is what we encrypt with and `dtls` what we say of DTLS, without either nothing is taken that needs it.
    Raises `BadSdp` or `NotAcceptable`.
    """
    offered = parse(body)
    if by_our_order:
        offered = replace(offered, media=tuple(_in_our_order(line, codecs) for line in offered.media))
    chosen: tuple[int, AudioPlan, list[str]] | None = None
    for index, line in enumerate(offered.media):
        if chosen is not None and (chosen[2] or line.protocol == PLAIN):
            continue
        if (found := _taken(offered, line, (address, port), codecs, key, dtls)) is not None:
            chosen = index, *found
    if chosen is None:
        names = ", ".join(codec.encoding for codec in codecs)
        raise NotAcceptable(
            f"no audio with one of {names}, over RTP/AVP, RTP/SAVP with AES_CM_128_HMAC_SHA1, or"
            " UDP/TLS/RTP/SAVP or SAVPF with a fingerprint of SHA-256, SHA-384 or SHA-512"
        )
    index, plan, keying = chosen
    lines = _session_lines(address, session_id, version)
    if plan.dtls is not None:
        lines += dtls_terms.session_lines(plan.dtls)
    for number, line in enumerate(offered.media):
        if number == index:
            lines += _audio_lines(port, plan, (plan.codec,), line.protocol, keying)
            continue
        lines.append(f"m={_word(line.kind)} 0 {_word(line.protocol)} {_word(line.formats[0])}")
        if plan.dtls is not None and (mid := dtls_terms.mid_of(line.attributes)):
            lines.append(f"a=mid:{mid}")
    return replace(plan, accepted=frozenset({plan.codec})), _join(lines)


def _in_our_order(line: MediaLine, codecs: Sequence[Codec]) -> MediaLine:
    """A section as if its formats stood in the order of our codecs, those that we do not have at the end."""
    types = {str(number): name for number, name in _payload_types(line).items()}
    order = {codec.encoding.upper(): at for at, codec in enumerate(codecs)}
    formats = sorted(line.formats, key=lambda one: order.get(types.get(one, ""), len(order)))
    return replace(line, formats=tuple(formats))


def _taken(
    offered: SessionDescription,
    line: MediaLine,
    at: tuple[str, int],
    codecs: Sequence[Codec],
    key: bytes,
    dtls: Answering | None,
) -> tuple[AudioPlan, list[str]] | None:
    """One section as we would take it, and the attributes by which our answer keys it; None: we cannot."""
    crypto: sdes.Crypto | None = None
    theirs: DtlsOffer | None = None
    if line.protocol == SECURE and key:
        crypto = sdes.chosen(line.attributes)
    elif dtls is not None:
        theirs = dtls_terms.offered(offered.attributes, line.attributes, line.protocol)
    if line.protocol != PLAIN and crypto is None and theirs is None:
        return None
    plan = _agree(offered, line, at[0], codecs, checked=theirs is not None and theirs.ice is not None)
    if plan is None:
        return None
    if crypto is not None:
        attribute, keys = crypto.answered(key)
        return replace(plan, srtp=keys), [f"a={attribute}"]
    if theirs is not None and dtls is not None:
        terms = DtlsTerms(theirs, dtls(theirs))
        return replace(plan, dtls=terms), dtls_terms.section_lines(terms, *at)
    return plan, []


def offer(
    address: str, port: int, session_id: int, version: int, codecs: Sequence[Codec], kept: AudioPlan | None = None
) -> bytes:
    """Our own offer, for an INVITE that came without one: these codecs, best first, and telephone-event.

    In the middle of a call `kept` is what was agreed on: what has keys is offered with the same ones and not without.
    Before, it says by its keys what to offer.
    """
    lines = _session_lines(address, session_id, version)
    types = tuple(codec.payload_type for codec in codecs)
    opus = OpusTerms(OPUS.payload_type)
    plan = AudioPlan(None, types[0], frozenset(types), TELEPHONE_EVENT, Direction.SENDRECV, opus=opus)
    if kept is not None and kept.dtls is not None:
        lines += dtls_terms.session_lines(kept.dtls)
        keying = dtls_terms.section_lines(kept.dtls, address, port, offers=True)
        plan = replace(plan, rtcp_mux=kept.rtcp_mux)
        return _join(lines + _audio_lines(port, plan, types, kept.dtls.theirs.protocol, keying))
    if kept is not None and kept.srtp is not None:
        keying = [f"a={sdes.offered(kept.srtp)}"]
        return _join(lines + _audio_lines(port, plan, types, SECURE, keying))
    return _join(lines + _audio_lines(port, plan, types))


def answers(body: bytes, kept: AudioPlan | None) -> bool:
    """Whether a description is the answer to an offer of `kept`, rather than an offer itself; raises `BadSdp`.

    An answer names the section as we did (RFC 5888); one that names none says who begins the handshake, which offers
    leave open (RFC 5763 §5).
    """
    media = parse(body).media
    if kept is None or kept.dtls is None or not media:
        return False
    mid = dtls_terms.mid_of(media[0].attributes)
    left_open = ("setup", "actpass") in media[0].attributes
    return mid == kept.dtls.theirs.mid or (not mid and media[0].protocol in dtls_terms.PROTOCOLS and not left_open)


def accept_answer(body: bytes, address: str, codecs: Sequence[Codec], kept: AudioPlan | None = None) -> AudioPlan:
    """What the answer to our own offer of `codecs` agrees on; raises `BadSdp` or `NotAcceptable`.

    `kept` is that of the offer: an answer without its keys is not taken.
    """
    answered = parse(body)
    refused = NotAcceptable("the answer to our offer takes none of its codecs, or not its keys")
    if not answered.media:
        raise refused
    line = answered.media[0]
    if kept is not None and kept.dtls is not None:
        theirs = dtls_terms.offered(answered.attributes, line.attributes, line.protocol)
        checked = theirs is not None and theirs.ice is not None
        if theirs is None or (plan := _agree(answered, line, address, codecs, checked)) is None:
            raise refused
        ours = replace(kept.dtls.ours, active=theirs.setup == "passive")
        return replace(plan, dtls=DtlsTerms(theirs, ours))
    protocol = PLAIN if kept is None or kept.srtp is None else SECURE
    if line.protocol != protocol or (plan := _agree(answered, line, address, codecs)) is None:
        raise refused
    if kept is None or kept.srtp is None:
        return plan
    if (crypto := sdes.chosen(line.attributes)) is None:
        raise refused
    _, keys = crypto.answered(kept.srtp.ours)
    return replace(plan, srtp=keys)


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
    port: int, plan: AudioPlan, types: tuple[int, ...], protocol: str = PLAIN, keying: Sequence[str] = ()
) -> list[str]:
    """Our audio section, with the codecs of these payload types and the attributes that key it."""
    event = plan.event_type
    formats = [str(number) for number in types] + ([str(event)] if event is not None else [])
    lines = [f"m=audio {port} {protocol} {' '.join(formats)}"]
    for number in types:
        codec = plan.codecs[number]
        lines += [f"a=rtpmap:{number} {codec.encoding}"]
        lines += [f"a=fmtp:{number} {_OPUS_WISHES}"] if codec is OPUS else []
    if event is not None:
        lines += [f"a=rtpmap:{event} telephone-event/{plan.event_clock}", f"a=fmtp:{event} 0-15"]
    lines += keying
    rtcp = "a=rtcp-mux" if plan.rtcp_mux else f"a=rtcp:{port + 1}"
    return [*lines, rtcp, "a=ptime:20", f"a={plan.direction}"]


def _word(text: str) -> str:
    """A peer's word as it may stand in our answer; anything else than printable ASCII becomes a dash."""
    return text if text.isascii() and text.isprintable() else "-"


def _join(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()
