"""Where each fuzz target begins: torture messages, frames and dialogs that are well formed, and earlier findings."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.fuzz.endpoint_target import SEPARATOR, STRANGER, TRUSTED
from tests.support.sip_site import DOMAIN

HERE: Final = Path(__file__).parent
FINDINGS: Final = HERE / "findings"
_TORTURE: Final = HERE.parent / "torture"


def torture() -> Iterator[bytes]:
    """Every message of RFC 4475 and RFC 5118."""
    for path in sorted(_TORTURE.glob("*/*.sip")):
        yield path.read_bytes()


def findings(target: str) -> Iterator[bytes]:
    """What was found before."""
    for path in sorted((FINDINGS / target).glob("*.bin")):
        yield path.read_bytes()


def request(method: str, uri: str, user: str, host: str, number: int = 1, extra: str = "", to: str = "") -> bytes:
    """A request as a phone of the test site would send it; a proxied one is sent again with its credentials."""
    return (
        f"{method} {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host};branch=z9hG4bK{user}{method}{number};rport\r\n"
        f"Max-Forwards: 70\r\n"
        f"From: <sip:{user}@{DOMAIN}>;tag=f{user}\r\n"
        f"To: {to or f'<{uri}>'}\r\n"
        f"Call-ID: c{user}\r\n"
        f"CSeq: {number} {method}\r\n"
        f"Contact: <sip:{user}@{host}>\r\n"
        f"{extra}Content-Length: 0\r\n\r\n"
    ).encode()


def sequences() -> Iterator[bytes]:
    """Calls, registrations, subscriptions and what goes wrong with them, as records for the endpoint."""
    uri, host = f"sip:201@{DOMAIN}", "192.0.2.11:5060"
    credentials = "@AUTH@\r\n"
    ack = request("ACK", uri, "200", host, to="@TO@")
    invite = [b"a" + request("INVITE", uri, "200", host), b"a" + ack]
    invite.append(b"a" + request("INVITE", uri, "200", host, 2, credentials))
    end = [
        b"a" + request(method, "sip:201@192.0.2.12:5060", "200", host, number, "Route: @ROUTE@\r\n", "@TO@")
        for method, number in (("ACK", 2), ("INFO", 3), ("INVITE", 4), ("BYE", 5))
    ]
    yield SEPARATOR.join([*invite, *end])
    yield SEPARATOR.join([*invite, b"w\x02", b"a" + request("CANCEL", uri, "200", host, 2), b"w\x07"])
    register = request("REGISTER", f"sip:{DOMAIN}", "200", host, 7, to=f"<sip:200@{DOMAIN}>")
    again = request("REGISTER", f"sip:{DOMAIN}", "200", host, 8, credentials, f"<sip:200@{DOMAIN}>")
    yield SEPARATOR.join([b"a" + register, b"a" + again, b"w\x07", b"k", b"a" + again.replace(b"CSeq: 8", b"CSeq: 9")])
    flow = again.replace(
        b"5060>\r\nCon", b'5060>;+sip.instance="<urn:uuid:1>";reg-id=1\r\nSupported: gruu, path\r\nCon'
    )
    yield SEPARATOR.join([b"c" + register.replace(b"200", b"202"), b"c" + flow.replace(b"200", b"202"), b"x", b"w\x05"])
    trusted, stranger = (f"{one[0]}:{one[1]}" for one in (TRUSTED, STRANGER))
    for method in ("INVITE", "MESSAGE", "OPTIONS", "REFER", "SUBSCRIBE", "NOTIFY", "PUBLISH"):
        yield SEPARATOR.join([b"t" + request(method, uri, "203", trusted), b"w\x06"])
        yield SEPARATOR.join([b"s" + request(method, uri, "203", stranger), b"w\x01"])
    for number in ("112", "*99", "999"):
        yield b"t" + request("INVITE", f"sip:{number}@{DOMAIN}", "203", trusted)
    yield SEPARATOR.join(
        [b"s" + request("INVITE", "urn:service:sos", "203", stranger, to="<urn:service:sos>"), b"w\x07"]
    )
    answer = (
        b"SIP/2.0 302 Moved\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=@BRANCH@\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK1\r\n"
        b"From: <sip:200@x>;tag=1\r\nTo: @TO@\r\nCall-ID: c200\r\nCSeq: 2 INVITE\r\n"
        b"Contact: <sip:202@demo.tandem.test>\r\n\r\n"
    )
    yield SEPARATOR.join([b"t" + request("INVITE", uri, "203", trusted, 2), b"b" + answer, b"w\x04"])


def frames() -> Iterator[bytes]:
    """Streams and datagrams for the framing."""
    message = request("OPTIONS", f"sip:{DOMAIN}", "200", "192.0.2.11:5060")
    yield b"t" + message + b"\r\n\r\n" + message.replace(b"Length: 0", b"Length: 3") + b"abc"
    yield b"t\r\n" + message.replace(b"Content-Length", b"l ") + b"\r\n\r"
    yield b"w" + b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"
    masked = b"\0\0\0\0" + message
    yield b"h\x81\xfe" + struct.pack("!H", len(message)) + masked
    yield b"h\x01\xfe" + struct.pack("!H", len(message)) + masked + b"\x80\x80\0\0\0\0"
    yield b"h\x89\x80\0\0\0\0\x8a\x80\0\0\0\0\x88\x80\0\0\0\0"
    yield b"s\0\x01\0\0\x21\x12\xa4\x42" + bytes(12)
    yield b"s\0\x01\0\x08\x21\x12\xa4\x42" + bytes(12) + b"\x80\x22\0\x03abc\0"
    yield from (b"t" + one for one in torture())


def of(target: str) -> Iterator[bytes]:
    """All seeds of a target."""
    yield from findings(target)
    if target == "message":
        yield from torture()
        for sequence in sequences():
            yield from (record[1:] for record in sequence.split(SEPARATOR))
    elif target == "framing":
        yield from frames()
    else:
        yield from sequences()
        yield from (b"s" + one for one in torture())
