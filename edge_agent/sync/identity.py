"""Who this edge is: its ids, its private keys, and the cloud it belongs to. Kept in `identity.json`, mode 0600."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, SecretBytes, ValidationError

from contract.sync.messages import proof_text, sealing_info
from contract.values import Id
from edge_agent.durable_file import write_durably
from edge_agent.sync.errors import IdentityUnreadable, NotEnrolled, SyncError

IDENTITY_FILE: Final = "identity.json"
MAX_IDENTITY_BYTES: Final = 256 * 1024
_ENROLL_PROOF: Final = b"tandem-enroll-v1\x00"


class UnsealFailed(SyncError):
    """A secret that arrived was not sealed for this edge and this reference."""


class HubAddress(BaseModel):
    """Where the cloud's hub listens."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = Field(min_length=1, max_length=255)
    quic_port: int = Field(ge=1, le=65535)
    websocket_url: str = Field(pattern=r"^wss://[^\s]{1,500}$")


class _Stored(BaseModel):
    """The identity file."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")

    edge_id: Id
    site_id: Id
    hub: HubAddress
    ca_pem: str = Field(max_length=64 * 1024)
    identity_key: SecretBytes
    sealing_key: SecretBytes


class EdgeKeys:
    """The edge's own key pairs: Ed25519 to prove who it is, X25519 for secrets sealed to it."""

    def __init__(self, identity: Ed25519PrivateKey, sealing: X25519PrivateKey) -> None:
        self._identity = identity
        self._sealing = sealing

    @classmethod
    def generate(cls) -> "EdgeKeys":
        """New keys; they never leave this machine."""
        return cls(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def from_raw(cls, identity: bytes, sealing: bytes) -> "EdgeKeys":
        """Keys from their 32 private bytes each.

        Raises:
            ValueError: not 32 bytes.
        """
        return cls(Ed25519PrivateKey.from_private_bytes(identity), X25519PrivateKey.from_private_bytes(sealing))

    def raw(self) -> tuple[bytes, bytes]:
        """The private bytes of both, for the identity file only."""
        return self._identity.private_bytes_raw(), self._sealing.private_bytes_raw()

    @property
    def identity_public(self) -> bytes:
        """32 bytes."""
        return self._identity.public_key().public_bytes_raw()

    @property
    def sealing_public(self) -> bytes:
        """32 bytes."""
        return self._sealing.public_key().public_bytes_raw()

    def prove(self, edge_id: str, binding: bytes) -> bytes:
        """The signature that a Hello carries; `binding` is the exporter (QUIC) or the nonce (WebSocket)."""
        return self._identity.sign(proof_text(edge_id, binding))

    def prove_enrollment(self, token: str) -> bytes:
        """The signature that an enrollment carries."""
        return self._identity.sign(_ENROLL_PROOF + token.encode())

    def unseal(self, edge_id: str, ref: str, sealed: bytes) -> bytes:
        """The secret value in `sealed`.

        Raises:
            UnsealFailed: it was sealed for another edge or reference, or changed on the way.
        """
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        try:
            return suite.decrypt(sealed, self._sealing, info=sealing_info(edge_id, ref))
        except (InvalidTag, ValueError) as error:
            raise UnsealFailed(f"the secret {ref} was not sealed for this edge") from error

    def storage_key(self) -> bytes:
        """The 32-byte key that secrets on disk are encrypted with."""
        derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"tandem-edge-secret-store-v1")
        return derivation.derive(self._sealing.private_bytes_raw())

    def __repr__(self) -> str:
        return "EdgeKeys(…)"


@dataclass(frozen=True, slots=True)
class Identity:
    """An enrolled edge.

    Args:
        edge_id: as the cloud knows it.
        site_id: the site it serves.
        hub: where its hub listens.
        ca_pem: the cloud's own CA certificate; nothing else is trusted on the channel.
        keys: its private keys.
    """

    edge_id: str
    site_id: str
    hub: HubAddress
    ca_pem: str = field(repr=False)
    keys: EdgeKeys = field(repr=False)

    def storage_key(self) -> bytes:
        """The key for `SecretStore`."""
        return self.keys.storage_key()


def save_identity(state_dir: Path, identity: Identity) -> None:
    """Write the identity file, readable by this user only.

    Raises:
        OSError: the disk would not.
    """
    identity_key, sealing_key = (base64.b64encode(raw).decode() for raw in identity.keys.raw())
    # Written by hand: a model with secrets in it dumps stars, which is what it should do everywhere else.
    stored = {
        "edge_id": identity.edge_id,
        "site_id": identity.site_id,
        "hub": identity.hub.model_dump(),
        "ca_pem": identity.ca_pem,
        "identity_key": identity_key,
        "sealing_key": sealing_key,
    }
    write_durably(state_dir / IDENTITY_FILE, json.dumps(stored, indent=1).encode())


def load_identity(state_dir: Path) -> Identity:
    """This edge's identity.

    Raises:
        NotEnrolled: there is none.
        IdentityUnreadable: there is one that cannot be used.
    """
    path = state_dir / IDENTITY_FILE
    try:
        with path.open("rb") as file:
            text = file.read(MAX_IDENTITY_BYTES + 1)
    except FileNotFoundError:
        raise NotEnrolled(f"this edge is not enrolled: {path} does not exist") from None
    except OSError as error:
        raise IdentityUnreadable(f"{path} cannot be read: {error.strerror}") from error
    if len(text) > MAX_IDENTITY_BYTES:
        raise IdentityUnreadable(f"{path} is larger than an identity can be")
    try:
        stored = _Stored.model_validate_json(text)
        keys = EdgeKeys.from_raw(stored.identity_key.get_secret_value(), stored.sealing_key.get_secret_value())
    except ValidationError as error:
        places = ", ".join(".".join(map(str, e["loc"])) or "the whole" for e in error.errors(include_input=False))
        raise IdentityUnreadable(f"{path} is no identity file; wrong: {places}") from None
    except ValueError:
        raise IdentityUnreadable(f"{path} holds keys of the wrong length") from None
    return Identity(stored.edge_id, stored.site_id, stored.hub, stored.ca_pem, keys)
