"""`name-addr` values (From, To, Contact, Route…), their parameters, and lists of values (RFC 3261 §20, §25.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from edge_agent.sip.message.characters import COMMA, LESS, QUOTE
from edge_agent.sip.message.errors import BadMessage, DropReason
from edge_agent.sip.message.headers import TOKEN
from edge_agent.sip.message.uri import CACHED_BYTES, Uri

_QUOTED: Final = rb'"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"'
_COMMAS: Final = re.compile(rb'((?:[^,"<]|' + _QUOTED + rb"|<[^>]*>)*)(,|$)")
_QUOTED_PAIR: Final = re.compile(rb"\\(.)", re.DOTALL)
_PARAM: Final = re.compile(rb"[ \t]*;[ \t]*([^=;, \t\"]+)(?:[ \t]*=[ \t]*(" + _QUOTED + rb'|[^";, \t]*))?[ \t]*')
_DISPLAY: Final = re.compile(rb"(" + _QUOTED + rb"[ \t]*|[^\"<>@;:,]*)<([^<>]*)>[ \t]*")
"""No two parts of it match the same spaces in a row: that would take quadratic time for a header full of them."""

Params = dict[bytes, bytes | None]


def split_commas(value: bytes) -> list[bytes]:
    """The values of a comma-separated header value; commas in quotes and angle brackets do not count.

    Raises:
        BadMessage: a quote or bracket does not end, or a value is empty.
    """
    if COMMA not in value:
        return [value]
    if QUOTE not in value and LESS not in value:
        plain = [one.strip(b" \t") for one in value.split(b",")]
        if b"" in plain:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed List of Header Values")
        return plain
    found: list[bytes] = []
    at = 0
    while True:
        match = _COMMAS.match(value, at)
        if match is None or not (one := match.group(1).strip(b" \t")):
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed List of Header Values")
        found.append(one)
        if match.group(2) == b"":
            return found
        at = match.end()


def parse_params(text: bytes, where: str = "Header") -> Params:
    """Parameters `;a=b;c` by lower-case name; a value None has no `=`; quotes are kept.

    Raises:
        BadMessage: it is no list of parameters.
    """
    params: Params = {}
    at, end = 0, len(text)
    while at < end:
        match = _PARAM.match(text, at)
        if match is None:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, f"Malformed {where} Parameters")
        params.setdefault(match.group(1).lower(), match.group(2))
        at = match.end()
    return params


class NameAddr:
    """A display name, a URI and parameters. Not to be changed once made: parsed values are shared."""

    __slots__ = ("display", "params", "uri")

    def __init__(self, uri: Uri, display: bytes = b"", params: Params | None = None) -> None:
        self.uri = uri
        self.display = display
        """As on the wire, quotes included."""
        self.params: Params = {} if params is None else params

    @property
    def tag(self) -> bytes | None:
        """The `tag` parameter (RFC 3261 §19.3)."""
        return self.params.get(b"tag")

    @property
    def name(self) -> str:
        """The display name as people read it: without quotes and their escapes (RFC 3261 §25.1 quoted-string)."""
        display = self.display.strip(b" \t")
        if display[:1] == b'"':
            display = _QUOTED_PAIR.sub(rb"\1", display[1:-1])
        return display.decode("utf-8", "replace")

    def __bytes__(self) -> bytes:
        display = self.display + b" " if self.display else b""
        params = b"".join(b";" + k if v is None else b";" + k + b"=" + v for k, v in self.params.items())
        return display + b"<" + bytes(self.uri) + b">" + params

    @staticmethod
    def parse(value: bytes, where: str = "Address") -> NameAddr:
        """One name-addr or addr-spec with parameters.

        Without angle brackets the parameters are the header's (§20).

        Raises:
            BadMessage: naming `where`, the header it stands in.
        """
        return _remembered(value, where) if len(value) <= CACHED_BYTES else _parse(value, where)


@lru_cache(maxsize=1024)
def _remembered(value: bytes, where: str) -> NameAddr:
    return _parse(value, where)


def _parse(value: bytes, where: str) -> NameAddr:
    value = value.lstrip(b" \t")
    match = _DISPLAY.match(value)
    if match is not None:
        display, uri, rest = match.group(1).rstrip(b" \t"), match.group(2), value[match.end() :]
        if display and not display.startswith(b'"'):
            _check_display(display, where)
    elif b"<" in value or b'"' in value or b"," in value or b"?" in value:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, f"Malformed {where}")
    else:
        display = b""
        uri, semicolon, rest = value.strip(b" \t").partition(b";")
        uri, rest = uri.rstrip(b" \t"), semicolon + rest
    try:
        parsed = Uri.parse(uri)
    except BadMessage as error:
        raise BadMessage(error.drop, f"Malformed URI in {where}") from error
    return NameAddr(parsed, display, parse_params(rest, where))


def _check_display(display: bytes, where: str) -> None:
    for word in display.split():
        if TOKEN.fullmatch(word) is None:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, f"Malformed Display Name in {where}")


def tag_of(value: bytes, where: str) -> bytes | None:
    """The tag of a From or To value; looks before it parses, since this is asked for every message.

    Raises:
        BadMessage: naming `where`, the header it stands in.
    """
    at = value.find(b";tag=", value.rfind(b">") + 1)
    if at < 0 or value.endswith(b'"'):
        return NameAddr.parse(value, where).tag
    tag, _, _ = value[at + 5 :].partition(b";")
    return tag.rstrip(b" \t")
