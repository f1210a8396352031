"""Who sent a request: digest with nonces that need no memory to be checked (RFC 3261 §22, RFC 7616, RFC 8760).

A nonce is `time · counter · HMAC(key, run · address · time · counter · realm)`. It is good at the address that it was
given to and as long as the process runs that gave it: what was used of it is remembered by that process only, so after
a restart, or at the site's other edge, it is stale, a phone gets another without its user noticing, and whoever
recorded a request cannot send it again: the two edges of a site need not tell each other what was used, whether they
have one key or two. What is remembered is which nonce counts were used, for a bounded number of
nonces; a nonce older than the oldest forgotten one is stale.
"""

from __future__ import annotations

import hmac
from enum import Enum
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.lockout import Lockout
from edge_agent.sip.message import Flow, Message, keyed_digest, parse_credentials, response_value
from edge_agent.sip.message.build import RawHeader
from edge_agent.tokens import Tokens

_TIME_DIGITS: Final = 8
_COUNTER_DIGITS: Final = 8
_MAC_DIGITS: Final = 32
_NONCE_DIGITS: Final = _TIME_DIGITS + _COUNTER_DIGITS + _MAC_DIGITS
_REMEMBERED: Final = 4096
"""Nonces that need not be computed again when they come back."""
_REMEMBERED_NAMES: Final = 1024
"""Names that need not be looked up."""
_WINDOW: Final = 64
"""How far nonce counts may arrive out of order."""


class Refusal(Enum):
    """Why a request is not authenticated."""

    MISSING = "missing"
    STALE = "stale"
    WRONG = "wrong"


class Authenticator:
    """Checks digest credentials and writes challenges.

    Args:
        key: secret of this edge.
        tokens: for the name of this run, the first nonce counter and hashes of users that do not exist.
        clock: wall time goes into nonces.
        config: realm, algorithms, credentials.
        lockout: told of right and wrong passwords.
    """

    def __init__(self, key: bytes, tokens: Tokens, clock: Clock, config: SipConfig, lockout: Lockout) -> None:
        self._key = key
        self._run = tokens.token(8).encode()
        self._lockout = lockout
        self._clock = clock
        self._counter = int(tokens.token(4), 16)
        self._nobody = {b"MD5": tokens.token(16).encode(), b"SHA-256": tokens.token(32).encode()}
        self._used: dict[bytes, _NonceUse] = {}
        self._forgotten_until = b""
        self._issued: dict[bytes, str] = {}
        self._age = 0
        """Seconds, of the nonce that was checked last."""
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration from here on."""
        self._realm = config.realm.encode()
        self._algorithms = tuple(name.encode() for name in config.digest_algorithms)
        self._seconds = config.nonce_seconds
        self._lockout.rules = config.lockout
        self._limit = config.limits.nonces
        self._credentials = config.credentials
        self._known: dict[bytes, tuple[Credential, dict[bytes, bytes]]] = {}
        """Credentials that were asked for lately, as they are compared."""

    def challenge(self, proxy: bool, refusal: Refusal, flow: Flow) -> list[RawHeader]:
        """The challenges of a 401 or 407, one for each algorithm, in the configured order.

        Args:
            proxy: Proxy-Authenticate instead of WWW-Authenticate.
            refusal: STALE tells the phone to try again without asking its user.
            flow: where the request came from.

        Raises:
            Silence: that address had enough challenges for now.
        """
        if refusal is Refusal.MISSING:
            self._lockout.asking(flow, self._clock.monotonic())
        nonce = self._new_nonce(flow.host)
        stale = b", stale=true" if refusal is Refusal.STALE else b""
        name = b"Proxy-Authenticate" if proxy else b"WWW-Authenticate"
        start = b'Digest realm="' + self._realm + b'", nonce="' + nonce + b'", algorithm='
        return [(name, start + algorithm + b', qop="auth"' + stale) for algorithm in self._algorithms]

    def answering(self, flow: Flow, now: float) -> None:
        """See `Lockout`.

        Raises:
            Silence: that address had enough for now.
        """
        self._lockout.answering(flow, now)

    def is_proven(self, flow: Flow) -> bool:
        """See `Lockout`."""
        return self._lockout.is_proven(flow)

    def verify(self, request: Message, header: bytes) -> Credential | Refusal:
        """Whose request this is.

        An unknown user is treated as a known one with a wrong password.

        Args:
            request: any request.
            header: `b"authorization"` or `b"proxy-authorization"`.

        Raises:
            BadMessage: the credentials for our realm are malformed.
            Refused: locked out.
        """
        if not request.has(header):
            return Refusal.MISSING
        for value in request.all(header):
            given = _parse(value)
            if given is not None and given.get(b"realm") == self._realm:
                return self._check(given, request.method, request.flow)
        return Refusal.MISSING

    def next_nonce(self, request: Message) -> list[RawHeader]:
        """`Authentication-Info` if the request that was just let in has an ageing nonce (RFC 7616 §3.5), else nothing.

        A phone that refreshes its registration often is then never challenged again.
        """
        if 2 * self._age < self._seconds:
            return []
        return [(b"Authentication-Info", b'nextnonce="' + self._new_nonce(request.flow.host) + b'"')]

    def _check(self, given: dict[bytes, bytes], method: bytes, flow: Flow) -> Credential | Refusal:
        nonce, response = given.get(b"nonce", b""), given.get(b"response", b"")
        algorithm = given.get(b"algorithm", b"MD5").upper()
        if algorithm not in self._algorithms:
            return Refusal.WRONG
        if not self._is_ours(nonce, flow.host):
            return Refusal.STALE
        qop, nc = given.get(b"qop", b""), given.get(b"nc", b"")
        count = _hexadecimal(nc, 8) if qop else 1
        if (qop and qop != b"auth") or count is None or count == 0:
            return Refusal.WRONG
        name = given.get(b"username", b"")
        known = self._known.get(name) or self._look_up(name)
        lockout, now = self._lockout, self._clock.monotonic()
        lockout.check(flow, name, None if known is None else known[0].user_id, now)
        ha1 = self._nobody[algorithm] if known is None else known[1].get(algorithm, self._nobody[algorithm])
        cnonce, uri = given.get(b"cnonce", b""), given.get(b"uri", b"")
        wanted = response_value(algorithm, ha1, method, uri, nonce, nc, cnonce, qop)
        if not hmac.compare_digest(wanted, response.lower()) or known is None:
            lockout.failed(flow, name, now)
            return Refusal.WRONG
        if not self._is_fresh(nonce) or not self._use(nonce, count):
            return Refusal.STALE
        lockout.passed(flow, name)
        return known[0]

    def _look_up(self, name: bytes) -> tuple[Credential, dict[bytes, bytes]] | None:
        """Whose digest user name that is; None: nobody's."""
        try:
            credential = self._credentials.get(name.decode())
        except UnicodeDecodeError:
            return None
        if credential is None:
            return None
        if len(self._known) >= _REMEMBERED_NAMES:
            self._known.clear()
        known = self._known[name] = credential, {k.encode(): v.encode() for k, v in credential.ha1.items()}
        return known

    # -- nonces

    def _new_nonce(self, host: str) -> bytes:
        self._counter = (self._counter + 1) & 0xFFFFFFFF
        start = b"%08x%08x" % (int(self._clock.now().timestamp()), self._counter)
        nonce = start + self._mac(start, host)
        if len(self._issued) >= _REMEMBERED:
            self._issued.clear()
        self._issued[nonce] = host
        return nonce

    def _mac(self, start: bytes, host: str) -> bytes:
        text = b"nonce:" + self._run + start + self._realm + b"@" + host.encode()
        return keyed_digest(self._key, text, _MAC_DIGITS)

    def _is_ours(self, nonce: bytes, host: str) -> bool:
        if self._issued.get(nonce) == host:
            return True
        split = _TIME_DIGITS + _COUNTER_DIGITS
        return len(nonce) == _NONCE_DIGITS and hmac.compare_digest(self._mac(nonce[:split], host), nonce[split:])

    def _is_fresh(self, nonce: bytes) -> bool:
        self._age = int(self._clock.now().timestamp()) - int(nonce[:_TIME_DIGITS], 16)
        return -self._seconds <= self._age <= self._seconds

    def _use(self, nonce: bytes, count: int) -> bool:
        """Note that a nonce count was used; False when it was before, or when that is no longer known."""
        use = self._used.get(nonce)
        if use is None:
            if nonce[:_TIME_DIGITS] <= self._forgotten_until:
                return False
            if len(self._used) >= self._limit:
                oldest = next(iter(self._used))
                del self._used[oldest]
                self._forgotten_until = max(self._forgotten_until, oldest[:_TIME_DIGITS])
            use = self._used[nonce] = _NonceUse()
        return use.first_time(count)


class _NonceUse:
    """Which counts of one nonce were used: the highest, and a window of bits below it."""

    __slots__ = ("_highest", "_seen")

    def __init__(self) -> None:
        self._highest = 0
        self._seen = 0

    def first_time(self, count: int) -> bool:
        """Note a count; False when it was noted before or lies below the window."""
        if count > self._highest:
            self._seen = ((self._seen << min(count - self._highest, _WINDOW)) | 1) & ((1 << _WINDOW) - 1)
            self._highest = count
            return True
        back = self._highest - count
        if back >= _WINDOW or self._seen >> back & 1:
            return False
        self._seen |= 1 << back
        return True


def _parse(value: bytes) -> dict[bytes, bytes] | None:
    """The parameters, or None for a scheme that is not Digest."""
    if not value[:7].lower().startswith(b"digest "):
        return None
    return parse_credentials(value)


def _hexadecimal(text: bytes, digits: int) -> int | None:
    if len(text) != digits:
        return None
    try:
        return int(text, 16)
    except ValueError:
        return None
