"""Blobs over a real channel: pieces by QUIC and WebSocket, changes between them, a snapshot that waits for files."""

import hashlib
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from cloud.hub.actions import SessionSettings
from cloud.hub.hub import HubSettings
from cloud.hub.questions import KnownEdge
from cloud.objects import FolderStore
from contract.snapshot import Blob, Snapshot
from contract.sync.events import BlobChanged
from contract.sync.messages import Applied, Rejected
from edge_agent.clock import SystemClock
from edge_agent.site_blobs import SiteBlobs
from edge_agent.sync.identity import EdgeKeys
from edge_agent.tokens import SystemTokens
from tests.support.edge_site import QUICK, RecordingSite, running_edge
from tests.support.memory_store import MemoryStore
from tests.support.real_hub import TOKENS, RealHub, new_authority
from tests.support.snapshots import small_snapshot
from tests.support.waiting import eventually_async

TENANT = UUID("00000000-0000-0000-0000-000000000001")
CONTENT = hashlib.sha256(b"seed").digest() * 60_000


class World:
    """A hub with objects, and an edge that keeps blobs."""

    def __init__(self, folder: Path, bytes_per_second: float = 1e9) -> None:
        self.folder = folder
        self.keys = EdgeKeys.generate()
        known = KnownEdge("edge-1", "site-1", str(TENANT), self.keys.identity_public, self.keys.sealing_public)
        self.objects = FolderStore(folder / "objects", TOKENS)
        self.store = MemoryStore(edges={"edge-1": known}, objects=self.objects)
        session = SessionSettings(blob_bytes_per_second=bytes_per_second)
        settings = HubSettings(session, lease_renewal=0.2, poll=0.2)
        self.hub = RealHub(self.store, new_authority(folder), folder / "hub", settings)
        self.blobs = SiteBlobs(folder / "edge", 50_000_000, self, SystemClock(), SystemTokens())
        self.told: list[object] = []

    def report(self, what: object) -> None:
        self.told.append(what)

    def publish(self, version: int, *contents: bytes, needed: bool = False, domain: str = "a.test") -> Snapshot:
        blobs = [Blob(digest=digest_of(one), size_bytes=len(one), needed=needed) for one in contents]
        snapshot = small_snapshot(version, domain).model_copy(
            update={"blobs": tuple(sorted(blobs, key=lambda blob: blob.digest))}
        )
        self.store.publish(snapshot)
        return snapshot

    def put(self, content: bytes) -> None:
        self.objects.put(TENANT, [content], limit_bytes=len(content))

    def path(self, content: bytes) -> Path:
        return self.folder / "edge" / "blobs" / digest_of(content)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("transport", ["quic", "websocket"])
async def test_a_file_comes_over_the_channel_and_is_the_one_that_was_uploaded(tmp_path: Path, transport: str) -> None:
    world = World(tmp_path)
    world.put(CONTENT)
    world.publish(1, CONTENT)
    settings = replace(QUICK, quic=transport == "quic")
    async with world.hub:
        identity = world.hub.identity("edge-1", "site-1", world.keys)
        site = RecordingSite(blobs=world.blobs)
        async with running_edge(tmp_path / "edge", identity, site, settings):
            await eventually_async(lambda: world.told, 30)
            assert world.path(CONTENT).read_bytes() == CONTENT
            assert site.transports == [transport]
            assert world.told == [BlobChanged(state="fetched", digest=digest_of(CONTENT), size_bytes=len(CONTENT))]


async def test_a_change_passes_a_file_that_takes_long(tmp_path: Path) -> None:
    world = World(tmp_path, bytes_per_second=300_000)
    world.put(CONTENT)
    world.publish(1, CONTENT)
    async with world.hub:
        identity = world.hub.identity("edge-1", "site-1", world.keys)
        site = RecordingSite(blobs=world.blobs)
        async with running_edge(tmp_path / "edge", identity, site):
            part = world.path(CONTENT).with_suffix(".part")
            await eventually_async(lambda: part.exists() and part.stat().st_size > 0, 20)
            world.publish(2, CONTENT, domain="b.test")
            await eventually_async(lambda: site.offered[-1:] == [2] and site.snapshot is not None, 10)
            assert not world.path(CONTENT).exists()


async def test_a_snapshot_waits_for_the_files_that_it_needs_says_so_and_then_runs(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish(1)
    async with world.hub:
        identity = world.hub.identity("edge-1", "site-1", world.keys)
        site = RecordingSite(blobs=world.blobs)
        async with running_edge(tmp_path / "edge", identity, site):
            await eventually_async(lambda: site.snapshot is not None)
            world.publish(2, CONTENT, needed=True)
            await eventually_async(lambda: any(isinstance(one, Rejected) for one in world.store.verdicts))
            rejected = next(one for one in world.store.verdicts if isinstance(one, Rejected))
            assert rejected.problems == (f"file {digest_of(CONTENT)} of {len(CONTENT)} bytes is on its way",)
            assert site.snapshot is not None
            assert site.snapshot.version == 1
            await eventually_async(lambda: world.told, what="the reason why the file does not come")
            world.put(CONTENT)
            await eventually_async(lambda: world.store.verdicts[-1:] != [rejected], 30)
            last = world.store.verdicts[-1]
            assert isinstance(last, Applied)
            assert last.version == 2
            assert site.snapshot.version == 2


async def test_a_copy_that_is_damaged_in_the_cloud_is_thrown_away_told_and_fetched_when_it_is_right(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.put(CONTENT)
    (stored,) = (tmp_path / "objects" / str(TENANT)).rglob(digest_of(CONTENT))
    stored.write_bytes(bytes(len(CONTENT)))
    world.publish(1, CONTENT)
    async with world.hub:
        identity = world.hub.identity("edge-1", "site-1", world.keys)
        async with running_edge(tmp_path / "edge", identity, RecordingSite(blobs=world.blobs)):
            await eventually_async(lambda: world.told, 30)
            (failed,) = world.told
            assert isinstance(failed, BlobChanged)
            assert failed.state == "failed"
            assert f"one of digest {digest_of(bytes(len(CONTENT)))} came" in failed.text
            stored.write_bytes(CONTENT)
            await eventually_async(lambda: world.path(CONTENT).exists(), 30)
            assert world.path(CONTENT).read_bytes() == CONTENT
