"""Announcements: what is said, how often, and where the caller goes then; the call is a script."""

from pathlib import Path

from contract.snapshot import AnnouncementService, StandardGreeting, UploadedGreeting
from edge_agent.media.applications.announcement import Announcements
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.speech import Languages
from tests.support.scripted_call import ScriptedCall

CLOSED = AnnouncementService(
    service_id="a", name="Closed", extension="760", says=StandardGreeting(phrase="closed"), times=3, language="de"
)


async def call(folder: Path, record: AnnouncementService, service: str = "a") -> ScriptedCall:
    greetings = Greetings(folder / "announcements", folder / "blobs", Languages())
    made = ScriptedCall((), arguments={"service": service})
    await Announcements(greetings, lambda: {record.service_id: record}).run(made)
    return made


async def test_an_announcement_is_said_as_often_as_its_record_says(tmp_path: Path) -> None:
    made = await call(tmp_path, CLOSED)
    assert made.heard == ["phrase.attendant_closed"] * 3
    assert made.transferred == ""


async def test_the_caller_is_sent_on_afterwards_where_the_record_says_so(tmp_path: Path) -> None:
    made = await call(tmp_path, CLOSED.model_copy(update={"then": "200", "times": 1}))
    assert (made.heard, made.transferred) == (["phrase.attendant_closed"], "200")


async def test_a_file_that_is_not_there_is_passed_over_and_the_caller_still_goes_on(tmp_path: Path) -> None:
    lost = CLOSED.model_copy(update={"says": UploadedGreeting(digest="0" * 64), "then": "200"})
    assert lost.digests == {"0" * 64}
    made = await call(tmp_path, lost)
    assert (made.heard, made.transferred) == ([], "200")


async def test_an_announcement_that_is_gone_takes_no_call(tmp_path: Path) -> None:
    assert not (await call(tmp_path, CLOSED, "other")).answered
