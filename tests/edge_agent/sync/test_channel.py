"""A real edge channel and a real hub over real sockets, with PostgreSQL behind the hub."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.hub.site_store import PbxStore
from cloud.models import Command as CommandRow
from cloud.models import Edge, EdgeLease, EventRow
from cloud.pbx.commands import give_command
from cloud.pbx.database import PLATFORM
from cloud.pbx.edges import revoke_edge
from cloud.pbx.publishing import publish_site
from cloud.pbx.secrets import FileKeyService
from cloud.pbx.state import site_records, write_state
from contract.sync.events import AlarmChanged, CallEnded
from edge_agent.sync.identity import EdgeKeys, Identity
from tests.support.customers import Customer, EdgeAtSite, add_phone, add_user, enrolled_edge, key_service, new_customer
from tests.support.edge_site import RecordingSite, running_edge
from tests.support.postgres import Databases
from tests.support.real_hub import CLOCK, TOKENS, RealHub, new_authority
from tests.support.waiting import eventually_async

LEASE_SECONDS = 3.0


class World:
    """A customer with a site, two phones, an enrolled edge, and a hub."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.databases = databases
        self.keys: FileKeyService = key_service()
        self.customer: Customer = new_customer(databases.api)
        with databases.api.session(self.customer.scope) as session:
            user = add_user(session, self.customer, "200")
            add_phone(session, self.customer, user, self.keys, "password-of-200", "02000a000001")
        self.edge: EdgeAtSite = enrolled_edge(databases.api, self.customer, CLOCK.now())
        store = PbxStore(databases.hub, self.keys, CLOCK, TOKENS, LEASE_SECONDS)
        self.hub = RealHub(store, new_authority(folder), folder / "hub", database=databases.hub)

    def publish(self) -> int:
        """Compile the site; its newest version."""
        return publish_site(self.databases.worker, self.customer.scope, self.customer.site_id, "test").version

    def add_user(self, extension: str) -> int:
        with self.databases.api.session(self.customer.scope) as session:
            add_user(session, self.customer, extension)
        return self.publish()

    def edge_keys(self) -> EdgeKeys:
        return EdgeKeys(self.edge.identity, self.edge.sealing)

    def identity(self, quic_port: int | None = None) -> Identity:
        known = self.edge.known
        return self.hub.identity(str(known.edge_id), str(known.site_id), self.edge_keys(), quic_port=quic_port)

    def lease(self) -> EdgeLease | None:
        with self.databases.api.session(PLATFORM) as session:
            return session.get(EdgeLease, self.edge.known.edge_id)

    def is_online(self) -> bool:
        lease = self.lease()
        return lease is not None and lease.expires_at is not None and lease.expires_at > CLOCK.now()

    def events(self) -> list[EventRow]:
        with self.databases.api.session(PLATFORM) as session:
            return list(session.execute(select(EventRow).order_by(EventRow.sequence)).scalars())


@pytest.fixture
async def world(databases: Databases, tmp_path: Path) -> AsyncIterator[World]:
    world = World(databases, tmp_path)
    async with world.hub:
        yield world


def alarm(number: int) -> AlarmChanged:
    return AlarmChanged(alarm=f"alarm_{number}", severity="warning", active=True, text="test")


def call(number: int) -> CallEnded:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return CallEnded(
        call_id=f"call-{number}",
        sip_call_id="x@y",
        caller="200",
        callee="201",
        started_at=moment,
        ended_at=moment,
        disposition="answered",
        status=200,
    )


async def test_what_is_published_runs_at_the_edge_with_its_secrets_and_is_reported_as_applied(
    world: World, tmp_path: Path
) -> None:
    version = world.publish()
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.site.snapshot and edge.site.snapshot.version == version)
        assert list(edge.site.secrets.values()) == ["password-of-200"]
        assert edge.site.transports == ["quic"]
        await eventually_async(lambda: (lease := world.lease()) and lease.applied_version == version)


async def test_a_change_reaches_a_connected_edge_as_a_delta(world: World, tmp_path: Path) -> None:
    first = world.publish()
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.site.snapshot and edge.site.snapshot.version == first)
        second = world.add_user("201")
        await eventually_async(lambda: edge.site.snapshot and edge.site.snapshot.version == second)
        assert edge.site.snapshot is not None
        assert {user.username for user in edge.site.snapshot.users} == {"200", "201"}


async def test_only_the_newest_of_several_versions_is_sent_after_the_one_being_applied(
    world: World, tmp_path: Path
) -> None:
    first = world.publish()
    site = RecordingSite(gate=asyncio.Event())
    async with running_edge(tmp_path / "edge", world.identity(), site) as edge:
        await eventually_async(lambda: site.offered == [first])
        newest = [world.add_user(str(extension)) for extension in (201, 202, 203)][-1]
        assert site.gate is not None
        site.gate.set()
        await eventually_async(lambda: site.snapshot and site.snapshot.version == newest)
        assert site.offered == [first, newest]
        assert edge.online


async def test_a_rejected_version_is_recorded_with_its_problems_and_the_next_one_is_offered(
    world: World, tmp_path: Path
) -> None:
    version = world.publish()
    site = RecordingSite(refuse=("sip: no free port",))
    async with running_edge(tmp_path / "edge", world.identity(), site):
        await eventually_async(lambda: (lease := world.lease()) and lease.rejected_version == version)
        lease = world.lease()
        assert lease is not None
        assert lease.rejected_problems == ["sip: no free port"]
        assert lease.applied_version is None
        site.refuse = ()
        better = world.add_user("201")
        await eventually_async(lambda: site.snapshot and site.snapshot.version == better)
        assert site.offered == [version, better]


async def test_events_are_in_the_inbox_once_and_in_order_and_leave_the_outbox(world: World, tmp_path: Path) -> None:
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        for number in range(700):
            edge.outbox.report(alarm(number))
            if number % 50 == 0:
                edge.channel.notify_outbox()
        edge.channel.notify_outbox()
        await eventually_async(lambda: len(edge.outbox) == 0)
    rows = world.events()
    assert [row.payload["what"]["alarm"] for row in rows] == [f"alarm_{number}" for number in range(700)]


async def test_calls_made_while_the_hub_was_away_arrive_once_when_it_is_back(world: World, tmp_path: Path) -> None:
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.online)
        edge.outbox.report(call(1))
        edge.channel.notify_outbox()
        await eventually_async(lambda: len(edge.outbox) == 0)
        await world.hub.stop(politely=False)
        edge.outbox.report(call(2))
        edge.channel.notify_outbox()
        await eventually_async(lambda: not edge.online)
        await world.hub.start()
        await eventually_async(lambda: len(edge.outbox) == 0)
    assert [row.payload["what"]["call_id"] for row in world.events()] == ["call-1", "call-2"]


async def test_state_changed_on_either_side_reaches_the_other(world: World, tmp_path: Path) -> None:
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        edge.state_store.write("do_not_disturb/user-1", True)
        edge.channel.notify_state()
        await eventually_async(lambda: edge.online and not edge.state_store.unconfirmed())
        with world.databases.api.session(world.customer.scope) as session:
            known = {r.key: r.value for r in site_records(session, world.customer.site_id)}
            write_state(session, world.customer.site_id, "do_not_disturb/user-1", False, CLOCK.now())
        assert known == {"do_not_disturb/user-1": True}
        await eventually_async(lambda: [r.value for r in edge.state_store.records()] == [False])
        assert edge.site.records[-1].value is False


async def test_a_command_is_carried_out_and_its_answer_kept_and_an_unknown_one_is_answered(
    world: World, tmp_path: Path
) -> None:
    with world.databases.api.session(world.customer.scope) as session:
        for name in ("report_registrations", "dance"):
            give_command(session, TOKENS, world.edge.known.edge_id, name, {}, CLOCK.now())

    def results() -> list[tuple[str, bool | None]]:
        with world.databases.api.session(PLATFORM) as session:
            rows = session.execute(select(CommandRow).order_by(CommandRow.id)).scalars()
            return [(row.name, row.ok) for row in rows]

    async with running_edge(tmp_path / "edge", world.identity()):
        await eventually_async(lambda: results() == [("report_registrations", True), ("dance", False)])


async def test_an_edge_is_online_while_connected_and_offline_at_once_after_a_clean_stop(
    world: World, tmp_path: Path
) -> None:
    async with running_edge(tmp_path / "edge", world.identity()):
        await eventually_async(world.is_online)
    await eventually_async(lambda: not world.is_online(), within=LEASE_SECONDS / 2)


async def test_the_lease_of_a_killed_hub_runs_out(world: World, tmp_path: Path) -> None:
    async with running_edge(tmp_path / "edge", world.identity()):
        await eventually_async(world.is_online)
        await world.hub.stop(politely=False)
        await eventually_async(lambda: not world.is_online())


async def test_where_udp_does_not_get_through_the_channel_goes_by_websocket(world: World, tmp_path: Path) -> None:
    version = world.publish()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as black_hole:
        black_hole.bind(("127.0.0.1", 0))
        identity = world.identity(quic_port=black_hole.getsockname()[1])
        async with running_edge(tmp_path / "edge", identity) as edge:
            await eventually_async(lambda: edge.site.snapshot and edge.site.snapshot.version == version)
            assert edge.site.transports == ["websocket"]
            edge.outbox.report(alarm(1))
            edge.channel.notify_outbox()
            await eventually_async(lambda: len(world.events()) == 1)
            await eventually_async(lambda: len(edge.outbox) == 0)


@pytest.mark.parametrize("politely", [True, False])
@pytest.mark.parametrize("blocked", [False, True])
async def test_an_edge_is_back_after_a_hub_restart(world: World, tmp_path: Path, politely: bool, blocked: bool) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as black_hole:
        black_hole.bind(("127.0.0.1", 0))
        port = black_hole.getsockname()[1] if blocked else None
        async with running_edge(tmp_path / "edge", world.identity(quic_port=port)) as edge:
            await eventually_async(lambda: edge.online)
            await world.hub.stop(politely=politely)
            await eventually_async(lambda: not edge.online)
            await world.hub.start()
            await eventually_async(lambda: edge.online)


async def test_a_second_connection_of_an_edge_takes_over_and_the_first_is_told(world: World, tmp_path: Path) -> None:
    async with running_edge(tmp_path / "first", world.identity()) as first:
        await eventually_async(lambda: first.online)
        async with running_edge(tmp_path / "second", world.identity()) as second:
            await eventually_async(lambda: second.online)
            await eventually_async(lambda: any("replaced" in state.problem for state in first.site.states))
            await first.channel.stop()
            await eventually_async(lambda: second.online and world.is_online())


async def test_an_edge_with_another_key_is_refused(world: World, tmp_path: Path) -> None:
    known = world.edge.known
    stranger = world.hub.identity(str(known.edge_id), str(known.site_id), EdgeKeys.generate())
    async with running_edge(tmp_path / "edge", stranger) as edge:
        await eventually_async(lambda: any("unauthorized" in state.problem for state in edge.site.states))
        assert world.lease() is None


async def test_a_revoked_edge_is_sent_away_at_once_and_not_taken_back(world: World, tmp_path: Path) -> None:
    async with running_edge(tmp_path / "edge", world.identity()) as edge:
        await eventually_async(lambda: edge.online)
        with world.databases.api.session(world.customer.scope) as session:
            revoke_edge(session, session.get_one(Edge, world.edge.known.edge_id), CLOCK.now())
        await eventually_async(lambda: not edge.online)
        await eventually_async(lambda: not world.is_online())
        assert "revoked" in edge.channel.state.problem


@pytest.mark.parametrize("blocked", [False, True])
async def test_a_hub_with_a_certificate_of_another_authority_is_refused(
    world: World, tmp_path: Path, blocked: bool
) -> None:
    genuine = world.identity()
    rogue = type(genuine)(
        genuine.edge_id,
        genuine.site_id,
        genuine.hub,
        new_authority(tmp_path / "rogue").certificate_pem,
        genuine.keys,
    )
    async with running_edge(tmp_path / "edge", rogue) as edge:
        await eventually_async(lambda: edge.site.states)
        assert not edge.online
        assert "certificate" in edge.channel.state.problem.lower()
        assert world.lease() is None
