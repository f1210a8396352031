"""What a read request asks for beside the file, and what of it is granted (RFC 2347, 2348, 2349, 7440)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DEFAULT_BLOCK_BYTES: Final = 512
MIN_BLOCK_BYTES: Final = 8
MAX_BLOCK_BYTES: Final = 1468
"""The greatest that fits an Ethernet frame without fragments; RFC 2348 lets the server answer with less."""
DEFAULT_TIMEOUT_SECONDS: Final = 1.0
MAX_TIMEOUT_SECONDS: Final = 10
"""A longer one is not granted, so that nobody holds a transfer for many minutes without a word."""
MAX_WINDOW: Final = 16


@dataclass(frozen=True, slots=True)
class Terms:
    """How a transfer goes."""

    block_bytes: int = DEFAULT_BLOCK_BYTES
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    window: int = 1
    granted: Mapping[str, str] = field(default_factory=dict)
    """What the OACK says; empty: there is none."""


def negotiate(options: Mapping[str, str], size: int) -> Terms:
    """The terms for a transfer of `size` bytes. What is unknown or no number in range is left out, as RFC 2347 says."""
    block_bytes, timeout, window = DEFAULT_BLOCK_BYTES, DEFAULT_TIMEOUT_SECONDS, 1
    granted: dict[str, str] = {}
    for name, text in options.items():
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
        match name, number:
            case "blksize", int() if MIN_BLOCK_BYTES <= number <= 65464:
                block_bytes = min(number, MAX_BLOCK_BYTES)
                granted[name] = str(block_bytes)
            case "timeout", int() if 1 <= number <= MAX_TIMEOUT_SECONDS:
                timeout = float(number)
                granted[name] = str(number)
            case "tsize", int():
                granted[name] = str(size)
            case "windowsize", int() if 1 <= number <= 65535:
                window = min(number, MAX_WINDOW)
                granted[name] = str(window)
            case _:
                pass
    return Terms(block_bytes, timeout, window, granted)
