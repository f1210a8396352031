"""Tokens that count up, so that what a test sees is the same each time."""


class CountedTokens:
    """Every token is the next number; every fraction is the one given."""

    def __init__(self, fraction: float = 0.5) -> None:
        self._count = 0
        self._fraction = fraction

    def token(self, size: int = 16) -> str:
        """The next number as `size` bytes in hexadecimal."""
        self._count += 1
        return f"{self._count % 256**size:0{2 * size}x}"

    def fraction(self) -> float:
        """The fraction given at the beginning."""
        return self._fraction
