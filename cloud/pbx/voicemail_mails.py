"""Mails about messages that were left: what each user wants, and what is written."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from cloud.models import Site, User, VoicemailImap, VoicemailMail, VoicemailMessage, VoicemailRecording
from cloud.pbx.checks import invalid
from cloud.pbx.desk import Desk
from cloud.pbx.fax_mails import fax_attached, written_fax
from cloud.pbx.group_mailboxes import owned_mailboxes
from cloud.pbx.mails import Attachment, request_mail
from cloud.pbx.site_policies import in_force
from cloud.pbx.users import get_user
from cloud.tokens import Tokens
from contract.snapshot import VoicemailPolicy

_ADDRESS: Final = re.compile(r"[0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]+@[0-9A-Za-z.-]+")
_LONGEST_ADDRESS: Final = 254
MailRecording = Literal["none", "attach", "link"]
MailFormat = Literal["full", "medium", "brief"]
MAX_ATTACHED_BYTES: Final = 15 * 1024 * 1024
"""What most mail servers take once it is in base64; a longer recording is linked."""


@dataclass(frozen=True, slots=True)
class MailWish:
    """What a user wants mailed.

    Args:
        address: where to; empty: nothing is mailed.
        recording: whether the recording comes along, or where it is to be heard.
        format: how much is said.
        delete_after: whether the message lies among the deleted once it was mailed.
    """

    address: str = ""
    recording: MailRecording = "none"
    format: MailFormat = "full"
    delete_after: bool = False


@dataclass(frozen=True, slots=True)
class _Words:
    subject: str
    withheld: str
    left: str
    when: str
    length: str
    urgent: str
    forwarded: str
    attached: str
    listen: str
    dial: str


_WORDS: Final = {
    "en": _Words(
        "Voicemail from {caller}, {length}",
        "a withheld number",
        "{caller} left you a message.",
        "Received: {when}",
        "Length: {length}",
        "The message is marked as urgent.",
        "Sent on by {by}.",
        "The recording is attached.",
        "Listen to it here: {link}",
        "Or dial *97 at your phone.",
    ),
    "de": _Words(
        "Sprachnachricht von {caller}, {length}",
        "unterdrückter Nummer",
        "{caller} hat Ihnen eine Nachricht hinterlassen.",
        "Eingegangen: {when}",
        "Länge: {length}",
        "Die Nachricht ist als dringend gekennzeichnet.",
        "Weitergeleitet von {by}.",
        "Die Aufnahme liegt bei.",
        "Hier anhören: {link}",
        "Oder wählen Sie *97 an Ihrem Telefon.",
    ),
    "fr": _Words(
        "Message vocal de {caller}, {length}",
        "numéro masqué",
        "{caller} vous a laissé un message.",
        "Reçu : {when}",
        "Durée : {length}",
        "Le message est marqué comme urgent.",
        "Transféré par {by}.",
        "L’enregistrement est joint.",
        "L’écouter ici : {link}",
        "Ou composez le *97 sur votre téléphone.",
    ),
    "es": _Words(
        "Mensaje de voz de {caller}, {length}",
        "un número oculto",
        "{caller} le ha dejado un mensaje.",
        "Recibido: {when}",
        "Duración: {length}",
        "El mensaje está marcado como urgente.",
        "Reenviado por {by}.",
        "Se adjunta la grabación.",
        "Escúchelo aquí: {link}",
        "O marque *97 en su teléfono.",
    ),
}


def get_mail_wish(session: Session, user_id: UUID, only: UUID | None = None) -> MailWish:
    """What a user wants mailed; whoever may see `only` one finds no other."""
    row = session.get(VoicemailMail, get_user(session, user_id, only).id)
    return _wish(row) if row is not None else MailWish()


def set_mail_wish(desk: Desk, user_id: UUID, wish: MailWish, only: UUID | None = None) -> MailWish:
    """Put this in the place of what a user wanted before.

    Raises:
        Invalid: the message would be deleted though nothing of it was mailed.
    """
    user = get_user(desk.session, user_id, only)
    if wish.delete_after and wish.recording != "attach":
        raise invalid("delete_after", "Only a message whose recording is attached can be deleted after it was mailed")
    before = get_mail_wish(desk.session, user_id, only)
    row = desk.session.get(VoicemailMail, user.id)
    if not wish.address:
        if row is not None:
            desk.session.delete(row)
        wish = MailWish()
    else:
        if row is None:
            row = VoicemailMail(user_id=user.id, tenant_id=user.tenant_id)
            desk.session.add(row)
        row.address, row.recording, row.format = wish.address, wish.recording, wish.format
        row.delete_after = wish.delete_after
    desk.flush()
    if wish != before:
        told: dict[str, list[object]] = {
            name: [getattr(before, name), getattr(wish, name)]
            for name in ("address", "recording", "format", "delete_after")
            if getattr(before, name) != getattr(wish, name)
        }
        desk.record("user.voicemail_mail_changed", "user", user.id, told, user.tenant_id)
    return wish


def mail_message(session: Session, tokens: Tokens, row: VoicemailMessage) -> None:
    """Have a user, or all who own the mailbox, mailed about a message that was just left, as each wants it."""
    owners = [row.user_id] if row.user_id else _owners(session, row)
    alone = len(owners) == 1
    for user_id in owners:
        user, site = session.get(User, user_id), session.get(Site, row.site_id)
        if user is None or site is None or not user.enabled:
            continue
        if (kept := session.get(VoicemailMail, user_id)) is not None:
            _mail(session, tokens, row, _wish(kept), site, alone=alone)
        if (imap := session.get(VoicemailImap, user_id)) is not None:
            wish = MailWish(_address_of(imap), "attach", "full", imap.delete_after)
            _mail(session, tokens, row, wish, site, alone=alone, imap_user_id=user_id)


def _address_of(imap: VoicemailImap) -> str:
    """Whom a message in an IMAP mailbox is to: who has the account there."""
    for one in (imap.username, f"{imap.username}@{imap.host}"):
        if _ADDRESS.fullmatch(one) and len(one) <= _LONGEST_ADDRESS:
            return one
    return "voicemail@localhost"


def _owners(session: Session, row: VoicemailMessage) -> list[UUID]:
    """Who owns the group mailbox of a message."""
    found = (one for one in owned_mailboxes(session, row.site_id) if one.service_id == row.mailbox_id)
    return [UUID(owner) for one in found for owner in one.owners]


def _mail(
    session: Session,
    tokens: Tokens,
    row: VoicemailMessage,
    wish: MailWish,
    site: Site,
    *,
    alone: bool,
    imap_user_id: UUID | None = None,
) -> None:
    """One mail; what others own too (`alone` is false) is not deleted by it."""
    policy = in_force(VoicemailPolicy, site.voicemail)
    recording = session.get(VoicemailRecording, (row.tenant_id, row.digest))
    is_fax = row.fax_pages is not None
    attached = (
        # Nobody listens to a fax: it goes along unless a link is wanted.
        (wish.recording != "link" if is_fax else wish.recording == "attach")
        and policy.recordings_leave
        and recording is not None
        and recording.size_bytes <= MAX_ATTACHED_BYTES
    )
    if is_fax:
        subject, text = written_fax(row, policy.language, site.time_zone, attached=attached)
    else:
        subject, text = _written(row, wish, policy.language, site.time_zone, attached=attached)
    attachment = None
    if attached:
        moment = f"{row.received_at:%Y%m%d-%H%M%S}"
        attachment = Attachment(
            digest=row.digest,
            name=f"fax-{moment}" if is_fax else f"voicemail-{moment}.wav",
            note=fax_attached(policy.language) if is_fax else _words(policy.language).attached,
            message_id=row.id,
            delete_after=wish.delete_after and (row.user_id is not None or (is_fax and alone)),
            is_fax=is_fax,
        )
    about = f"voicemail {row.id}" if imap_user_id is None else f"voicemail {row.id} by IMAP {imap_user_id}"
    request_mail(session, tokens, row.tenant_id, about, wish.address, subject, text, attachment, imap_user_id)


def _words(language: str) -> _Words:
    return _WORDS.get(language.partition("-")[0].lower(), _WORDS["en"])


def _wish(row: VoicemailMail) -> MailWish:
    recording: MailRecording = next(one for one in ("none", "attach", "link") if one == row.recording)
    form: MailFormat = next(one for one in ("full", "medium", "brief") if one == row.format)
    return MailWish(row.address, recording, form, row.delete_after)


def _written(
    row: VoicemailMessage, wish: MailWish, language: str, time_zone: str, *, attached: bool
) -> tuple[str, str]:
    """Subject and text: `brief` says who, `medium` also when and how long, `full` everything."""
    words = _words(language)
    name, number = row.caller_name.strip(), row.caller_number.strip()
    caller = f"{name} ({number})" if name and number and name != number else name or number or words.withheld
    caller = "".join(one for one in caller if one.isprintable() and one not in "{}")
    seconds = round(row.duration_seconds)
    length = f"{seconds // 60}:{seconds % 60:02d}"
    when = row.received_at.astimezone(ZoneInfo(time_zone))
    lines = [words.left.format(caller=caller[:1].upper() + caller[1:])]
    if wish.format != "brief":
        lines += ["", words.when.format(when=f"{when:%Y-%m-%d %H:%M}"), words.length.format(length=length)]
    if wish.format == "full":
        if row.urgent:
            lines.append(words.urgent)
        if row.forwarded_by:
            lines.append(words.forwarded.format(by=row.forwarded_by))
    lines.append("")
    if attached:
        lines.append("{note}")
    if wish.recording != "none":
        lines.append(words.listen.format(link=f"{{portal}}/my-messages?message={row.id}"))
    if wish.format == "full":
        lines.append(words.dial)
    subject = words.subject.format(caller=caller, length=length)
    return ("! " if row.urgent else "") + subject[:250], "\n".join(lines).rstrip() + "\n"
