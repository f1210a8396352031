"""Mixes without calls: who hears whom, told by each voice's own tone."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.mix import BEGINS_AFTER, ENDS_AFTER, MOST_SOUNDS, Mix
from edge_agent.media.embedded.multicast import MulticastVoice
from edge_agent.media.embedded.rooms import Room, Rooms
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.embedded.sounds import Sounds
from edge_agent.media.errors import MixFull, MulticastFailed
from edge_agent.media.session import MulticastTo, Seat

FRAME = 160
CALLERS = (400, 700, 1000, 1300, 1600)
"""Hz; each a whole number of periods in a frame."""


def tone(hertz: int, level: int = 3000, count: int = FRAME) -> Samples:
    made: Samples = (level * np.sin(2 * np.pi * hertz * np.arange(count) / 8000)).astype(np.int16)
    return made


def no_stream(to: MulticastTo) -> MulticastVoice:
    raise MulticastFailed(to.address)


class Caller:
    """Says a tone, and keeps what is heard."""

    def __init__(self, hertz: int, level: int = 3000) -> None:
        self.hertz, self.says, self.heard = hertz, tone(hertz, level), list[Samples]()
        self.rate = 8000

    def listen(self) -> Samples:
        return self.says

    def hear(self, others: Samples) -> None:
        self.heard.append(others)

    @property
    def hears(self) -> dict[int, int]:
        """Level of each caller's tone in the last frame, rounded to 100; absent: not there."""
        bins = np.abs(np.fft.rfft(self.heard[-1])) / (FRAME / 2)
        levels = {hertz: round(float(bins[hertz // 50]) / 100) * 100 for hertz in (*CALLERS, 2000)}
        return {hertz: level for hertz, level in levels.items() if level}


def party(*seats: Seat, level: int = 3000) -> tuple[Mix, list[Caller]]:
    mix = Mix()
    callers = [Caller(hertz, level) for hertz, _ in zip(CALLERS, seats, strict=False)]
    for caller, seat in zip(callers, seats, strict=True):
        mix.put(caller, seat)
    return mix, callers


def test_everybody_hears_all_others_and_not_themselves() -> None:
    mix, callers = party(Seat(), Seat(), Seat(), Seat())
    mix.tick()
    for caller in callers:
        assert caller.hears == {other.hertz: 3000 for other in callers if other is not caller}


def test_a_muted_caller_is_not_heard_and_hears() -> None:
    mix, (first, second, third) = party(Seat(muted=True), Seat(), Seat())
    mix.tick()
    assert first.hears == {second.hertz: 3000, third.hertz: 3000}
    assert second.hears == {third.hertz: 3000}


def test_a_deaf_caller_is_given_nothing_and_is_heard() -> None:
    mix, (first, second) = party(Seat(deaf=True), Seat())
    mix.tick()
    assert first.heard == []
    assert second.hears == {first.hertz: 3000}


def test_gain_is_what_the_others_hear() -> None:
    mix, (first, second) = party(Seat(gain_db=6.0206), Seat(gain_db=-20))
    mix.tick()
    assert first.hears == {second.hertz: 300}
    assert second.hears == {first.hertz: 6000}


def test_a_supervisor_listens_then_whispers_then_barges_in() -> None:
    mix, (agent, customer) = party(Seat(), Seat())
    supervisor = Caller(1600)
    mix.put(supervisor, Seat(muted=True))
    mix.tick()
    assert supervisor.hears == {agent.hertz: 3000, customer.hertz: 3000}
    assert (agent.hears, customer.hears) == ({customer.hertz: 3000}, {agent.hertz: 3000})
    mix.put(supervisor, Seat(only_to=frozenset({agent})))
    mix.tick()
    assert agent.hears == {customer.hertz: 3000, supervisor.hertz: 3000}
    assert customer.hears == {agent.hertz: 3000}
    assert supervisor.hears == {agent.hertz: 3000, customer.hertz: 3000}
    mix.put(supervisor, Seat())
    mix.tick()
    assert customer.hears == {agent.hertz: 3000, supervisor.hertz: 3000}


def test_a_sum_beyond_full_scale_stays_at_full_scale() -> None:
    mix, callers = party(*[Seat()] * 3, level=30_000)
    for caller in callers:
        caller.says = np.full(FRAME, -30_000, dtype=np.int16)
    mix.tick()
    assert [int(caller.heard[-1].min()) for caller in callers] == [-32767] * 3
    assert [int(caller.heard[-1].max()) for caller in callers] == [-32767] * 3


def test_a_sound_is_heard_by_all_to_its_end_and_not_by_the_deaf() -> None:
    mix, (first, second) = party(Seat(muted=True), Seat(deaf=True, muted=True))
    ended = []
    mix.play(Sound(tone(2000, count=FRAME * 2 + 40)), lambda: ended.append(True))
    mix.tick()
    assert (first.hears, second.heard) == ({2000: 3000}, [])
    mix.tick()
    assert ended == []
    mix.tick()
    assert ended == [True]
    mix.tick()
    assert first.hears == {}


def test_a_sound_too_many_ends_the_oldest() -> None:
    mix, _ = party(Seat())
    ended: list[int] = []

    def over(number: int) -> Callable[[], None]:
        return lambda: ended.append(number)

    for number in range(MOST_SOUNDS + 2):
        mix.play(Sound(tone(2000)), over(number))
    assert ended == [0, 1]


def test_a_tap_gets_the_sum_of_all_who_are_heard() -> None:
    mix, callers = party(Seat(), Seat(), Seat(muted=True))
    taken = Caller(0)
    mix.tap(taken.hear)
    mix.tick()
    assert taken.hears == {callers[0].hertz: 3000, callers[1].hertz: 3000}
    mix.untap(taken.hear)
    mix.tick()
    assert len(taken.heard) == 1


def test_who_speaks_is_told_loudest_first_and_pauses_between_words_are_no_silence() -> None:
    mix, (soft, loud, quiet, muted) = party(Seat(), Seat(), Seat(), Seat(muted=True))
    soft.says, loud.says, quiet.says = tone(400, 1000), tone(700, 9000), tone(1000, 50)
    for _ in range(BEGINS_AFTER - 1):
        mix.tick()
    assert not mix.speaking
    mix.tick()
    assert mix.speaking == (loud, soft)
    assert muted not in mix.speaking
    soft.says = loud.says = tone(400, 0)
    for _ in range(ENDS_AFTER - 1):
        mix.tick()
    assert mix.speaking == (loud, soft)
    mix.tick()
    assert not mix.speaking


def test_an_empty_mix_ticks() -> None:
    Mix().tick()


@given(
    st.lists(
        st.builds(Seat, gain_db=st.floats(-20, 10), muted=st.booleans(), deaf=st.booleans()), min_size=2, max_size=5
    ),
    st.sets(st.sampled_from(list(combinations(range(5), 2)))),
)
def test_what_is_heard_is_the_matrix_that_the_seats_say(seats: list[Seat], whispers: set[tuple[int, int]]) -> None:
    mix, callers = party(*seats, level=1000)
    to: dict[int, set[int]] = {}
    for speaker, listener in whispers:
        if listener < len(callers):
            to.setdefault(speaker, set()).add(listener)
    for speaker, listeners in to.items():
        seat = seats[speaker]
        only = frozenset(callers[listener] for listener in listeners)
        mix.put(callers[speaker], Seat(seat.gain_db, seat.muted, seat.deaf, only))
    mix.tick()
    for number, caller in enumerate(callers):
        if seats[number].deaf:
            assert caller.heard == []
            continue
        expected = np.zeros(FRAME)
        for other, seat in enumerate(seats):
            if other != number and not seat.muted and (other not in to or number in to[other]):
                expected += callers[other].says * 10 ** (seat.gain_db / 20)
        assert np.abs(caller.heard[-1] - expected).max() < 2


def test_a_room_is_there_from_its_first_caller_to_its_last() -> None:
    rooms = Rooms(Sounds({}), no_stream)
    first, second = Caller(400), Caller(700)
    rooms.join("blue", first, Seat())
    room = rooms.join("blue", second, Seat())
    assert isinstance(room, Room)
    assert (len(rooms), room.members) == (1, 2)
    rooms.tick()
    assert first.hears == {700: 3000}
    rooms.leave("blue", first)
    rooms.leave("blue", second)
    rooms.leave("blue", second)
    assert len(rooms) == 0


def test_a_room_takes_as_many_as_a_mix_and_those_in_it_may_change_seats() -> None:
    rooms = Rooms(Sounds({}), no_stream)
    callers = [Caller(400) for _ in range(100)]
    for caller in callers:
        rooms.join("blue", caller, Seat())
    with pytest.raises(MixFull):
        rooms.join("blue", Caller(700), Seat())
    rooms.join("blue", callers[0], Seat(muted=True))


def test_who_hears_the_others_softer_hears_them_so_and_nobody_else_does() -> None:
    mix, (first, second, third) = party(Seat(), Seat(), Seat(hears_db=-6.02))
    mix.tick()
    assert first.hears == {second.hertz: 3000, third.hertz: 3000}
    assert third.hears == {first.hertz: 1500, second.hertz: 1500}


class WideCaller(Caller):
    """Says a tone of 16,000 samples a second."""

    def __init__(self, hertz: int) -> None:
        super().__init__(hertz)
        self.rate = 16_000
        self.says = (3000 * np.sin(2 * np.pi * hertz * np.arange(320) / 16_000)).astype(np.int16)


def levels(caller: Caller) -> dict[int, int]:
    """Level of each tone in the last frame, rounded to 1000: what a resampling filter does at its edges is in it."""
    frame = caller.heard[-1]
    bins = np.abs(np.fft.rfft(frame)) / (len(frame) / 2)
    found = {50 * number: round(float(each) / 1000) * 1000 for number, each in enumerate(bins)}
    return {hertz: level for hertz, level in found.items() if level}


def seated(*callers: Caller) -> Mix:
    mix = Mix()
    for caller in callers:
        mix.put(caller, Seat())
    for _ in range(4):
        mix.tick()
    return mix


def test_callers_with_wideband_audio_hear_all_of_each_other_and_a_telephone_what_it_can() -> None:
    wide, other, telephone = WideCaller(6000), WideCaller(1000), Caller(400)
    mix = seated(wide, other, telephone)
    assert mix.rate == 16_000
    assert levels(wide) == {400: 3000, 1000: 3000}
    assert levels(other) == {400: 3000, 6000: 3000}
    assert levels(telephone) == {1000: 3000}
    assert [len(each.heard[-1]) for each in (wide, other, telephone)] == [320, 320, 160]


def test_one_with_wideband_audio_among_telephones_is_heard_as_a_telephone() -> None:
    wide, telephone, other = WideCaller(1000), Caller(400), Caller(700)
    mix = seated(wide, telephone, other)
    assert mix.rate == 8000
    assert levels(wide) == {400: 3000, 700: 3000}
    assert levels(telephone) == {700: 3000, 1000: 3000}
    mix.remove(other)
    mix.put(WideCaller(6000), Seat())
    for _ in range(3):
        mix.tick()
    assert mix.rate == 16_000
    assert levels(wide) == {400: 3000, 6000: 3000}


def test_a_sound_of_either_rate_is_heard_and_tapped_at_the_rate_of_the_mix() -> None:
    wide, other, tapped = WideCaller(1000), WideCaller(6000), list[Samples]()
    mix = seated(wide, other)
    mix.tap(tapped.append)
    mix.play(Sound(tone(2000, count=1600)), lambda: None)
    for _ in range(4):
        mix.tick()
    assert levels(wide) == {2000: 3000, 6000: 3000}
    assert len(tapped[-1]) == 320
    telephone = Caller(400)
    narrow = seated(telephone)
    narrow.play(Sound((3000 * np.sin(2 * np.pi * 1300 * np.arange(3200) / 16_000)).astype(np.int16), 16_000), print)
    for _ in range(4):
        narrow.tick()
    assert levels(telephone) == {1300: 3000}
