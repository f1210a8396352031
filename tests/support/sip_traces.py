"""Messages of a call, as they go over the wire, for tests of what is remembered and shown of them."""

from edge_agent.sip.message import Flow

CALLER = Flow("udp", "192.0.2.10", 5060)
CALLEE = Flow("udp", "192.0.2.11", 5062)
LOCAL = {"udp": ("192.0.2.1", 5060), "tcp": ("192.0.2.1", 5060)}
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n"


def request(
    method: str,
    call_id: str = "call-1",
    headers: str = "",
    body: bytes = b"",
    number: int = 1,
    uri: str = "sip:201@demo",
) -> bytes:
    """A request of user 200."""
    head = (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK-{method}-{number}\r\n"
        f"From: <sip:200@demo>;tag=a\r\nTo: <sip:201@demo>\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n"
        f"Max-Forwards: 70\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def response(status: int, reason: str, method: str = "INVITE", call_id: str = "call-1", number: int = 1) -> bytes:
    """A response to such a request."""
    return (
        f"SIP/2.0 {status} {reason}\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK-{method}-{number}\r\n"
        f"From: <sip:200@demo>;tag=a\r\nTo: <sip:201@demo>;tag=b\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
