"""A call's audio without sockets: what comes in, what goes out, tick by tick."""

import numpy as np
import pytest

from edge_agent.media.embedded import rtp
from edge_agent.media.embedded.g711 import Samples, decode, encode
from edge_agent.media.embedded.rtp import DropReason, Packet
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.embedded.stream import AudioStream, Digit, Dropped, Played, Send, WentSilent
from edge_agent.media.sdp import AudioPlan, Direction
from tests.support.counted_tokens import CountedTokens
from tests.support.voice_sounds import distance_db, speech

PHONE = ("192.0.2.10", 4000)
PLAN = AudioPlan(PHONE, 8, frozenset({8}), 101, Direction.SENDRECV)


def stream(plan: AudioPlan | None = PLAN) -> AudioStream:
    made = AudioStream(CountedTokens(), now=0.0, silence_seconds=30, held_seconds=600)
    if plan is not None:
        made.agree(plan, 0.0)
    return made


def sent(made: AudioStream, ticks: int = 1, now: float = 0.0) -> list[Packet]:
    found = []
    for _ in range(ticks):
        for action in made.tick(now):
            if isinstance(action, Send):
                packet = rtp.parse(action.data)
                assert isinstance(packet, Packet)
                found.append(packet)
    return found


def tone(count: int) -> Samples:
    return (8000 * np.sin(np.arange(count) * 2 * np.pi * 440 / 8000)).astype(np.int16)


def feed(made: AudioStream, samples: Samples, number: int = 0, codec: int = 8) -> object:
    return made.receive(Packet(codec, number, 160 * number, 5, encode(codec, samples)).to_bytes(), PHONE, 0.0)


def test_silence_goes_out_at_each_tick_in_sequence_with_the_marker_first() -> None:
    packets = sent(stream(), 3)
    first = packets[0]
    assert [p.marker for p in packets] == [True, False, False]
    assert [(p.sequence - first.sequence) & 0xFFFF for p in packets] == [0, 1, 2]
    assert [(p.timestamp - first.timestamp) & 0xFFFFFFFF for p in packets] == [0, 160, 320]
    assert {(p.ssrc, p.payload_type, p.payload) for p in packets} == {(first.ssrc, 8, b"\xd5" * 160)}


def test_nothing_goes_out_before_an_agreement_or_while_the_peer_does_not_listen() -> None:
    assert sent(stream(None), 3) == []
    assert sent(stream(AudioPlan(PHONE, 8, frozenset({8}), None, Direction.RECVONLY)), 3) == []
    assert sent(stream(AudioPlan(None, 8, frozenset({8}), None, Direction.SENDRECV)), 3) == []


def test_an_echo_returns_what_came_40_ms_later() -> None:
    made = stream()
    made.echoing = True
    samples = tone(160)
    assert feed(made, samples) is None
    frames = [decode(8, p.payload) for p in sent(made, 4)]
    assert [bool(np.abs(frame).max() > 100) for frame in frames[:3]] == [False, False, True]
    assert frames[2].tolist() == decode(8, encode(8, samples)).tolist()


def through_a_network(sound: Samples, lost_share: float, jitter_seconds: float) -> Samples:
    """What the echo of a sound is when its packets are lost and delayed by chance, each up to `jitter_seconds`."""
    random, made = np.random.default_rng(11), stream()
    made.echoing = True
    frames = [sound[start : start + 160] for start in range(0, len(sound) - 159, 160)]
    arrivals = sorted(
        (0.02 * number + random.random() * jitter_seconds, number)
        for number in range(len(frames))
        if number < 3 or random.random() >= lost_share
    )
    heard: list[Samples] = []
    for tick in range(len(frames) + 20):
        while arrivals and arrivals[0][0] <= 0.02 * tick + 0.007:
            number = arrivals.pop(0)[1]
            feed(made, frames[number], number)
        heard += [decode(8, packet.payload) for packet in sent(made)]
    return np.concatenate(heard)


def aligned(sound: Samples, heard: Samples) -> Samples:
    """The part of what was heard that fits the end of the sound best: the wait may have grown at the beginning."""
    end = sound[-8000:].astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(heard.astype(np.float64), len(end))
    return heard[int(np.argmax(windows @ end)) :][: len(end)]


def test_loss_of_five_in_a_hundred_and_jitter_of_30_ms_leave_speech_intelligible() -> None:
    sound = speech(9.0)
    clean = through_a_network(sound, 0.0, 0.0)
    heard = through_a_network(sound, 0.05, 0.03)
    best, worst = distance_db(sound[-8000:], aligned(sound, clean)), distance_db(sound[-8000:], 0 * sound[-8000:])
    got = distance_db(sound[-8000:], aligned(sound, heard))
    print(f"distance: {got:.2f} dB; without loss and jitter {best:.2f} dB, silence {worst:.2f} dB")
    assert got < best + 0.15 * (worst - best)


@pytest.mark.parametrize("jitter_seconds", [0.02, 0.06, 0.1])
def test_the_wait_grows_with_jitter_until_packets_come_in_time(jitter_seconds: float) -> None:
    sound = speech(12.0)
    heard = through_a_network(sound, 0.0, jitter_seconds)
    assert distance_db(sound[-8000:], aligned(sound, heard)) < 1.0


def test_without_echo_the_caller_hears_silence() -> None:
    made = stream()
    feed(made, tone(160))
    assert {p.payload for p in sent(made, 4)} == {b"\xd5" * 160}


def test_a_prompt_is_played_whole_and_its_end_is_told_once() -> None:
    made = stream()
    samples = tone(400)
    made.play(Sound(samples))
    actions = [action for _ in range(5) for action in made.tick(0.0)]
    heard = [rtp.parse(action.data) for action in actions if isinstance(action, Send)]
    audio = np.concatenate([decode(8, packet.payload) for packet in heard if isinstance(packet, Packet)])
    assert audio[:400].tolist() == decode(8, encode(8, samples)).tolist()
    assert int(np.abs(audio[400:]).max()) <= 8
    assert [type(action) for action in actions if not isinstance(action, Send)] == [Played]


def test_a_prompt_that_is_stopped_is_heard_no_more() -> None:
    made = stream()
    made.play(Sound(tone(1600)))
    made.tick(0.0)
    made.stop_playing()
    assert {p.payload for p in sent(made, 3)} == {b"\xd5" * 160}


def test_an_empty_prompt_ends_at_the_next_tick() -> None:
    made = stream()
    made.play(Sound(np.zeros(0, dtype=np.int16)))
    assert any(isinstance(action, Played) for action in made.tick(0.0))


def test_digits_are_told_and_are_not_audio() -> None:
    made = stream()
    made.echoing = True
    event = Packet(101, 0, 0, 5, b"\x05\x00\x00\xa0").to_bytes()
    assert made.receive(event, PHONE, 0.0) == Digit("5")
    assert made.receive(event, PHONE, 0.0) is None
    assert {p.payload for p in sent(made, 4)} == {b"\xd5" * 160}


@pytest.mark.parametrize(
    ("packet", "source", "reason"),
    [
        (Packet(0, 0, 0, 5, b"x"), PHONE, DropReason.PAYLOAD_TYPE),
        (Packet(99, 0, 0, 5, b"x"), PHONE, DropReason.PAYLOAD_TYPE),
        (Packet(8, 0, 0, 5, b"x"), ("192.0.2.11", 4000), DropReason.PROBATION),
        (Packet(101, 0, 0, 5, b"x"), PHONE, DropReason.BAD_EVENT),
    ],
)
def test_what_was_not_agreed_is_dropped_by_name(packet: Packet, source: tuple[str, int], reason: DropReason) -> None:
    assert stream().receive(packet.to_bytes(), source, 0.0) == Dropped(reason)


def test_audio_before_an_agreement_is_dropped() -> None:
    assert feed(stream(None), tone(160)) == Dropped(DropReason.NOT_RECEIVING)


def test_audio_is_sent_to_where_the_peer_sends_from() -> None:
    made = stream()
    for number in range(3):
        made.receive(Packet(8, number, 160 * number, 5, b"x").to_bytes(), ("203.0.113.7", 9), 0.0)
    (action,) = made.tick(0.0)
    assert isinstance(action, Send)
    assert action.to == ("203.0.113.7", 9)


def test_a_peer_that_sends_nothing_for_too_long_is_told_of_once_per_period() -> None:
    made = stream()
    assert not any(isinstance(action, WentSilent) for action in made.tick(30.0))
    assert any(isinstance(action, WentSilent) for action in made.tick(30.1))
    assert not any(isinstance(action, WentSilent) for action in made.tick(30.2))


def test_dropped_packets_do_not_keep_a_silent_call_up() -> None:
    made = stream()
    made.receive(Packet(0, 0, 0, 5, b"x").to_bytes(), PHONE, 20.0)
    assert any(isinstance(action, WentSilent) for action in made.tick(30.1))


@pytest.mark.parametrize(
    "held",
    [
        AudioPlan(PHONE, 8, frozenset({8}), None, Direction.SENDONLY),
        AudioPlan(PHONE, 8, frozenset({8}), None, Direction.RECVONLY),
        AudioPlan(PHONE, 8, frozenset({8}), None, Direction.INACTIVE),
        AudioPlan(None, 8, frozenset({8}), None, Direction.RECVONLY),
    ],
)
def test_a_call_on_hold_may_be_quiet_for_longer(held: AudioPlan) -> None:
    made = stream()
    made.agree(held, 10.0)
    assert not any(isinstance(action, WentSilent) for action in made.tick(600.0))
    assert any(isinstance(action, WentSilent) for action in made.tick(610.1))
