"""Secret values on disk, encrypted: passwords that phones are rendered and checked with, by reference."""

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr, TypeAdapter, ValidationError

from contract.values import SecretRef
from edge_agent.durable_file import set_aside, write_durably
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_HEAD: Final = b"tandem-secrets-1\n"
_NONCE_BYTES: Final = 12
_values: TypeAdapter[dict[SecretRef, SecretStr]] = TypeAdapter(dict[SecretRef, SecretStr])


class SecretStore:
    """One file, AES-256-GCM, replaced as a whole. A file that does not open is set aside; the cloud sends again.

    Args:
        path: `<state_dir>/secrets.bin`.
        key: 32 bytes, from `Identity.storage_key()`.
        tokens: where nonces come from.
    """

    def __init__(self, path: Path, key: bytes, tokens: Tokens) -> None:
        self._path = path
        self._tokens = tokens
        self._cipher = AESGCM(key)
        self._held: dict[str, SecretStr] = self._load()

    def values(self) -> Mapping[str, SecretStr]:
        """Every secret by its reference."""
        return dict(self._held)

    def refs(self) -> frozenset[str]:
        """The references held."""
        return frozenset(self._held)

    def add(self, secrets: Mapping[str, SecretStr]) -> None:
        """Keep these too, durably.

        Raises:
            OSError: the disk would not; then they are not held.
        """
        merged = {**self._held, **secrets}
        if merged != self._held:
            self._write(merged)

    def keep_only(self, refs: Iterable[str]) -> None:
        """Forget every other secret: old versions are of no use once a snapshot without them runs.

        Raises:
            OSError: the disk would not.
        """
        wanted = set(refs)
        if not self._held.keys() <= wanted:
            self._write({ref: value for ref, value in self._held.items() if ref in wanted})

    def _write(self, secrets: dict[str, SecretStr]) -> None:
        text = json.dumps({ref: value.get_secret_value() for ref, value in secrets.items()}).encode()
        # A random 96-bit nonce per whole-file write stays far below GCM's 2^32 uses of one key.
        nonce = bytes.fromhex(self._tokens.token(_NONCE_BYTES))
        write_durably(self._path, _HEAD + nonce + self._cipher.encrypt(nonce, text, _HEAD))
        self._held = secrets

    def _load(self) -> dict[str, SecretStr]:
        try:
            with self._path.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            log.warning("secrets_unreadable", extra={"reason": error.strerror})
            return {}
        try:
            if not content.startswith(_HEAD) or len(content) > MAX_FILE_BYTES:
                raise InvalidTag
            nonce, sealed = content[len(_HEAD) :][:_NONCE_BYTES], content[len(_HEAD) + _NONCE_BYTES :]
            return _values.validate_json(self._cipher.decrypt(nonce, sealed, _HEAD))
        except (InvalidTag, ValueError, ValidationError):
            log.warning("secrets_set_aside", extra={"path": str(set_aside(self._path) or self._path)})
            return {}
