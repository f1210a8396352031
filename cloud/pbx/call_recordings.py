"""Recorded calls and conferences: told by edges, brought piece by piece, sealed at rest, heard by few, gone in time.

Every piece is sealed as it comes (`cloud.pbx.sealed_pieces`) with a data key of the recording that the key service
wraps, so neither the database nor the object store ever holds the sound in clear.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import CallRecord, CallRecording, CallRecordingPiece, EventRow, Site
from cloud.objects import ObjectsError, ObjectStore
from cloud.pbx.commands import give_command
from cloud.pbx.desk import Desk
from cloud.pbx.edges import KnownEdge
from cloud.pbx.errors import NotFound
from cloud.pbx.listening import note_listening
from cloud.pbx.sealed_pieces import KEY_BYTES, PieceUnreadable, SealedPieces, sealed_offset
from cloud.pbx.secrets import KeyService
from cloud.pbx.site_policies import in_force
from cloud.pbx.storable import storable_text
from cloud.pbx.waveforms import Waveform
from cloud.tokens import Tokens
from contract.snapshot import RecordingPolicy
from contract.sync.call_recordings import CALL_PIECE_BYTES, DELETE_CALL_RECORDING, CallRecorded
from contract.sync.conferences import MAX_RECORDINGS
from contract.sync.messages import RecordingKept, RecordingPiece
from contract.values import Digest

MAX_OF_CALL: Final = 50
"""Recordings of one call that are shown and kept; what an edge tells beyond it is let go of."""
DELETION_SECONDS: Final = 30 * 86_400.0
"""How long a deletion waits for an edge that is away."""
Place = Literal["here", "coming", "at_the_site"]
"""Where the sound of a recording is."""
_NONCE_BYTES: Final = 12


class _UnlikeItsDigest(Exception):
    """Other bytes came than the edge told of."""


# From the edges


def take_recording(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: CallRecorded) -> None:
    """Take in what an edge tells of a recording."""
    this = (CallRecording.site_id == row.site_id, CallRecording.recording_id == what.recording_id)
    known = session.scalar(select(CallRecording).where(*this).with_for_update())
    if known is not None:
        if known.edge_id != row.edge_id:
            return
        if what.gone and (known.deleted_at is not None or known.stored_at is None):
            session.delete(known)
            session.flush()
        elif not what.gone and known.deleted_at is not None:
            _ask_for_deletion(session, tokens, known, at)
        return
    if what.gone:
        return
    sip_call_id, room = storable_text(what.sip_call_id), what.conference
    if room is None:
        beside, most = _of_call(row.site_id, sip_call_id), MAX_OF_CALL
    else:
        beside, most = and_(CallRecording.edge_id == row.edge_id, CallRecording.room_id.is_not(None)), MAX_RECORDINGS
    if session.scalars(select(func.count()).select_from(CallRecording).where(beside)).one() >= most:
        return
    session.execute(
        insert(CallRecording).values(
            id=tokens.id(),
            tenant_id=row.tenant_id,
            site_id=row.site_id,
            edge_id=row.edge_id,
            recording_id=what.recording_id,
            sip_call_id=sip_call_id,
            room_id=room.room_id if room is not None else None,
            room_name=storable_text(room.name) if room is not None else None,
            began_at=what.began_at,
            seconds=what.seconds,
            announced=what.announced,
            digest=what.digest,
            size_bytes=what.size_bytes,
        )
    )


@dataclass(frozen=True, slots=True)
class Intake:
    """What keeping pieces needs.

    Args:
        store: where whole recordings go; None: nowhere.
        keys: wraps data keys.
        tokens: data keys and nonces.
    """

    store: ObjectStore | None
    keys: KeyService
    tokens: Tokens


def keep_call_piece(
    session: Session, intake: Intake, edge: KnownEdge, piece: RecordingPiece, now: datetime
) -> RecordingKept | None:
    """Keep a piece of a call's recording, and the recording itself with the last one.

    What is answered is kept once this transaction is committed; a hub that is killed costs one piece at most.

    Returns:
        None where no call's recording of this edge has this digest.

    Raises:
        SecretUnreadable: the recording's data key was wrapped by another key.
        OSError: the disk would not.
    """
    row = session.scalar(
        select(CallRecording)
        .where(CallRecording.edge_id == edge.edge_id, CallRecording.digest == piece.digest)
        .order_by(CallRecording.deleted_at.is_not(None), CallRecording.stored_at.is_not(None), CallRecording.id)
        .limit(1)
        .with_for_update()
    )
    if row is None:
        return None
    site = session.get(Site, row.site_id)
    if row.deleted_at is not None or site is None:
        return _refused(piece, "not_named")
    if not in_force(RecordingPolicy, site.recording).upload:
        return _refused(piece, "not_allowed")
    if intake.store is None:
        return _refused(piece, "unavailable")
    if row.stored_at is not None:
        return RecordingKept(digest=piece.digest, offset=row.size_bytes, complete=True)
    due = min(CALL_PIECE_BYTES, row.size_bytes - row.received_bytes)
    if piece.offset != row.received_bytes or len(piece.data) != due:
        return RecordingKept(digest=piece.digest, offset=row.received_bytes)
    sealed = _sealer(row, intake)
    place = row.received_bytes // CALL_PIECE_BYTES
    data = sealed.seal(place, piece.data, intake.tokens.secret(_NONCE_BYTES))
    session.add(CallRecordingPiece(tenant_id=row.tenant_id, call_recording_id=row.id, place=place, data=data))
    row.received_bytes += due
    session.flush()
    if row.received_bytes < row.size_bytes:
        return RecordingKept(digest=piece.digest, offset=row.received_bytes)
    try:
        row.object_digest, row.peaks = _store(session, intake.store, row, sealed)
    except (_UnlikeItsDigest, PieceUnreadable):
        _forget_pieces(session, row)
        row.received_bytes = 0
        return _refused(piece, "unlike_digest")
    except ObjectsError:
        # The last piece is to be sent again, and with it the whole is tried again.
        _forget_pieces(session, row, place)
        row.received_bytes = piece.offset
        return _refused(piece, "unavailable")
    _forget_pieces(session, row)
    row.stored_at = now
    session.flush()
    return RecordingKept(digest=piece.digest, offset=row.size_bytes, complete=True)


def _refused(piece: RecordingPiece, why: str) -> RecordingKept:
    return RecordingKept.model_validate({"digest": piece.digest, "refused": why})


def _sealer(row: CallRecording, intake: Intake) -> SealedPieces:
    if row.key_id is None or row.wrapped_key is None:
        data_key = intake.tokens.secret(KEY_BYTES)
        row.key_id, row.wrapped_key = intake.keys.key_id, intake.keys.wrap(data_key)
        return SealedPieces(data_key, row.id)
    return SealedPieces(intake.keys.unwrap(row.key_id, row.wrapped_key), row.id)


def _store(
    session: Session, store: ObjectStore, row: CallRecording, sealed: SealedPieces
) -> tuple[Digest, bytes | None]:
    """Put the sealed pieces together, and see on the way that they are what the edge told of, and how loud they are."""
    waveform = Waveform(row.size_bytes)

    def checked() -> Iterator[bytes]:
        taken = hashlib.sha256()
        for place in range(-(-row.size_bytes // CALL_PIECE_BYTES)):
            this = (CallRecordingPiece.call_recording_id == row.id, CallRecordingPiece.place == place)
            data = session.scalar(select(CallRecordingPiece.data).where(*this)) or b""
            opened = sealed.open(place, data)
            taken.update(opened)
            waveform.take(opened)
            yield data
        if taken.hexdigest() != row.digest:
            raise _UnlikeItsDigest

    limit = sealed_offset(-(-row.size_bytes // CALL_PIECE_BYTES))
    return store.put(row.tenant_id, checked(), limit_bytes=limit).digest, waveform.peaks


def _forget_pieces(session: Session, row: CallRecording, place: int | None = None) -> None:
    these = delete(CallRecordingPiece).where(CallRecordingPiece.call_recording_id == row.id)
    session.execute(these if place is None else these.where(CallRecordingPiece.place == place))


# For people


def recordings_of(session: Session, calls: Sequence[CallRecord], now: datetime) -> dict[UUID, list[CallRecording]]:
    """What was recorded of these calls, by their ids, in order; but what the site keeps no longer."""
    if not calls:
        return {}
    wanted = {
        (call.site_id, hashlib.md5(call.sip_call_id.encode(), usedforsecurity=False).hexdigest()) for call in calls
    }
    found = session.scalars(
        select(CallRecording)
        .where(
            tuple_(CallRecording.site_id, func.md5(CallRecording.sip_call_id)).in_(wanted),
            CallRecording.room_id.is_(None),
            CallRecording.deleted_at.is_(None),
            ~is_over(session, {call.site_id for call in calls}, now),
        )
        .order_by(CallRecording.began_at, CallRecording.id)
    )
    by_call: dict[tuple[UUID, str], list[CallRecording]] = {}
    for row in found:
        by_call.setdefault((row.site_id, row.sip_call_id), []).append(row)
    return {call.id: by_call.get((call.site_id, call.sip_call_id), []) for call in calls}


def sites_that_upload(session: Session, site_ids: Collection[UUID]) -> frozenset[UUID]:
    """Of these sites, those that let recordings of calls leave."""
    sites = session.scalars(select(Site).where(Site.id.in_(site_ids))) if site_ids else ()
    return frozenset(site.id for site in sites if in_force(RecordingPolicy, site.recording).upload)


def place_of(row: CallRecording, uploading: Collection[UUID]) -> Place:
    """Where its sound is.

    Args:
        uploading: sites that let recordings leave (`sites_that_upload`).
    """
    if row.stored_at is not None:
        return "here"
    return "coming" if row.site_id in uploading else "at_the_site"


def get_recording(session: Session, call: CallRecord, recording_id: UUID, now: datetime) -> CallRecording:
    """One recording of a call.

    Raises:
        NotFound: the call has none of that id.
    """
    for row in recordings_of(session, [call], now)[call.id]:
        if row.id == recording_id:
            return row
    raise NotFound


def read_recording(store: ObjectStore, keys: KeyService, row: CallRecording, first: int, last: int) -> bytes:
    """These bytes of the WAV file, the last one included.

    Raises:
        ObjectMissing: it is not in the object store.
        SecretUnreadable, PieceUnreadable: it cannot be opened.
    """
    if row.object_digest is None or row.key_id is None or row.wrapped_key is None:
        raise NotFound
    sealed = SealedPieces(keys.unwrap(row.key_id, row.wrapped_key), row.id)
    place = first // CALL_PIECE_BYTES
    skipped, wanted = first - place * CALL_PIECE_BYTES, last - first + 1
    data = bytearray()
    for piece in sealed.opened(store.read(row.tenant_id, row.object_digest, sealed_offset(place)), place):
        data += piece
        if len(data) >= skipped + wanted:
            break
    return bytes(data[skipped : skipped + wanted])


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recording is of, for the audit.

    Args:
        kind: how entries begin.
        resource: what they are about.
        resource_id: which of these.
    """

    kind: Literal["call_recording", "conference_recording"]
    resource: Literal["call", "site"]
    resource_id: UUID


def of_call(call: CallRecord) -> Heard:
    """What is recorded is a call."""
    return Heard("call_recording", "call", call.id)


def note_heard(desk: Desk, of: Heard, row: CallRecording) -> None:
    """Write into the audit that somebody listens to it."""
    where, what = (of.resource, of.resource_id), ("recording_id", row.id)
    note_listening(desk, f"{of.kind}.listened", where, what, row.tenant_id)


def delete_recording(desk: Desk, store: ObjectStore | None, of: Heard, row: CallRecording) -> None:
    """Delete a recording for good: here at once, and at the edge at once or as soon as it is back."""
    desk.session.refresh(row, with_for_update=True)
    if row.object_digest is not None and store is not None:
        store.delete(row.tenant_id, row.object_digest)
    _forget_pieces(desk.session, row)
    row.deleted_at = desk.clock.now()
    row.object_digest = row.stored_at = row.wrapped_key = row.key_id = row.peaks = None
    row.received_bytes = 0
    desk.session.flush()
    _ask_for_deletion(desk.session, desk.tokens, row, desk.clock.now())
    desk.record(f"{of.kind}.deleted", of.resource, of.resource_id, {"recording_id": [str(row.id), None]}, row.tenant_id)


def _ask_for_deletion(session: Session, tokens: Tokens, row: CallRecording, now: datetime) -> None:
    arguments = {"recording_id": row.recording_id}
    give_command(session, tokens, row.edge_id, DELETE_CALL_RECORDING, arguments, now, DELETION_SECONDS)


# In time


def is_over(session: Session, site_ids: Collection[UUID], now: datetime) -> ColumnElement[bool]:
    """Whether the site keeps a recording no longer; its edge, which deletes it too, may be away."""
    sites = session.scalars(select(Site).where(Site.id.in_(site_ids)))
    kept = ((site.id, in_force(RecordingPolicy, site.recording).kept_days) for site in sites)
    return or_(
        False,
        *(
            and_(CallRecording.site_id == site_id, CallRecording.began_at < now - timedelta(days=days))
            for site_id, days in kept
        ),
    )


def _of_call(site_id: UUID, sip_call_id: str) -> ColumnElement[bool]:
    hashed = func.md5(CallRecording.sip_call_id) == func.md5(sip_call_id)
    of_call = CallRecording.room_id.is_(None)
    return and_(CallRecording.site_id == site_id, of_call, hashed, CallRecording.sip_call_id == sip_call_id)
