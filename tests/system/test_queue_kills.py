"""kill -9 of the agent, of the media process and of FreeSWITCH inside calls of a queue, the cloud away: nothing told is
lost, and the next call is as any.

The embedded engine's calls end with its process. FreeSWITCH outlives both the agent and the media process: there the
caller comes back to the queue and waits anew, and the agent's call, which was part of a talk that nobody knows of any
more, ends. Where FreeSWITCH itself is killed, its calls end.
"""

import os
import signal
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from contract.sync.events import CallEnded
from edge_agent.media.freeswitch.process import pid_of
from tests.support.edge_process import ENGINE, EdgeProcess
from tests.support.phones.phone import Seen
from tests.support.waiting import eventually
from tests.system.test_call_park import hears_music
from tests.system.test_queue_call_backs import happened, kept, kill_media, stories
from tests.system.test_queues import Office

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(280)]


ON_FREESWITCH = ENGINE == "freeswitch"
KILLED = ["agent", "media", *(["freeswitch"] if ON_FREESWITCH else [])]


def kill(office: Office, what: str) -> None:
    """One of the processes, outright; it is back when this returns, and phones are registered."""
    if what == "freeswitch":
        kill_freeswitch(office.site.edge)
        return
    if what == "media":
        kill_media(office.site.edge)
        return
    office.site.restart()
    for phone in (office.caller, office.agent):
        phone.registers_beyond(phone.registrations - 1, 60)


def kill_freeswitch(edge: EdgeProcess) -> None:
    """kill -9 of the agent's own FreeSWITCH; another one is up when this returns."""
    folder = edge.state_dir / "freeswitch"
    first = pid_of(folder)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    is_up = lambda: pid_of(folder) not in (None, first) and figure(edge, "freeswitch_up") == 1  # noqa: E731
    eventually(is_up, within=60, what="another FreeSWITCH is up")


def goes_on(killed: str) -> bool:
    """Whether calls are up after that."""
    return ON_FREESWITCH and killed != "freeswitch"


def open_calls(state_dir: Path) -> int:
    """Calls that the edge takes for being in progress."""
    with closing(sqlite3.connect(state_dir / "outbox.db")) as database:
        return int(database.execute("SELECT count(*) FROM open_calls").fetchone()[0])


def is_as_ever(office: Office) -> None:
    """A caller is answered by the agent, both talk and go, and nobody is left anywhere."""
    told = len(stories(office.site.state_dir))
    for phone in (office.caller, office.agent):
        phone.forget()
    office.caller.call("600")
    office.answer()
    office.agent.hang_up()
    office.caller.closed(30)
    eventually(lambda: len(stories(office.site.state_dir)) == told + 1, within=15, what="the next caller's story")
    eventually(lambda: not kept(office), within=15, what="nobody is left on the disk")
    eventually(lambda: open_calls(office.site.state_dir) == 0, within=30, what="no call is left")
    eventually(lambda: figure(office.site.edge, "calls") == 0, within=30, what="no call is left in the media process")


def figure(edge: EdgeProcess, name: str) -> int:
    """Of the media process, as the status has it."""
    (media,) = (one for one in edge.status()["processes"] if one["name"] == "media")
    return int(media["figures"].get(name, -1))


@pytest.mark.parametrize("killed", KILLED)
def test_a_caller_who_waits_when_a_process_is_killed_is_told_of_and_may_call_again(tmp_path: Path, killed: str) -> None:
    with ExitStack() as stack:
        office = Office(tmp_path, stack)
        office.caller.call("600")
        office.caller.wait_for(Seen.ANSWERED)
        eventually(lambda: hears_music(office.caller), within=30, what="music")
        kill(office, killed)
        eventually(lambda: len(stories(office.site.state_dir)) == 1, within=20, what="the story of who waited")
        (told,) = stories(office.site.state_dir)
        assert (told.outcome, told.caller, told.agent_id) == ("abandoned", "200", None)
        if goes_on(killed):
            waits_anew(office)
            office.dial("*13")
            office.answer()
            office.agent.hang_up()
        office.caller.closed(30)
        if not goes_on(killed):
            office.dial("*13")
        is_as_ever(office)


@pytest.mark.parametrize("killed", KILLED)
def test_a_talk_that_a_kill_ends_is_told_of_once_and_both_may_go_on(tmp_path: Path, killed: str) -> None:
    with ExitStack() as stack:
        office = Office(tmp_path, stack, begin_logged_in=True, wrap_up_seconds=0)
        office.caller.call("600")
        office.answer()
        office.agent.forget()
        kill(office, killed)
        eventually(lambda: len(stories(office.site.state_dir)) == 1, within=20, what="the story of who talked")
        (told,) = stories(office.site.state_dir)
        assert (told.outcome, told.agent_id) == ("answered", "user-201")
        assert told.answered_at is not None
        assert told.ended_at > told.answered_at
        office.agent.closed(30)
        if goes_on(killed):
            office.answer()
            office.agent.hang_up()
        office.caller.closed(30)
        is_as_ever(office)
        records = [what for what in happened(office.site.state_dir) if isinstance(what, CallEnded)]
        assert len({one.call_id for one in records}) == len(records)
        assert len([one for one in records if one.callee == "600"]) == 2


def waits_anew(office: Office) -> None:
    """The caller, whose call went on, is among those who wait."""
    eventually(lambda: len(kept(office)) == 1, within=30, what="the caller waits anew")
