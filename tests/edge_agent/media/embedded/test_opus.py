"""Opus by the machine's libopus, which baresip brings with it: what is heard and repaired, and that no bytes harm."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.media.codecs import OPUS, WIDE, OpusTerms
from edge_agent.media.embedded import coding, rtp
from edge_agent.media.embedded.coding import Coder
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.incoming import Incoming
from edge_agent.media.embedded.opus import LONGEST
from edge_agent.media.embedded.resampling import Upsampler
from edge_agent.media.embedded.rtp import DropReason, Packet
from edge_agent.media.embedded.stream import AudioStream, Send
from edge_agent.media.sdp import AudioPlan, Direction
from tests.edge_agent.media.embedded.test_coding import frames, level, tone
from tests.support.counted_tokens import CountedTokens
from tests.support.voice_sounds import distance_db, speech

pytestmark = pytest.mark.peer("baresip")
NUMBER = 111
PHONE = ("192.0.2.10", 4000)


def coder(repairs: bool = True) -> Coder:
    return coding.coder(OPUS, WIDE, OpusTerms(NUMBER, repairs))


def packets(sound: Samples, repairs: bool = True) -> list[Packet]:
    made = coder(repairs)
    return [Packet(NUMBER, n, 960 * n, 5, made.encode(frame)) for n, frame in enumerate(frames(sound, 320))]


def incoming() -> Incoming:
    return Incoming(WIDE, {NUMBER: OPUS}, {NUMBER: coder()})


def voice() -> Samples:
    return Upsampler().take(speech(4.0))


def heard(sent: list[Packet], lost: set[int], made: Incoming | None = None) -> Samples:
    made, sound = made or incoming(), []
    for number, packet in enumerate(sent):
        if number not in lost:
            made.push(packet)
        sound.append(made.next_frame())
    return np.concatenate(sound)


def narrowed(sound: Samples) -> Samples:
    """Every other sample: `distance_db` knows 8,000 in a second."""
    return sound[::2]


@pytest.mark.parametrize("hertz", [300, 1000, 3300, 5000, 6500])
def test_opus_carries_what_a_wideband_voice_has(hertz: int) -> None:
    one, other = coder(), coder()
    said = np.concatenate([other.decode(one.encode(frame)) for frame in frames(tone(hertz, 1.0), 320)])
    assert level(said, hertz) == pytest.approx(6000, rel=0.2)


def test_a_lost_packet_is_repaired_from_the_next_one_where_its_sender_expects_losses() -> None:
    sound = voice()
    lost = set(range(20, 190, 7))
    whole = heard(packets(sound), set())
    repaired = distance_db(narrowed(whole), narrowed(heard(packets(sound), lost)))
    guessed = distance_db(narrowed(heard(packets(sound, False), set())), narrowed(heard(packets(sound, False), lost)))
    print(f"one in seven lost: {repaired:.2f} dB with what packets repeat, {guessed:.2f} dB without")
    assert repaired < 0.8 * guessed


def test_packets_that_overtook_each_other_sound_as_if_they_had_not() -> None:
    sent = packets(tone(5500, 1.0))
    swapped = [sent[number ^ 1] for number in range(len(sent) // 2 * 2)]
    # One waits for the other at the beginning, so the wait is measured from another packet.
    assert level(heard(swapped, set()), 5500) == pytest.approx(6000, rel=0.2)
    assert level(heard(sent, set(range(10, 13))), 5500) == pytest.approx(6000, rel=0.2)


def test_after_a_tenth_of_a_second_of_nothing_there_is_silence() -> None:
    made = incoming()
    heard(packets(tone(1000, 0.5)), set(), made)
    after = [int(np.abs(made.next_frame().astype(int)).max()) for _ in range(15)]
    assert after[-1] == 0


def test_a_call_with_opus_counts_48000_ticks_a_second() -> None:
    stream = AudioStream(CountedTokens(), now=0.0, silence_seconds=30, held_seconds=600)
    terms = OpusTerms(NUMBER, True)
    stream.agree(AudioPlan(PHONE, NUMBER, frozenset({NUMBER}), 101, Direction.SENDRECV, opus=terms), 0.0)
    stream.echoing = True
    back, said, stamps = coder(), [], []
    for packet in packets(tone(6000, 1.0)):
        stream.receive(packet.to_bytes(), PHONE, 0.02 * packet.sequence)
        for action in stream.tick(0.02 * packet.sequence):
            if isinstance(action, Send):
                sent = rtp.parse(action.data)
                assert isinstance(sent, Packet)
                said.append(back.decode(sent.payload))
                stamps.append(sent.timestamp)
    assert level(np.concatenate(said), 6000) == pytest.approx(6000, rel=0.2)
    assert {(after - before) & 0xFFFFFFFF for before, after in pairwise(stamps)} == {960}
    assert stream.quality().longest_jitter_ms == 0


@given(payloads=st.lists(st.binary(max_size=1500), max_size=6), missing=st.integers(-10, 2 * LONGEST))
@settings(max_examples=300)
def test_any_bytes_are_samples_of_the_length_that_was_said_before(payloads: list[bytes], missing: int) -> None:
    made = coder()
    for payload in payloads:
        length = made.length(payload)
        assert 0 <= length <= LONGEST
        assert len(made.decode(payload)) == length
        filled = made.conceal(missing, payload)
        assert filled is None or len(filled) == missing
    assert level(np.concatenate([made.decode(coder().encode(frame)) for frame in frames(tone(500), 320)]), 500) > 1000


@given(
    st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.binary(max_size=300), st.integers(0, 3)), max_size=25)
    | st.lists(st.tuples(st.integers(0, 9).map(lambda n: 960 * n), st.binary(max_size=60), st.integers(0, 3)))
)
@settings(max_examples=100)
def test_no_packet_upsets_what_is_heard(sent: list[tuple[int, bytes, int]]) -> None:
    made = incoming()
    for number, (timestamp, payload, ticks) in enumerate(sent):
        assert made.push(Packet(NUMBER, number, timestamp, 5, payload)) in (None, DropReason.LATE)
        for _ in range(ticks):
            assert len(made.next_frame()) == 320
