"""The generator's messages, filled in from templates, and the few things that it reads in those of the server.

It writes header names in full and expects them so of a server that repeats its headers.
"""

import hashlib
import re
from typing import Final

_SDP: Final = (
    b"v=0\r\no=- 20518 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 11780 RTP/AVP 9 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
)
_AGENT: Final = b"User-Agent: Yealink SIP-T54W 96.86.0.100\r\n"
_ALLOW: Final = b"Allow: INVITE, ACK, PRACK, CANCEL, BYE, OPTIONS, INFO, REFER, NOTIFY, UPDATE, MESSAGE\r\n"
_ECHOED: Final = (b"Via:", b"Record-Route:", b"From:", b"To:", b"Call-ID:", b"CSeq:")
_PARAMETER: Final = re.compile(rb'(realm|nonce|opaque)="([^"]*)"')


class Malformed(Exception):
    """A message of the server lacks what the generator needs."""


def header(message: bytes, name: bytes) -> bytes:
    """The first value of a header written as `name`.

    Raises:
        Malformed: there is none.
    """
    at = message.find(b"\r\n" + name + b": ")
    if at < 0:
        raise Malformed(f"no {name.decode()}")
    begin = at + len(name) + 4
    return message[begin : message.index(b"\r\n", begin)]


def headers(message: bytes, name: bytes) -> list[bytes]:
    """Every value of a header, lists taken apart; good for Record-Route, whose values have no comma inside."""
    start = name + b":"
    lines = message[: message.find(b"\r\n\r\n")].split(b"\r\n")
    return [one.strip() for line in lines if line.startswith(start) for one in line[len(start) :].split(b",")]


def contact_uri(message: bytes) -> bytes:
    """The address in the first Contact.

    Raises:
        Malformed: it is not in angle brackets.
    """
    value = header(message, b"Contact")
    begin, end = value.find(b"<"), value.find(b">")
    if not 0 <= begin < end:
        raise Malformed("Contact without brackets")
    return value[begin + 1 : end]


class Digest:
    """The answers of one phone to MD5 challenges with qop auth (RFC 7616)."""

    def __init__(self, username: str, password: str) -> None:
        self._username, self._password = username.encode(), password.encode()
        self._ha1: dict[bytes, str] = {}
        self._ha2: dict[tuple[bytes, bytes], str] = {}

    def answer(self, challenge: bytes, method: bytes, uri: bytes) -> bytes:
        """The value of Authorization or Proxy-Authorization.

        Raises:
            Malformed: the challenge has no realm or no nonce.
        """
        given = dict(_PARAMETER.findall(challenge))
        if b"realm" not in given or b"nonce" not in given:
            raise Malformed("no digest challenge")
        realm, nonce = given[b"realm"], given[b"nonce"]
        ha1 = self._ha1.get(realm)
        if ha1 is None:
            ha1 = self._ha1[realm] = _md5(b"%b:%b:%b" % (self._username, realm, self._password))
        ha2 = self._ha2.get((method, uri))
        if ha2 is None:
            ha2 = self._ha2[method, uri] = _md5(method + b":" + uri)
        response = _md5(b"%b:%b:00000001:6c6f6164:auth:%b" % (ha1.encode(), nonce, ha2.encode()))
        value = (
            b'Digest username="%b", realm="%b", nonce="%b", uri="%b", response="%b", algorithm=MD5, '
            b'cnonce="6c6f6164", qop=auth, nc=00000001' % (self._username, realm, nonce, uri, response.encode())
        )
        return value + b', opaque="%b"' % given[b"opaque"] if b"opaque" in given else value


def _md5(text: bytes) -> str:
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


class Identity:
    """Who a phone is on the wire: the parts of its messages that never change.

    Args:
        user: its address of record's user part.
        domain: its address of record's host.
        transport: `UDP`, `TCP` or `TLS`.
        host: where it receives.
        port: where it receives.
    """

    def __init__(self, user: str, domain: str, transport: str, host: str, port: int) -> None:
        self.user, self.domain = user.encode(), domain.encode()
        at = f"{host}:{port}".encode()
        self.via = b"Via: SIP/2.0/%b %b;rport;branch=z9hG4bK" % (transport.encode(), at)
        suffix = b"" if transport == "UDP" else b";transport=" + transport.lower().encode()
        self.contact = b"Contact: <sip:%b@%b%b>\r\n" % (self.user, at, suffix)
        self.aor = b"sip:%b@%b" % (self.user, self.domain)


def register(who: Identity, call_id: bytes, cseq: int, expires: int, authorization: bytes = b"") -> bytes:
    """A REGISTER of the phone's own contact; with `expires` 0 it goes."""
    return (
        b"REGISTER sip:%b SIP/2.0\r\n%b%b.%d\r\nMax-Forwards: 70\r\nFrom: <%b>;tag=r1\r\nTo: <%b>\r\nCall-ID: %b\r\n"
        b"CSeq: %d REGISTER\r\n%bExpires: %d\r\n%b%bContent-Length: 0\r\n\r\n"
        % (
            *(who.domain, who.via, call_id, cseq, who.aor, who.aor, call_id),
            *(cseq, who.contact, expires, _AGENT, authorization),
        )
    )


def invite(who: Identity, callee: bytes, call_id: bytes, cseq: int, authorization: bytes = b"") -> bytes:
    """An INVITE with an offer."""
    return (
        b"INVITE %b SIP/2.0\r\n%b%b.%d\r\nMax-Forwards: 70\r\nFrom: <%b>;tag=c1\r\nTo: <%b>\r\nCall-ID: %b\r\n"
        b"CSeq: %d INVITE\r\n%b%b%b%bContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%b"
        % (
            *(callee, who.via, call_id, cseq, who.aor, callee, call_id),
            *(cseq, who.contact, _ALLOW, _AGENT, authorization, len(_SDP), _SDP),
        )
    )


def in_dialog(
    who: Identity, method: bytes, target: bytes, branch: bytes, to: bytes, call_id: bytes, cseq: int, routes: bytes
) -> bytes:
    """An ACK or BYE of the caller; `branch` is without the cookie, `routes` are whole header lines."""
    return (
        b"%b %b SIP/2.0\r\n%b%b\r\n%bMax-Forwards: 70\r\nFrom: <%b>;tag=c1\r\nTo: %b\r\nCall-ID: %b\r\nCSeq: %d %b\r\n"
        b"Content-Length: 0\r\n\r\n" % (method, target, who.via, branch, routes, who.aor, to, call_id, cseq, method)
    )


def echoed(request: bytes) -> bytes:
    """The header lines that a response repeats, whole; To gets no tag here."""
    lines = request[: request.find(b"\r\n\r\n")].split(b"\r\n")
    return b"\r\n".join([line for line in lines if line.startswith(_ECHOED)]) + b"\r\n"


def ringing_and_answer(request: bytes, contact: bytes) -> tuple[bytes, bytes]:
    """180 and 200 with an answer to an INVITE."""
    lines = echoed(request)
    at = lines.index(b"\r\nTo:") + 2
    end = lines.index(b"\r\n", at)
    lines = lines[:end] + b";tag=a1" + lines[end:]
    return (
        b"SIP/2.0 180 Ringing\r\n%b%bContent-Length: 0\r\n\r\n" % (lines, contact),
        b"SIP/2.0 200 OK\r\n%b%bContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%b"
        % (lines, contact, len(_SDP), _SDP),
    )


def ok(request: bytes) -> bytes:
    """200 to a request within a dialog."""
    return b"SIP/2.0 200 OK\r\n%bContent-Length: 0\r\n\r\n" % echoed(request)
