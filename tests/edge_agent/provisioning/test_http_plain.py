"""What is read without h11 is what h11 reads; all that is not plain is left to it."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.provisioning.serve.http.answer import HttpResponse
from edge_agent.provisioning.serve.http.plain import plain_request, response_bytes

_LINES = (
    b"Host: edge|Host:|User-Agent: Yealink SIP-T54W|Range: bytes=0-1|Connection: close|X:\xe9 y \t|Accept: */*|"
    b"Connection: keep-alive|Content-Length: 0|X : y| folded|Host: other"
).split(b"|")
_line = st.sampled_from(_LINES) | st.binary(max_size=12)
_start = st.sampled_from([b"GET /a HTTP/1.1", b"GET /a HTTP/1.0", b"HEAD /a%20b?c HTTP/1.1"]) | st.binary(max_size=20)


@given(_start, st.lists(_line, max_size=6), st.sampled_from([b"", b"GET /", b"\0"]))
def test_a_plain_request_is_what_h11_reads(start: bytes, lines: list[bytes], behind: bytes) -> None:
    data = b"\r\n".join((start, *lines, b"", b"")) + behind
    plain = plain_request(data)
    if plain is None:
        return
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    event = connection.next_event()
    assert isinstance(event, h11.Request)
    assert (plain.method.encode(), plain.target.encode()) == (event.method, event.target)
    assert [(name.encode(), value.encode("latin-1")) for name, value in plain.headers] == list(event.headers)
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    assert plain.last == (connection.their_state is h11.MUST_CLOSE)
    assert data[plain.size :] == connection.trailing_data[0]


@pytest.mark.parametrize(
    "data",
    [
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"PUT /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\n",
        b"GET /a HTTP/1.1\nHost: a\n\n",
    ],
)
def test_what_is_not_plain_is_left_to_h11(data: bytes) -> None:
    assert plain_request(data) is None


def test_many_spaces_cost_no_more_than_other_bytes() -> None:
    assert plain_request(b"GET / HTTP/1.1\r\nHost: a\r\nX:" + b" " * 8000 + b"\0\r\n\r\n") is None


def test_a_response_is_read_by_h11() -> None:
    written = response_bytes(
        HttpResponse(200, (("etag", '"a"'),), b"body", 4), "Thu, 01 Jan 2026 00:00:00 GMT", close=True
    )
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    connection.receive_data(written)
    read = connection.next_event()
    assert isinstance(read, h11.Response)
    assert dict(read.headers) == {
        b"etag": b'"a"',
        b"date": b"Thu, 01 Jan 2026 00:00:00 GMT",
        b"content-length": b"4",
        b"connection": b"close",
    }
    assert connection.next_event() == h11.Data(data=b"body")
