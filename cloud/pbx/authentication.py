"""Logging in and staying logged in.

Neighbours may rely on: an unknown e-mail address costs and answers the same as a wrong password; a refresh token
works once, and using one twice ends every log-in that came of the same password.
"""

import base64
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from cloud.clock import Clock
from cloud.models import Account, RefreshToken
from cloud.pbx.database import Database, Scope, set_scope
from cloud.pbx.errors import TooMany, Unauthorized
from cloud.pbx.passwords import Passwords
from cloud.tokens import Tokens

REFRESH_DAYS: Final = 30
MAX_FAILURES: Final = 10
"""Failed log-ins of one account from one address within `WINDOW_SECONDS`; then there is a pause."""
MAX_FAILURES_OF_ADDRESS: Final = 100
"""The same for one address, whatever accounts it tries."""
WINDOW_SECONDS: Final = 300.0
MAX_REMEMBERED: Final = 20_000


class TooManyLogIns(TooMany):
    """Too many failed log-ins. Wait a few minutes, then try again."""

    problem = "too-many-log-ins"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class WrongCredentials(Unauthorized):
    """E-mail address and password do not belong together."""

    problem = "wrong-credentials"


class SessionOver(Unauthorized):
    """This log-in is over. Log in again."""

    problem = "session-over"


class FailureCounter:
    """Counts failed log-ins in this process, and says when to pause; it forgets the oldest when it is full."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def check(self, email: str, address: str) -> None:
        """Refuse an attempt before any work is done for it.

        Raises:
            TooManyLogIns: with the seconds to wait.
        """
        now = self._clock.monotonic()
        limits = (((email.lower(), address), MAX_FAILURES), (("", address), MAX_FAILURES_OF_ADDRESS))
        with self._lock:
            for key, limit in limits:
                recent = [at for at in self._failures.get(key, ()) if now - at < WINDOW_SECONDS]
                if len(recent) >= limit:
                    raise TooManyLogIns(int(WINDOW_SECONDS - (now - recent[-limit])) + 1)

    def failed(self, email: str, address: str) -> None:
        """Count one failure."""
        now = self._clock.monotonic()
        with self._lock:
            for key in ((email.lower(), address), ("", address)):
                recent = [at for at in self._failures.pop(key, ()) if now - at < WINDOW_SECONDS]
                self._failures[key] = [*recent[-MAX_FAILURES_OF_ADDRESS:], now]
            while len(self._failures) > MAX_REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, email: str, address: str) -> None:
        """Forget the failures of an account that got it right."""
        with self._lock:
            self._failures.pop((email.lower(), address), None)


@dataclass(frozen=True, slots=True)
class Gate:
    """What logging in needs."""

    database: Database
    clock: Clock
    tokens: Tokens
    passwords: Passwords
    failures: FailureCounter


@dataclass(frozen=True, slots=True)
class LogIn:
    """A log-in: whose, which family of refresh tokens it began, and the token to carry it on with."""

    account: Account
    session_id: UUID
    refresh_token: SecretStr = field(repr=False)


def log_in(gate: Gate, email: str, password: SecretStr, address: str) -> LogIn:
    """Log in.

    Args:
        address: IP address of the client.

    Raises:
        WrongCredentials: also for an account that is disabled or does not exist.
        TooManyLogIns: after too many failures.
    """
    gate.failures.check(email, address)
    with gate.database.session() as session:
        found = session.execute(text("select * from find_login(:email)"), {"email": email}).one_or_none()
        # Hashing takes tens of milliseconds of CPU: no transaction is held meanwhile.
    fits = gate.passwords.fits(found.password_hash if found else None, password)
    if not fits or found is None or not found.enabled:
        gate.failures.failed(email, address)
        raise WrongCredentials
    gate.failures.succeeded(email, address)
    with gate.database.session(_scope_of(found)) as session:
        family_id = gate.tokens.id()
        token = _issue(gate, session, found.account_id, family_id)
        return LogIn(session.get_one(Account, found.account_id), family_id, token)


def refresh(gate: Gate, token: SecretStr) -> LogIn:
    """Carry a log-in on: the token is used up, and the next one answers.

    Raises:
        SessionOver: the token is unknown, expired, revoked, or was used before (which ends its whole family).
    """
    with gate.database.session() as session:
        found = session.execute(text("select * from find_refresh_token(:hash)"), {"hash": _hash(token)}).one_or_none()
        if found is None:
            raise SessionOver
        set_scope(session, _scope_of(found))
        now = gate.clock.now()
        used = session.execute(
            update(RefreshToken)
            .where(
                RefreshToken.id == found.token_id,
                RefreshToken.used_at.is_(None),
                RefreshToken.revoked_at.is_(None),
                RefreshToken.expires_at > now,
            )
            .values(used_at=now)
            .returning(RefreshToken.id)
        ).scalar_one_or_none()
        if used is not None and found.enabled:
            following = _issue(gate, session, found.account_id, found.family_id)
            return LogIn(session.get_one(Account, found.account_id), found.family_id, following)
        log_out(session, gate.clock, found.family_id)
    raise SessionOver


def log_out(session: Session, clock: Clock, session_id: UUID) -> None:
    """End a log-in: none of its refresh tokens works any more."""
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.family_id == session_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def _issue(gate: Gate, session: Session, account_id: UUID, family_id: UUID) -> SecretStr:
    token = SecretStr(base64.urlsafe_b64encode(gate.tokens.secret(32)).decode().rstrip("="))
    session.add(
        RefreshToken(
            id=gate.tokens.id(),
            account_id=account_id,
            family_id=family_id,
            token_hash=_hash(token),
            expires_at=gate.clock.now() + timedelta(days=REFRESH_DAYS),
        )
    )
    session.flush()
    return token


def _hash(token: SecretStr) -> bytes:
    return hashlib.sha256(token.get_secret_value().encode()).digest()


def _scope_of(found: object) -> Scope:
    role, tenant_id, msp_id = (getattr(found, name) for name in ("role", "tenant_id", "msp_id"))
    if role == "platform_admin":
        return Scope(platform=True)
    return Scope(tenant_id=tenant_id) if tenant_id is not None else Scope(msp_id=msp_id)
