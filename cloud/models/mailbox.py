"""The messages of sites' mailboxes as the cloud knows them; the edges have them, and are right."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.models.base import Base, Created, Identified, OfTenant, belongs_to, of_tenant


class VoicemailMessage(Identified, OfTenant, Created, Base):
    """One message, with the stamp of its last change (`contract.sync.mailbox_events.MessageChanged`)."""

    __tablename__ = "voicemail_messages"
    __table_args__ = (
        belongs_to("sites", "site_id"),
        belongs_to("users", "user_id"),
        UniqueConstraint("user_id", "message_id"),
        UniqueConstraint("site_id", "mailbox_id", "message_id"),
        CheckConstraint("(user_id is null) <> (mailbox_id is null)", name="whose"),
        CheckConstraint("folder in ('inbox', 'saved', 'deleted')", name="folder"),
        Index("ix_voicemail_messages_user_id_received_at", "user_id", "received_at"),
        Index(None, "tenant_id", "digest"),
        Index(None, "tenant_id", "comment_digest"),
        Index(None, "site_id"),
        Index(None, "site_id", "mailbox_id", "received_at"),
        Index(
            "ix_voicemail_messages_site_id_call",
            "site_id",
            text("md5(sip_call_id)"),
            postgresql_where=text("sip_call_id is not null"),
        ),
    )

    site_id: Mapped[UUID]
    edge_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    """Whose mailbox; None: it is one that several own."""
    mailbox_id: Mapped[str | None]
    """The voice service of the site that is its mailbox, where it is no user's."""
    message_id: Mapped[str]
    """The edge's name of it."""
    wall_ms: Mapped[int] = mapped_column(BigInteger)
    counter: Mapped[int]
    node: Mapped[str]
    folder: Mapped[str]
    heard: Mapped[bool]
    urgent: Mapped[bool]
    caller_number: Mapped[str]
    caller_name: Mapped[str]
    caller_user_id: Mapped[UUID | None]
    forwarded_by: Mapped[str]
    received_at: Mapped[datetime]
    duration_seconds: Mapped[float]
    deleted_at: Mapped[datetime | None]
    digest: Mapped[str]
    """Of the recording."""
    comment_digest: Mapped[str | None]
    fax_pages: Mapped[int | None]
    """None: it is speech, and so are the other `fax_`."""
    fax_station: Mapped[str | None]
    """What the machine that sent says of itself."""
    fax_complete: Mapped[bool | None]
    fax_result: Mapped[str | None]
    sip_call_id: Mapped[str | None]
    """Of the fax's call."""


class VoicemailRecording(OfTenant, Created, Base):
    """A recording that messages of a tenant name: in the object store, or on its way there."""

    __tablename__ = "voicemail_recordings"
    __table_args__ = (
        of_tenant(),
        CheckConstraint("size_bytes between 1 and 67108864", name="size"),
        CheckConstraint("received_bytes between 0 and size_bytes", name="received"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    received_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """How much of it has come; kept in pieces until it is whole."""
    stored_at: Mapped[datetime | None]
    """Since when it is in the object store."""


class VoicemailPiece(OfTenant, Base):
    """A piece of a recording that is on its way."""

    __tablename__ = "voicemail_pieces"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "digest"],
            ["voicemail_recordings.tenant_id", "voicemail_recordings.digest"],
            ondelete="CASCADE",
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Which byte of the recording it begins with."""
    data: Mapped[bytes] = mapped_column(LargeBinary)


class VoicemailMail(OfTenant, Base):
    """What a user wants mailed when a message was left."""

    __tablename__ = "voicemail_mails"
    __table_args__ = (
        belongs_to("users", "user_id"),
        CheckConstraint("recording in ('none', 'attach', 'link')", name="recording"),
        CheckConstraint("format in ('full', 'medium', 'brief')", name="format"),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    address: Mapped[str]
    recording: Mapped[str]
    format: Mapped[str]
    delete_after: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether the message lies among the deleted once it was mailed."""


class VoicemailImap(OfTenant, Base):
    """The IMAP mailbox that a user has messages put into."""

    __tablename__ = "voicemail_imaps"
    __table_args__ = (
        belongs_to("users", "user_id"),
        CheckConstraint("security in ('tls', 'starttls')", name="security"),
        CheckConstraint("port between 1 and 65535", name="port"),
        ForeignKeyConstraint(
            ["tenant_id", "secret_id", "secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            deferrable=True,  # a tenant that is deleted takes both along, in any order
            initially="DEFERRED",
        ),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str]
    port: Mapped[int]
    security: Mapped[str]
    username: Mapped[str]
    secret_id: Mapped[UUID]
    secret_version: Mapped[int]
    folder: Mapped[str]
    delete_after: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether the message lies among the deleted once it was put there with its recording."""
    problem: Mapped[str] = mapped_column(server_default="")
    """Why the last message was not taken; empty: it was."""
    tried_at: Mapped[datetime | None]
