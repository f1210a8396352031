"""Call queues in the media process: who is kept on the disk until it was told what became of him."""

import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from contract.dialplan import CompiledPlan, compile_plan
from contract.snapshot import CallBackOffer, Snapshot
from contract.sync.queue_events import QueueCallEnded
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.queue.kept import CallerFolder, KeptCaller
from edge_agent.processes.link import Prepare
from edge_agent.processes.queues import SiteQueues
from tests.edge_agent.media.applications.test_queue import Phones
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.system.test_queues import snapshot


async def test_who_could_not_be_told_of_is_kept_for_the_next_process(tmp_path: Path) -> None:
    folder, clock = CallerFolder(tmp_path), HandClock()
    now = clock.now()
    reports: dict[str, Future[None]] = {one: Future() for one in ("told", "failed", "cancelled", "told_late")}
    for one in reports:
        ended = QueueCallEnded(
            call_id=one, queue_id="q", queue_name="", caller="1", came_at=now, ended_at=now, outcome="abandoned"
        )
        await folder.keep(KeptCaller(told=ended))
    queues = SiteQueues(Phones({}), clock, CountedTokens(), HoldMusic())
    queues.start(folder, folder.load(), lambda what: reports[what.call_id])
    reports["told"].set_result(None)
    reports["failed"].set_exception(OSError())
    reports["cancelled"].cancel()
    await queues.stop()
    reports["told_late"].set_result(None)
    assert {one.told.call_id for one in CallerFolder(tmp_path).load()} == {"failed", "cancelled"}


async def test_what_may_be_called_back_is_worked_out_once_for_each_configuration_and_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []

    def compiling(snapshot: Snapshot) -> CompiledPlan:
        threads.append(threading.get_ident())
        return compile_plan(snapshot)

    monkeypatch.setattr("edge_agent.processes.queues.compile_plan", compiling)
    queues = SiteQueues(Phones({}), HandClock(), CountedTokens(), HoldMusic())
    for offer, numbers in ((None, []), (CallBackOffer(), ["200", "200"])):
        await queues.prepare(Prepare(version=1, snapshot=snapshot(call_back=offer), secrets={}))
        queues.commit()
        asked = [queues.number_for("support", "200") for _ in numbers]
        assert asked == numbers
    assert queues.number_for("support", "0441234567") is None
    assert len(threads) == 1
    assert threads != [threading.get_ident()]
