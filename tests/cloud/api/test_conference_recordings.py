"""Recordings of conferences over the API: who lists, hears and deletes them, with the edge there and without."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud.models import AuditEntry, CallRecording, Command
from contract.sync.conferences import ConferenceRecording, ConferenceRecordings
from contract.sync.messages import Command as Asked
from tests.support.answering_edge import answering_edge
from tests.support.api_things import new_call
from tests.support.api_world import ApiWorld
from tests.support.customers import enrolled_edge
from tests.support.left_messages import TellingEdge
from tests.support.told_recordings import bring_sound, conference_sound, recorded_conference

SOUND = conference_sound(12.0)
WAV = {"Accept": "audio/wav"}
ONE, OTHER = "0123456789abcdef", "fedcba9876543210"


class Conference:
    """A conference of the tenant that was recorded."""

    def __init__(self, world: ApiWorld) -> None:
        self.world = world
        self.edge = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
        self.telling = TellingEdge(world.databases, self.edge, world.clock)
        self.site = f"/sites/{world.ours.site_id}"
        self.path = f"{self.site}/conference-recordings"
        self.one = f"{self.path}/{ONE}"

    def tell(self, content: bytes = SOUND, recording_id: str = ONE, **more: Any) -> None:
        what = recorded_conference(self.world.clock, content, recording_id)
        assert self.telling.tell(what.model_copy(update=more)) == [None]

    def upload(self, content: bytes = SOUND) -> None:
        rules = {"recording": {"upload": True}}
        assert self.world.admin.patch(self.site, rules).status == 200
        files, keys = self.world.services.files, self.world.services.keys
        assert files is not None
        assert bring_sound(self.world.databases, self.edge, files.store, keys, self.world.clock, content).complete

    @property
    def listed(self) -> list[dict[str, Any]]:
        return list(self.world.admin.get(self.path).json["items"])

    def audit(self, action: str) -> list[AuditEntry]:
        with self.world.databases.api.session(self.world.ours.scope) as session:
            return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


@pytest.fixture
def conference(world: ApiWorld) -> Conference:
    return Conference(world)


def test_what_an_edge_told_of_is_listed_while_it_is_away_with_where_its_sound_is(conference: Conference) -> None:
    conference.tell()
    (shown,) = conference.listed
    assert (shown["recording_id"], shown["room_id"], shown["name"]) == (ONE, "team", "Team")
    assert shown["audio"] == "at_the_site"
    conference.upload()
    assert [one["audio"] for one in conference.listed] == ["here"]
    conference.tell(conference_sound(3.0), OTHER)
    assert {one["recording_id"]: one["audio"] for one in conference.listed} == {ONE: "here", OTHER: "coming"}


def test_one_whose_days_are_over_is_neither_listed_nor_heard(conference: Conference, world: ApiWorld) -> None:
    conference.tell(began_at=world.clock.now() - timedelta(days=91))
    conference.upload()
    assert world.admin.get(f"{conference.one}/audio", WAV).status == 404
    assert world.admin.delete(conference.one).status == 404
    assert world.admin.get(conference.path).status == 503, "only its edge knows whether there are others"


def test_administrators_of_the_tenant_hear_it_and_nobody_else(conference: Conference, world: ApiWorld) -> None:
    conference.tell()
    audio = f"{conference.one}/audio"
    assert world.admin.get(audio, WAV).status == 404, "it has not come"
    conference.upload()
    heard = world.admin.get(audio, WAV)
    assert (heard.status, heard.body) == (200, SOUND)
    part = world.admin.get(audio, WAV | {"Range": "bytes=70000-70099"})
    assert (part.status, part.body) == (206, SOUND[70_000:70_100])
    assert world.user.get(audio, WAV).status == 403
    assert world.user.get(conference.path).status == 403
    assert world.user.delete(conference.one).status == 403
    assert world.anyone.get(audio, WAV).status == 401
    for refused in (world.stranger.get(audio, WAV), world.stranger.get(conference.path)):
        assert refused.status == 404
    assert world.stranger.delete(conference.one).status == 404
    (entry,) = conference.audit("conference_recording.listened")
    assert (entry.resource, entry.resource_id) == ("site", str(world.ours.site_id))


def test_it_is_of_no_call_and_a_call_is_of_no_conference(conference: Conference, world: ApiWorld) -> None:
    call = new_call(world, world.ours, conference.edge.edge_id, "", world.user_id)
    with world.databases.worker.session(world.ours.scope) as session:
        session.add(call)
    conference.tell()
    assert world.admin.get(f"/calls/{call.id}").json["recordings"] == []


def test_it_is_deleted_here_at_once_and_at_its_edge_when_that_is_back(conference: Conference, world: ApiWorld) -> None:
    conference.tell()
    conference.tell(conference_sound(3.0), OTHER)
    conference.upload()
    assert world.admin.delete(conference.one).status == 204
    assert [one["recording_id"] for one in conference.listed] == [OTHER]
    assert world.admin.get(f"{conference.one}/audio", WAV).status == 404
    assert world.admin.delete(conference.one).status == 404
    assert len(conference.audit("conference_recording.deleted")) == 1
    with world.databases.api.session(world.ours.scope) as session:
        (asked,) = session.scalars(select(Command).where(Command.name == "delete_call_recording"))
        assert asked.arguments == {"recording_id": ONE}
    conference.tell(gone=True)
    with world.databases.api.session(world.ours.scope) as session:
        assert session.scalars(select(CallRecording.recording_id)).all() == [OTHER]


def test_what_only_the_edge_knows_is_listed_beside_and_nothing_twice(conference: Conference, world: ApiWorld) -> None:
    conference.tell()
    now = world.clock.now()
    kept = [
        ConferenceRecording(recording_id=name, room_id="team", name="Team", began_at=now, seconds=9.0)
        for name in (ONE, OTHER)
    ]
    answer = ConferenceRecordings(recordings=tuple(kept)).model_dump_json()

    def reply(asked: Asked) -> tuple[bool, str]:
        return (True, answer) if asked.name == "conference_recordings" else (False, "unknown")

    with answering_edge(world.databases, conference.edge, world.clock, reply):
        shown = {one["recording_id"]: one["seconds"] for one in conference.listed}
        assert shown[OTHER] == 9.0
        assert len(shown) == 2
        assert world.admin.delete(conference.one).status == 204
        assert [one["recording_id"] for one in conference.listed] == [OTHER], "its edge has yet to delete the other"


def test_an_edge_has_so_many_recordings_and_no_more(conference: Conference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.pbx.call_recordings.MAX_RECORDINGS", 2)
    for number in range(3):
        conference.tell(conference_sound(1.0 + number), f"{number:016x}")
    assert len(conference.listed) == 2
