"""Faxes: what comes is a message, what breaks off keeps its pages, and where there can be none the caller is told."""

import asyncio
from pathlib import Path

import pytest

from contract.snapshot import Fax
from edge_agent.clock import SystemClock
from edge_agent.durable_file import LEAST_FREE_BYTES
from edge_agent.media.applications.fax import FULL, NO_DISK, NOT_HERE, FaxConfig, FaxReception
from edge_agent.media.errors import SessionEnded
from edge_agent.media.mailbox.message import Folder, Message
from edge_agent.media.mailbox.store import MailboxLimits, MailboxStore
from edge_agent.media.session import EndCause, FaxReceived
from edge_agent.tokens import SystemTokens
from tests.support.fax_files import Sheet, tiff
from tests.support.scripted_call import ScriptedCall

FAX = Fax(service_id="fax-1", name="Sales fax", extension="390", owners=("u-1",))
WHOLE = FaxReceived(complete=True, result="OK", station="+49 30 1234", sip_call_id="abc@phone")


class FaxMachine(ScriptedCall):
    """A call by a fax machine, on an engine that has fax or not."""

    def __init__(self, content: bytes, received: FaxReceived | None = WHOLE, *, possible: bool = True) -> None:
        super().__init__([], arguments={"service": "fax-1"})
        self._content, self._received, self._possible = content, received, possible
        self.told: tuple[str, bool] | None = None

    async def can_receive_fax(self) -> bool:
        return self._possible

    async def receive_fax(self, path: Path, station: str, *, t38: bool) -> FaxReceived:
        self.told = (station, t38)
        await asyncio.to_thread(path.write_bytes, self._content)
        if self._received is None:
            raise SessionEnded(EndCause.CALLER)
        return self._received


class Office:
    """The fax mailbox, and whom it tells."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.free = folder, LEAST_FREE_BYTES
        self.store = MailboxStore(folder, SystemClock(), SystemTokens())
        self.possible: list[bool] = []
        self.full: list[bool] = []
        self.failures: list[tuple[str, str]] = []
        config = FaxConfig({"fax-1": FAX})
        self.application = FaxReception(self.store, lambda: config, self, SystemClock(), lambda: self.free)

    def can_receive(self, *, possible: bool) -> None:
        self.possible.append(possible)

    def is_full(self, mailbox: Fax, *, full: bool) -> None:
        self.full.append(full)

    def failed(self, mailbox: Fax, received: FaxReceived) -> None:
        self.failures.append((mailbox.service_id, received.result))

    def messages(self) -> list[Message]:
        return self.store.messages("fax-1", Folder.INBOX)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "mailboxes")


async def test_a_fax_is_a_message_with_its_pages_and_who_sent_it(office: Office) -> None:
    call = FaxMachine(tiff(Sheet(), Sheet()))
    await office.application.run(call)
    assert call.told == ("390", False)
    (message,) = office.messages()
    assert message.fax is not None
    assert (message.fax.pages, message.fax.complete, message.fax.station) == (2, True, "+49 30 1234")
    assert message.fax.sip_call_id == "abc@phone"
    assert message.caller.number == "+4930123456"
    file = office.store.recording_file("fax-1", message.message_id)
    assert file.read_bytes() == tiff(Sheet(), Sheet())
    assert (office.possible, office.failures) == ([True], [])
    again = MailboxStore(office.folder, SystemClock(), SystemTokens())
    assert again.messages("fax-1", Folder.INBOX) == [message]


async def test_a_fax_that_breaks_off_is_kept_as_far_as_it_came_and_said_to_be_incomplete(office: Office) -> None:
    await office.application.run(FaxMachine(tiff(Sheet(), Sheet())[:-20], None))
    (message,) = office.messages()
    assert message.fax is not None
    assert (message.fax.pages, message.fax.complete) == (1, False)


async def test_a_call_without_a_page_leaves_no_message_and_no_file_and_is_told(office: Office) -> None:
    await office.application.run(FaxMachine(b"", FaxReceived(complete=False, result="no carrier")))
    assert office.messages() == []
    assert [one.name for one in (office.folder / "fax-1").iterdir()] == []
    assert office.failures == [("fax-1", "no carrier")]


async def test_what_came_before_a_kill_is_a_message_at_the_next_start_whatever_the_engine_goes_on_to_write(
    office: Office,
) -> None:
    started = asyncio.Event()

    class Hanging(FaxMachine):
        async def receive_fax(self, path: Path, station: str, *, t38: bool) -> FaxReceived:
            await super().receive_fax(path, station, t38=t38)
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

    serving = asyncio.create_task(office.application.run(Hanging(tiff(Sheet(), Sheet(), Sheet())[:-9])))
    await started.wait()
    serving.cancel()
    await asyncio.wait({serving})
    (written,) = office.folder.glob("fax-1/*.tif")
    with written.open("ab") as engine:
        again = MailboxStore(office.folder, SystemClock(), SystemTokens())
        engine.write(b"what came later")
    (message,) = again.messages("fax-1", Folder.INBOX)
    kept = again.recording_file("fax-1", message.message_id)
    assert kept.read_bytes() == tiff(Sheet(), Sheet(), Sheet())[:-9]
    assert message.fax is not None
    assert (message.fax.pages, message.fax.complete) == (2, False)


@pytest.mark.parametrize("call", [ScriptedCall([], arguments={"service": "fax-1"}), FaxMachine(b"", possible=False)])
async def test_where_the_engine_has_no_fax_the_call_is_refused_and_that_is_told(
    office: Office, call: ScriptedCall
) -> None:
    await office.application.run(call)
    assert call.refused == NOT_HERE
    assert office.possible == [False]
    assert office.messages() == []


async def test_a_full_mailbox_and_a_full_disk_take_no_fax(office: Office) -> None:
    office.store.limits = MailboxLimits(messages=1)
    await office.application.run(FaxMachine(tiff()))
    refused = FaxMachine(tiff())
    await office.application.run(refused)
    assert refused.refused == FULL
    assert office.full == [False, True]
    office.store.limits, office.free = MailboxLimits(), LEAST_FREE_BYTES - 1
    refused = FaxMachine(tiff())
    await office.application.run(refused)
    assert refused.refused == NO_DISK
    assert len(office.messages()) == 1


async def test_a_fax_mailbox_that_is_not_there_answers_nobody(office: Office) -> None:
    call = FaxMachine(tiff())
    call.arguments["service"] = "gone"
    await office.application.run(call)
    assert (call.told, office.messages()) == (None, [])
