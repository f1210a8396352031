"""Mails leave once, are tried again while the server is away, and are given up where nobody is there."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from cloud.functions.records import claim_records, failures, sqs_event
from cloud.functions.send_mails import handler as send_mails
from cloud.functions.send_mails.sending import MailNotSent, SmtpMailer
from cloud.models import DialPlan, Job
from cloud.pbx.mails import RETRY_SECONDS, SEND_MAIL, Mail, request_mails
from contract.sync.events import EmergencyCalled
from tests.cloud.functions.conftest import Functions
from tests.cloud.functions.test_ingest_events import arrive
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock
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
