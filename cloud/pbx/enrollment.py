"""Enrollment: a one-time code turns an edge agent's own keys into the identity of an edge.

The code carries where to enroll, the fingerprint of the cloud's certificate authority and a one-time token, so an
edge needs to trust nothing else. Only the token's hash is kept.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy import text
from sqlalchemy.orm import Session

from cloud.models import Edge, EnrollmentCode
from cloud.pbx.database import Database, Scope, set_scope
from cloud.pbx.errors import CodeExpired, CodeUnknown, CodeUsed, EnrollmentRefused, FieldProblem, Invalid
from cloud.tokens import Tokens

CODE_PREFIX = "TDM1-"
VALID_SECONDS = 24 * 3600.0
"""How long a code may be used unless its maker says otherwise."""
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A new code's token, shown once, and how long it may be used."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EnrollmentRequest:
    """What an edge sends: its token, its public keys, and the proof that it holds the identity key's private half."""

    token: str = field(repr=False)
    identity_key: bytes
    """Raw Ed25519 public key."""
    sealing_key: bytes
    """Raw X25519 public key."""
    proof: bytes
    """Ed25519 signature over `proof_text(token)`."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Who the edge is from now on."""

    edge_id: UUID
    tenant_id: UUID
    site_id: UUID


def proof_text(token: str) -> bytes:
    """What an edge signs when it enrolls."""
    return b"tandem-enroll-v1\0" + token.encode()


def code_text(url: str, fingerprint: str, token: str) -> str:
    """The code as people copy it.

    Args:
        url: where edges enroll, `https://host:port`.
        fingerprint: SHA-256 of the authority's certificate (DER), hexadecimal.
        token: from `issue_code`.
    """
    content = json.dumps({"u": url, "f": fingerprint, "t": token}, separators=(",", ":"))
    return CODE_PREFIX + base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def issue_code(
    session: Session, tokens: Tokens, edge: Edge, now: datetime, valid_seconds: float = VALID_SECONDS
) -> IssuedCode:
    """A new one-time code for an edge; the edge's keys are replaced when it is used."""
    token = base64.urlsafe_b64encode(tokens.secret(24)).decode().rstrip("=")
    expires_at = now + timedelta(seconds=valid_seconds)
    session.add(
        EnrollmentCode(
            id=tokens.id(), tenant_id=edge.tenant_id, edge_id=edge.id, token_hash=_hash(token), expires_at=expires_at
        )
    )
    session.flush()
    return IssuedCode(token=token, expires_at=expires_at)


def redeem_code(database: Database, request: EnrollmentRequest, now: datetime) -> Enrolled:
    """Make an edge of whoever holds the token and the identity key; the code is used up.

    Raises:
        CodeUnknown, CodeUsed, CodeExpired: the token's state, for the person who copied it.
        EnrollmentRefused: the edge was revoked, or the proof does not hold.
        Invalid: a key has the wrong length.
    """
    _check_keys(request)
    with database.session() as session:
        found = session.execute(
            text("select * from find_enrollment_code(:hash)"), {"hash": _hash(request.token)}
        ).one_or_none()
        if found is None:
            raise CodeUnknown
        set_scope(session, Scope(tenant_id=found.tenant_id))
        code = session.get_one(EnrollmentCode, found.code_id, with_for_update=True)
        if code.used_at is not None:
            raise CodeUsed
        if code.expires_at <= now:
            raise CodeExpired
        _check_proof(request)
        edge = session.get_one(Edge, found.edge_id, with_for_update=True)
        if edge.revoked_at is not None:
            raise EnrollmentRefused("This edge was revoked. Create a new one in the portal.")
        code.used_at = now
        edge.identity_key, edge.sealing_key, edge.enrolled_at = request.identity_key, request.sealing_key, now
        return Enrolled(edge_id=edge.id, tenant_id=edge.tenant_id, site_id=edge.site_id)


def _check_keys(request: EnrollmentRequest) -> None:
    problems = [
        FieldProblem(name, f"must be a public key of {_KEY_BYTES} bytes")
        for name, key in (("identity_key", request.identity_key), ("sealing_key", request.sealing_key))
        if len(key) != _KEY_BYTES
    ]
    if problems:
        raise Invalid(problems=problems)
    X25519PublicKey.from_public_bytes(request.sealing_key)


def _check_proof(request: EnrollmentRequest) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(request.identity_key).verify(request.proof, proof_text(request.token))
    except (InvalidSignature, ValueError):
        raise EnrollmentRefused("The proof does not fit the identity key.") from None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
