"""Edges by lease: online, taken over, lost; what they apply and reject."""

from cloud.models import Edge, EdgeLease
from cloud.pbx import edges
from tests.support.customers import Customer, EdgeAtSite, HandClock
from tests.support.postgres import Databases


def test_an_edge_is_found_by_its_id_before_anything_is_known_of_it(databases: Databases, edge: EdgeAtSite) -> None:
    with databases.hub.session() as session:
        assert edges.find_edge(session, str(edge.known.edge_id)) == edge.known


def test_an_unknown_edge_and_an_id_that_is_none_are_not_found(databases: Databases, customer: Customer) -> None:
    with databases.hub.session() as session:
        assert edges.find_edge(session, customer.tenant_id) is None
        assert edges.find_edge(session, "no id") is None


def test_an_edge_is_online_while_its_lease_lasts(databases: Databases, edge: EdgeAtSite, clock: HandClock) -> None:
    with databases.hub.session(edge.known.scope) as session:
        edges.take_lease(session, edge.known, hub="a", now=clock.now(), seconds=30)
    with databases.api.session(edge.known.scope) as session:
        assert edges.online_edges(session, clock.advance(29)) == {edge.known.edge_id}
        assert edges.online_edges(session, clock.advance(2)) == set()


def test_a_later_connection_takes_the_lease_over_and_the_earlier_one_learns_of_it(
    databases: Databases, edge: EdgeAtSite, clock: HandClock
) -> None:
    with databases.hub.session(edge.known.scope) as session:
        edges.take_lease(session, edge.known, hub="a", now=clock.now(), seconds=30)
        edges.take_lease(session, edge.known, hub="b", now=clock.now(), seconds=30)
        assert not edges.renew_lease(session, edge.known, "a", clock.now(), 30)
        edges.lose_lease(session, edge.known, "a", clock.now())
        assert edges.renew_lease(session, edge.known, "b", clock.now(), 30)
        assert edges.online_edges(session, clock.now()) == {edge.known.edge_id}


def test_a_released_lease_makes_the_edge_offline_at_once(
    databases: Databases, edge: EdgeAtSite, clock: HandClock
) -> None:
    with databases.hub.session(edge.known.scope) as session:
        edges.take_lease(session, edge.known, hub="a", now=clock.now(), seconds=30)
        edges.lose_lease(session, edge.known, "a", clock.now())
        assert edges.online_edges(session, clock.now()) == set()


def test_what_an_edge_applied_replaces_an_earlier_rejection(
    databases: Databases, edge: EdgeAtSite, clock: HandClock
) -> None:
    with databases.hub.session(edge.known.scope) as session:
        edges.record_rejected(session, edge.known, 3, ["no disk"], clock.now())
        edges.record_applied(session, edge.known, 2, "0" * 64, clock.now())
        lease = session.get_one(EdgeLease, edge.known.edge_id, populate_existing=True)
        assert (lease.applied_version, lease.rejected_version, lease.rejected_problems) == (2, 3, ["no disk"])
        edges.record_applied(session, edge.known, 3, "1" * 64, clock.now())
        lease = session.get_one(EdgeLease, edge.known.edge_id, populate_existing=True)
        assert (lease.applied_version, lease.rejected_version, lease.rejected_problems) == (3, None, [])


def test_a_hub_looks_after_edges_of_every_tenant_at_once(
    databases: Databases, edge: EdgeAtSite, clock: HandClock
) -> None:
    with databases.api.session(edge.known.scope) as session:
        edges.revoke_edge(session, session.get_one(Edge, edge.known.edge_id), clock.now())
    with databases.hub.session() as session:
        (news,) = edges.look_after(session, [edge.known.edge_id])
    assert news.revoked
    assert (news.wanted_version, news.open_commands, news.state_changed_at) == (None, 0, None)
