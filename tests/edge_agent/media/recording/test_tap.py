"""Two streams on one time line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded import g711
from edge_agent.media.embedded.coding import G722Coder
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.recording.announcing import Announcement, Saying
from edge_agent.media.recording.sealed import SECOND_BYTES
from edge_agent.media.recording.tap import Tap
from tests.support.recorded_calls import RATE, loudest_hz


def tone(hz: int, seconds: float, rate: int = RATE) -> Samples:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)


def packets(payload: bytes, kind: int = 0, ssrc: int = 1, first: int = 4_294_967_000) -> list[Packet]:
    """20 ms each; the timestamp runs over its end."""
    return [
        Packet(kind, at & 0xFFFF, (first + 160 * at) & 0xFFFFFFFF, ssrc, payload[160 * at : 160 * at + 160])
        for at in range(len(payload) // 160)
    ]


def heard(tap: Tap, until: float) -> tuple[Samples, Samples]:
    both = g711.decode(0, b"".join(tap.rest(until)))
    return both[0::2], both[1::2]


@pytest.mark.parametrize("kind", [0, 8])
def test_each_side_is_in_its_channel(kind: int) -> None:
    tap = Tap(100.0, 0, 60)
    one = packets(g711.encode(kind, tone(440, 3)), kind)
    other = packets(g711.encode(kind, tone(1000, 3)), kind, ssrc=2, first=7)
    for at, (here, there) in enumerate(zip(one, other, strict=True)):
        tap.hear(0, here, 100 + 0.02 * at)
        tap.hear(1, there, 100 + 0.02 * at)
    first, second = heard(tap, 103.0)
    assert len(first) == len(second) == 3 * RATE
    assert (loudest_hz(first), loudest_hz(second)) == (440, 1000)


def test_wideband_is_recorded_as_telephones_sound() -> None:
    tap, coder, wide = Tap(0.0, 0, 60), G722Coder(), tone(600, 2, 16_000)
    coded = b"".join(coder.encode(wide[at : at + 320]) for at in range(0, len(wide), 320))
    for at, packet in enumerate(packets(coded, 9)):
        tap.hear(0, packet, 0.02 * at)
    first, second = heard(tap, 2.0)
    assert (loudest_hz(first), loudest_hz(second)) == (600, 0)


def test_packets_that_are_late_twice_there_or_in_another_order_stand_where_they_belong() -> None:
    sound = tone(440, 2)
    sent = packets(g711.encode(0, sound))
    tap = Tap(0.0, 0, 60)
    for at in range(0, len(sent) - 1, 2):
        for packet in (sent[at + 1], sent[at], sent[at]):
            tap.hear(0, packet, 0.02 * at)
    first, _ = heard(tap, 2.0)
    # The first packet that came was the second one that was sent.
    assert np.array_equal(first[: RATE - 160], g711.decode(0, g711.encode(0, sound))[160:RATE])


def test_a_pause_is_silence_and_what_comes_after_it_stands_at_its_time() -> None:
    tap = Tap(0.0, 0, 60)
    seconds = tap.seconds(0.5)
    for at, packet in enumerate(packets(g711.encode(0, tone(440, 1)))):
        tap.hear(0, packet, 0.02 * at)
    seconds += tap.seconds(6.0)
    for at, packet in enumerate(packets(g711.encode(0, tone(700, 1)), ssrc=9)):
        tap.hear(0, packet, 6 + 0.02 * at)
    both = g711.decode(0, b"".join([*seconds, *tap.rest(7.0)]))[0::2]
    assert [loudest_hz(both[at * RATE : (at + 1) * RATE]) for at in range(7)] == [440, 0, 0, 0, 0, 0, 700]


def test_it_goes_on_behind_what_a_kill_left_and_ends_at_its_greatest_length() -> None:
    tap = Tap(0.0, 3, 6)
    for at, packet in enumerate(packets(g711.encode(0, tone(440, 4)))):
        tap.hear(0, packet, 4 + 0.02 * at)
    both = b"".join([*tap.seconds(7.5), *tap.rest(9.0)])
    assert len(both) == 3 * SECOND_BYTES  # the fourth, fifth and sixth
    assert tap.over


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.integers(0, 127),
            st.integers(0, 0xFFFFFFFF),
            st.integers(0, 3),
            st.binary(max_size=1200),
            st.floats(0, 2),
        ),
        max_size=40,
    )
)
def test_whatever_comes_it_is_as_long_as_the_call(
    came: list[tuple[int, int, int, int, bytes, float]],
) -> None:
    tap, now, made = Tap(0.0, 0, 1000), 0.0, b""
    for which, kind, timestamp, ssrc, payload, later in came:
        now += later
        tap.hear(which, Packet(kind, 0, timestamp, ssrc, payload), now)
        made += b"".join(tap.seconds(now))
    made += b"".join(tap.rest(now))
    assert len(made) == 2 * int(now * RATE) or abs(len(made) - 2 * now * RATE) <= 4


@pytest.mark.parametrize("kind", [0, 8])
def test_an_announcement_is_said_in_the_place_of_what_is_said(kind: int) -> None:
    saying = Saying(Announcement(Sound(tone(800, 1))))
    sent = packets(g711.encode(kind, tone(440, 2)), kind)
    got = [saying.into(0, packet) for packet in sent]
    assert [(one.sequence, one.timestamp, one.ssrc) for one in got] == [
        (one.sequence, one.timestamp, one.ssrc) for one in sent
    ]
    told = g711.decode(kind, b"".join(one.payload for one in got))
    assert (loudest_hz(told[:RATE]), loudest_hz(told[RATE:])) == (800, 440)
    assert not saying.over
    for packet in sent:
        saying.into(1, packet)
    assert saying.over


def test_keys_and_codecs_that_it_does_not_know_pass_through_an_announcement() -> None:
    saying = Saying(Announcement(Sound(tone(800, 1))))
    for kind in (13, 18, 101):
        packet = Packet(kind, 1, 1, 1, b"as it was")
        assert saying.into(0, packet) is packet
