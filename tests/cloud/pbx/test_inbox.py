"""The inbox keeps each event of an edge once and says what may be acknowledged."""

import pytest
from sqlalchemy import func, select

from cloud.models import EventRow
from cloud.pbx.database import EVENTS_CHANNEL
from cloud.pbx.inbox import acknowledged, keep_events
from contract.sync.events import AlarmChanged, EventBody
from contract.sync.messages import Event
from tests.support.customers import TOKENS, EdgeAtSite, HandClock
from tests.support.postgres import Databases


def event(clock: HandClock, sequence: int, epoch: str = "e1") -> Event:
    what = AlarmChanged(alarm="disk_full", severity="warning", active=True, text="Disk is full")
    return Event(epoch=epoch, sequence=sequence, body=EventBody(at=clock.now(), what=what))


def test_events_sent_twice_are_kept_once(databases: Databases, edge: EdgeAtSite, clock: HandClock) -> None:
    events = [event(clock, n) for n in (1, 2, 3)]
    with databases.hub.session(edge.known.scope) as session:
        assert keep_events(session, TOKENS, edge.known, events[:2], clock.now()) == 2
    with databases.hub.session(edge.known.scope) as session:
        assert keep_events(session, TOKENS, edge.known, events, clock.now()) == 3
        assert session.execute(select(func.count()).select_from(EventRow)).scalar_one() == 3


def test_a_new_epoch_counts_anew(databases: Databases, edge: EdgeAtSite, clock: HandClock) -> None:
    with databases.hub.session(edge.known.scope) as session:
        keep_events(session, TOKENS, edge.known, [event(clock, 7)], clock.now())
        assert acknowledged(session, edge.known.edge_id, "e2") == 0
        assert keep_events(session, TOKENS, edge.known, [event(clock, 1, "e2")], clock.now()) == 1


def test_events_of_two_epochs_at_once_are_refused(databases: Databases, edge: EdgeAtSite, clock: HandClock) -> None:
    with databases.hub.session(edge.known.scope) as session, pytest.raises(ValueError, match="one outbox epoch"):
        keep_events(session, TOKENS, edge.known, [event(clock, 1), event(clock, 1, "e2")], clock.now())


def test_the_worker_is_woken_when_events_are_committed(
    databases: Databases, edge: EdgeAtSite, clock: HandClock
) -> None:
    with databases.worker.listen(EVENTS_CHANNEL) as listener:
        with databases.hub.session(edge.known.scope) as session:
            keep_events(session, TOKENS, edge.known, [event(clock, 1)], clock.now())
        assert [n.channel for n in listener.notifies(timeout=5, stop_after=1)] == [EVENTS_CHANNEL]
