"""Mails leave once, are tried again while the server is away, and are given up where nobody is there."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from cloud.functions.records import claim_records, failures, sqs_event
from cloud.functions.send_mails import handler as send_mails
from cloud.functions.send_mails.sending import MailNotSent, SmtpMailer
from cloud.models import Command, DialPlan, Job, Site, VoicemailMail
from cloud.objects import FolderStore
from cloud.pbx.fax_documents import fax_pdf
from cloud.pbx.mails import RETRY_SECONDS, SEND_MAIL, Mail, request_mails
from contract import snapshot as contract
from contract.snapshot import Fax
from contract.sync.events import EmergencyCalled
from contract.sync.mailbox_events import FaxSheets
from tests.cloud.functions.conftest import Functions
from tests.cloud.functions.test_ingest_events import arrive
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock, add_user
from tests.support.fax_files import Sheet, tiff
from tests.support.left_messages import TellingEdge, rows_of, sound
from tests.support.mail_server import MailServer, mail_server
from tests.support.postgres import Databases

PEOPLE = ("security@customer.test", "front.desk@customer.test")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def mailer(port: int, host: str = "127.0.0.1") -> SmtpMailer:
    return SmtpMailer(host, port, "none", "tandem@msp.test", "", SecretStr(""), 5)


def send(databases: Databases, clock: HandClock, port: int, host: str = "127.0.0.1") -> int:
    """Do what waits; how many jobs there were."""
    handle = send_mails.compose(databases.worker, clock, TOKENS, mailer(port, host))
    bodies = claim_records(databases.worker, [SEND_MAIL], clock.now(), 10)
    assert failures(handle(sqs_event("send_mails", bodies), Functions.context("send_mails"))) == []
    return len(bodies)


def wanted(databases: Databases, customer: Customer, *to: str) -> None:
    with databases.worker.session(customer.scope) as session:
        request_mails(session, TOKENS, customer.tenant_id, "test 1", to, "Help", "Somebody called.\n.\nEnd\n")


def states(databases: Databases, customer: Customer) -> list[tuple[str, str | None]]:
    with databases.api.session(customer.scope) as session:
        rows = session.scalars(select(Job).where(Job.kind == SEND_MAIL).order_by(Job.key))
        return [(row.state, row.error) for row in rows]


def test_each_person_gets_a_mail_of_his_own_once(
    databases: Databases, customer: Customer, clock: HandClock, server: MailServer
) -> None:
    wanted(databases, customer, *PEOPLE)
    wanted(databases, customer, *PEOPLE)
    assert send(databases, clock, server.port) == 2
    assert send(databases, clock, server.port) == 0
    assert sorted(server.recipients) == sorted(PEOPLE)
    mail = server.mails[0]
    assert (mail["From"], mail["Subject"], mail["Auto-Submitted"]) == ("tandem@msp.test", "Help", "auto-generated")
    assert mail.get_content() == "Somebody called.\r\n.\r\nEnd\r\n"
    assert len({mail["Message-ID"] for mail in server.mails}) == 2


def test_a_server_that_is_away_or_busy_is_tried_again(
    databases: Databases, customer: Customer, clock: HandClock, server: MailServer
) -> None:
    wanted(databases, customer, PEOPLE[0])
    assert send(databases, clock, 1) == 1
    assert send(databases, clock, server.port) == 0
    clock.advance(RETRY_SECONDS[0] * 1.2)
    server.refusals["RCPT"] = "451 Try later"
    assert send(databases, clock, server.port) == 1
    assert states(databases, customer) == [("pending", "the server refuses the recipient with 451")]
    clock.advance(RETRY_SECONDS[1] * 1.2)
    server.refusals.clear()
    assert send(databases, clock, server.port) == 1
    assert len(server.mails) == 1


def test_an_address_that_nobody_has_is_given_up_and_holds_up_nobody(
    databases: Databases, customer: Customer, clock: HandClock, server: MailServer
) -> None:
    wanted(databases, customer, PEOPLE[0])
    server.refusals["RCPT"] = "550 No such user"
    assert send(databases, clock, server.port) == 1
    clock.advance(timedelta(days=2).total_seconds())
    assert send(databases, clock, server.port) == 0
    assert [state for state, _ in states(databases, customer)] == ["dead"]


def test_without_a_mail_server_it_is_said_what_is_missing(
    databases: Databases, customer: Customer, clock: HandClock
) -> None:
    wanted(databases, customer, PEOPLE[0])
    assert send(databases, clock, 25, host="") == 1
    assert states(databases, customer) == [("pending", "no mail server is configured: TANDEM_SMTP_HOST is empty")]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_server_that_cannot_encrypt_is_not_told(server: MailServer, security: str) -> None:
    secured = SmtpMailer("127.0.0.1", server.port, security, "a@b.test", "", SecretStr("planted"), 2)  # type: ignore[arg-type]
    with pytest.raises(MailNotSent) as refused:
        secured.send(Mail(to=PEOPLE[0], subject="", text="secret"), "1")
    assert server.mails == []
    assert "planted" not in repr(secured) + str(refused.value)


@pytest.mark.parametrize("bad", [{"to": "a@b.test\r\nBcc: c@d.test"}, {"subject": "x\r\nBcc: c@d.test"}, {"to": "no"}])
def test_no_address_or_subject_adds_a_header(bad: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Mail.model_validate({"to": PEOPLE[0], "subject": "x", "text": "", **bad})


def test_a_call_for_help_is_mailed_to_whom_the_dial_plan_names(
    databases: Databases, functions: Functions, edge: EdgeAtSite, clock: HandClock, server: MailServer
) -> None:
    with databases.api.session(edge.known.scope) as session:
        document = {"emergency": {"mail_to": list(PEOPLE)}}
        tenant_id, site_id = edge.known.tenant_id, edge.known.site_id
        session.add(DialPlan(tenant_id=tenant_id, site_id=site_id, document=document))
    called = EmergencyCalled(
        call_id="help-1", number="112", caller="Desk 200 (200)", address="Main Street 1", caller_id="+41441112202"
    )
    arrive(databases, edge, clock, 1, called, called)
    functions.ingest()
    assert send(databases, clock, server.port) == 2
    assert sorted(server.recipients) == sorted(PEOPLE)
    mail = server.mails[0]
    assert mail["Subject"].startswith("Emergency call to 112 at ")
    assert "Address: Main Street 1\r\n" in mail.get_content()
    assert "Call back: +41441112202\r\n" in mail.get_content()


class MailedMessage:
    """A message in a mailbox whose user wants mails."""

    def __init__(
        self, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock, folder: Path
    ) -> None:
        self.databases, self.customer, self.edge, self.clock = databases, customer, edge, clock
        self.store = FolderStore(folder / "objects", TOKENS)
        self.telling = TellingEdge(databases, edge.known, clock)
        with databases.api.session(customer.scope) as session:
            self.user_id = add_user(session, customer, "201").id

    def wants(self, language: str = "en", **wish: Any) -> None:
        with self.databases.api.session(self.customer.scope) as session:
            session.merge(
                VoicemailMail(
                    **{
                        "user_id": self.user_id,
                        "tenant_id": self.customer.tenant_id,
                        "address": "ada@customer.test",
                        "recording": "none",
                        "format": "full",
                        "delete_after": False,
                        **wish,
                    }
                )
            )
            site = session.get_one(Site, self.customer.site_id)
            site.voicemail = {"recordings_leave": True, "language": language}

    def left(self, **more: Any) -> None:
        assert self.telling.tell(self.telling.message(self.user_id, sound(), **more)) == [None]

    def with_fax_mailbox(self) -> None:
        """The user is the only owner of one."""
        fax = Fax(service_id="fax-1", name="Fax", extension="390", owners=(str(self.user_id),))
        document = contract.DialPlan(voice_services=(fax,)).model_dump(mode="json")
        with self.databases.api.session(self.customer.scope) as session:
            session.add(DialPlan(tenant_id=self.customer.tenant_id, site_id=self.customer.site_id, document=document))

    def send(self, port: int) -> int:
        mailer = SmtpMailer("127.0.0.1", port, "none", "tandem@msp.test", "", SecretStr(""), 5, "https://portal.test")
        handle = send_mails.compose(self.databases.worker, self.clock, TOKENS, mailer, self.store)
        bodies = claim_records(self.databases.worker, [SEND_MAIL], self.clock.now(), 10)
        assert failures(handle(sqs_event("send_mails", bodies), Functions.context("send_mails"))) == []
        return len(bodies)


@pytest.fixture
def mailed(
    databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock, tmp_path: Path
) -> MailedMessage:
    return MailedMessage(databases, customer, edge, clock, tmp_path)


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_message_is_mailed_with_its_recording_once_that_is_there_and_deleted_then(
    mailed: MailedMessage, server: MailServer
) -> None:
    mailed.wants(recording="attach", delete_after=True)
    mailed.left(urgent=True)
    assert mailed.send(server.port) == 1
    assert server.mails == []  # its recording has not come yet
    assert mailed.telling.send(mailed.store, sound()).complete
    mailed.clock.advance(RETRY_SECONDS[0] * 1.2)
    assert mailed.send(server.port) == 1
    (mail,) = server.mails
    assert mail["To"] == "ada@customer.test"
    assert mail["Subject"] == "! Voicemail from Ada Example (200), 0:01"
    (attachment,) = mail.iter_attachments()
    assert attachment.get_content_type() == "audio/wav"
    assert attachment.get_content() == sound()
    assert "The recording is attached." in _text(mail)
    assert "The message is marked as urgent." in _text(mail)
    (row,) = rows_of(mailed.databases.api, mailed.edge.known)
    assert row.folder == "deleted"
    with mailed.databases.api.session(mailed.customer.scope) as session:
        (wish,) = session.scalars(select(Command).where(Command.name == "change_message"))
        assert wish.arguments["folder"] == "deleted"


def test_a_recording_that_never_comes_holds_up_no_mail_for_ever_and_nothing_is_deleted(
    mailed: MailedMessage, server: MailServer
) -> None:
    mailed.wants(recording="attach", delete_after=True)
    mailed.left()
    for pause in (0.0, *RETRY_SECONDS[: send_mails.WAITED_FOR]):
        mailed.clock.advance(pause * 1.2)
        mailed.send(server.port)
    (mail,) = server.mails
    assert list(mail.iter_attachments()) == []
    assert "attached" not in _text(mail)
    assert "https://portal.test/my-messages?message=" in _text(mail)
    (row,) = rows_of(mailed.databases.api, mailed.edge.known)
    assert row.folder == "inbox"


@pytest.mark.parametrize(
    ("language", "subject", "dial"),
    [
        ("en", "Voicemail from Ada Example (200), 0:01", "Or dial *97 at your phone."),
        ("de-CH", "Sprachnachricht von Ada Example (200), 0:01", "Oder wählen Sie *97 an Ihrem Telefon."),
        ("fr", "Message vocal de Ada Example (200), 0:01", "Ou composez le *97 sur votre téléphone."),
        ("es", "Mensaje de voz de Ada Example (200), 0:01", "O marque *97 en su teléfono."),
    ],
)
def test_the_mail_is_in_the_language_of_the_site_and_says_as_much_as_is_wanted(
    mailed: MailedMessage, server: MailServer, language: str, subject: str, dial: str
) -> None:
    mailed.wants(language, recording="link")
    mailed.left()
    mailed.wants(language, format="brief")
    mailed.left(message_id="f" * 16)
    assert mailed.send(server.port) == 2
    full, brief = sorted(server.mails, key=lambda mail: -len(_text(mail)))
    assert full["Subject"] == subject
    assert dial in _text(full)
    assert "https://portal.test/my-messages?message=" in _text(full)
    assert len(_text(brief).strip().splitlines()) == 1
    for mail in (full, brief):
        assert "{" not in _text(mail)


def test_who_wants_no_mail_and_what_is_only_listed_cause_none(mailed: MailedMessage, server: MailServer) -> None:
    mailed.left()
    mailed.wants()
    mailed.left(message_id="e" * 16, listed=True)
    assert mailed.send(server.port) == 0


FAX = FaxSheets(pages=2, station="+49 30 1234", result="OK", sip_call_id="fax@phone")


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        ("en", "Fax from Ada Example (200), 2 pages", "The machine that sent calls itself: +49 30 1234"),
        ("de", "Fax von Ada Example (200), 2 Seiten", "Kennung des Absenders: +49 30 1234"),
        ("fr", "Télécopie de Ada Example (200), 2 pages", "Identification de l’expéditeur : +49 30 1234"),
        ("es", "Fax de Ada Example (200), 2 páginas", "Identificación del remitente: +49 30 1234"),
    ],
)
def test_a_fax_is_mailed_as_pdf_with_who_sent_it_and_whether_it_is_complete(
    mailed: MailedMessage, server: MailServer, language: str, subject: str, said: str
) -> None:
    mailed.wants(language)
    mailed.with_fax_mailbox()
    content = tiff(Sheet(), Sheet())
    assert mailed.telling.tell(mailed.telling.message("fax-1", content, fax=FAX)) == [None]
    assert mailed.send(server.port) == 1
    assert server.mails == []  # its pages have not come yet
    assert mailed.telling.send(mailed.store, content).complete
    mailed.clock.advance(RETRY_SECONDS[0] * 1.2)
    assert mailed.send(server.port) == 1
    (mail,) = server.mails
    assert mail["Subject"] == subject
    assert said in _text(mail)
    assert "{" not in _text(mail)
    (attachment,) = mail.iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    assert str(attachment.get_filename()).endswith(".pdf")
    assert attachment.get_content() == fax_pdf(content)


def test_pages_that_cannot_be_made_a_document_go_as_they_came_and_a_lone_owners_fax_may_be_deleted_then(
    mailed: MailedMessage, server: MailServer
) -> None:
    mailed.wants(recording="attach", delete_after=True)
    mailed.with_fax_mailbox()
    content = tiff(Sheet(compression=7))
    broken_off = FAX.model_copy(update={"complete": False, "result": "The call dropped prematurely"})
    assert mailed.telling.tell(mailed.telling.message("fax-1", content, fax=broken_off)) == [None]
    assert mailed.telling.send(mailed.store, content).complete
    assert mailed.send(server.port) == 1
    (mail,) = server.mails
    (attachment,) = mail.iter_attachments()
    assert (attachment.get_content_type(), attachment.get_content()) == ("image/tiff", content)
    assert "Result: incomplete, pages may be missing (The call dropped prematurely)" in _text(mail)
    (row,) = rows_of(mailed.databases.api, mailed.edge.known)
    assert row.folder == "deleted"
