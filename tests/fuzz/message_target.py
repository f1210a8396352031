"""Fuzz target: any bytes are a message or our one error, and what is read of a message is written back alike."""

from __future__ import annotations

import contextlib

from edge_agent.media import sdp
from edge_agent.media.codecs import ALL
from edge_agent.media.errors import BadSdp, NotAcceptable
from edge_agent.sip.message import (
    BadMessage,
    Message,
    NameAddr,
    SipError,
    Uri,
    Via,
    check_request,
    check_response,
    parse,
    parse_credentials,
    response_bytes,
)
from edge_agent.sip.resolver import flow_for

_ADDRESSES = (b"from", b"to", b"contact", b"route", b"record-route", b"path", b"p-asserted-identity")
_CREDENTIALS = (b"authorization", b"proxy-authorization", b"www-authenticate")


def one_message(data: bytes) -> None:
    """Everything that reads one message.

    Raises:
        AssertionError: a property does not hold.
        Exception: whatever else escapes is a finding as well.
    """
    try:
        message = parse(data)
    except BadMessage as error:
        _is_clean(error.reason.encode())
        if error.partial is not None and not error.partial.status:
            _answer(error.partial)
        return
    for line in message.lines:
        _is_clean(line)
    again = parse(bytes(message))
    assert bytes(again) == bytes(message)
    assert (again.method, again.status, again.names) == (message.method, message.status, message.names)
    with contextlib.suppress(BadMessage):
        (check_response if message.status else check_request)(message)
    _headers(message)
    _body(message.body)
    if not message.status:
        with contextlib.suppress(SipError):
            flow_for(message.request_uri())
        _answer(message)


def _answer(request: Message) -> None:
    answer = parse(response_bytes(request, 400, b"Bad Request", ((b"Server", b"x"),), b"tag"))
    assert answer.status == 400
    assert answer.all(b"via") == request.all(b"via")


def _headers(message: Message) -> None:
    for name in {*message.names[1:]}:
        with contextlib.suppress(BadMessage):
            for value in message.values(name):
                assert value == value.strip(b" \t")
    with contextlib.suppress(BadMessage):
        for value in message.values(b"via"):
            via = Via.parse(value)
            assert Via.parse(bytes(via)).branch == via.branch
    for name in _ADDRESSES:
        with contextlib.suppress(BadMessage):
            for value in message.values(name):
                _address(value)
    for name in _CREDENTIALS:
        for value in message.all(name):
            with contextlib.suppress(BadMessage):
                parse_credentials(value)
    for read in (lambda: message.cseq, lambda: message.from_tag, lambda: message.to_tag, lambda: message.via):
        with contextlib.suppress(BadMessage):
            read()


def _address(value: bytes) -> None:
    address = NameAddr.parse(value)
    again = NameAddr.parse(bytes(address))
    assert (again.tag, again.params) == (address.tag, address.params)
    uri = Uri.parse(bytes(address.uri))
    assert uri.same_as(address.uri)
    assert address.uri.same_as(uri)


def _body(body: bytes) -> None:
    with contextlib.suppress(BadSdp, NotAcceptable):
        _, answer = sdp.answer(body, "192.0.2.1", 16384, 1, 1, ALL)
        sdp.parse(answer)


def _is_clean(line: bytes) -> None:
    assert b"\r" not in line
    assert b"\n" not in line
