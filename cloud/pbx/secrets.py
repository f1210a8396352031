"""Secret values: enveloped in rows, sealed on the way to an edge, in clear only in between.

Each version of a secret has a data key of its own (AES-256-GCM); the data key is wrapped by the key service: a key
file on one machine, AWS KMS in the cloud. Id, version and tenant are authenticated with the value.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from pydantic import SecretStr
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from cloud.errors import CloudError
from cloud.models import Secret
from cloud.pbx.edges import KnownEdge
from cloud.tokens import Tokens
from contract.sync.messages import SealedSecret, sealing_info

_KEY_BYTES = 32
_NONCE_BYTES = 12
MAX_VALUE_BYTES = 3584
"""A secret is a password or a key, and fits into a sealed message."""


class SecretUnreadable(CloudError):
    """A secret's row cannot be opened: another key, or a changed row."""


class SecretTooLong(CloudError):
    """A secret's value is longer than a password or key may be."""


class KeyService(Protocol):
    """What holds the key that wraps data keys."""

    @property
    def key_id(self) -> str:
        """Which key wraps new data keys."""
        ...

    def wrap(self, data_key: bytes) -> bytes:
        """The data key, readable to this service only."""
        ...

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """The data key again.

        Raises:
            SecretUnreadable: it was wrapped by another key, or changed.
        """
        ...


class FileKeyService:
    """A key in a file that only its owner may read; for one machine."""

    def __init__(self, key: bytes, tokens: Tokens) -> None:
        self._cipher = AESGCM(key)
        self._tokens = tokens
        self._key_id = "file:" + hashlib.sha256(b"tandem-key-id\0" + key).hexdigest()[:16]

    @classmethod
    def open(cls, path: Path, tokens: Tokens) -> Self:
        """The key in `path`; made when there is none."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(base64.b64encode(tokens.secret(_KEY_BYTES)))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # only one of several processes that start at once wins
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return cls(base64.b64decode(path.read_bytes()), tokens)

    @property
    def key_id(self) -> str:
        return self._key_id

    def wrap(self, data_key: bytes) -> bytes:
        nonce = self._tokens.secret(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data_key, b"tandem-data-key")

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        if key_id != self._key_id:
            raise SecretUnreadable(f"the data key is wrapped by {key_id}, here is {self._key_id}")
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], b"tandem-data-key")
        except InvalidTag as exc:
            raise SecretUnreadable(SecretUnreadable.__doc__) from exc


class KmsKeyService:
    """A key of AWS KMS.

    Args:
        key_arn: the key that wraps new data keys; older ones may have wrapped others.
        client: makes the KMS client at first use, so that whoever needs no secret loads no boto3.
    """

    def __init__(self, key_arn: str, client: Callable[[], Any] | None = None) -> None:
        self._key_arn = key_arn
        self._make_client = client or _kms_client
        self._client: Any = None

    @property
    def key_id(self) -> str:
        return self._key_arn

    def wrap(self, data_key: bytes) -> bytes:
        return bytes(self._kms().encrypt(KeyId=self._key_arn, Plaintext=data_key)["CiphertextBlob"])

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        from botocore.exceptions import ClientError

        try:
            return bytes(self._kms().decrypt(KeyId=key_id, CiphertextBlob=wrapped)["Plaintext"])
        except ClientError as exc:
            raise SecretUnreadable(SecretUnreadable.__doc__) from exc

    def _kms(self) -> Any:
        if self._client is None:
            self._client = self._make_client()
        return self._client


def _kms_client() -> Any:
    import boto3

    return boto3.client("kms")


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """Names one version of one secret."""

    secret_id: UUID
    version: int

    @property
    def ref(self) -> str:
        """As snapshots refer to it (`contract.values.SecretRef`)."""
        return f"{self.secret_id}:{self.version}"

    @classmethod
    def parse(cls, ref: str) -> Self:
        """The version that `ref` names.

        Raises:
            ValueError: it names none of ours.
        """
        secret_id, _, version = ref.partition(":")
        return cls(UUID(secret_id), int(version))


def keep_secret(
    session: Session,
    keys: KeyService,
    tokens: Tokens,
    tenant_id: UUID,
    value: SecretStr,
    secret_id: UUID | None = None,
) -> SecretVersion:
    """Keep a value: a new secret, or the next version of `secret_id`.

    Raises:
        SecretTooLong: the value is over the limit.
    """
    clear = value.get_secret_value().encode()
    if len(clear) > MAX_VALUE_BYTES:
        raise SecretTooLong(SecretTooLong.__doc__)
    version = 1
    if secret_id is None:
        secret_id = tokens.id()
    else:
        newest = select(func.max(Secret.version)).where(Secret.id == secret_id)
        version = (session.execute(newest).scalar_one() or 0) + 1
    data_key, nonce = tokens.secret(_KEY_BYTES), tokens.secret(_NONCE_BYTES)
    sealed = nonce + AESGCM(data_key).encrypt(nonce, clear, _authenticated(tenant_id, secret_id, version))
    session.add(
        Secret(
            tenant_id=tenant_id,
            id=secret_id,
            version=version,
            key_id=keys.key_id,
            wrapped_key=keys.wrap(data_key),
            sealed=sealed,
        )
    )
    session.flush()
    return SecretVersion(secret_id, version)


def reveal_secret(session: Session, keys: KeyService, secret: SecretVersion) -> SecretStr:
    """The value in clear.

    Raises:
        SecretUnreadable: there is no such secret in this scope, or it cannot be opened.
    """
    row = session.get(Secret, (secret.secret_id, secret.version))
    if row is None:
        raise SecretUnreadable("there is no such secret")
    return SecretStr(_open(keys, row).decode())


def seal_for_edge(session: Session, keys: KeyService, edge: KnownEdge, refs: Iterable[str]) -> list[SealedSecret]:
    """Secret versions, each readable to this edge only and under its own reference only.

    Args:
        refs: what the edge's snapshot refers to; one that does not exist in this scope is left out.

    Raises:
        SecretUnreadable: a row cannot be opened, or the edge has not enrolled.
    """
    if edge.sealing_key is None:
        raise SecretUnreadable("the edge has no key to seal to")
    wanted = [SecretVersion.parse(ref) for ref in refs]
    if not wanted:
        return []
    suite, public = (
        Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
        X25519PublicKey.from_public_bytes(edge.sealing_key),
    )
    rows = session.execute(
        select(Secret).where(tuple_(Secret.id, Secret.version).in_([(w.secret_id, w.version) for w in wanted]))
    ).scalars()
    sealed: list[SealedSecret] = []
    for row in rows:
        ref = SecretVersion(row.id, row.version).ref
        info = sealing_info(str(edge.edge_id), ref)
        sealed.append(SealedSecret(ref=ref, sealed=suite.encrypt(_open(keys, row), public, info=info)))
    return sealed


def _open(keys: KeyService, row: Secret) -> bytes:
    data_key = keys.unwrap(row.key_id, row.wrapped_key)
    try:
        return AESGCM(data_key).decrypt(
            row.sealed[:_NONCE_BYTES], row.sealed[_NONCE_BYTES:], _authenticated(row.tenant_id, row.id, row.version)
        )
    except InvalidTag as exc:
        raise SecretUnreadable(SecretUnreadable.__doc__) from exc


def _authenticated(tenant_id: UUID, secret_id: UUID, version: int) -> bytes:
    return f"tandem-secret\0{tenant_id}\0{secret_id}\0{version}".encode()
