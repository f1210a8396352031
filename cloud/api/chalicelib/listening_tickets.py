"""Tickets by which a browser's player, which can send no access token, asks for parts of one sound.

A ticket is a cookie that scripts cannot read, of that sound's own address: no URL carries it, and no log does. It
speaks for whoever asked for it, for as long as an access token, and opens nothing but that sound.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID, uuid5

import jwt
from pydantic import SecretBytes

from cloud.api.chalicelib.tokens import ACCESS_SECONDS, Claims, TokenRefused, claims_in, said_of
from cloud.clock import Clock

TICKET_SECONDS: Final = ACCESS_SECONDS
_COOKIE: Final = "tandem_listening"
_ALGORITHM: Final = "HS256"
_NAMES: Final = UUID("5d9c8a2e-4b0f-5f6e-9a56-0d7f8f3f6c11")
_MOST_COOKIES: Final = 50
Kind = Literal["call", "conference", "message", "sound"]


@dataclass(frozen=True, slots=True)
class HeardSound:
    """What is listened to.

    Args:
        kind: what sort of recording it is.
        ids: what names it, from the outermost on, as in the address of its audio.
    """

    kind: Kind
    ids: tuple[str, ...]

    @property
    def listening_id(self) -> UUID:
        """The same each time, so that a new ticket goes on with the address of the one before."""
        return uuid5(_NAMES, "/".join((self.kind, *self.ids)))

    @property
    def url(self) -> str:
        """Where its parts are asked for."""
        return f"/listening/{self.listening_id}/audio"


class ListeningTickets:
    """Gives out tickets as cookies and looks at them.

    Args:
        key: at least 32 bytes that only this API knows.
        secure: browsers reach the API by TLS, and are to send a ticket by nothing else.
    """

    def __init__(self, key: SecretBytes, clock: Clock, *, secure: bool) -> None:
        self._key = hmac.digest(key.get_secret_value(), b"tandem-listening", sha256)
        self._clock = clock
        self._secure = secure

    def cookie(self, claims: Claims, heard: HeardSound) -> str:
        """The header Set-Cookie with a ticket that is good for `TICKET_SECONDS` from now (RFC 6265 §4.1)."""
        end = int(self._clock.now().timestamp()) + TICKET_SECONDS
        payload: dict[str, Any] = {**said_of(claims), "exp": end, "aud": str(heard.listening_id)}
        ticket = jwt.encode({**payload, "knd": heard.kind, "ids": heard.ids}, self._key, algorithm=_ALGORITHM)
        kept = f"Max-Age={TICKET_SECONDS}; Path={heard.url}; HttpOnly; SameSite=Strict"
        return f"{_COOKIE}={ticket}; {kept}{'; Secure' if self._secure else ''}"

    def check(self, listening_id: UUID, cookies: str) -> tuple[Claims, HeardSound]:
        """Who listens, and to what.

        Args:
            cookies: the header Cookie.

        Raises:
            TokenRefused: none of them is a ticket for this, or its time is over.
        """
        for cookie in cookies.split(";", _MOST_COOKIES)[:_MOST_COOKIES]:
            name, _, ticket = cookie.strip().partition("=")
            if name == _COOKIE:
                return self._opened(listening_id, ticket)
        raise TokenRefused

    def _opened(self, listening_id: UUID, ticket: str) -> tuple[Claims, HeardSound]:
        try:
            payload = jwt.decode(
                ticket,
                self._key,
                algorithms=[_ALGORITHM],
                audience=str(listening_id),
                # The expiry is checked below, against the injected clock.
                options={"require": ["exp", "sub", "aud"], "verify_exp": False, "verify_iat": False},
            )
            if payload["exp"] <= self._clock.now().timestamp():
                raise TokenRefused
            return claims_in(payload), HeardSound(payload["knd"], tuple(payload["ids"]))
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError):
            raise TokenRefused from None
