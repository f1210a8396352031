"""An INVITE from bytes to a message and back, untouched and as a proxy passes it on."""

import timeit
from typing import Final

from benchmarks.figure import Figure
from edge_agent.sip.message import parse

REPEATS: Final = 50
LOOPS: Final = 2000

_SDP: Final = (
    b"v=0\r\no=- 20518 0 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    b"m=audio 11780 RTP/AVP 9 0 8 18 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:8 PCMA/8000\r\na=rtpmap:18 G729/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    b"a=ptime:20\r\na=sendrecv\r\n"
)
INVITE: Final = (
    b"INVITE sip:201@demo.tandem.test SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK2710884013;rport\r\n"
    b'From: "Reception" <sip:200@demo.tandem.test>;tag=1928301774\r\n'
    b"To: <sip:201@demo.tandem.test>\r\n"
    b"Call-ID: 0_3848276298220188511@192.0.2.10\r\n"
    b"CSeq: 2 INVITE\r\n"
    b"Contact: <sip:200@192.0.2.10:5060>\r\n"
    b'Proxy-Authorization: Digest username="d41d8cd98f00", realm="realm-1", nonce="5c1f0e8a3b7d4f62", '
    b'uri="sip:201@demo.tandem.test", response="6629fae49393a05397450978507c4ef1", algorithm=MD5, '
    b'cnonce="0a4f113b", qop=auth, nc=00000001\r\n'
    b"Content-Type: application/sdp\r\n"
    b"Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE\r\n"
    b"Max-Forwards: 70\r\n"
    b"User-Agent: Yealink SIP-T54W 96.86.0.100\r\n"
    b"Supported: replaces\r\n"
    b"Allow-Events: talk, hold, conference, refer, check-sync\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_SDP), _SDP)
)


def _untouched() -> None:
    bytes(parse(INVITE))


def _passed_on() -> None:
    request = parse(INVITE)
    _ = request.via, request.cseq, request.from_tag, request.to_tag, request.call_id, request.request_uri
    request = request.copy()
    request.set_uri(b"sip:201@192.0.2.11:5060")
    at = request.index(b"max-forwards")
    request.lines[at] = b"Max-Forwards: %d" % (int(request.value_at(at)) - 1)
    request.insert(1, b"Record-Route", b"<sip:192.0.2.1:5060;lr;t=0123456789abcdef>")
    request.insert(1, b"Via", b"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0123456789abcdef;rport")
    bytes(request)


def measure() -> list[Figure]:
    """Both figures."""
    assert bytes(parse(INVITE)) == INVITE
    figures = []
    for name, work in (
        ("Parse and serialise an INVITE", _untouched),
        ("Parse, read, change and serialise an INVITE", _passed_on),
    ):
        work()
        runs = timeit.repeat(work, number=LOOPS, repeat=REPEATS)
        figures.append(
            Figure(
                name,
                "µs",
                tuple(seconds / LOOPS * 1e6 for seconds in runs),
                f"timeit: wall time of {LOOPS} messages of {len(INVITE)} bytes and 15 headers in one process, divided "
                f"by them; {REPEATS} repeats",
                p99=True,
            )
        )
    return figures
