"""Access tokens: what a log-in hands out for fifteen minutes, signed so that no look-up is needed to believe it.

JSON Web Tokens (RFC 7519), HS256, checked against an injected clock.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import jwt
from pydantic import SecretBytes

from cloud.clock import Clock

ACCESS_SECONDS: Final = 15 * 60
_ISSUER: Final = "tandem"
_ALGORITHM: Final = "HS256"

Role = Literal["user", "tenant_admin", "msp_admin", "platform_admin"]
ROLES: Final[tuple[Role, ...]] = ("user", "tenant_admin", "msp_admin", "platform_admin")
"""Every role, each may do what those before it may."""


class TokenRefused(Exception):
    """The access token is not ours, or its time is over."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for.

    Args:
        account_id: whose token it is.
        email: the account's address, for the audit.
        session_id: the log-in that the token came of.
        role: what the account may do.
        msp_id: the provider that the account belongs to; None for the platform's own.
        tenant_id: the tenant that the account belongs to; None above tenants.
        user_id: the telephone user that the account is, if it is one.
    """

    account_id: UUID
    email: str
    session_id: UUID
    role: Role
    msp_id: UUID | None = None
    tenant_id: UUID | None = None
    user_id: UUID | None = None


class AccessTokens:
    """Signs and checks access tokens.

    Args:
        key: at least 32 bytes that only this API knows.
    """

    def __init__(self, key: SecretBytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def sign(self, claims: Claims) -> str:
        """A token that is good for `ACCESS_SECONDS` from now."""
        now = int(self._clock.now().timestamp())
        payload = {**said_of(claims), "iss": _ISSUER, "iat": now, "exp": now + ACCESS_SECONDS}
        return jwt.encode(payload, self._key.get_secret_value(), algorithm=_ALGORITHM)

    def check(self, token: str) -> Claims:
        """Who the token speaks for.

        Raises:
            TokenRefused: it is not ours, or it has expired.
        """
        try:
            payload = jwt.decode(
                token,
                self._key.get_secret_value(),
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                # The expiry is checked below, against the injected clock.
                options={"require": ["exp", "sub", "iss"], "verify_exp": False, "verify_iat": False},
            )
            if payload["exp"] <= self._seconds(self._clock.now()):
                raise TokenRefused
            return claims_in(payload)
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError):
            raise TokenRefused from None

    @staticmethod
    def _seconds(moment: datetime) -> float:
        return moment.timestamp()


def said_of(claims: Claims) -> dict[str, Any]:
    """Claims as a signed token says them."""
    said: dict[str, Any] = {
        "sub": str(claims.account_id),
        "role": claims.role,
        "eml": claims.email,
        "sid": str(claims.session_id),
    }
    for name, value in (("msp", claims.msp_id), ("ten", claims.tenant_id), ("usr", claims.user_id)):
        if value is not None:
            said[name] = str(value)
    return said


def claims_in(payload: dict[str, Any]) -> Claims:
    """What `said_of` made of claims, read back.

    Raises:
        KeyError, ValueError, TypeError, AttributeError: it made no such thing.
    """
    if payload["role"] not in ROLES:
        raise ValueError("no such role")
    return Claims(
        account_id=UUID(payload["sub"]),
        email=str(payload["eml"]),
        session_id=UUID(payload["sid"]),
        role=payload["role"],
        msp_id=_id(payload, "msp"),
        tenant_id=_id(payload, "ten"),
        user_id=_id(payload, "usr"),
    )


def _id(payload: dict[str, Any], name: str) -> UUID | None:
    return UUID(payload[name]) if name in payload else None
