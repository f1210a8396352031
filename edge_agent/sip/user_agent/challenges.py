"""Answering the digest challenges that requests of ours meet (RFC 3261 §22.2, §22.3; RFC 8760 §2.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from edge_agent.sip.message import Message, SipError, ha1, parse_credentials, response_value
from edge_agent.sip.message.digest import HASHES
from edge_agent.tokens import Tokens

_ROUNDS: Final = 4
"""Challenges answered for one request: one for each proxy on the way and the peer, and a stale nonce."""
_HEADERS: Final = (
    (b"www-authenticate", b"authorization", b"Authorization"),
    (b"proxy-authenticate", b"proxy-authorization", b"Proxy-Authorization"),
)


@dataclass(frozen=True, slots=True)
class Login:
    """What we prove ourselves with.

    Args:
        username: the digest user name.
        password: in clear; None where only hashes are known.
        realm: of the hashes.
        hashes: H(username:realm:password) in hexadecimal by algorithm.
    """

    username: str
    password: SecretStr | None = None
    realm: str = ""
    hashes: dict[str, str] = field(default_factory=dict, repr=False)

    def secret(self, algorithm: bytes, realm: bytes) -> bytes | None:
        """HA1 for a challenge; None when this login cannot answer it."""
        name = algorithm.decode("ascii")
        if self.password is not None:
            text = realm.decode("utf-8", "replace")
            return ha1(name, self.username, text, self.password.get_secret_value()).encode()
        if realm == self.realm.encode() and name in self.hashes:
            return self.hashes[name].encode()
        return None


class Challenges:
    """The challenges of one request and its repetitions.

    Args:
        login: whose.
        tokens: for client nonces.
    """

    __slots__ = ("_login", "_rounds", "_tokens", "_tried")

    def __init__(self, login: Login | None, tokens: Tokens) -> None:
        self._login = login
        self._tokens = tokens
        self._tried: set[bytes] = set()
        self._rounds = 0

    def answer(self, request: Message, response: Message, number: int) -> Message | None:
        """The request again, with credentials for every challenge that can be answered.

        Args:
            request: as it was first made, without our Via.
            response: the 401 or 407.
            number: the new CSeq number.

        Returns:
            None when there is nothing to answer with, or the answer was wrong.
        """
        self._rounds += 1
        if self._login is None or self._rounds > _ROUNDS:
            return None
        again = request.copy()
        again.set(b"CSeq", b"%d " % number + request.method)
        answered = False
        for asks, header, shown in _HEADERS:
            for realm, value in self._credentials(again, response, asks).items():
                _forget_realm(again, header, realm)
                again.append(shown, value)
                answered = True
        return again if answered else None

    def _credentials(self, request: Message, response: Message, asks: bytes) -> dict[bytes, bytes]:
        """By realm, the answer to the first challenge of each that we understand (RFC 8760 §2.4)."""
        found: dict[bytes, bytes] = {}
        for value in response.all(asks):
            try:
                challenge = parse_credentials(value)
            except SipError:
                continue
            realm, nonce = challenge.get(b"realm", b""), challenge.get(b"nonce", b"")
            if realm in found or not nonce:
                continue
            if realm in self._tried and challenge.get(b"stale", b"").lower() != b"true":
                continue
            credentials = self._answer(request, challenge, realm, nonce)
            if credentials is not None:
                found[realm] = credentials
        self._tried.update(found)
        return found

    def _answer(self, request: Message, challenge: dict[bytes, bytes], realm: bytes, nonce: bytes) -> bytes | None:
        algorithm = challenge.get(b"algorithm", b"MD5").upper()
        offered = {one.strip() for one in challenge.get(b"qop", b"").split(b",") if one.strip()}
        if algorithm not in HASHES or (offered and b"auth" not in offered) or self._login is None:
            return None
        secret = self._login.secret(algorithm, realm)
        if secret is None:
            return None
        uri = request.uri
        parts = [
            b'username="' + _quoted(self._login.username.encode()) + b'"',
            b'realm="' + _quoted(realm) + b'"',
            b'nonce="' + _quoted(nonce) + b'"',
            b'uri="' + uri + b'"',
            b"algorithm=" + algorithm,
        ]
        cnonce = self._tokens.token(8).encode() if offered else b""
        count, qop = (b"00000001", b"auth") if offered else (b"", b"")
        proof = response_value(algorithm, secret, request.method, uri, nonce, count, cnonce, qop)
        parts.append(b'response="' + proof + b'"')
        if offered:
            parts.append(b'qop=auth, nc=00000001, cnonce="' + cnonce + b'"')
        if b"opaque" in challenge:
            parts.append(b'opaque="' + _quoted(challenge[b"opaque"]) + b'"')
        return b"Digest " + b", ".join(parts)


def _forget_realm(request: Message, header: bytes, realm: bytes) -> None:
    """Take out the credentials that were wrong or stale."""
    own = b'realm="' + _quoted(realm) + b'"'
    for at in range(len(request.lines) - 1, 0, -1):
        if request.names[at] == header and own in request.lines[at]:
            request.remove_at(at)


def _quoted(text: bytes) -> bytes:
    return text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
