"""Firmware over the API: files are brought past it, rolled out ring after ring, and phones' progress is told."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import select

from cloud.models import Blob, EventRow
from cloud.objects import FolderStore
from cloud.pbx.ingest import ingest_events
from cloud.pbx.publishing import latest_snapshot, publish_site
from contract.snapshot import DeviceFirmware, Snapshot
from contract.sync.events import BlobChanged, EventBody, PhoneFirmware
from tests.support.api_things import bring
from tests.support.api_world import QUOTA_BYTES, Answer, ApiWorld, Client, log_in
from tests.support.customers import TOKENS, enrolled_edge

ROM = b"the new firmware" * 1000
OLD_ROM = b"the old firmware"
DIGEST = hashlib.sha256(ROM).hexdigest()


def place_of(client: Client, content: bytes, size: int | None = None) -> Answer:
    digest = hashlib.sha256(content).hexdigest()
    return client.post("/firmware-files", {"digest": digest, "size_bytes": size or len(content)})


def put(client: Client, place: dict[str, Any], content: bytes, **headers: str) -> Answer:
    path = place["url"].removeprefix("http://localhost:8080")
    return client.as_(None).call("PUT", path, headers=place["headers"] | headers, raw=content)


def make(client: Client, version: str, content: bytes, models: Sequence[str] = ("t54w",)) -> dict[str, Any]:
    digest = bring(client, content)
    body = {
        "vendor": "yealink",
        "models": list(models),
        "firmware_version": version,
        "files": [{"name": f"T54W-{version}.rom", "digest": digest}],
    }
    answer = client.post("/firmware", body)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json
    return made


def phone(world: ApiWorld, mac: str, model: str = "yealink/t54w") -> str:
    answer = world.admin.post("/devices", {"site_id": str(world.ours.site_id), "mac": mac, "model": model})
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def ring(world: ApiWorld, hours: float, **chosen: list[str]) -> dict[str, Any]:
    moment = world.clock.now() + timedelta(hours=hours)
    return {"name": f"in {hours} h", "starts_at": moment.isoformat(), **chosen}


def roll_out(world: ApiWorld, firmware: dict[str, Any], *rings: dict[str, Any]) -> dict[str, Any]:
    answer = world.admin.post("/firmware-rollouts", {"firmware_id": firmware["id"], "rings": list(rings)})
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json
    return made


def published(world: ApiWorld) -> Snapshot:
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    return snapshot


def wanted(snapshot: Snapshot) -> dict[str, DeviceFirmware | None]:
    return {device.device_id: device.firmware for device in snapshot.devices}


def progress(world: ApiWorld, rollout: dict[str, Any]) -> dict[str, Any]:
    answer = world.admin.get(f"/firmware-rollouts/{rollout['id']}/progress")
    assert answer.status == 200, answer.body
    shown: dict[str, Any] = answer.json
    return shown


class Told:
    """Events of the site's edge."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world
        self._sequence = 0
        self.edge_id = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known.edge_id

    def tell(self, what: PhoneFirmware | BlobChanged) -> None:
        self._sequence += 1
        at = self._world.clock.advance(1)
        with self._world.databases.worker.session(self._world.ours.scope) as session:
            session.add(
                EventRow(
                    id=TOKENS.id(),
                    tenant_id=self._world.ours.tenant_id,
                    site_id=self._world.ours.site_id,
                    edge_id=self.edge_id,
                    epoch="epoch",
                    sequence=self._sequence,
                    kind=what.kind,
                    at=at,
                    payload=EventBody(at=at, what=what).model_dump(mode="json"),
                )
            )
            session.flush()
            assert ingest_events(session, TOKENS, self.edge_id, at) == 1
            row = session.scalars(select(EventRow).where(EventRow.sequence == self._sequence)).one()
            assert row.problem is None, row.problem


def test_a_file_is_brought_to_its_place_and_is_then_there(world: ApiWorld) -> None:
    answer = place_of(world.admin, ROM)
    assert answer.status == 201, answer.body
    place = answer.json["place"]
    assert "X-Tandem-Upload" not in place["url"]
    assert not place["url"].partition("?")[2]
    assert put(world.anyone, place, ROM).status == 204
    assert place_of(world.admin, ROM).json["place"] is None
    usage = world.admin.get("/firmware-files/usage").json
    assert usage == {"used_bytes": len(ROM), "quota_bytes": QUOTA_BYTES}


@pytest.mark.parametrize(
    ("change", "content", "status", "says"),
    [
        ({"X-Tandem-Upload": "9999999999.forged"}, ROM, 403, "does not allow"),
        ({"X-Tandem-Upload": ""}, ROM, 403, "does not allow"),
        ({"X-Tandem-Upload": "²²²²²²²²²².x"}, ROM, 403, "does not allow"),
        ({}, ROM + b"more", 403, "does not allow"),
        ({}, bytes(len(ROM)), 422, "SHA-256"),
    ],
)
def test_only_the_announced_bytes_are_taken_and_only_with_the_ticket(
    world: ApiWorld, change: dict[str, str], content: bytes, status: int, says: str
) -> None:
    place = place_of(world.admin, ROM).json["place"]
    answer = put(world.anyone, place, content, **change)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json["detail"]
    assert place_of(world.admin, ROM).json["place"] is not None


def test_a_ticket_lapses_and_is_good_for_its_tenant_only(world: ApiWorld) -> None:
    place = place_of(world.admin, ROM).json["place"]
    theirs = place["url"].replace(str(world.ours.tenant_id), str(world.theirs.tenant_id))
    assert put(world.anyone, {**place, "url": theirs}, ROM).status == 403
    world.clock.advance(3601)
    assert put(world.anyone, place, ROM).status == 403


def test_a_file_larger_than_the_quota_or_than_any_file_is_refused_with_the_numbers(world: ApiWorld) -> None:
    place_of(world.admin, ROM)
    beyond = place_of(world.admin, b"other", QUOTA_BYTES)
    assert (beyond.status, beyond.fields) == (422, {"size_bytes"})
    assert str(QUOTA_BYTES) in beyond.json["problems"][0]["message"]
    assert place_of(world.admin, b"other", 600 * 1024 * 1024).fields == {"size_bytes"}
    assert place_of(world.admin, ROM, 7).fields == {"size_bytes"}


def test_a_file_that_nothing_names_makes_room_a_day_later(world: ApiWorld, tmp_path: Path) -> None:
    digest = bring(world.admin, ROM)
    store = FolderStore(tmp_path / "objects", TOKENS)
    kept = make(world.admin, "96.86.0.70", OLD_ROM)
    world.clock.advance(2 * 86400)
    bring(world.anyone.as_(log_in(world.anyone, "admin@tandem.test")), b"one more")
    assert store.size_bytes(world.ours.tenant_id, digest) is None
    assert store.size_bytes(world.ours.tenant_id, kept["files"][0]["digest"]) == len(OLD_ROM)
    with world.databases.api.session(world.ours.scope) as session:
        assert session.get(Blob, (world.ours.tenant_id, digest)) is None


def test_every_problem_of_a_firmware_is_named_at_once(world: ApiWorld) -> None:
    body = {
        "vendor": "yealink",
        "models": ["t54w", "nothing"],
        "firmware_version": "1 2",
        "files": [
            {"name": "../etc/passwd", "digest": "ab" * 32},
            {"name": "a.rom", "digest": "cd" * 32},
            {"name": "A.ROM", "digest": "cd" * 32},
        ],
    }
    answer = world.admin.post("/firmware", body)
    assert answer.status == 422
    assert answer.fields == {
        "models.1",
        "firmware_version",
        "files.0.name",
        "files.0.digest",
        "files.1.digest",
        "files.2.name",
        "files.2.digest",
    }
    nobody = world.admin.post("/firmware", {**body, "vendor": "nobody"})
    assert "vendor" in nobody.fields


def test_a_file_of_another_tenant_is_no_file(world: ApiWorld) -> None:
    digest = bring(world.stranger, ROM)
    body = {
        "vendor": "yealink",
        "models": ["t54w"],
        "firmware_version": "1.2",
        "files": [{"name": "a.rom", "digest": digest}],
    }
    assert world.admin.post("/firmware", body).fields == {"files.0.digest"}
    assert world.stranger.post("/firmware", body).status == 201


def test_the_same_version_for_a_model_is_not_made_twice(world: ApiWorld) -> None:
    made = make(world.admin, "96.86.0.70", ROM)
    body = {"vendor": "yealink", "models": ["t54w", "t53w"], "firmware_version": "96.86.0.70"}
    again = world.admin.post("/firmware", {**body, "files": [{"name": "a.rom", "digest": DIGEST}]})
    assert again.status == 409
    assert "t54w" in again.json["detail"]
    noted = world.admin.patch(f"/firmware/{made['id']}", {"notes": "Fixes the clock"})
    assert (noted.json["notes"], noted.json["version"]) == ("Fixes the clock", 2)
    listed = world.admin.get("/firmware?vendor=yealink").json["items"]
    assert [one["files"][0]["size_bytes"] for one in listed] == [len(ROM)]
    assert world.admin.get("/firmware?vendor=snom").json["items"] == []


def test_a_rollout_tells_each_phone_its_firmware_and_from_when(world: ApiWorld) -> None:
    first, second, other = (phone(world, f"00156500000{n}") for n in (1, 2, 3))
    old_model = phone(world, "001565000004", "yealink/t46s")
    group = world.admin.post("/device-groups", {"name": "Pilot", "device_ids": [first]}).json["id"]
    firmware = make(world.admin, "96.86.0.70", ROM)
    rings = (ring(world, -1, group_ids=[group]), ring(world, 24))
    rollout = roll_out(world, firmware, *rings)
    snapshot = published(world)
    moments = {one: found.not_before for one, found in wanted(snapshot).items() if found is not None}
    early, late = (datetime.fromisoformat(one["starts_at"]) for one in rings)
    assert moments == {first: early, second: late, other: late}
    assert wanted(snapshot)[old_model] is None
    assert [(one.version, one.models, one.files[0].digest) for one in snapshot.firmware] == [
        ("96.86.0.70", ("t54w",), DIGEST)
    ]
    assert [(one.digest, one.size_bytes, one.needed) for one in snapshot.blobs] == [(DIGEST, len(ROM), False)]
    shown = progress(world, rollout)
    assert [one["total"] for one in shown["rings"]] == [1, 2]
    assert {one["device_id"]: one["state"] for one in shown["phones"]} == {
        first: "waiting",
        second: "later",
        other: "later",
    }


def test_what_edges_tell_is_the_progress_of_a_rollout(world: ApiWorld) -> None:
    first, second = phone(world, "001565000001"), phone(world, "001565000002")
    firmware = make(world.admin, "96.86.0.70", ROM)
    rollout = roll_out(world, firmware, ring(world, -1))
    told = Told(world)

    def states() -> dict[str, str]:
        return {one["device_id"]: one["state"] for one in progress(world, rollout)["phones"]}

    assert states() == {first: "no_files", second: "no_files"}
    told.tell(BlobChanged(state="failed", digest=DIGEST, size_bytes=0, text="the disk is full"))
    assert progress(world, rollout)["phones"][0]["text"] == "the disk is full"
    told.tell(BlobChanged(state="fetched", digest=DIGEST, size_bytes=len(ROM)))
    assert states() == {first: "waiting", second: "waiting"}
    steps: tuple[Literal["told", "fetched", "running"], ...] = ("told", "fetched", "running")
    for state in steps:
        told.tell(PhoneFirmware(device_id=first, firmware_id=firmware["id"], state=state, version="96.86.0.70"))
        assert states()[first] == state
    told.tell(PhoneFirmware(device_id=second, firmware_id=firmware["id"], state="failed", text="still 96.85"))
    shown = progress(world, rollout)
    assert (shown["phones"][0]["state"], shown["phones"][0]["text"]) == ("failed", "still 96.85")
    assert (shown["rings"][0]["counts"]["running"], shown["rings"][0]["counts"]["failed"]) == (1, 1)
    kinds = [one["kind"] for one in world.admin.get(f"/devices/{first}/history").json["items"]]
    assert kinds[:3] == ["firmware_running", "firmware_fetched", "firmware_told"]


def test_a_pause_keeps_those_who_were_told_and_holds_back_the_others(world: ApiWorld) -> None:
    first, second = phone(world, "001565000001"), phone(world, "001565000002")
    firmware = make(world.admin, "96.86.0.70", ROM)
    rollout = roll_out(world, firmware, ring(world, -1))
    Told(world).tell(PhoneFirmware(device_id=first, firmware_id=firmware["id"], state="told"))
    path = f"/firmware-rollouts/{rollout['id']}"
    paused = world.admin.patch(path, {"state": "paused"})
    assert (paused.status, paused.json["state"]) == (200, "paused")
    found = wanted(published(world))
    assert found[first] is not None
    assert found[second] is None
    assert world.admin.patch(path, {"state": "running"}, {"If-Match": '"1.ab"'}).status == 412
    assert world.admin.patch(path, {"state": "running"}).status == 200
    assert wanted(published(world))[second] is not None
    assert world.admin.patch(path, {"state": "ended"}).status == 200
    assert wanted(published(world)) == {first: None, second: None}
    assert world.admin.patch(path, {"state": "running"}).status == 409


def test_rolling_back_gives_phones_what_the_rollout_before_said(world: ApiWorld) -> None:
    device = phone(world, "001565000001")
    old, new = make(world.admin, "96.86.0.1", OLD_ROM), make(world.admin, "96.86.0.70", ROM)
    first, second = roll_out(world, old, ring(world, -2)), roll_out(world, new, ring(world, -1))
    found = wanted(published(world))[device]
    assert found is not None
    assert found.firmware_id == new["id"]
    back = world.admin.post(f"/firmware-rollouts/{second['id']}/roll-back")
    assert (back.status, back.json["id"]) == (200, first["id"])
    found = wanted(published(world))[device]
    assert found is not None
    assert found.firmware_id == old["id"]
    last = world.admin.post(f"/firmware-rollouts/{first['id']}/roll-back")
    assert last.status == 409
    assert "No earlier rollout" in last.json["detail"]
    assert world.admin.get(f"/firmware-rollouts/{first['id']}").json["state"] == "running"


def test_rolling_back_to_a_rollout_that_has_no_ring_for_the_phones_is_refused(world: ApiWorld) -> None:
    first, second = phone(world, "001565000001"), phone(world, "001565000002")
    group = world.admin.post("/device-groups", {"name": "Pilot", "device_ids": [first]}).json["id"]
    other = world.admin.post("/device-groups", {"name": "Others", "device_ids": [second]}).json["id"]
    old, new = make(world.admin, "96.86.0.1", OLD_ROM), make(world.admin, "96.86.0.70", ROM)
    roll_out(world, old, ring(world, -2, group_ids=[group]))
    newer = roll_out(world, new, ring(world, -1, group_ids=[other]))
    refused = world.admin.post(f"/firmware-rollouts/{newer['id']}/roll-back")
    assert refused.status == 409
    assert "No earlier rollout" in refused.json["detail"]
    assert wanted(published(world))[second] is not None


def test_firmware_is_deleted_once_its_rollouts_have_ended(world: ApiWorld) -> None:
    firmware = make(world.admin, "96.86.0.70", ROM)
    rollout = roll_out(world, firmware, ring(world, 1))
    refused = world.admin.delete(f"/firmware/{firmware['id']}")
    assert refused.status == 409
    assert "1 rollouts" in refused.json["detail"]
    assert world.admin.patch(f"/firmware-rollouts/{rollout['id']}", {"state": "ended"}).status == 200
    assert world.admin.delete(f"/firmware/{firmware['id']}").status == 204
    assert world.admin.get("/firmware").json["items"] == []
    assert world.admin.get("/firmware-rollouts").json["items"] == []


def test_every_problem_of_rings_is_named(world: ApiWorld) -> None:
    firmware = make(world.admin, "96.86.0.70", ROM)
    nobody = str(world.theirs.site_id)
    rings = [
        {"starts_at": "2030-01-02T00:00:00Z", "site_ids": [nobody], "group_ids": [nobody]},
        {"starts_at": "2030-01-01T00:00:00Z"},
        {"starts_at": "2030-01-03T00:00:00"},
    ]
    answer = world.admin.post("/firmware-rollouts", {"firmware_id": firmware["id"], "rings": rings})
    assert answer.status == 422
    assert answer.fields == {
        "rings.0.site_ids.0",
        "rings.0.group_ids.0",
        "rings.1.starts_at",
        "rings.1",
        "rings.2.starts_at",
    }
    none = world.admin.post("/firmware-rollouts", {"firmware_id": firmware["id"], "rings": []})
    assert none.fields == {"rings"}


def test_the_hours_in_which_phones_are_told_are_the_sites(world: ApiWorld) -> None:
    path = f"/sites/{world.ours.site_id}"
    hours = [{"days": [6, 7], "start": 0, "end": 300}]
    changed = world.admin.patch(path, {"provisioning": {"firmware_hours": hours}})
    assert changed.status == 200, changed.body
    assert changed.json["provisioning"]["firmware_hours"] == hours
    window = published(world).site.provisioning.firmware_hours
    assert [(one.days, one.start, one.end) for one in window] == [((6, 7), 0, 300)]
    backwards = [{"days": [1], "start": 300, "end": 100}]
    refused = world.admin.patch(path, {"provisioning": {"firmware_hours": backwards}})
    assert refused.status == 422
    assert "later than start" in refused.json["problems"][0]["message"]
