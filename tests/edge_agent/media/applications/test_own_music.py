"""Whose music is played to whom, once decoded for all, and what comes with the edge where a file is no music."""

import asyncio
from pathlib import Path

import pytest

from contract.snapshot import (
    Blob,
    CallQueue,
    Conference,
    DialPlan,
    HuntGroup,
    Music,
    OrbitMusic,
    OwnMusic,
    Park,
    User,
    UserConferences,
)
from contract.sync.events import AlarmChanged, Happening
from edge_agent.media.applications.music_on_hold import HoldMusic, MusicOnHold, music_choice
from edge_agent.media.applications.uploaded import UploadedSounds
from edge_agent.media.embedded.sounds import Sounds
from edge_agent.media.errors import PromptError, SessionEnded
from edge_agent.media.session import EndCause, Prompt
from edge_agent.processes.link import Prepare
from edge_agent.processes.music import ALARM, SiteMusic
from tests.edge_agent.media.applications.test_music_on_hold import short_music
from tests.support.example_site import small_site
from tests.support.scripted_call import ScriptedCall
from tests.support.waiting import eventually_async

SITE, USER, GROUP, QUEUE, PARK, PLACE, ORBIT, ROOM = (OwnMusic(digest=f"{n:064x}", name=f"{n}.wav") for n in range(8))


def plan(site: OwnMusic | None = SITE) -> DialPlan:
    groups = (
        HuntGroup(group_id="off", name="Off", extension="800", members=("u-201",), music=QUEUE, enabled=False),
        HuntGroup(group_id="none", name="None", extension="801", members=("u-201",)),
        HuntGroup(group_id="sales", name="Sales", extension="802", members=("u-200", "u-201"), music=GROUP),
        HuntGroup(group_id="late", name="Late", extension="803", members=("u-201",), music=PARK),
    )
    services = (
        Music(service_id="m", name="Music", extension="900", music=PLACE),
        Music(service_id="plain", name="Plain", extension="901"),
        CallQueue(service_id="q", name="Queue", extension="902", music=QUEUE),
        Park(
            service_id="p",
            name="Park",
            extension="903",
            orbits=("904", "905"),
            music=PARK,
            orbit_music=(OrbitMusic(orbit="905", music=ORBIT),),
        ),
        Conference(service_id="c", name="Room", extension="906", music=ROOM),
        UserConferences(service_id="own", name="Own", extension="7", music=PLACE),
    )
    return DialPlan(hunt_groups=groups, voice_services=services, music=site)


USERS = (
    User(user_id="u-200", username="200", display_name="", music=USER),
    User(user_id="u-201", username="201", display_name=""),
    User(user_id="u-202", username="202", display_name=""),
)


@pytest.mark.parametrize(
    ("service", "user", "music"),
    [
        ("m", "u-200", PLACE),
        ("q", "", QUEUE),
        ("p", "u-200", PARK),
        ("c", "u-200", ROOM),
        ("own", "u-200", PLACE),
        ("plain", "u-200", USER),
        ("", "u-200", USER),
        ("", "u-201", GROUP),
        ("", "u-202", SITE),
        ("gone", "", SITE),
    ],
)
def test_the_place_comes_before_the_user_the_user_before_the_group_and_that_before_the_site(
    service: str, user: str, music: OwnMusic
) -> None:
    assert music_choice(plan(), USERS).of(service, user) == music


def test_an_orbit_comes_before_its_park() -> None:
    choice = music_choice(plan(), USERS)
    assert [choice.of("p", "u-200", orbit) for orbit in ("905", "904")] == [ORBIT, PARK]
    assert {ORBIT, ROOM} < choice.all


def test_where_nothing_is_chosen_what_comes_with_the_edge_is_played() -> None:
    assert music_choice(plan(site=None), USERS).of("", "u-202") is None


class Listener(ScriptedCall):
    """Hears so many pieces, and hangs up; some files cannot be played."""

    def __init__(self, pieces: int, broken: frozenset[str] = frozenset(), **told: str) -> None:
        super().__init__((), "200", told)
        self._pieces, self._broken = pieces, broken

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        (prompt,) = prompts
        if prompt.path.stem in self._broken:
            raise PromptError(prompt.path.name)
        if len(self.heard) >= self._pieces:
            raise SessionEnded(EndCause.CALLER)
        self.heard.append(prompt.path.stem)
        return 1.0


def blobs_with(folder: Path, *music: OwnMusic) -> Path:
    folder.mkdir()
    short_music(folder / "made.wav")
    for one in music:
        (folder / one.digest).write_bytes((folder / "made.wav").read_bytes())
    return folder


async def heard(music: HoldMusic, call: Listener) -> list[str]:
    with pytest.raises(SessionEnded):
        await MusicOnHold(music).run(call)
    return call.heard


async def test_own_music_goes_on_and_on_and_a_missing_or_broken_file_gives_way_to_the_shipped_one(
    tmp_path: Path,
) -> None:
    unusable: list[OwnMusic] = []
    music = HoldMusic()
    music.attach(UploadedSounds(tmp_path / "music", blobs_with(tmp_path / "blobs", USER, GROUP)), unusable.append)
    music.use(music_choice(plan(), USERS))
    assert await heard(music, Listener(3, user="u-200")) == [USER.digest] * 3
    assert unusable == []
    assert await heard(music, Listener(2, service="p")) == ["music"] * 2
    assert unusable == [PARK], "it is not there"
    assert await heard(music, Listener(2, broken=frozenset({GROUP.digest}), user="u-201")) == ["music"] * 2
    assert unusable == [PARK, GROUP]


@pytest.mark.parametrize("content", [b"", b"no music", (b"RIFF" + bytes(4) + b"WAVE")])
def test_what_is_no_sound_is_not_played(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / SITE.digest).write_bytes(content)
    assert UploadedSounds(tmp_path / "music", tmp_path / "blobs").find(SITE.digest) is None


def test_a_sound_with_nothing_in_it_is_not_played_for_ever(tmp_path: Path) -> None:
    content = (blobs_with(tmp_path / "blobs") / "made.wav").read_bytes()[:40] + bytes(4)
    (tmp_path / "blobs" / SITE.digest).write_bytes(content)
    assert UploadedSounds(tmp_path / "music", tmp_path / "blobs").find(SITE.digest) is None


async def test_callers_who_hear_the_same_share_what_was_decoded_until_it_is_another(tmp_path: Path) -> None:
    sounds, prompt = Sounds({}), short_music(tmp_path / "a.wav")
    first, *others = await asyncio.gather(*(sounds.of(prompt) for _ in range(8)))
    assert all(one is first for one in others)
    content = prompt.path.read_bytes()
    prompt.path.write_bytes(content[:-100])
    assert len((await sounds.of(prompt)).samples) == len(first.samples) - 50


async def test_sounds_are_kept_only_while_there_is_room(tmp_path: Path) -> None:
    one, other = short_music(tmp_path / "a.wav"), short_music(tmp_path / "b.wav")
    sounds = Sounds({}, most_bytes=2000)
    first = await sounds.of(one)
    assert await sounds.of(one) is first
    await sounds.of(other)
    assert await sounds.of(one) is not first
    with pytest.raises(PromptError, match="cannot be read"):
        await sounds.of(Prompt(tmp_path / "gone.wav"))


class Told:
    def __init__(self) -> None:
        self.alarms: list[AlarmChanged] = []

    def report(self, what: Happening) -> None:
        assert isinstance(what, AlarmChanged)
        self.alarms.append(what)


async def test_a_site_tells_of_music_that_it_cannot_play_and_of_when_it_can(tmp_path: Path) -> None:
    told, site = Told(), SiteMusic()
    blobs = blobs_with(tmp_path / "blobs")
    site.start(tmp_path, told.report)
    before = small_site()
    blob = (Blob(digest=SITE.digest, size_bytes=1644, needed=True), *before.blobs)
    named = before.dial_plan.model_copy(update={"music": SITE})
    message = Prepare(version=1, snapshot=before.model_copy(update={"dial_plan": named, "blobs": blob}), secrets={})
    site.prepare(message)
    site.commit()
    await eventually_async(lambda: [one.active for one in told.alarms] == [True])
    assert (told.alarms[0].alarm, told.alarms[0].severity) == (ALARM, "warning")
    assert "the music 0.wav cannot be played" in told.alarms[0].text
    (blobs / SITE.digest).write_bytes((blobs / "made.wav").read_bytes())
    site.prepare(message)
    site.commit()
    await eventually_async(lambda: [one.active for one in told.alarms] == [True, False])
    site.prepare(message.model_copy(update={"snapshot": before}))
    site.commit()
    await eventually_async(lambda: not list((tmp_path / "music").glob("*.wav")))
