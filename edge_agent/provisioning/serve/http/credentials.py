"""Whose password a request carries: Basic (RFC 7617) and Digest (RFC 7616) with nonces that need no memory.

The user name is the phone's MAC address. A nonce is a time with a keyed hash: it is good for a few minutes, for one
address, and survives a restart. The files are only read, so that a repeated request gives nothing new away.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from edge_agent.provisioning.access import phone_password

REALM: Final = "phone files"
NONCE_SECONDS: Final = 300
MAX_HEADER: Final = 2048

_PART = re.compile(r'([a-z-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', re.IGNORECASE)
_SEPARATORS = re.compile("[:-]")
_MAC = re.compile("[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request's credentials prove: whose password it is, or that it was wrong; neither when there are none."""

    mac: str = ""
    wrong: bool = False


class Passwords:
    """Checks credentials.

    Args:
        key: the edge's own secret, from which the phones' passwords are made.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, mac: str) -> str:
        """The password of one phone."""
        return phone_password(self._key, mac)

    def check(self, header: str, method: str, target: str, address: str, now: float) -> Claim:
        """What an `Authorization` header proves.

        Args:
            header: its value; empty when there is none.
            now: seconds, wall time.
        """
        scheme, _, rest = header[:MAX_HEADER].partition(" ")
        if scheme.lower() == "basic":
            return self._basic(rest.strip())
        if scheme.lower() == "digest":
            return self._digest(rest, method, target, address, now)
        return Claim(wrong=bool(header))

    def challenges(self, address: str, now: float) -> tuple[str, ...]:
        """Values of `WWW-Authenticate`: the strongest first; old phones know only MD5."""
        nonce = self._nonce(address, int(now))
        parts = f'realm="{REALM}", qop="auth", nonce="{nonce}"'
        return f"Digest {parts}, algorithm=SHA-256", f"Digest {parts}, algorithm=MD5", f'Basic realm="{REALM}"'

    def _basic(self, text: str) -> Claim:
        try:
            # From the right: a phone may write its MAC address with colons, and no password of ours has one.
            user, colon, password = base64.b64decode(text, validate=True).decode().rpartition(":")
        except (binascii.Error, ValueError):
            return Claim(wrong=True)
        mac = _mac(user)
        if not mac or not colon or not hmac.compare_digest(password.encode(), self.of(mac).encode()):
            return Claim(wrong=True)
        return Claim(mac)

    def _digest(self, text: str, method: str, target: str, address: str, now: float) -> Claim:
        told = {found[1].lower(): found[2] if found[2] is not None else found[3] for found in _PART.finditer(text)}
        mac, algorithm = _mac(told.get("username", "")), told.get("algorithm", "MD5").upper()
        hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}.get(algorithm)
        if hashed is None or not mac or told.get("uri") != target or told.get("realm") != REALM:
            return Claim(wrong=True)
        if not self._is_fresh(told.get("nonce", ""), address, now):
            return Claim()  # an old nonce is no wrong password: the phone is asked again with a new one

        def h(value: str) -> str:
            return hashed(value.encode()).hexdigest()

        ha1 = h(f"{told['username']}:{REALM}:{self.of(mac)}")
        ha2 = h(f"{method}:{target}")
        if told.get("qop"):
            if told["qop"] != "auth":
                return Claim(wrong=True)
            middle = f"{told['nonce']}:{told.get('nc', '')}:{told.get('cnonce', '')}:auth"
        else:
            middle = told["nonce"]
        right = h(f"{ha1}:{middle}:{ha2}")
        return (
            Claim(mac) if hmac.compare_digest(right.encode(), told.get("response", "").encode()) else Claim(wrong=True)
        )

    def _nonce(self, address: str, seconds: int) -> str:
        text = f"{seconds}"
        return f"{text}.{hmac.new(self._key, f'{text} {address}'.encode(), hashlib.sha256).hexdigest()[:32]}"

    def _is_fresh(self, nonce: str, address: str, now: float) -> bool:
        seconds = nonce.partition(".")[0]
        if not (seconds.isascii() and seconds.isdigit()) or len(seconds) > 12:
            return False
        right = hmac.compare_digest(self._nonce(address, int(seconds)).encode(), nonce.encode())
        return right and 0 <= now - int(seconds) + 1 <= NONCE_SECONDS + 1


def _mac(user: str) -> str:
    plain = _SEPARATORS.sub("", user).lower()
    return plain if _MAC.fullmatch(plain) else ""
