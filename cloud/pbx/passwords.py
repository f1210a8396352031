"""Passwords of accounts: argon2id (RFC 9106), and the same work whether or not the account exists."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

MIN_LENGTH = 12


class Passwords:
    """Hashes and checks passwords.

    Args:
        hasher: with the cost of a hash; tests take a cheap one.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash("a password that nobody has")

    def hash(self, password: SecretStr) -> str:
        """The text to keep."""
        return self._hasher.hash(password.get_secret_value())

    def fits(self, kept: str | None, password: SecretStr) -> bool:
        """Whether `password` is the one that `kept` was made of; None takes as long and is never right."""
        try:
            right = self._hasher.verify(kept if kept is not None else self._nobody, password.get_secret_value())
        except (VerificationError, InvalidHashError):
            return False
        return right and kept is not None


def problem_of(password: SecretStr) -> str | None:
    """What is wrong with a new password, or None."""
    text = password.get_secret_value()
    if len(text) < MIN_LENGTH:
        return f"A password needs at least {MIN_LENGTH} characters"
    if len(set(text)) < 5:
        return "A password needs at least 5 different characters"
    return None
