"""Listening by a browser's player, which sends a cookie and no access token."""

import pytest

from tests.cloud.api.test_call_recordings import SOUND, Call
from tests.support.api_world import Answer, ApiWorld


@pytest.fixture
def call(world: ApiWorld) -> Call:
    made = Call(world)
    made.tell()
    made.upload()
    return made


def begin(call: Call) -> tuple[str, dict[str, str]]:
    """Where to listen, and the headers that a browser then sends."""
    answer = call.world.admin.post(call.audio.replace("/audio", "/listening"))
    assert answer.status == 201, answer.body
    return answer.json["url"], sent_back(answer)


def sent_back(answer: Answer) -> dict[str, str]:
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0], "Accept": "*/*"}


def test_a_player_hears_any_part_by_its_cookie_and_is_noted_once(call: Call, world: ApiWorld) -> None:
    url, cookie = begin(call)
    assert not call.audit("call_recording.listened")
    part = world.anyone.get(url, cookie | {"Range": "bytes=1000-1999"})
    assert (part.status, part.headers["content-type"], part.body) == (206, "audio/wav", SOUND[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(SOUND)}"
    assert world.anyone.get(url, cookie | {"Range": "bytes=0-"}).body == SOUND
    (entry,) = call.audit("call_recording.listened")
    assert entry.actor == "admin@tandem.test"


def test_the_address_tells_nothing_and_the_cookie_is_of_this_address_and_for_no_script(
    call: Call, world: ApiWorld
) -> None:
    answer = world.admin.post(call.audio.replace("/audio", "/listening"))
    assert answer.headers["cache-control"] == "no-store"
    _, *kept = answer.headers["set-cookie"].split("; ")
    assert kept == ["Max-Age=900", f"Path={answer.json['url']}", "HttpOnly", "SameSite=Strict"]
    assert answer.json["expires_in"] == 900
    again = world.admin.post(call.audio.replace("/audio", "/listening"))
    assert again.json["url"] == answer.json["url"], "a new cookie goes on with the same address"


@pytest.mark.parametrize(
    "cookies",
    ["", "tandem_listening=", "tandem_listening=a.b.c", "other=1", "; ;=;" * 1000, "tandem_listening=\udcff", "é=é"],
)
def test_whoever_has_no_ticket_hears_nothing(call: Call, world: ApiWorld, cookies: str) -> None:
    url, _ = begin(call)
    refused = world.anyone.get(url, {"Cookie": cookies} if cookies else {})
    assert (refused.status, refused.json["type"]) == (401, "urn:tandem:problem:unauthorized")


def test_a_ticket_opens_no_other_sound_and_is_no_access_token_nor_the_reverse(call: Call, world: ApiWorld) -> None:
    url, cookie = begin(call)
    call.tell(SOUND[:-2], "recording-2")
    call.upload(SOUND[:-2])
    other = call.audio.replace(call.recordings[0]["id"], call.recordings[1]["id"]).replace("/audio", "/listening")
    other_url = world.admin.post(other).json["url"]
    assert other_url != url
    assert world.anyone.get(other_url, cookie).status == 401
    ticket = cookie["Cookie"].partition("=")[2]
    assert world.anyone.as_(ticket).get("/calls").status == 401
    assert world.anyone.get(url, {"Cookie": f"tandem_listening={world.admin.token}"}).status == 401


def test_a_ticket_is_over_with_its_time_and_with_the_recording(call: Call, world: ApiWorld) -> None:
    url, cookie = begin(call)
    world.clock.advance(899.0)
    assert world.anyone.get(url, cookie).status == 200
    world.clock.advance(2.0)
    assert world.anyone.get(url, cookie).status == 401
    assert world.anyone.get(url.replace("/audio", "")).status == 404


def test_a_deleted_recording_is_gone_for_who_listens_to_it(call: Call, world: ApiWorld) -> None:
    url, cookie = begin(call)
    assert world.admin.delete(call.audio.removesuffix("/audio")).status == 204
    assert world.anyone.get(url, cookie).status == 404


def test_who_may_not_hear_it_is_let_in_nowhere(call: Call, world: ApiWorld) -> None:
    path = call.audio.replace("/audio", "/listening")
    assert world.user.post(path).status == 403
    assert world.stranger.post(path).status == 404
    assert world.anyone.post(path).status == 401


def test_its_waveform_is_known_without_its_sound(call: Call, world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.pbx.call_recordings.read_recording", None)
    answer = world.admin.post(call.audio.replace("/audio", "/listening"))
    assert len(answer.json["peaks"]) == 96
    assert set(answer.json["peaks"]) == {1.0}
