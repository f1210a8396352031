"""Recordings of calls over the API: who hears them, that it is written down, and how they are deleted."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud.models import AuditEntry, CallRecording, Command
from tests.support.api_things import new_call
from tests.support.api_world import ApiWorld
from tests.support.customers import enrolled_edge
from tests.support.left_messages import TellingEdge
from tests.support.told_recordings import bring_sound, call_sound, recorded

SOUND = call_sound(10.0)
LONG = call_sound(300.0)
WAV = {"Accept": "audio/wav"}


class Call:
    """A call of the tenant's user that was recorded."""

    def __init__(self, world: ApiWorld) -> None:
        self.world = world
        self.edge = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
        self.telling = TellingEdge(world.databases, self.edge, world.clock)
        call = new_call(world, world.ours, self.edge.edge_id, "call-1", world.user_id)
        with world.databases.worker.session(world.ours.scope) as session:
            session.add(call)
        self.path = f"/calls/{call.id}"

    def tell(self, content: bytes = SOUND, recording_id: str = "recording-1", **more: Any) -> None:
        what = recorded(self.world.clock, content, "call-1", recording_id, **more)
        assert self.telling.tell(what) == [None]

    def upload(self, content: bytes = SOUND) -> None:
        rules = {"recording": {"upload": True}}
        assert self.world.admin.patch(f"/sites/{self.world.ours.site_id}", rules).status == 200
        files = self.world.services.files
        assert files is not None
        keys = self.world.services.keys
        assert bring_sound(self.world.databases, self.edge, files.store, keys, self.world.clock, content).complete

    @property
    def recordings(self) -> list[dict[str, Any]]:
        return list(self.world.admin.get(self.path).json["recordings"])

    @property
    def audio(self) -> str:
        return f"{self.path}/recordings/{self.recordings[0]['id']}/audio"

    def audit(self, action: str) -> list[AuditEntry]:
        with self.world.databases.api.session(self.world.ours.scope) as session:
            return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


@pytest.fixture
def call(world: ApiWorld) -> Call:
    return Call(world)


def test_a_call_says_that_it_was_recorded_and_where_its_sound_is(call: Call, world: ApiWorld) -> None:
    assert call.recordings == []
    call.tell(announced=False)
    (shown,) = call.recordings
    assert (shown["announced"], shown["audio"], shown["seconds"]) == (False, "at_the_site", 10.0)
    assert world.admin.patch(f"/sites/{world.ours.site_id}", {"recording": {"upload": True}}).status == 200
    assert call.recordings[0]["audio"] == "coming"
    assert world.admin.get(call.audio).status == 404
    call.upload()
    assert call.recordings[0]["audio"] == "here"
    (listed,) = world.admin.get(f"/calls?site_id={world.ours.site_id}").json["items"]
    assert listed["recordings"] == call.recordings
    (own,) = world.user.get("/calls").json["items"]
    assert own["recordings"] == call.recordings


def test_administrators_of_the_tenant_hear_it_and_nobody_else(call: Call, world: ApiWorld) -> None:
    call.tell()
    call.upload()
    answer = world.admin.get(call.audio, WAV)
    assert (answer.status, answer.body) == (200, SOUND)
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("audio/wav", "private, no-store")
    assert world.user.get(call.audio, WAV).status == 403
    assert world.user.delete(call.audio.removesuffix("/audio")).status == 403
    assert world.stranger.get(call.audio, WAV).status == 404
    assert world.stranger.delete(call.audio.removesuffix("/audio")).status == 404
    assert world.anyone.get(call.audio, WAV).status == 401
    another = new_call(world, world.ours, call.edge.edge_id, "call-2", world.user_id)
    with world.databases.worker.session(world.ours.scope) as session:
        session.add(another)
    assert world.admin.get(call.audio.replace(call.path, f"/calls/{another.id}"), WAV).status == 404


def test_every_listening_is_in_the_audit_wherever_it_begins(
    call: Call, world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    call.tell()
    call.upload()
    assert world.admin.get(call.audio, WAV | {"Range": "bytes=1000-1999"}).body == SOUND[1000:2000]
    assert world.admin.get(call.audio, WAV | {"Range": "bytes=0-"}).body == SOUND
    (entry,) = call.audit("call_recording.listened")
    assert (entry.resource, entry.resource_id) == ("call", call.path.rpartition("/")[2])
    assert entry.changes == {"recording_id": [None, call.recordings[0]["id"]]}
    monkeypatch.setattr("cloud.pbx.listening.LISTENING", timedelta(0))  # as if that was long ago
    assert world.admin.get(call.audio, WAV | {"Range": "bytes=5-9"}).status == 206
    assert len(call.audit("call_recording.listened")) == 2
    assert world.admin.get(call.audio, WAV | {"Range": f"bytes={len(SOUND)}-"}).status == 416


def test_a_long_one_is_given_in_parts_only(call: Call, world: ApiWorld) -> None:
    call.tell(LONG)
    call.upload(LONG)
    refused = world.admin.get(call.audio, WAV)
    assert (refused.status, refused.json["type"].rpartition(":")[2]) == (422, "range-needed")
    whole = b""
    while len(whole) < len(LONG):
        part = world.admin.get(call.audio, WAV | {"Range": f"bytes={len(whole)}-"})
        assert part.status == 206
        assert part.headers["content-range"] == f"bytes {len(whole)}-{len(whole) + len(part.body) - 1}/{len(LONG)}"
        assert 0 < len(part.body) <= 1024 * 1024
        whole += part.body
    assert whole == LONG


def test_what_is_deleted_is_gone_here_at_once_and_is_asked_of_the_edge_until_it_is_gone_there(
    call: Call, world: ApiWorld
) -> None:
    call.tell()
    call.upload()
    audio = call.audio
    path = audio.removesuffix("/audio")
    assert world.admin.delete(path).status == 204
    assert call.recordings == []
    assert world.admin.get(audio, WAV).status == 404
    assert world.admin.delete(path).status == 404
    (entry,) = call.audit("call_recording.deleted")
    assert entry.changes == {"recording_id": [path.rpartition("/")[2], None]}
    with world.databases.api.session(world.ours.scope) as session:
        (row,) = session.scalars(select(CallRecording))
        assert (row.object_digest, row.wrapped_key, row.received_bytes) == (None, None, 0)
        (asked,) = session.scalars(select(Command).where(Command.name == "delete_call_recording"))
        assert asked.arguments == {"recording_id": "recording-1"}
        assert asked.expires_at > world.clock.now() + timedelta(days=29)
    call.tell()  # an edge that lost what it knew tells of it again, and is asked again
    assert call.recordings == []
    with world.databases.api.session(world.ours.scope) as session:
        assert len(session.scalars(select(Command).where(Command.name == "delete_call_recording")).all()) == 2
    call.tell(gone=True)
    with world.databases.api.session(world.ours.scope) as session:
        assert session.scalars(select(CallRecording)).all() == []


def test_what_was_changed_in_the_store_is_not_played(call: Call, world: ApiWorld) -> None:
    call.tell()
    call.upload()
    with world.databases.hub.session(world.ours.scope) as session:
        (row,) = session.scalars(select(CallRecording))
        row.wrapped_key = world.services.keys.wrap(b"another key of 32 bytes, of ours")
    refused = world.admin.get(call.audio, WAV)
    assert (refused.status, refused.json["type"].rpartition(":")[2]) == (500, "recording-unreadable")
    assert call.audit("call_recording.listened") == []
