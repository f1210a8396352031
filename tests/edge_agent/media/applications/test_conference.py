"""Conference rooms as callers meet them, by the keys and from afar; the disk is real, calls do what the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.conference_state import MODERATOR_PIN, PIN
from contract.pin import hashed
from contract.snapshot import Conference, Meeting, OwnMusic, User, UserConferences
from edge_agent.media.applications.conference import ConferenceConfig, ConferenceRooms
from edge_agent.media.applications.conference.live import LiveRoom, Party
from edge_agent.media.applications.conference.orders import BadOrder, all_shown, carry_out
from edge_agent.media.applications.conference.recordings import Recordings
from edge_agent.media.applications.music_on_hold import HoldMusic, MusicChoice
from edge_agent.media.applications.uploaded import UploadedSounds
from edge_agent.media.applications.voicemail.attempts import LOCKED_SECONDS
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import Seat
from edge_agent.media.speech import Languages
from edge_agent.tokens import SystemTokens
from tests.edge_agent.media.applications.test_music_on_hold import short_music
from tests.support.hand_clock import HandClock
from tests.support.meeting_call import MeetingCall, Table
from tests.support.waiting import eventually_async

LANGUAGES, TOKENS = Languages(), SystemTokens()
ANNA = User(user_id="u-1", username="anna", display_name="Anna", extension="200")
BERT = User(user_id="u-2", username="bert", display_name="Bert", extension="201")
OPEN = Conference(service_id="team", name="Team", extension="800", owner="u-1", music_alone=False)
GUARDED = OPEN.model_copy(update={"service_id": "board", "name": "Board", "extension": "801", "asks_pin": True})
PERSONAL = UserConferences(service_id="mine", name="Room", extension="7", asks_pin=True)
PINS = {
    f"{PIN}/board": hashed("2580", TOKENS.token(16)),
    f"{MODERATOR_PIN}/board": hashed("9731", TOKENS.token(16)),
    f"{PIN}/u-2": hashed("1470", TOKENS.token(16)),
}


class Site:
    """Rooms, and those who call them."""

    def __init__(self, folder: Path, *services: Meeting) -> None:
        self.clock = HandClock()
        self.recordings = Recordings(folder / "conferences", bytes(32), self.clock, TOKENS)
        self.config = ConferenceConfig(
            {one.service_id: one for one in services}, {one.user_id: one for one in (ANNA, BERT)}, PINS
        )
        self.music = HoldMusic()
        self.rooms = ConferenceRooms(self.recordings, LANGUAGES, lambda: self.config, self.clock, TOKENS, self.music)
        self.tables: dict[str, Table] = {}
        self._running: list[asyncio.Task[None]] = []

    def calls(self, service: str = "team", keys: str = "", room: str = "", **call: Any) -> MeetingCall:
        """Somebody calls, and has pressed keys already."""
        told = {"service": service, **({"room": room} if room else {})}
        made = MeetingCall(self.tables, arguments=told, **call)
        made.press(keys)
        self._running.append(asyncio.create_task(self._serve(made)))
        return made

    async def _serve(self, call: MeetingCall) -> None:
        with contextlib.suppress(SessionEnded):
            await self.rooms.run(call)
        await call.hang_up()

    async def in_room(self, service: str = "team", keys: str = "", room: str = "", **call: Any) -> MeetingCall:
        """Somebody calls and is in the room."""
        made = self.calls(service, keys, room, **call)
        await eventually_async(lambda: made.seat is not None)
        return made

    async def away(self, *calls: MeetingCall) -> None:
        """Until these have been hung up on."""
        await eventually_async(lambda: all(one.is_over for one in calls))

    def live(self, room_id: str = "team") -> LiveRoom:
        found = self.rooms.live_room(room_id)
        assert found is not None
        return found

    def party(self, call: MeetingCall, room_id: str = "team") -> Party:
        return next(one for one in self.live(room_id).parties if one.session is call)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path, OPEN, GUARDED, PERSONAL)
    yield made
    await made.close()


def changed(site: Site, service: str = "team", **changes: Any) -> None:
    """Let a room be otherwise from the next call on."""
    meeting = site.config.services[service].model_copy(update=changes)
    site.config = replace(site.config, services={**site.config.services, service: meeting})


# -- the way in


async def test_callers_hear_how_many_are_there_and_a_tone_when_somebody_comes_or_goes(site: Site) -> None:
    one = await site.in_room()
    two = await site.in_room()
    assert one.said == ["conference_alone"]
    three = await site.in_room()
    assert three.said == ["conference_there_are", "number.2", "conference_people"]
    two.hangs_up()
    table = site.tables["room-team"]
    await eventually_async(lambda: table.heard == ["entry", "entry", "entry", "exit"])
    assert set(table.seats) == {one, three}


async def test_a_pin_lets_in_the_moderators_makes_a_moderator_and_a_wrong_one_neither(site: Site) -> None:
    member = await site.in_room("board", "2580#")
    moderator = await site.in_room("board", "9731#")
    stranger = site.calls("board", "1111#2222#3333#")
    await site.away(stranger)
    assert stranger.said.count("wrong_pin") == 3
    assert stranger.said[-1] == "goodbye"
    assert [site.party(one, "board").is_moderator for one in (member, moderator)] == [False, True]
    assert set(site.tables["room-board"].seats) == {member, moderator}


async def test_the_owner_at_the_own_phone_is_asked_for_nothing(site: Site) -> None:
    owner = await site.in_room("board", asserted="anna", caller="200")
    assert "conference_pin" not in owner.said
    party = site.party(owner, "board")
    assert (party.is_moderator, party.user_id, party.name) == (True, "u-1", "Anna")
    # Who only says to be Anna is nobody.
    claims = site.calls("board", "1111#1111#1111#", caller="200")
    await site.away(claims)
    assert "wrong_pin" in claims.said


async def test_a_room_that_asks_for_a_pin_and_has_none_lets_in_its_owner_only(site: Site) -> None:
    site.config = replace(site.config, pins={})
    await site.in_room("board", asserted="anna")
    for pin in ("#", "2580#"):
        other = site.calls("board", pin * 3, caller=pin)
        await site.away(other)
        assert other.seat is None
        assert other.said[-1] == "goodbye"


async def test_after_five_wrong_pins_a_caller_is_locked_out_and_others_are_not(site: Site) -> None:
    for _ in range(2):
        guesser = site.calls("board", "1111#" * 3)
        await site.away(guesser)
    assert guesser.said[-1] == "pin_locked"
    guesser = site.calls("board", "2580#")
    await site.away(guesser)
    assert guesser.said == ["pin_locked"]
    await site.in_room("board", "2580#", caller="+49301")
    site.clock.advance(LOCKED_SECONDS + 1)
    await site.in_room("board", "2580#")


async def test_after_fifty_wrong_pins_of_many_callers_a_room_lets_nobody_try(site: Site) -> None:
    for number in range(17):
        await site.away(site.calls("board", "1111#" * 3, caller=f"+49{number}"))
    late = site.calls("board", "2580#", caller="+4999")
    await site.away(late)
    assert late.said == ["pin_locked"]
    await site.in_room("board", asserted="anna")


async def test_the_room_of_a_user_is_reached_by_number_by_its_owner_and_by_whoever_says_whose(site: Site) -> None:
    owner = await site.in_room("mine", asserted="bert", room="u-2")
    member = await site.in_room("mine", "1470#", room="u-2")
    asked = site.calls("mine")
    await asked.hears("conference_number")
    asked.press("201#1470#")
    await eventually_async(lambda: asked.seat is not None)
    own = await site.in_room("mine", asserted="anna")
    assert [len(site.live(user).parties) for user in ("u-2", "u-1")] == [3, 1]
    assert site.live("u-2").room.extension == "7201"
    assert [site.party(one, "u-2").is_moderator for one in (owner, member)] == [True, False]
    assert site.party(own, "u-1").is_moderator


async def test_who_guesses_rooms_learns_nothing(site: Site) -> None:
    none = site.calls("mine", "999#" + "1111#" * 3)
    there = site.calls("mine", "201#" + "1111#" * 3)
    await site.away(none, there)
    assert none.said == there.said


async def test_a_room_that_is_not_there_says_so(site: Site) -> None:
    gone = site.calls("gone")
    await site.away(gone)
    assert gone.said == ["conference_none"]


async def test_a_full_room_and_a_locked_one_say_so(site: Site) -> None:
    changed(site, most_members=2)
    one, two = await site.in_room(), await site.in_room()
    three = site.calls()
    await site.away(three)
    assert three.said == ["conference_full"]
    one.hangs_up()
    two.hangs_up()
    await eventually_async(lambda: site.rooms.live == ())
    changed(site, locked=True)
    early = site.calls()
    await site.away(early)
    assert early.said == ["conference_locked"]
    owner = await site.in_room(asserted="anna")
    owner.press("*5")
    await eventually_async(lambda: not site.live().locked)
    await site.in_room()


async def test_names_are_asked_for_and_heard_by_all_and_their_files_do_not_stay(site: Site) -> None:
    changed(site, announced="names")
    one = await site.in_room()
    assert one.said == ["record_name", "beep", "conference_alone"]
    mumbles = site.calls()
    mumbles.says_name_seconds = 0.1
    await eventually_async(lambda: mumbles.seat is not None)
    table = site.tables["room-team"]
    folder = site.recordings.name_file().parent
    assert len(list(folder.glob(".name.*"))) == 1
    one.hangs_up()
    await eventually_async(lambda: len(table.heard) == 5)
    name = table.heard[0]
    assert name.startswith(".name.")
    assert table.heard == [name, "phrase.conference_joined", "entry", name, "phrase.conference_left"]
    await eventually_async(lambda: list(folder.glob(".name.*")) == [])


async def test_callers_wait_with_music_for_a_moderator_and_all_go_with_the_last_one(site: Site) -> None:
    changed(site, "board", waits_for_moderator=True, ends_with_moderator=True)
    waits = site.calls("board", "2580#")
    gives_up = site.calls("board", "2580#")
    await waits.hears("music")
    await gives_up.hears("music")
    assert waits.said[-2:] == ["conference_wait", "music"]
    assert [one.waiting for one in all_shown(site.rooms).conferences[0].parties] == [True, True]
    gives_up.hangs_up()
    await eventually_async(lambda: len(site.live("board").parties) == 1)
    first = await site.in_room("board", "9731#")
    second = await site.in_room("board", "9731#")
    await eventually_async(lambda: waits.seat is not None)
    first.hangs_up()
    await eventually_async(lambda: len(site.live("board").parties) == 2)
    assert not waits.is_over
    second.hangs_up()
    await site.away(waits)
    assert waits.said[-1] == "conference_over"
    await eventually_async(lambda: site.rooms.live == ())


async def test_the_only_one_in_a_room_hears_music_until_somebody_comes(site: Site) -> None:
    changed(site, music_alone=True)
    one = await site.in_room()
    table = site.tables["room-team"]
    await eventually_async(lambda: "music" in table.heard)
    two = await site.in_room()
    before = table.heard.count("music")
    two.hangs_up()
    await eventually_async(lambda: table.heard.count("music") == before + 1)
    one.hangs_up()


async def test_who_is_alone_or_waits_for_a_moderator_hears_the_music_of_the_room_or_of_its_owner(
    site: Site, tmp_path: Path
) -> None:
    of_room, of_owner = (OwnMusic(digest=f"{n:064x}") for n in range(2))
    (tmp_path / "blobs").mkdir()
    for music in (of_room, of_owner):
        short_music(tmp_path / "blobs" / music.digest)
    unusable: list[OwnMusic] = []
    site.music.attach(UploadedSounds(tmp_path / "music", tmp_path / "blobs"), unusable.append)
    site.music.use(MusicChoice(services={"team": of_room}, users={"u-1": of_owner}))
    changed(site, music_alone=True)
    changed(site, "board", waits_for_moderator=True)
    one, waits = await site.in_room(), site.calls("board", "2580#")
    table = site.tables["room-team"]
    await eventually_async(lambda: of_room.digest in table.heard)
    await waits.hears(of_owner.digest)
    one.hangs_up()
    waits.hangs_up()
    await site.away(one, waits)
    assert unusable == []


# -- keys


async def test_a_caller_mutes_and_is_heard_again_and_is_told(site: Site) -> None:
    call = await site.in_room()
    call.press("*1")
    await call.hears("conference_muted")
    assert call.seat == Seat(muted=True)
    call.press("*1")
    await call.hears("conference_heard")
    assert call.seat == Seat()


async def test_who_comes_muted_lets_himself_be_heard_and_moderators_are_at_once(site: Site) -> None:
    changed(site, muted_on_entry=True)
    owner, other = await site.in_room(asserted="anna"), await site.in_room()
    assert (owner.seat, other.seat) == (Seat(), Seat(muted=True))
    other.press("*1")
    await eventually_async(lambda: other.seat == Seat())


async def test_loudness_goes_by_steps_of_three_decibels_to_twelve(site: Site) -> None:
    call = await site.in_room()
    call.press("*6*6*4*9")
    await eventually_async(lambda: call.seat == Seat(gain_db=3.0, hears_db=3.0))
    call.press("*6" * 6 + "*7" * 9)
    await eventually_async(lambda: call.seat == Seat(gain_db=12.0, hears_db=-12.0))


async def test_what_is_the_moderators_is_refused_to_others(site: Site) -> None:
    owner, other = await site.in_room(asserted="anna"), await site.in_room()
    for key in "358*#":
        other.press(f"*{key}")
    await other.hears("invalid")
    assert (site.live().locked, site.live().is_recorded, owner.is_over, owner.seat) == (False, False, False, Seat())


async def test_a_moderator_mutes_all_others_who_cannot_be_heard_until_he_lets_them(site: Site) -> None:
    owner, one, two = await site.in_room(asserted="anna"), await site.in_room(), await site.in_room()
    owner.press("*8")
    await owner.hears("conference_all_muted")
    assert (owner.seat, one.seat, two.seat) == (Seat(), Seat(muted=True), Seat(muted=True))
    one.press("*1")
    await one.hears("conference_held_muted")
    assert one.seat == Seat(muted=True)
    owner.press("*8")
    await owner.hears("conference_all_heard")
    assert (one.seat, two.seat) == (Seat(), Seat())


async def test_a_moderator_locks_removes_who_came_last_and_ends_it(site: Site) -> None:
    owner, one, two = await site.in_room(asserted="anna"), await site.in_room(), await site.in_room()
    owner.press("*5")
    await eventually_async(lambda: site.live().locked)
    late = site.calls()
    await site.away(late)
    assert late.said == ["conference_locked"]
    owner.press("**")
    await site.away(two)
    assert two.said[-1] == "conference_removed"
    assert not one.is_over
    owner.press("*#")
    await site.away(owner, one)
    assert one.said[-1] == "conference_over"
    await eventually_async(lambda: site.rooms.live == ())
    # The next one begins anew, unlocked.
    await site.in_room()


async def test_help_and_count_and_keys_that_mean_nothing(site: Site) -> None:
    owner, other = await site.in_room(asserted="anna"), await site.in_room()
    other.press("*0")
    await other.hears("conference_help")
    owner.press("*0")
    await owner.hears("conference_moderator_help")
    assert "conference_moderator_help" not in other.said
    owner.press("*2")
    await owner.hears("number.2")
    owner.press("*D")
    await owner.hears("invalid")
    owner.press("5")  # without a star a key is what the others hear, and no more
    owner.press("*1")
    await owner.hears("conference_muted")
    assert not site.live().locked


# -- recording


async def test_a_recording_by_key_is_announced_kept_and_listed(site: Site) -> None:
    owner = await site.in_room(asserted="anna")
    owner.press("*3")
    await eventually_async(lambda: site.live().is_recorded)
    late = await site.in_room()
    assert late.said[-1] == "conference_recording"
    table = site.tables["room-team"]
    await eventually_async(lambda: "phrase.conference_recording" in table.heard)
    owner.press("*3")
    await eventually_async(lambda: len(site.recordings.all()) == 1)
    await eventually_async(lambda: "phrase.conference_recording_over" in table.heard)
    (kept,) = site.recordings.all()
    assert (kept.room_id, kept.name, kept.seconds) == ("team", "Team", 1.0)
    assert table.recorded is None


async def test_a_room_that_is_to_be_recorded_is_from_its_first_caller_to_its_last(site: Site) -> None:
    changed(site, recorded=True)
    one, two = await site.in_room(), await site.in_room()
    await eventually_async(lambda: site.live().is_recorded)
    one.hangs_up()
    two.hangs_up()
    await eventually_async(lambda: len(site.recordings.all()) == 1)


async def test_a_disk_that_is_full_is_told_to_the_moderator(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.media.applications.conference.recordings.LEAST_FREE_BYTES", 1 << 62)
    owner = await site.in_room(asserted="anna")
    owner.press("*3")
    await owner.hears("conference_not_recorded")
    assert not site.live().is_recorded


# -- from afar


async def test_a_conference_is_told_of_with_who_is_in_it_and_speaks(site: Site) -> None:
    owner = await site.in_room(asserted="anna", caller="200")
    other = await site.in_room(caller="+4930\r\nX: y", caller_name="Mr. \x00X")
    site.tables["room-team"].loud.append(other)
    (told,) = all_shown(site.rooms).conferences
    assert (told.room_id, told.name, told.extension, told.owner) == ("team", "Team", "800", "u-1")
    assert [(one.number, one.name, one.user_id, one.moderator, one.speaking) for one in told.parties] == [
        ("200", "Anna", "u-1", True, False),
        ("+4930X: y", "Mr. X", None, False, True),
    ]
    owner.hangs_up()
    other.hangs_up()
    await eventually_async(lambda: all_shown(site.rooms).conferences == ())


async def test_what_is_ordered_from_afar_is_done(site: Site) -> None:
    one, two = await site.in_room(), await site.in_room()

    async def order(action: str, call: MeetingCall | None = None, value: str = "") -> None:
        party_id = site.party(call).party_id if call is not None else ""
        answer = await carry_out(site.rooms, "team", action, party_id, value)
        assert answer.refused is None

    await order("mute", one)
    await order("sound", one, "-6")
    await order("hear", one, "3")
    assert one.seat == Seat(muted=True, gain_db=-6.0, hears_db=3.0)
    await order("unmute", one)
    await order("mute_others")
    assert two.seat == Seat(muted=True)
    await order("unmute_others")
    assert two.seat == Seat()
    await order("lock")
    assert site.live().locked
    await order("unlock")
    await order("record")
    await order("record")
    assert site.live().is_recorded
    await order("stop_recording")
    assert len(site.recordings.all()) == 1
    await order("kick", two)
    await site.away(two)
    await order("end")
    await site.away(one)


async def test_orders_that_cannot_be_carried_out_say_why(site: Site) -> None:
    assert (await carry_out(site.rooms, "team", "lock", "", "")).refused == "no_conference"
    await site.in_room()
    assert (await carry_out(site.rooms, "team", "kick", "00000000", "")).refused == "no_party"
    for action, value in (("explode", ""), ("sound", "99"), ("sound", "x")):
        with pytest.raises(BadOrder):
            await carry_out(site.rooms, "team", action, "", value)
