"""Site state: the database keeps the record that the contract's merge keeps, in whatever order records arrive."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.pbx.database import SITE_CHANNEL
from cloud.pbx.errors import NotFound
from cloud.pbx.state import merge_records, site_records, write_state
from contract.sync.state import Stamp, StateRecord, merge
from tests.support.customers import TOKENS, Customer, HandClock
from tests.support.postgres import Databases

Merged = Callable[[list[list[StateRecord]]], list[StateRecord]]

stamps = st.builds(
    Stamp, wall_ms=st.integers(0, 3), counter=st.integers(0, 2), node=st.sampled_from(["a", "B", "b", "_", "cloud"])
)
records = st.builds(
    StateRecord,
    key=st.sampled_from(["do_not_disturb/u1", "do_not_disturb/u2"]),
    value=st.sampled_from([True, False, None, 5, "text"]),
    stamp=stamps,
)


def test_a_later_write_wins_and_an_earlier_one_is_ignored(
    databases: Databases, customer: Customer, clock: HandClock
) -> None:
    def written(value: bool, wall_ms: int) -> StateRecord:
        return StateRecord(key="do_not_disturb/u", value=value, stamp=Stamp(wall_ms=wall_ms, node="edge"))

    with databases.hub.session(customer.scope) as session:
        later, earlier = written(True, 2), written(False, 1)
        assert merge_records(session, customer.tenant_id, customer.site_id, [later], clock.now()) == [later]
        assert merge_records(session, customer.tenant_id, customer.site_id, [earlier], clock.now()) == []
        assert merge_records(session, customer.tenant_id, customer.site_id, [later], clock.now()) == []
        assert merge_records(session, customer.tenant_id, customer.site_id, [], clock.now()) == []
        assert site_records(session, customer.site_id) == [later]


@pytest.fixture
def merged(databases: Databases, customer: Customer, clock: HandClock) -> Merged:
    def run(batches: list[list[StateRecord]]) -> list[StateRecord]:
        with databases.hub.session(customer.scope) as session:
            with session.begin_nested() as savepoint:
                for batch in batches:
                    merge_records(session, customer.tenant_id, customer.site_id, batch, clock.now())
                kept = site_records(session, customer.site_id)
                savepoint.rollback()
            return kept

    return run


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(records, max_size=4), max_size=4))
def test_the_database_merges_as_the_contract_does(merged: Merged, batches: list[list[StateRecord]]) -> None:
    expected: dict[str, StateRecord] = {}
    for record in (record for batch in batches for record in batch):
        expected[record.key] = merge(expected.get(record.key), record)
    assert merged(batches) == [expected[key] for key in sorted(expected)]


def test_a_change_from_the_portal_is_later_than_what_the_edge_wrote_and_wakes_the_hub(
    databases: Databases, customer: Customer, clock: HandClock
) -> None:
    ahead = int(clock.now().timestamp() * 1000) + 5000
    edges = StateRecord(key="do_not_disturb/u", value=True, stamp=Stamp(wall_ms=ahead, node="edge"))
    with databases.hub.session(customer.scope) as session:
        merge_records(session, customer.tenant_id, customer.site_id, [edges], clock.now())
    with databases.hub.listen(SITE_CHANNEL) as listener:
        with databases.api.session(customer.scope) as session:
            mine = write_state(session, customer.site_id, "do_not_disturb/u", None, clock.now())
        assert [n.payload for n in listener.notifies(timeout=5, stop_after=1)] == [str(customer.site_id)]
    with databases.hub.session(customer.scope) as session:
        assert site_records(session, customer.site_id) == [mine]
    assert mine.stamp.order() > edges.stamp.order()


def test_the_state_of_an_unknown_site_cannot_be_changed(
    databases: Databases, customer: Customer, clock: HandClock
) -> None:
    with databases.api.session(customer.scope) as session, pytest.raises(NotFound):
        write_state(session, TOKENS.id(), "do_not_disturb/u", True, clock.now())
