"""Recorded speech over a bad network: how much of it is still to be understood, in both directions.

A prompt of ours goes from one stream to another, which is a phone here. What is heard is compared with what was said.
Other sentences by the same voice score what chance gives: the threshold lies well above that.
"""

from pathlib import Path

import numpy as np
import pytest

import edge_agent.media.prompts
from edge_agent.media.codecs import G722, NARROW, OPUS, PCMU, WIDE, Codec, OpusTerms
from edge_agent.media.embedded import wav
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.resampling import Downsampler
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.embedded.stream import AudioStream, Send, SendReport
from edge_agent.media.sdp import AudioPlan, Direction
from tests.support.counted_tokens import CountedTokens
from tests.support.impaired_path import ImpairedPath
from tests.support.likeness import likeness

PROMPTS = Path(edge_agent.media.prompts.__file__).parent
SITE, PHONE = ("192.0.2.1", 16384), ("192.0.2.10", 4000)
UNDERSTOOD = 0.9
"""Measured: 0.98 without any loss, 0.92 with 20 % of it, 0.83 with 40 %, 0.5 and less for another sentence."""


def sentences(skip: int) -> Samples:
    """At least eight seconds of speech."""
    parts: list[Samples] = []
    for path in sorted((PROMPTS / "en").glob("*.wav"))[skip::7]:
        parts.append(wav.load(path).samples)
        if sum(map(len, parts)) > 8 * NARROW:
            break
    return np.concatenate(parts)


def stream(remote: tuple[str, int], codec: Codec) -> AudioStream:
    made = AudioStream(CountedTokens(), now=0.0, silence_seconds=30, held_seconds=600)
    number, rtcp = codec.payload_type, (remote[0], remote[1] + 1)
    opus = OpusTerms(number, repairs=True) if codec is OPUS else None
    made.agree(AudioPlan(remote, number, frozenset({number}), 101, Direction.SENDRECV, rtcp=rtcp, opus=opus), 0.0)
    return made


def talked(
    lost: float, jitter: float, seed: int, codec: Codec = PCMU
) -> tuple[list[tuple[Samples, Samples]], AudioStream]:
    """What was said and what was heard of it, from the site to the phone and back; and the site's stream."""
    site, phone = stream(PHONE, codec), stream(SITE, codec)
    said = sentences(0), sentences(3)
    heard: tuple[list[Samples], list[Samples]] = [], []
    phone.hearer, site.hearer = heard[0].append, heard[1].append
    site.play(Sound(said[0]))
    phone.play(Sound(said[1]))
    paths = ImpairedPath(lost, jitter, seed), ImpairedPath(lost, jitter, seed + 1)
    for number in range(max(map(len, said)) // 160 + 30):
        now = 0.02 * number
        for sender, receiver, path, source in ((site, phone, paths[0], SITE), (phone, site, paths[1], PHONE)):
            for at, data in path.arrived(now):
                receiver.receive(data, source, at)
            for action in sender.tick(now):
                match action:
                    case Send(data, _):
                        path.send(data, now)
                    case SendReport(data, _):
                        receiver.receive_report(data, (source[0], source[1] + 1), now)
                    case _:
                        pass
    if lost:
        assert all(path.dropped > path.sent * lost / 2 and path.reordered for path in paths)
    sounds = [np.concatenate(got) for got in heard]
    if codec.rate == WIDE:
        sounds = [Downsampler().take(sound) for sound in sounds]
    return list(zip(said, sounds, strict=True)), site


def test_a_good_network_leaves_speech_as_it_was() -> None:
    pairs, site = talked(0.0, 0.0, 1)
    assert min(likeness(*pair) for pair in pairs) > 0.96
    assert site.quality().mos == pytest.approx(4.4, abs=0.05)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_speech_over_5_percent_loss_and_30_ms_of_jitter_is_understood_both_ways(seed: int) -> None:
    pairs, site = talked(0.05, 0.03, seed)
    scores = [likeness(*pair) for pair in pairs]
    print(f"seed {seed}: likeness to the phone {scores[0]:.3f}, from the phone {scores[1]:.3f}, {site.quality()}")
    assert min(scores) >= UNDERSTOOD
    quality = site.quality()
    assert quality.mos is not None
    assert 3.0 < quality.mos < 4.3
    assert 2 < quality.longest_jitter_ms < 30
    assert quality.peer_lost_percent is not None
    assert quality.peer_lost_percent < 15


@pytest.mark.parametrize("codec", [G722, pytest.param(OPUS, marks=pytest.mark.peer("baresip"))], ids=lambda it: it.name)
def test_speech_in_wideband_codecs_over_such_a_network_is_understood_both_ways(codec: Codec) -> None:
    pairs, _ = talked(0.05, 0.03, 1, codec)
    scores = [likeness(*pair) for pair in pairs]
    print(f"{codec.name}: likeness to the phone {scores[0]:.3f}, from the phone {scores[1]:.3f}")
    assert min(scores) >= UNDERSTOOD


def test_the_measure_tells_other_sentences_and_speech_that_is_mostly_gone_from_what_was_said() -> None:
    assert likeness(sentences(0), sentences(3)) < UNDERSTOOD - 0.15
    pairs, _ = talked(0.6, 0.03, 1)
    assert max(likeness(*pair) for pair in pairs) < UNDERSTOOD
