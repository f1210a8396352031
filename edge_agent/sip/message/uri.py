"""SIP URIs (RFC 3261 §19.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Final
from urllib.parse import quote

from edge_agent.sip.message.characters import PERCENT
from edge_agent.sip.message.errors import BadMessage, DropReason

_SCHEME: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*")
_USER: Final = re.compile(rb"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+")
_PASSWORD: Final = re.compile(rb"(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*")
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])")
_PARAM: Final = re.compile(
    rb"((?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})+)(?:=((?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})*))?"
)
_HEADERS: Final = re.compile(rb"(?:[A-Za-z0-9\-_.!~*'()\[\]/?:+$&=]|%[0-9A-Fa-f]{2})*")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
CACHED_BYTES: Final = 256
"""Longer texts are not remembered: thousands of them would be all the memory there is."""

_OPAQUE: Final = re.compile(rb"[\x21-\x3b\x3d\x3f-\x7e]*")


_NO_PARAMS: Final[dict[bytes, bytes | None]] = {}


class Uri:
    """A URI in its parts. Not to be changed once made: parsed values are shared.

    A URI of a scheme that is neither sip nor sips keeps its text in `opaque` and has no host.
    """

    __slots__ = ("headers", "host", "opaque", "params", "password", "port", "scheme", "text", "user")

    def __init__(
        self,
        host: bytes,
        user: bytes = b"",
        port: int = 0,
        *,
        scheme: bytes = b"sip",
        password: bytes = b"",
        params: dict[bytes, bytes | None] | None = None,
        headers: bytes = b"",
        opaque: bytes = b"",
    ) -> None:
        self.scheme = scheme
        """Lower case."""
        self.user = user
        """As on the wire, escapes included; empty when there is none."""
        self.password = password
        self.host = host
        """Lower case; an IPv6 address keeps its brackets."""
        self.port = port
        """0: none is given."""
        self.params = params or _NO_PARAMS
        """By lower-case name; None has no `=`."""
        self.headers = headers
        """What follows the `?`."""
        self.opaque = opaque
        self.text = self._write()

    @property
    def is_sip(self) -> bool:
        """Whether it is a sip or sips URI."""
        return self.scheme in (b"sip", b"sips")

    @property
    def dialled(self) -> str:
        """The user part without escapes, for the dial plan; user parameters stay part of it."""
        if PERCENT not in self.user:
            return self.user.decode("ascii", "replace")
        return _ESCAPE.sub(lambda m: bytes((int(m.group(1), 16),)), self.user).decode("utf-8", "replace")

    @property
    def transport(self) -> bytes:
        """The transport parameter, lower case; empty when there is none."""
        return (self.params.get(b"transport") or b"").lower()

    @property
    def address(self) -> str:
        """The host without brackets, as text; an IPv6 address as sockets write it."""
        host = self.host if self.host[:1] != b"[" else canonical_reference(self.host)[1:-1]
        return host.decode("ascii")

    def same_as(self, other: Uri) -> bool:
        """Whether the two are equivalent (RFC 3261 §19.1.4): order of parameters and case of host do not count.

        IPv6 addresses are compared by value (RFC 5954 §4.2).
        """
        if self.text == other.text:
            return True
        if (self.scheme, self.port) != (other.scheme, other.port):
            return False
        if self.headers != other.headers and _unordered(self.headers) != _unordered(other.headers):
            return False
        if self.host != other.host and (self.host[:1] != b"[" or self.address != other.address):
            return False
        if self.opaque != other.opaque or unescape(self.user) != unescape(other.user):
            return False
        if self.password != other.password:
            return False
        for name in {*self.params, *other.params}:
            if name in self.params and name in other.params:
                mine, theirs = self.params[name] or b"", other.params[name] or b""
                if mine.lower() != theirs.lower():
                    return False
            elif name in (b"user", b"ttl", b"method", b"maddr", b"transport"):
                return False
        return True

    def __bytes__(self) -> bytes:
        return self.text

    def __repr__(self) -> str:
        return f"Uri({self.text!r})"

    def _write(self) -> bytes:
        if not self.is_sip:
            return self.scheme + b":" + self.opaque
        user = self.user + (b":" + self.password if self.password else b"") + b"@" if self.user else b""
        port = b":%d" % self.port if self.port else b""
        params = b"".join(b";" + k if v is None else b";" + k + b"=" + v for k, v in self.params.items())
        headers = b"?" + self.headers if self.headers else b""
        return self.scheme + b":" + user + self.host + port + params + headers

    @staticmethod
    def parse(text: bytes) -> Uri:
        """A URI from its text.

        Raises:
            BadMessage: it is no URI.
        """
        return _remembered(text) if len(text) <= CACHED_BYTES else _parse(text)


def escaped_user(text: str) -> bytes:
    """Any text as the user part of a URI (RFC 3261 §25.1): letters, digits, marks and what else may stand there."""
    return quote(text, safe="*!~'()&=+$,;?/").encode()


def unescape(text: bytes) -> bytes:
    """`%41` becomes `A`; used to compare only."""
    if PERCENT not in text:
        return text
    return _ESCAPE.sub(lambda m: bytes((int(m.group(1), 16),)), text)


def _unordered(headers: bytes) -> list[tuple[bytes, bytes]]:
    """The header components of a URI, whatever their order."""
    split = (one.partition(b"=") for one in headers.split(b"&"))
    return sorted((unescape(name).lower(), unescape(value)) for name, _, value in split)


def _bad(what: str) -> BadMessage:
    return BadMessage(DropReason.BAD_URI, f"Malformed URI: {what}")


@lru_cache(maxsize=2048)
def _remembered(text: bytes) -> Uri:
    return _parse(text)


def _parse(text: bytes) -> Uri:
    scheme, colon, rest = text.partition(b":")
    if not colon or _SCHEME.fullmatch(scheme) is None:
        raise _bad("scheme")
    scheme = scheme.lower()
    if scheme not in (b"sip", b"sips"):
        if _OPAQUE.fullmatch(rest) is None:
            raise _bad("characters")
        return Uri(b"", scheme=scheme, opaque=rest)
    user = password = headers = b""
    # A user part may hold `;` and `?`, so it is cut off before anything else.
    at = rest.find(b"@")
    if at >= 0:
        userinfo, rest = rest[:at], rest[at + 1 :]
        user, _, password = userinfo.partition(b":")
        if _USER.fullmatch(user) is None or _PASSWORD.fullmatch(password) is None:
            raise _bad("user")
    rest, mark, headers = rest.partition(b"?")
    if (mark and not headers) or _HEADERS.fullmatch(headers) is None:
        raise _bad("headers")
    hostport, semicolon, paramtext = rest.partition(b";")
    host, port = split_host_port(hostport)
    params = _parse_params(paramtext) if semicolon else {}
    return Uri(host, user, port, scheme=scheme, password=password, params=params, headers=headers)


_REFERENCE_BYTES: Final = 64


def canonical_reference(host: bytes) -> bytes:
    """An IPv6 reference as its address is written by sockets; a third colon before an IPv4 part does not count.

    RFC 3261's grammar asked for that colon; RFC 5118 §4.10 wants it to be borne.

    Raises:
        BadMessage: it is no IPv6 address.
    """
    if len(host) > _REFERENCE_BYTES:
        raise _bad("host")
    return _canonical(host)


@lru_cache(maxsize=1024)
def _canonical(host: bytes) -> bytes:
    text = host[1:-1].decode("ascii")
    if text.count(":::") == 1 and "." in text.rpartition(":::")[2]:
        text = text.replace(":::", "::")
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise _bad("host") from None
    mapped = address.ipv4_mapped
    return (f"[::ffff:{mapped}]" if mapped else f"[{address}]").encode()


def split_host_port(text: bytes) -> tuple[bytes, int]:
    """Host in lower case and port (0: none given).

    Raises:
        BadMessage: it is no `host[:port]`.
    """
    match = _HOST.match(text)
    if match is None:
        raise _bad("host")
    host, rest = match.group().lower(), text[match.end() :]
    if host[:1] == b"[":
        canonical_reference(host)
    if not rest:
        return host, 0
    if rest[:1] != b":" or not rest[1:].isdigit() or len(rest) > 6 or not 0 < int(rest[1:]) < 65_536:
        raise _bad("port")
    return host, int(rest[1:])


def _parse_params(text: bytes) -> dict[bytes, bytes | None]:
    params: dict[bytes, bytes | None] = {}
    for one in text.split(b";"):
        match = _PARAM.fullmatch(one)
        if match is None or (name := match.group(1).lower()) in params:
            raise _bad("parameters")
        params[name] = match.group(2)
    return params
