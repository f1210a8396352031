"""A process's own secret, kept in a file."""

from pathlib import Path
from typing import Final

from edge_agent.durable_file import write_durably
from edge_agent.tokens import Tokens

KEY_BYTES: Final = 32


def edge_key(path: Path, tokens: Tokens) -> bytes:
    """The secret in a file: the same after a restart; new when it is missing or damaged.

    Raises:
        OSError: it can neither be read nor written.
    """
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (FileNotFoundError, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        key = bytes.fromhex(tokens.token(KEY_BYTES))
        write_durably(path, key.hex().encode())
    return key
