"""Voicemail is put into IMAP mailboxes: of a real Dovecot, and of servers that are not what they should be."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from cloud.functions.records import claim_records, failures, sqs_event
from cloud.functions.send_mails import handler as send_mails
from cloud.functions.send_mails.sending import MailNotSent, SmtpMailer
from cloud.functions.send_mails.storing import MAX_ANSWER_BYTES, ImapStore, mailbox_name
from cloud.models import Job, Site, VoicemailImap
from cloud.objects import FolderStore
from cloud.pbx.mails import RETRY_SECONDS, SEND_MAIL
from cloud.pbx.secrets import FileKeyService, KeyService, keep_secret
from cloud.pbx.voicemail_imap import ImapLogIn, ImapSecurity
from tests.cloud.functions.conftest import Functions
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock, add_user
from tests.support.dovecot import Dovecot
from tests.support.left_messages import TellingEdge, rows_of, sound
from tests.support.postgres import Databases
from tests.support.waiting import eventually

ACCOUNTS = {"ada": 'pass wörd "1\\', "grace@customer.test": "plain-2"}
real = pytest.mark.peer("dovecot")


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with Dovecot(ACCOUNTS) as running:
        yield running


@pytest.fixture(autouse=True)
def log_of_dovecot(request: pytest.FixtureRequest) -> Iterator[None]:
    """Shown with a test that fails."""
    yield
    if "dovecot" in request.fixturenames:
        print(request.getfixturevalue("dovecot").said())


@pytest.fixture
def keys() -> KeyService:
    return FileKeyService(TOKENS.secret(), TOKENS)


def loopback(host: str, port: int) -> list[str]:
    del host, port
    return ["127.0.0.1"]


def store_for(keys: KeyService, authority: Path | None = None, **more: Any) -> ImapStore:
    tls = ssl.create_default_context(cafile=authority)
    more = {"private_allowed": True, "timeout_seconds": 10.0, "resolver": loopback, **more}
    return ImapStore(keys, "tandem@msp.test", "https://portal.test", tls=tls, **more)


def account(port: int, security: ImapSecurity = ImapSecurity.TLS, **changes: Any) -> ImapLogIn:
    values = {"host": "imap.test", "username": "ada", "password": SecretStr(ACCOUNTS["ada"]), "folder": "INBOX"}
    return ImapLogIn(port=port, security=security, **{**values, **changes})


def message(subject: str = "Grüße von Zoë", text: str = "Ein Satz mit Umlauten: äöü, 日本語.\n") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "tandem@msp.test", "ada@imap.test", subject
    made["Message-ID"] = "<1@msp.test>"
    made.set_content(text)
    made.add_attachment(sound(), maintype="audio", subtype="wav", filename="voicemail.wav")
    return made


@real
@pytest.mark.parametrize("security", list(ImapSecurity))
@pytest.mark.parametrize("folder", ["INBOX", "Anrufe & Nachrichten 日本", 'a "quoted" one'])
def test_a_message_is_put_unseen_into_the_folder_which_is_made_where_it_is_not_there(
    dovecot: Dovecot, keys: KeyService, security: ImapSecurity, folder: str
) -> None:
    port = dovecot.tls_port if security is ImapSecurity.TLS else dovecot.starttls_port
    before = len(dovecot.messages("ada", folder))
    store_for(keys, dovecot.authority).store(account(port, security, folder=folder), message())
    *_, (flags, found) = dovecot.messages("ada", folder)
    assert len(dovecot.messages("ada", folder)) == before + 1
    assert flags == ""  # neither seen nor anything else
    assert found["Subject"] == "Grüße von Zoë"
    body, attachment = found.get_body(("plain",)), next(found.iter_attachments())
    assert body is not None
    assert "äöü, 日本語" in body.get_content()
    assert attachment.get_content() == sound()


@real
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": SecretStr("planted")}, "imap.test refuses the user name or the password"),
        ({"username": "nobody", "password": SecretStr("planted")}, "imap.test refuses the user name or the password"),
        ({"host": "other.test"}, "the certificate of other.test is not accepted: Hostname mismatch"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(
    dovecot: Dovecot, keys: KeyService, changes: dict[str, Any], told: str
) -> None:
    to = account(dovecot.tls_port, **changes)
    with pytest.raises(MailNotSent, match=told) as refused:
        store_for(keys, dovecot.authority).store(to, message())
    assert not refused.value.final
    assert to.password.get_secret_value() not in repr(to) + repr(refused.value) + str(refused.value)


@real
def test_a_server_that_cannot_look_up_accounts_is_not_said_to_refuse_the_password(
    dovecot: Dovecot, keys: KeyService
) -> None:
    def told() -> str:
        try:
            store_for(keys, dovecot.authority).store(account(dovecot.tls_port), message())
        except MailNotSent as error:
            return f"{'final' if error.final else 'tried again'}: {error}"
        return ""

    with dovecot.without_its_accounts():
        assert eventually(told) == "tried again: imap.test cannot tell now whether the password is right"
    eventually(lambda: not told())


@real
def test_a_certificate_of_nobody_known_is_not_accepted(dovecot: Dovecot, keys: KeyService) -> None:
    with pytest.raises(MailNotSent, match=r"the certificate of imap\.test is not accepted"):
        store_for(keys).store(account(dovecot.tls_port), message())


@real
def test_a_mailbox_that_is_full_is_said_to_be(dovecot: Dovecot, keys: KeyService) -> None:
    large = message(text="x" * 3_000_000)
    with pytest.raises(MailNotSent, match="the mailbox is full"):
        store_for(keys, dovecot.authority).store(account(dovecot.tls_port), large)


class UserWithImap:
    """A user whose messages are put into an account at Dovecot."""

    def __init__(
        self, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock, folder: Path
    ) -> None:
        self.databases, self.customer, self.edge, self.clock = databases, customer, edge, clock
        self.keys = FileKeyService(TOKENS.secret(), TOKENS)
        self.objects = FolderStore(folder / "objects", TOKENS)
        self.telling = TellingEdge(databases, edge.known, clock)
        with databases.api.session(customer.scope) as session:
            self.user_id = add_user(session, customer, "201").id
            session.get_one(Site, customer.site_id).voicemail = {"recordings_leave": True}

    def wants(self, port: int, password: str, **more: Any) -> None:
        with self.databases.api.session(self.customer.scope) as session:
            kept = keep_secret(session, self.keys, TOKENS, self.customer.tenant_id, SecretStr(password))
            values = {
                "user_id": self.user_id,
                "tenant_id": self.customer.tenant_id,
                "host": "imap.test",
                "port": port,
                "security": "tls",
                "username": "grace@customer.test",
                "folder": "Voicemail",
                "secret_id": kept.secret_id,
                "secret_version": kept.version,
            }
            session.merge(VoicemailImap(**{**values, **more}))

    def gone(self) -> None:
        with self.databases.api.session(self.customer.scope) as session:
            session.delete(session.get_one(VoicemailImap, self.user_id))

    def shown(self) -> VoicemailImap:
        with self.databases.api.session(self.customer.scope) as session:
            return session.get_one(VoicemailImap, self.user_id)

    def jobs(self) -> list[tuple[str, str | None]]:
        with self.databases.api.session(self.customer.scope) as session:
            return [(row.state, row.error) for row in session.scalars(select(Job).where(Job.kind == SEND_MAIL))]

    def work(self, authority: Path) -> int:
        nobody = SmtpMailer("", 25, "none", "tandem@msp.test", "", SecretStr(""), 5)
        imap = store_for(self.keys, authority)
        handle = send_mails.compose(self.databases.worker, self.clock, TOKENS, nobody, self.objects, imap)
        bodies = claim_records(self.databases.worker, [SEND_MAIL], self.clock.now(), 10)
        assert failures(handle(sqs_event("send_mails", bodies), Functions.context("send_mails"))) == []
        return len(bodies)


@pytest.fixture
def user(databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock, tmp_path: Path) -> UserWithImap:
    return UserWithImap(databases, customer, edge, clock, tmp_path)


@real
def test_a_message_that_was_left_comes_with_its_recording_after_a_wrong_password_was_set_right(
    user: UserWithImap, dovecot: Dovecot
) -> None:
    assert user.telling.send(user.objects, sound()).complete is False  # nothing names it yet
    user.wants(dovecot.tls_port, "planted", delete_after=True)
    assert user.telling.tell(user.telling.message(user.user_id, sound())) == [None]
    assert user.telling.send(user.objects, sound()).complete
    assert user.work(dovecot.authority) == 1
    told = "imap.test refuses the user name or the password"
    assert user.jobs() == [("pending", told)]
    assert (user.shown().problem, user.shown().tried_at) == (told, user.clock.now())

    user.wants(dovecot.tls_port, ACCOUNTS["grace@customer.test"], delete_after=True)
    user.clock.advance(RETRY_SECONDS[0] * 1.2)
    assert user.work(dovecot.authority) == 1
    ((flags, found),) = dovecot.messages("grace@customer.test", "Voicemail")
    assert flags == ""
    assert (found["To"], found["From"]) == ("grace@customer.test", "tandem@msp.test")
    assert found["Subject"] == "Voicemail from Ada Example (200), 0:01"
    (attachment,) = found.iter_attachments()
    assert attachment.get_content() == sound()
    assert user.shown().problem == ""
    (row,) = rows_of(user.databases.api, user.edge.known)
    assert row.folder == "deleted"
    assert user.work(dovecot.authority) == 0


@real
def test_nothing_is_put_where_a_user_wants_nothing_any_more(user: UserWithImap, dovecot: Dovecot) -> None:
    user.wants(dovecot.tls_port, ACCOUNTS["grace@customer.test"], folder="Later", delete_after=True)
    assert user.telling.tell(user.telling.message(user.user_id, sound())) == [None]
    assert user.telling.send(user.objects, sound()).complete
    user.gone()
    assert user.work(dovecot.authority) == 1
    assert [state for state, _ in user.jobs()] == ["done"]
    assert dovecot.messages("grace@customer.test", "Later") == []
    (row,) = rows_of(user.databases.api, user.edge.known)
    assert row.folder != "deleted"  # nobody else has it


def test_servers_at_private_addresses_and_names_of_nothing_are_not_reached(keys: KeyService) -> None:
    strict = store_for(keys, private_allowed=False)
    with pytest.raises(MailNotSent, match=r"imap\.test is at an address that is not public"):
        strict.store(account(993), message())
    with pytest.raises(MailNotSent, match=r"there is no host imap\.test"):
        store_for(keys, resolver=lambda host, port: []).store(account(993), message())


@contextmanager
def strange_server(answers: Callable[[bytes], bytes], drips: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A server without TLS that greets, and answers each line (LOGOUT for ever, if it drips); the lines that it got."""
    got: list[bytes] = []

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                self.wfile.write(answers(b""))
                while line := self.rfile.readline(10_000):
                    got.append(line)
                    self.wfile.write(answers(line))
                    while drips and b"LOGOUT" in line and (more := answers(line)):
                        self.wfile.write(more)
            except OSError:
                return  # the client has had enough

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], got
        finally:
            server.shutdown()
            thread.join()


def greets(capabilities: bytes, after: bytes = b"") -> Callable[[bytes], bytes]:
    def answer(line: bytes) -> bytes:
        tag, _, command = line.strip().partition(b" ")
        if not line:
            return b"* OK ready\r\n"
        if command.startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 " + capabilities + b"\r\n" + tag + b" OK done\r\n"
        return after or tag + b" BAD no\r\n"

    return answer


def test_nothing_is_told_to_a_server_that_does_not_encrypt(keys: KeyService) -> None:
    with strange_server(greets(b"AUTH=PLAIN")) as (port, got):
        with pytest.raises(MailNotSent, match="offers no STARTTLS: the password is not sent unencrypted"):
            store_for(keys).store(account(port, ImapSecurity.STARTTLS), message())
        with pytest.raises(MailNotSent, match="is not reached"):
            store_for(keys).store(account(port), message())
    assert not any(b"AUTH" in line or b"LOGIN" in line.partition(b" ")[2] for line in got)


@pytest.mark.parametrize(
    "answer",
    [
        b"* OK " + b"x" * 100 + b"\r\n",
        b"* 1 FETCH {%d}\r\n" % (100 * MAX_ANSWER_BYTES),
        b"no IMAP at all\r\n" * 20_000,
        b"* CAPABILITY STARTTLS\r\n" * 20_000,
        b"\xff\x00" * 1000 + b"\r\n",
    ],
)
def test_a_server_that_talks_nonsense_or_too_much_or_never_ends_is_left_in_time(
    keys: KeyService, answer: bytes
) -> None:
    with strange_server(lambda line: answer) as (port, _), pytest.raises(MailNotSent) as refused:
        store_for(keys, timeout_seconds=1.0).store(account(port, ImapSecurity.STARTTLS), message())
    assert ACCOUNTS["ada"] not in str(refused.value)


def test_a_server_that_does_not_let_go_is_left_in_time(keys: KeyService) -> None:
    pauses: list[bool] = []

    def answer(line: bytes) -> bytes:
        if b"LOGOUT" in line:
            pauses.append(threading.Event().wait(0.2))
            return b"* OK wait\r\n" * (len(pauses) < 20)
        return greets(b"AUTH=PLAIN")(line)

    with strange_server(answer, drips=True) as (port, _), pytest.raises(MailNotSent, match="offers no STARTTLS"):
        store_for(keys, timeout_seconds=1.0).store(account(port, ImapSecurity.STARTTLS), message())
    assert len(pauses) < 12


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("INBOX", '"INBOX"'),
        ("~peter/mail/台北/日本語", '"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),  # RFC 3501 §5.1.3
        ("Fish & Chips", '"Fish &- Chips"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("😀", '"&2D3eAA-"'),
    ],
)
def test_names_of_folders_are_written_as_imap_has_them(folder: str, name: str) -> None:
    assert mailbox_name(folder) == name


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_no_name_of_a_folder_ends_the_command(folder: str) -> None:
    name = mailbox_name(folder)
    assert name.isascii()
    assert "\r" not in name
    assert "\n" not in name
    assert '"' not in name[1:-1].replace("\\\\", "").replace('\\"', "")
