"""Firmware from its upload in the cloud to a phone that runs it, with kill -9 on the way and the cloud cut."""

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cloud.hub.actions import SessionSettings
from cloud.hub.hub import HubSettings
from cloud.hub.questions import Answer, FetchPiece, Question
from cloud.hub.site_store import PbxStore
from cloud.models import EventRow
from cloud.objects import FolderStore
from cloud.pbx.ingest import ingest_events
from cloud.pbx.publishing import publish_site
from contract.sync.events import BlobChanged, EventBody, PhoneFirmware
from edge_agent.clock import SystemClock
from edge_agent.sync.identity import EdgeKeys, save_identity
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.api_things import bring
from tests.support.api_world import ApiWorld, make_world
from tests.support.customers import TOKENS, enrolled_edge
from tests.support.edge_process import EdgeProcess
from tests.support.postgres import Databases
from tests.support.raw_sip import RawPhone
from tests.support.real_hub import CLOCK, RealHub, new_authority
from tests.support.waiting import eventually_async

pytestmark = [pytest.mark.peer("curl"), pytest.mark.peer("tftp")]
MAC = "001565000077"
OLD, NEW = "96.86.0.60", "96.86.0.70"
ROM = hashlib.sha256(b"firmware").digest() * 28_000
DIGEST = hashlib.sha256(ROM).hexdigest()
BYTES_PER_SECOND = 120_000.0
"""What the hub gives the edge: the download takes seconds, so that it can be killed in the middle."""


class WatchedStore(PbxStore):
    """Remembers which pieces were asked for."""

    offsets: list[int]

    def answer(self, question: Question) -> Answer:
        if isinstance(question, FetchPiece):
            self.offsets.append(question.request.offset)
        return super().answer(question)


class World:
    """A cloud with its API, a hub, and an edge in processes of its own."""

    def __init__(self, api: ApiWorld, folder: Path) -> None:
        self.api, databases = api, api.databases
        self.enrolled = enrolled_edge(databases.api, api.ours, CLOCK.now())
        objects = FolderStore(folder / "objects", TOKENS)
        self.store = WatchedStore(databases.hub, api.services.keys, CLOCK, TOKENS, 10.0, objects)
        self.store.offsets = []
        limits = HubSettings(SessionSettings(blob_bytes_per_second=BYTES_PER_SECOND), lease_renewal=1.0, poll=0.5)
        self.hub = RealHub(self.store, new_authority(folder), folder / "hub", limits, databases.hub)
        self.state = folder / "state"
        self.blob = self.state / "blobs" / DIGEST
        self.edge: EdgeProcess | None = None
        self._ports = {name: _free(kind) for name, kind in _KINDS.items()}

    def publish(self) -> None:
        worker, customer = self.api.databases.worker, self.api.ours
        publish_site(worker, customer.scope, customer.site_id, "test")

    async def start_edge(self) -> EdgeProcess:
        known = self.enrolled.known
        keys = EdgeKeys(self.enrolled.identity, self.enrolled.sealing)
        save_identity(self.state, self.hub.identity(str(known.edge_id), str(known.site_id), keys))
        self.edge = EdgeProcess(self.state, {name: str(port) for name, port in self._ports.items()})
        await asyncio.to_thread(self.edge.ready, 90.0)
        return self.edge

    @property
    def http_port(self) -> int:
        return self._ports["TANDEM_EDGE_PROVISIONING_HTTP_PORT"]

    @property
    def tftp_port(self) -> int:
        return self._ports["TANDEM_EDGE_PROVISIONING_TFTP_PORT"]

    def happened(self) -> list[object]:
        """What the edge told so far: what the cloud has kept, and what still waits at the edge."""
        with self.api.databases.worker.session(self.api.ours.scope) as session:
            rows = session.execute(
                select(EventRow.sequence, EventRow.payload)
                .where(EventRow.edge_id == self.enrolled.known.edge_id)
                .order_by(EventRow.sequence)
            ).all()
        kept: list[object] = [EventBody.model_validate(row.payload, strict=False).what for row in rows]
        seen = max((row.sequence for row in rows), default=0)
        outbox = Outbox.open(self.state / "outbox.db", SystemClock(), SystemTokens())
        try:
            return [*kept, *(event.body.what for event in outbox.read(seen, 200))]
        finally:
            outbox.close()

    def told(self) -> list[str]:
        """The steps of the phone's firmware so far."""
        return [one.state for one in self.happened() if isinstance(one, PhoneFirmware)]

    async def phones_file(self, version: str) -> str:
        agent = f"Yealink SIP-T54W {version} 00:15:65:00:00:77" if version else ""
        return (await run("curl", "-sS", "-A", agent, f"http://127.0.0.1:{self.http_port}/{MAC}.cfg")).decode()


_KINDS = {
    "TANDEM_EDGE_SIP_UDP_PORT": socket.SOCK_DGRAM,
    "TANDEM_EDGE_SIP_TCP_PORT": socket.SOCK_STREAM,
    "TANDEM_EDGE_PROVISIONING_TFTP_PORT": socket.SOCK_DGRAM,
    "TANDEM_EDGE_PROVISIONING_HTTP_PORT": socket.SOCK_STREAM,
}


def _free(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors
    return output


def read(file: str, key: str) -> str | None:
    found = re.search(rf"(?m)^{re.escape(key)} = (.*)$", file)
    return found[1] if found else None


@pytest.fixture
def api(databases: Databases, tmp_path: Path) -> ApiWorld:
    """Made outside the event loop, as the API is."""
    return make_world(databases, tmp_path)


@pytest.fixture
async def world(api: ApiWorld, tmp_path: Path) -> AsyncIterator[World]:
    world = World(api, tmp_path)
    async with world.hub:
        yield world
        if world.edge is not None:
            await asyncio.to_thread(world.edge.stop, 30.0)


def roll_out(world: World, starts_at: datetime) -> dict[str, Any]:
    """Upload firmware by the API and have the site's phones told from a moment on."""
    admin = world.api.admin
    firmware = {
        "vendor": "yealink",
        "models": ["t54w"],
        "firmware_version": NEW,
        "files": [{"name": "T54W-96.86.0.70.rom", "digest": bring(admin, ROM)}],
    }
    made = admin.post("/firmware", firmware)
    assert made.status == 201, made.body
    ring = {"name": "all", "starts_at": starts_at.isoformat()}
    answer = admin.post("/firmware-rollouts", {"firmware_id": made.json["id"], "rings": [ring]})
    assert answer.status == 201, answer.body
    rollout: dict[str, Any] = answer.json
    return rollout


def add_phone(world: World) -> str:
    admin, site = world.api.admin, str(world.api.ours.site_id)
    user = admin.get(f"/users?site_id={site}").json["items"][0]["id"]
    answer = admin.post("/devices", {"site_id": site, "mac": MAC, "model": "yealink/t54w", "user_id": user})
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


async def receive_notify(phone: RawPhone) -> str:
    """The event of the NOTIFY that a phone gets; it is answered."""
    phone._socket.settimeout(120)
    notify, source = await asyncio.to_thread(phone._socket.recvfrom, 65_535)
    head = notify.decode().split("\r\n")
    assert head[0].startswith("NOTIFY ")
    names = ("via:", "from:", "to:", "call-id:", "cseq:")
    echoed = [line for line in head if line.lower().startswith(names)]
    phone._socket.sendto("\r\n".join(["SIP/2.0 200 OK", *echoed, "Content-Length: 0", "", ""]).encode(), source)
    return next(line for line in head if line.startswith("Event: "))


@pytest.mark.timeout(400)
async def test_firmware_comes_from_the_cloud_in_pieces_over_a_kill_and_a_phone_loads_it_with_the_cloud_cut(
    world: World, tmp_path: Path
) -> None:
    add_phone(world)
    world.publish()
    edge = await world.start_edge()
    await eventually_async(lambda: edge.ready()["version"] == 1, 60)
    file = await world.phones_file(OLD)
    server = (str(read(file, "account.1.outbound_proxy.1.address")), edge.ports()["sip_udp"])
    user, login, password, domain = (
        str(read(file, f"account.1.{key}")) for key in ("user_name", "auth_name", "password", "sip_server.1.address")
    )
    with RawPhone(server, user, login, password, domain) as phone:
        assert (await asyncio.to_thread(phone.register)).status == 200
        rollout = roll_out(world, datetime.now(UTC) + timedelta(seconds=25))
        world.publish()

        part = world.blob.with_suffix(".part")
        await eventually_async(lambda: part.exists() and part.stat().st_size >= 262_144, 60)
        edge.kill()
        kept, asked = part.stat().st_size, len(world.store.offsets)
        assert kept < len(ROM)
        edge = await world.start_edge()
        await eventually_async(world.blob.exists, 60)
        assert world.blob.read_bytes() == ROM
        assert world.store.offsets[asked] >= kept
        await world.hub.stop()

        event = await receive_notify(phone)
        assert event == "Event: check-sync;reboot=false"
        url = read(await world.phones_file(OLD), "static.firmware.url")
        assert url is not None
        assert url.endswith("/T54W-96.86.0.70.rom")
        whole = await run("curl", "-sSf", url)
        assert hashlib.sha256(whole).hexdigest() == DIGEST
        assert await run("curl", "-sSf", "-r", "100000-199999", url) == ROM[100_000:200_000]
        secure = f"https://127.0.0.1:{edge.ports()['https']}/{url.partition(f':{world.http_port}/')[2]}"
        assert await run("curl", "-sSfk", secure) == ROM
        assert await run("curl", "-sSfk", "-r", "800000-", secure) == ROM[800_000:]
        name, got = url.partition(f":{world.http_port}/")[2], tmp_path / "by-tftp"
        await run("tftp", "-m", "octet", "127.0.0.1", str(world.tftp_port), "-c", "get", name, str(got))
        assert got.read_bytes() == ROM
        assert read(await world.phones_file(NEW), "static.firmware.url") == url, "what it runs stays in its file"
        await eventually_async(lambda: world.told() == ["told", "fetched", "running"], 20)
        fetched = [one for one in world.happened() if isinstance(one, BlobChanged)]
        assert [(one.state, one.digest) for one in fetched] == [("fetched", DIGEST)]

    await world.hub.start()
    await eventually_async(lambda: progress(world, rollout) == ["running"], 60)


def progress(world: World, rollout: dict[str, Any]) -> list[str]:
    """How far the rollout's phones are, as the API shows it after all events have been taken in."""
    edge_id, worker = world.enrolled.known.edge_id, world.api.databases.worker
    with worker.session(world.api.ours.scope) as session:
        ingest_events(session, TOKENS, edge_id, CLOCK.now())
    shown = world.api.admin.get(f"/firmware-rollouts/{rollout['id']}/progress").json
    return [phone["state"] for phone in shown["phones"]]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("said", [NEW, ""], ids=["as it fetches and registers", "as it registers"])
async def test_a_phone_that_runs_the_version_already_is_not_told_and_its_file_stays_as_it_is(
    world: World, said: str
) -> None:
    add_phone(world)
    world.publish()
    edge = await world.start_edge()
    await eventually_async(lambda: edge.ready()["version"] == 1, 60)
    before = await world.phones_file(said)
    user, login, password, domain = (
        str(read(before, f"account.1.{key}")) for key in ("user_name", "auth_name", "password", "sip_server.1.address")
    )
    with RawPhone(("127.0.0.1", edge.ports()["sip_udp"]), user, login, password, domain) as phone:
        phone.user_agent = f"Yealink SIP-T54W {NEW}"
        assert (await asyncio.to_thread(phone.register)).status == 200
    roll_out(world, datetime.now(UTC))
    world.publish()
    await eventually_async(world.blob.exists, 60)
    await eventually_async(lambda: world.told() == ["running"], 30)
    assert await world.phones_file(said) == before
    assert read(before, "static.firmware.url") == ""
