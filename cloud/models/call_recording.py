"""Recordings of calls and conferences as the cloud knows them, and what of them is on its way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, belongs_to, of_tenant, referable


class CallRecording(Identified, OfTenant, Created, Base):
    """One recording (`contract.sync.call_recordings.CallRecorded`); it may come before the record of its call."""

    __tablename__ = "call_recordings"
    __table_args__ = (
        of_tenant(),
        referable(),
        UniqueConstraint("site_id", "recording_id"),
        CheckConstraint("size_bytes between 1 and 536870912", name="size"),
        CheckConstraint("received_bytes between 0 and size_bytes", name="received"),
        Index("ix_call_recordings_site_id_call", "site_id", text("md5(sip_call_id)")),
        Index(None, "edge_id", "digest"),
    )

    site_id: Mapped[UUID]
    """It stays when the site is deleted, until its object is gone."""
    edge_id: Mapped[UUID]
    recording_id: Mapped[str]
    """The edge's name of it."""
    sip_call_id: Mapped[str]
    """Empty: it is of a conference."""
    room_id: Mapped[str | None]
    """Of which conference it is; None: of a call."""
    room_name: Mapped[str | None]
    """As it was at that time."""
    began_at: Mapped[datetime]
    seconds: Mapped[float]
    announced: Mapped[bool]
    digest: Mapped[str]
    """Of the WAV file."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    """Of the WAV file."""
    received_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """How much of it has come; kept in sealed pieces until it is whole."""
    key_id: Mapped[str | None]
    """Which key wraps the data key; None: nothing has come yet."""
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The data key that its pieces are sealed with."""
    object_digest: Mapped[str | None]
    """Of the sealed object."""
    stored_at: Mapped[datetime | None]
    """Since when it is in the object store."""
    peaks: Mapped[bytes | None] = mapped_column(LargeBinary)
    """How loud each stretch of it is (`cloud.pbx.waveforms`); None: it is not whole, or was before that was kept."""
    deleted_at: Mapped[datetime | None]
    """Since when the edge is to delete it; nobody sees it any more."""


class CallRecordingPiece(OfTenant, Base):
    """A sealed piece of a recording that is on its way."""

    __tablename__ = "call_recording_pieces"
    __table_args__ = (belongs_to("call_recordings", "call_recording_id"),)

    call_recording_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Which piece it is, counted from 0."""
    data: Mapped[bytes] = mapped_column(LargeBinary)
