"""Sound files by name: put into the list, listed with who uses them, played, and deleted when nobody does."""

import struct
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud.models import Blob
from cloud.pbx import sounds
from cloud.pbx.sound_files import wav_seconds
from tests.cloud.api.test_sound_files import bring, wav
from tests.support.api_world import Answer, ApiWorld, Client, log_in
from tests.support.left_messages import sound


def keep(client: Client, content: bytes, name: str) -> Answer:
    return client.post("/sounds", {"digest": bring(client, content), "name": name})


def listed(client: Client) -> list[dict[str, Any]]:
    answer = client.get("/sounds")
    assert answer.status == 200, answer.body
    return list(answer.json["items"])


def use(world: ApiWorld, **document: Any) -> None:
    path = f"/sites/{world.ours.site_id}/dial-plan"
    whole = world.admin.get(path).json["document"] | document
    answer = world.admin.call("PUT", path, {"document": whole})
    assert answer.status == 200, answer.body


def queue(digest: str) -> dict[str, Any]:
    return {"kind": "queue", "service_id": "q", "name": "Support", "extension": "4200", "music": {"digest": digest}}


def test_a_file_is_kept_by_its_name_with_its_length_and_again_by_another(world: ApiWorld) -> None:
    content = sound(2.5)
    made = keep(world.admin, content, "Waltz").json
    assert (made["name"], made["seconds"], made["size_bytes"], made["used_by"]) == ("Waltz", 2.5, len(content), [])
    assert listed(world.admin) == [made] == [world.admin.get(f"/sounds/{made['id']}").json]
    again = keep(world.admin, content, "Polka").json
    assert (again["id"], again["name"]) == (made["id"], "Polka")
    assert [one["name"] for one in listed(world.admin)] == ["Polka"]


def test_each_file_says_who_uses_it_and_is_not_deleted_meanwhile(world: ApiWorld) -> None:
    made = keep(world.admin, sound(), "Waltz").json
    digest = made["digest"]
    use(world, music={"digest": digest, "name": "Waltz"}, voice_services=[queue(digest)])
    assert world.admin.patch(f"/users/{world.user_id}", {"music": {"digest": digest, "name": "Waltz"}}).status == 200
    username = world.admin.get(f"/users/{world.user_id}").json["username"]
    site = world.admin.get(f"/sites/{world.ours.site_id}").json["name"]
    (one,) = listed(world.admin)
    assert [each["what"] for each in one["used_by"]] == ["the site", "queue Support", f"user {username}"]
    assert {(each["site_id"], each["site"]) for each in one["used_by"]} == {(str(world.ours.site_id), site)}
    refused = world.admin.delete(f"/sounds/{made['id']}")
    assert (refused.status, refused.headers["content-type"]) == (409, "application/problem+json")
    for who in ("the site", "queue Support", f"user {username}"):
        assert f"{who} at {site}" in refused.json["detail"]
    use(world, music=None, voice_services=[])
    assert world.admin.patch(f"/users/{world.user_id}", {"music": None}).status == 200
    assert world.admin.delete(f"/sounds/{made['id']}").status == 204
    assert listed(world.admin) == []
    assert world.admin.get(f"/sounds/{made['id']}").status == 404


def test_a_kept_file_outlives_the_sweep_and_a_deleted_one_does_not(world: ApiWorld) -> None:
    made = keep(world.admin, sound(), "Waltz").json

    def there_after_two_days() -> set[str]:
        world.clock.advance(timedelta(days=2).total_seconds())
        bring(world.anyone.as_(log_in(world.anyone, "admin@tandem.test")), wav(form=7, bits=8))
        with world.databases.worker.session(world.ours.scope) as session:
            return set(session.scalars(select(Blob.digest)).all())

    assert made["digest"] in there_after_two_days()
    admin = world.anyone.as_(log_in(world.anyone, "admin@tandem.test"))
    assert admin.delete(f"/sounds/{made['id']}").status == 204
    assert made["digest"] not in there_after_two_days()


def test_a_file_that_is_used_and_was_never_kept_is_listed_without_a_name_and_can_be_kept(world: ApiWorld) -> None:
    digest = bring(world.admin, sound())
    use(world, voice_services=[queue(digest)])
    (one,) = listed(world.admin)
    assert (one["id"], one["name"], one["seconds"]) == (None, "", None)
    assert [each["what"] for each in one["used_by"]] == ["queue Support"]
    made = world.admin.post("/sounds", {"digest": digest, "name": "Waltz"}).json
    assert [each["what"] for each in made["used_by"]] == ["queue Support"]
    assert listed(world.admin) == [made]


def test_the_sound_is_given_whole_and_in_parts(world: ApiWorld) -> None:
    content = sound(0.5, 1234)
    path = f"/sounds/{keep(world.admin, content, 'Waltz').json['id']}/audio"
    whole = world.admin.get(path, {"Accept": "audio/wav"})
    assert (whole.status, whole.headers["content-type"], whole.body) == (200, "audio/wav", content)
    part = world.admin.get(path, {"Accept": "audio/wav", "Range": "bytes=44-47"})
    assert (part.status, part.body) == (206, content[44:48])
    assert part.headers["content-range"] == f"bytes 44-47/{len(content)}"


@pytest.mark.parametrize(
    ("content", "problem"), [(b"ID3 an MP3 file", "is no WAV file"), (wav(rate=44_100), "44100 Hz")]
)
def test_what_no_edge_could_play_is_not_kept(world: ApiWorld, content: bytes, problem: str) -> None:
    answer = keep(world.admin, content, "Waltz")
    assert (answer.status, answer.json["problems"][0]["field"]) == (422, "digest")
    assert problem in str(answer.json)
    assert listed(world.admin) == []


def test_nobody_keeps_what_was_not_brought_or_is_anothers_nor_sees_it(world: ApiWorld) -> None:
    theirs = keep(world.stranger, sound(), "Theirs").json
    answer = world.admin.post("/sounds", {"digest": theirs["digest"], "name": "Ours"})
    assert answer.status == 422
    assert "has not been brought yet" in str(answer.json)
    assert listed(world.admin) == []
    for path in (f"/sounds/{theirs['id']}", f"/sounds/{theirs['id']}/audio"):
        assert world.admin.get(path).status == 404
    assert world.admin.delete(f"/sounds/{theirs['id']}").status == 404
    assert world.user.get("/sounds").status == 403
    assert world.platform.get("/sounds").status == 422
    found = world.platform.get(f"/sounds?tenant_id={world.theirs.tenant_id}").json["items"]
    assert [one["name"] for one in found] == ["Theirs"]


def test_a_tenant_keeps_so_many(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds, "MOST_SOUNDS", 1)
    assert keep(world.admin, sound(0.1), "One").status == 201
    refused = keep(world.admin, sound(0.2), "Two")
    assert refused.status == 429
    assert "at most 1 sound files" in refused.json["detail"]


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (sound(3.0), 3.0),
        (wav(), 0.1),
        (wav(form=7, bits=8), 0.2),
        (wav(before=struct.pack("<4sI4s", b"LIST", 4, b"abcd")), 0.1),
        (wav()[:44] + bytes(100), 100 / 16_000),  # cut off before its end
    ],
)
def test_the_length_is_that_of_the_sound(content: bytes, seconds: float) -> None:
    assert wav_seconds(content[:4096], len(content)) == pytest.approx(seconds)


@pytest.mark.parametrize("head", [b"", b"RIFF", wav()[:30], wav(before=b"LIST\xff\xff\xff\x7f")])
def test_a_head_that_is_cut_off_has_some_length(head: bytes) -> None:
    assert wav_seconds(head, 10_000) >= 0
