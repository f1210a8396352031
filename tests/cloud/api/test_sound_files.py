"""Greetings over the API: brought past it, named by dial plans, and on the edge before the plan runs."""

import hashlib
import struct
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud.models import Blob
from cloud.pbx.publishing import latest_snapshot, publish_site
from cloud.pbx.sound_files import MAX_SOUND_BYTES, wav_problem
from contract.snapshot import Snapshot
from tests.support.api_world import Answer, ApiWorld, Client, log_in


def wav(rate: int = 8000, channels: int = 1, form: int = 1, bits: int = 16, before: bytes = b"") -> bytes:
    data = bytes(1600)
    chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, form, channels, rate, rate * 2, 2, bits)
    body = b"WAVE" + before + chunk + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def bring(client: Client, content: bytes, *, puts: bool = True) -> str:
    digest = hashlib.sha256(content).hexdigest()
    answer = client.post("/sound-files", {"digest": digest, "size_bytes": len(content)})
    assert answer.status == 201, answer.body
    place = answer.json["place"]
    if place is not None and puts:
        path = place["url"].removeprefix("http://localhost:8080")
        assert client.as_(None).call("PUT", path, headers=place["headers"], raw=content).status == 204
    return digest


def attendant(digest: str) -> dict[str, Any]:
    greeting = {"kind": "uploaded", "digest": digest, "name": "Hello.wav"}
    menu = {"menu_id": "main", "name": "Main", "greeting": greeting}
    return {
        "kind": "attendant",
        "service_id": "front",
        "name": "Front desk",
        "extension": "4000",
        "menus": [menu],
        "first_menu": "main",
    }


def save(world: ApiWorld, *services: dict[str, Any], client: Client | None = None) -> Answer:
    path = f"/sites/{world.ours.site_id}/dial-plan"
    client = client or world.admin
    document = world.admin.get(path).json["document"] | {"voice_services": list(services)}
    return client.call("PUT", path, {"document": document})


def published(world: ApiWorld) -> Snapshot:
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    return snapshot


def test_a_greeting_is_brought_named_and_needed_by_the_snapshot(world: ApiWorld) -> None:
    content = wav()
    digest = bring(world.admin, content)
    answer = save(world, attendant(digest))
    assert answer.status == 200, answer.body
    (blob,) = published(world).blobs
    assert (blob.digest, blob.size_bytes, blob.needed) == (digest, len(content), True)
    assert save(world).status == 200
    assert published(world).blobs == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (wav(rate=44_100, channels=2), "44100 Hz, 2 channels and 16 bits; it has to be 8000 Hz"),
        (wav(form=3, bits=32), "is WAV of format 3"),
        (b"ID3 an MP3 file", "is no WAV file"),
        (b"RIFF\0\0\0\0WAVE", "does not say its format"),
    ],
)
def test_a_greeting_that_no_edge_could_play_is_refused_with_what_is_wrong(
    world: ApiWorld, content: bytes, problem: str
) -> None:
    answer = save(world, attendant(bring(world.admin, content)))
    assert answer.status == 422
    assert problem in str(answer.json)
    assert "Front desk" in str(answer.json)


def test_a_greeting_that_was_announced_and_not_brought_is_refused(world: ApiWorld) -> None:
    answer = save(world, attendant(bring(world.admin, wav(before=b"LIST\x02\0\0\0ab"), puts=False)))
    assert answer.status == 422
    assert "has not been brought yet" in str(answer.json)


def test_a_greeting_that_nobody_announced_or_that_is_anothers_is_refused(world: ApiWorld) -> None:
    theirs = bring(world.stranger, wav(form=7, bits=8))
    for digest in ("e" * 64, theirs):
        answer = save(world, attendant(digest))
        assert answer.status == 422
        assert "has not been brought yet" in str(answer.json)


def test_a_plan_with_a_loop_is_refused_by_name(world: ApiWorld) -> None:
    made = attendant("e" * 64)
    made["menus"][0] |= {"greeting": {"kind": "standard"}, "no_input": {"then": {"kind": "menu", "menu_id": "main"}}}
    answer = save(world, made)
    assert answer.status == 422
    assert "no_input goes round for ever: main" in str(answer.json)


def test_a_file_that_a_plan_names_outlives_the_sweep_and_another_does_not(world: ApiWorld) -> None:
    kept, dropped = bring(world.admin, wav()), bring(world.admin, wav(form=6, bits=8))
    assert save(world, attendant(kept)).status == 200
    world.clock.advance(timedelta(days=2).total_seconds())
    bring(world.anyone.as_(log_in(world.anyone, "admin@tandem.test")), wav(form=7, bits=8))
    with world.databases.worker.session(world.ours.scope) as session:
        there = set(session.scalars(select(Blob.digest)).all())
    assert kept in there
    assert dropped not in there


def test_only_administrators_bring_greetings_and_none_that_is_too_long(world: ApiWorld) -> None:
    body = {"digest": "f" * 64, "size_bytes": 100}
    assert world.admin.as_(None).post("/sound-files", body).status == 401
    assert world.user.post("/sound-files", body).status == 403
    answer = world.admin.post("/sound-files", body | {"size_bytes": MAX_SOUND_BYTES + 1})
    assert answer.status in (400, 422)
    assert "size_bytes" in str(answer.json)


@pytest.mark.parametrize("content", [b"", b"RIFF", wav()[:20], wav(before=b"LIST\xff\xff\xff\x7f")])
def test_a_head_that_is_cut_off_is_no_greeting(content: bytes) -> None:
    assert wav_problem(content)


def test_a_format_behind_other_chunks_is_found() -> None:
    assert wav_problem(wav(before=b"LIST\x03\0\0\0abc\0")) == ""


def test_music_of_site_group_queue_and_user_and_an_announcement_are_in_the_snapshot_with_their_files(
    world: ApiWorld,
) -> None:
    contents = [wav(before=struct.pack("<4sI2s", b"LIST", 2, f"{n:02}".encode())) for n in range(6)]
    site, group, queue, park, user, said = (bring(world.admin, content) for content in contents)
    path = f"/sites/{world.ours.site_id}/dial-plan"
    document = world.admin.get(path).json["document"] | {
        "music": {"digest": site, "name": "Site.wav"},
        "hunt_groups": [{"group_id": "g", "name": "Sales", "extension": "4100", "music": {"digest": group}}],
        "voice_services": [
            {"kind": "queue", "service_id": "q", "name": "Q", "extension": "4200", "music": {"digest": queue}},
            {
                "kind": "park",
                "service_id": "p",
                "name": "P",
                "extension": "4300",
                "orbits": ["4301"],
                "music": {"digest": park},
            },
            {
                "kind": "announcement",
                "service_id": "a",
                "name": "A",
                "extension": "4400",
                "says": {"kind": "uploaded", "digest": said},
            },
        ],
    }
    assert world.admin.call("PUT", path, {"document": document}).status == 200
    person = f"/users/{world.user_id}"
    answer = world.admin.call("PATCH", person, {"music": {"digest": user, "name": "Mine.wav"}})
    assert (answer.status, answer.json["music"]) == (200, {"digest": user, "name": "Mine.wav"})
    snapshot = published(world)
    assert {blob.digest for blob in snapshot.blobs if blob.needed} == {site, group, queue, park, user, said}
    assert [one.music.digest for one in snapshot.users if one.music] == [user]
    world.clock.advance(timedelta(days=2).total_seconds())
    bring(world.anyone.as_(log_in(world.anyone, "admin@tandem.test")), wav(form=7, bits=8))
    with world.databases.worker.session(world.ours.scope) as session:
        assert set(session.scalars(select(Blob.digest)).all()) >= {site, user, said}
    admin = world.anyone.as_(log_in(world.anyone, "admin@tandem.test"))
    assert admin.call("PATCH", person, {"music": None}).json["music"] is None
    assert user not in {blob.digest for blob in published(world).blobs}


@pytest.mark.parametrize(
    ("music", "problem"),
    [("e" * 64, "has not been brought yet"), (None, "is no WAV file")],
)
def test_music_that_is_not_there_or_is_no_music_is_refused(world: ApiWorld, music: str | None, problem: str) -> None:
    digest = music or bring(world.admin, b"ID3 an MP3 file")
    answer = world.admin.call("PATCH", f"/users/{world.user_id}", {"music": {"digest": digest}})
    assert (answer.status, answer.json["problems"][0]["field"]) == (422, "music")
    assert problem in str(answer.json)
    path = f"/sites/{world.ours.site_id}/dial-plan"
    document = world.admin.get(path).json["document"] | {"music": {"digest": digest}}
    answer = world.admin.call("PUT", path, {"document": document})
    assert answer.status == 422
    assert f"the site: the file {digest[:12]}… {problem}" in str(answer.json)
    made = {"site_id": str(world.ours.site_id), "username": "new", "music": {"digest": digest}}
    assert world.admin.post("/users", made).status == 422
