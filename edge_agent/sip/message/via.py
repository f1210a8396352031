"""Via values (RFC 3261 §20.42, rport RFC 3581)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from edge_agent.sip.message.errors import BadMessage, DropReason
from edge_agent.sip.message.headers import TOKEN
from edge_agent.sip.message.name_addr import Params, parse_params
from edge_agent.sip.message.uri import CACHED_BYTES, split_host_port

MAGIC_COOKIE: Final = b"z9hG4bK"
"""RFC 3261 §8.1.1.7: a branch that begins so is unique over space and time."""

_SENT: Final = re.compile(
    rb"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*([^ \t/;,]+)[ \t]+([^ \t;]+(?:[ \t]*:[ \t]*[0-9]+)?)[ \t]*", re.IGNORECASE
)
_USUAL: Final = re.compile(
    rb"SIP/2\.0/(UDP|TCP|TLS|WS|WSS) ([A-Za-z0-9.\-\[\]:]+)((?:;[A-Za-z0-9\-]+(?:=[A-Za-z0-9\-.!%*_+`'~\[\]:]+)?)*)"
)
_SHORTEST: Final = re.compile(
    rb"SIP/2\.0/(UDP|TCP|TLS|WS|WSS) ([A-Za-z0-9.\-\[\]:]+);branch=([A-Za-z0-9\-.!%*_+`'~]+)(;rport)?"
)
"""What a phone writes, and what we write."""
_SPACE: Final = re.compile(rb"[ \t]+")


class Via:
    """One hop of a message's way."""

    __slots__ = ("branch", "host", "params", "port", "sent_by", "transport")

    def __init__(self, transport: bytes, sent_by: bytes, host: bytes, port: int, params: Params) -> None:
        self.transport = transport
        """Upper case."""
        self.sent_by = sent_by
        """`host[:port]` in lower case, as the sender wrote it."""
        self.host = host
        self.port = port
        """0: none is given."""
        self.params = params
        self.branch = params.get(b"branch") or b""

    def __bytes__(self) -> bytes:
        params = [b";" + k if v is None else b";" + k + b"=" + v for k, v in self.params.items()]
        return b"SIP/2.0/" + self.transport + b" " + self.sent_by + b"".join(params)

    @staticmethod
    def parse(value: bytes) -> Via:
        """One Via value.

        Raises:
            BadMessage: it is none.
        """
        match = _SHORTEST.fullmatch(value)
        if match is not None:
            transport, sent_by, branch, rport = match.groups()
            sent_by = sent_by.lower()
            host, port = _host_port(sent_by)
            short: Params = {b"branch": branch}
            if rport:
                short[b"rport"] = None
            return Via(transport, sent_by, host, port, short)
        match = _USUAL.fullmatch(value)
        if match is not None:
            # As nearly everybody writes it: no spaces, no quotes.
            sent_by = match.group(2).lower()
            host, port = _host_port(sent_by)
            params: Params = {}
            for one in match.group(3).split(b";")[1:]:
                name, equals, given = one.partition(b"=")
                params.setdefault(name.lower(), given if equals else None)
            return Via(match.group(1), sent_by, host, port, params)
        match = _SENT.match(value)
        if match is None or TOKEN.fullmatch(match.group(1)) is None:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Via")
        sent_by = match.group(2).lower()
        sent_by = _SPACE.sub(b"", sent_by)
        host, port = _host_port(sent_by)
        return Via(match.group(1).upper(), sent_by, host, port, parse_params(value[match.end() :], "Via"))


def _host_port(sent_by: bytes) -> tuple[bytes, int]:
    return _remembered(sent_by) if len(sent_by) <= CACHED_BYTES else _parse_host_port(sent_by)


@lru_cache(maxsize=4096)
def _remembered(sent_by: bytes) -> tuple[bytes, int]:
    return _parse_host_port(sent_by)


def _parse_host_port(sent_by: bytes) -> tuple[bytes, int]:
    try:
        return split_host_port(sent_by)
    except BadMessage as error:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Via") from error
