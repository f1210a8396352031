"""Recordings of messages: piece by piece from the edges, whole in the object store, gone when no message names them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Delete, delete, or_, select
from sqlalchemy.orm import Session

from cloud.models import Site, VoicemailMessage, VoicemailPiece, VoicemailRecording
from cloud.objects import ObjectsError, ObjectStore, ObjectUnlikeItsDigest
from cloud.pbx.edges import KnownEdge
from cloud.pbx.site_policies import in_force
from contract.snapshot import VoicemailPolicy
from contract.sync.messages import RecordingKept, RecordingPiece
from contract.values import Digest

_SWEPT_AT_ONCE: Final = 50


def keep_piece(
    session: Session, store: ObjectStore | None, edge: KnownEdge, piece: RecordingPiece, now: datetime
) -> RecordingKept:
    """Keep a piece of a recording, and the recording itself with the last one.

    What is answered is kept once this transaction is committed; a hub that is killed costs one piece at most.

    Raises:
        OSError: the disk would not.
    """
    digest = piece.digest

    def refused(why: str) -> RecordingKept:
        return RecordingKept.model_validate({"digest": digest, "refused": why})

    site = session.get(Site, edge.site_id)
    if site is None or not in_force(VoicemailPolicy, site.voicemail).recordings_leave:
        return refused("not_allowed")
    if store is None:
        return refused("unavailable")
    row = session.get(VoicemailRecording, (edge.tenant_id, digest), with_for_update=True)
    if row is None or not _named_at(session, edge.site_id, digest):
        return refused("not_named")
    if row.stored_at is not None:
        return RecordingKept(digest=digest, offset=row.size_bytes, complete=True)
    if not piece.data or piece.offset != row.received_bytes:
        return RecordingKept(digest=digest, offset=row.received_bytes)
    if row.received_bytes + len(piece.data) > row.size_bytes:
        _begin_again(session, row)
        return refused("unlike_digest")
    session.add(VoicemailPiece(tenant_id=edge.tenant_id, digest=digest, first=row.received_bytes, data=piece.data))
    row.received_bytes += len(piece.data)
    session.flush()
    if row.received_bytes < row.size_bytes:
        return RecordingKept(digest=digest, offset=row.received_bytes)
    try:
        store.put(
            edge.tenant_id,
            _pieces(session, edge.tenant_id, digest),
            limit_bytes=row.size_bytes,
            announced=digest,
        )
    except ObjectUnlikeItsDigest:
        _begin_again(session, row)
        return refused("unlike_digest")
    except ObjectsError:
        # The last piece is to be sent again, and with it the whole is tried again.
        session.execute(_these(edge.tenant_id, digest).where(VoicemailPiece.first == piece.offset))
        row.received_bytes = piece.offset
        return refused("unavailable")
    session.execute(_these(edge.tenant_id, digest))
    row.stored_at = now
    session.flush()
    return RecordingKept(digest=digest, offset=row.size_bytes, complete=True)


def _named_at(session: Session, site_id: UUID, digest: Digest) -> bool:
    named = select(VoicemailMessage.id).where(
        VoicemailMessage.site_id == site_id,
        or_(VoicemailMessage.digest == digest, VoicemailMessage.comment_digest == digest),
    )
    return session.execute(named.limit(1)).first() is not None


def _begin_again(session: Session, row: VoicemailRecording) -> None:
    session.execute(_these(row.tenant_id, row.digest))
    row.received_bytes = 0
    session.flush()


def _these(tenant_id: UUID, digest: Digest) -> Delete:
    return delete(VoicemailPiece).where(VoicemailPiece.tenant_id == tenant_id, VoicemailPiece.digest == digest)


def _pieces(session: Session, tenant_id: UUID, digest: Digest) -> Iterator[bytes]:
    """The pieces in order, one at a time in memory."""
    firsts = session.scalars(
        select(VoicemailPiece.first)
        .where(VoicemailPiece.tenant_id == tenant_id, VoicemailPiece.digest == digest)
        .order_by(VoicemailPiece.first)
    ).all()
    for first in firsts:
        data = session.scalar(
            select(VoicemailPiece.data).where(
                VoicemailPiece.tenant_id == tenant_id, VoicemailPiece.digest == digest, VoicemailPiece.first == first
            )
        )
        yield data or b""
