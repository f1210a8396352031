"""What a peer says, with codecs that have a memory: packets are decoded in their order, whenever they come."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.media.codecs import G722, PCMA, STATIC, WIDE
from edge_agent.media.embedded import coding
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.incoming import Incoming
from edge_agent.media.embedded.rtp import DropReason, Packet
from tests.edge_agent.media.embedded.test_coding import frames, level, tone

CODER = coding.coder(G722, WIDE)
PACKETS = [
    Packet(9, number, 160 * number, 5, CODER.encode(frame)) for number, frame in enumerate(frames(tone(5500), 320))
]


def incoming(*payload_types: int) -> Incoming:
    codecs = {number: STATIC[number] for number in payload_types or (9,)}
    return Incoming(WIDE, codecs, {number: coding.coder(codec, WIDE) for number, codec in codecs.items()})


def heard(made: Incoming, frames: int) -> Samples:
    return np.concatenate([made.next_frame() for _ in range(frames)])


def test_a_wideband_tone_is_heard_40_ms_after_it_came() -> None:
    made, back = incoming(), coding.coder(G722, WIDE)
    for packet in PACKETS[:4]:
        assert made.push(packet) is None
    expected = np.concatenate([np.zeros(640, np.int16), *(back.decode(packet.payload) for packet in PACKETS[:4])])
    assert np.array_equal(heard(made, 6), expected)


@given(order=st.permutations(range(1, 7)), twice=st.sets(st.integers(1, 6)))
@settings(max_examples=30)
def test_packets_that_overtook_each_other_or_came_twice_sound_as_if_they_had_not(
    order: list[int], twice: set[int]
) -> None:
    made, straight = incoming(), incoming()
    for number in (0, *order, *twice):
        assert made.push(PACKETS[number]) is None
    for packet in PACKETS[:7]:
        straight.push(packet)
    assert np.array_equal(heard(made, 9), heard(straight, 9))


def test_a_lost_packet_is_filled_and_the_tone_goes_on() -> None:
    made, sound = incoming(), []
    for number, packet in enumerate(PACKETS):
        if number != 15:
            made.push(packet)
        sound.append(made.next_frame())
    said = np.concatenate(sound)
    assert int(np.abs(said[17 * 320 : 18 * 320].astype(int)).max()) > 1000, "the hole"
    assert level(said, 5500) == pytest.approx(6000, rel=0.1)


def test_a_peer_may_change_between_a_wide_and_a_narrow_codec() -> None:
    made, narrow = incoming(8, 9), coding.coder(PCMA, 8000)
    for packet in PACKETS[:10]:
        made.push(packet)
        made.next_frame()
    sound = []
    for number, frame in enumerate(frames(tone(1000, rate=8000), 160), start=10):
        made.push(Packet(8, number, 160 * number, 5, narrow.encode(frame)))
        sound.append(made.next_frame())
    assert level(np.concatenate(sound), 1000) == pytest.approx(6000, rel=0.05)


@given(pieces=st.lists(st.sampled_from((80, 160, 240)), min_size=4, max_size=12), lost=st.sets(st.integers(0, 11)))
@settings(max_examples=60)
def test_packets_of_any_length_sound_as_their_samples_one_by_one(pieces: list[int], lost: set[int]) -> None:
    """A packet that is just the next frame is heard straight, others by way of the buffer: it has to sound the same."""
    coder = coding.coder(PCMA, 8000)
    sound = tone(700, seconds=0.4, rate=8000)
    whole, fine = (Incoming(8000, {8: PCMA}, {8: coding.coder(PCMA, 8000)}) for _ in range(2))
    at = number = 0
    for index, length in enumerate(pieces):
        payload = coder.encode(sound[at : at + length].copy())
        if index == 0 or index not in lost:
            assert whole.push(Packet(8, index, at, 5, payload)) is None
            for part in range(0, length, 40):
                assert fine.push(Packet(8, number, at + part, 5, payload[part : part + 40])) is None
                number += 1
        at += length
    assert np.array_equal(heard(whole, 20), heard(fine, 20))


def test_more_packets_than_may_wait_are_decoded_before_their_time_and_none_is_lost() -> None:
    made, coder = incoming(8), coding.coder(PCMA, 8000)
    sound = tone(1000, seconds=0.3, rate=8000)
    for number, piece in enumerate(frames(sound, 16)):
        assert made.push(Packet(8, number, 16 * number, 5, coder.encode(piece))) is None
    assert level(heard(made, 17)[640:], 1000) == pytest.approx(6000, rel=0.05)


@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFFFFFF), st.sampled_from([8, 9]), st.binary(max_size=700), st.integers(0, 3)),
        max_size=30,
    )
)
@settings(max_examples=60)
def test_no_packet_upsets_it(packets: list[tuple[int, int, bytes, int]]) -> None:
    made = incoming(8, 9)
    for number, (timestamp, payload_type, payload, ticks) in enumerate(packets):
        assert made.push(Packet(payload_type, number, timestamp, 5, payload)) in (None, DropReason.LATE)
        for _ in range(ticks):
            assert len(made.next_frame()) == 320
