"""What somebody who means harm can do with RTP: everything is counted by its reason, and nothing grows."""

import asyncio
import random
import socket
import time
import tracemalloc

import numpy as np
import pytest

from edge_agent.media.embedded.engine import EngineSettings
from edge_agent.media.embedded.g711 import encode
from edge_agent.media.embedded.rtp import DropReason, Packet
from edge_agent.media.embedded.session import SessionLimits
from edge_agent.media.embedded.stream import AudioStream, Dropped, Send, WentSilent
from edge_agent.media.happenings import MOST_WAITING_EVENTS
from edge_agent.media.sdp import AudioPlan, Direction
from edge_agent.processes.media import MediaProcess, MediaProcessSettings, build_media_process
from tests.support.counted_tokens import CountedTokens
from tests.support.media_caller import MediaCaller
from tests.support.voice_sounds import speech
from tests.support.waiting import eventually_async

PHONE, THIRD = ("192.0.2.10", 4000), ("198.51.100.66", 4000)
PLAN = AudioPlan(PHONE, 0, frozenset({0}), 101, Direction.SENDRECV)
TALK = speech(6.0)


def stream() -> AudioStream:
    made = AudioStream(CountedTokens(), now=0.0, silence_seconds=30, held_seconds=600)
    made.agree(PLAN, 0.0)
    return made


def spoken(number: int, ssrc: int = 5, sequence: int = 0, timestamp: int = 0) -> bytes:
    frame = TALK[160 * (number % 300) :][:160]
    stamp = 160 * number + timestamp & 0xFFFFFFFF
    return Packet(0, number + sequence & 0xFFFF, stamp, ssrc, encode(0, frame)).to_bytes()


def loudness(frames: list[np.ndarray[tuple[int, ...], np.dtype[np.int16]]]) -> float:
    return float(np.sqrt(np.mean(np.concatenate(frames).astype(np.float64) ** 2)))


def test_packets_from_a_third_address_are_dropped_and_the_caller_is_heard_on() -> None:
    made = stream()
    heard: list[np.ndarray[tuple[int, ...], np.dtype[np.int16]]] = []
    made.hearer = heard.append
    drops = 0
    for number in range(100):
        assert made.receive(spoken(number), PHONE, 0.02 * number) is None
        for forged in range(5):
            told = made.receive(spoken(number + forged, ssrc=5), THIRD, 0.02 * number)
            drops += told == Dropped(DropReason.FOREIGN_SOURCE)
        assert {action.to for action in made.tick(0.02 * number) if isinstance(action, Send)} == {PHONE}
    assert drops == 500
    assert (made.packets_received, made.quality().lost) == (100, 0)
    assert loudness(heard[5:]) > 500


def test_a_caller_that_changes_its_ssrc_or_jumps_in_time_is_heard_on_within_a_tenth_of_a_second() -> None:
    made = stream()
    heard: list[np.ndarray[tuple[int, ...], np.dtype[np.int16]]] = []
    made.hearer = heard.append
    for number in range(250):
        ssrc = 5 if number < 50 else 6
        timestamp = 0 if number < 100 else 1_000_000 if number < 150 else 3_000_000_000
        sequence = 0 if number < 200 else 30_000
        assert not isinstance(made.receive(spoken(number, ssrc, sequence, timestamp), PHONE, 0.02 * number), Dropped)
        made.tick(0.02 * number)
    for begin in (5, 55, 105, 155, 205):
        assert loudness(heard[begin : begin + 40]) > 500
    quality = made.quality()
    assert (quality.packets, quality.lost) == (250, 0)
    assert quality.longest_jitter_ms < 5


def test_ssrcs_that_alternate_in_each_packet_cost_nothing_that_grows() -> None:
    made = stream()
    for number in range(500):
        made.receive(spoken(number, ssrc=number), PHONE, 0.02 * number)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(500, 5500):
            made.receive(spoken(number, ssrc=number), PHONE, 0.02 * number)
            made.tick(0.02 * number)
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
    finally:
        tracemalloc.stop()


def test_any_bytes_are_dropped_by_a_reason_in_microseconds_and_leave_nothing_behind() -> None:
    made, chance = stream(), random.Random(6)
    hostile = [chance.randbytes(chance.choice((0, 1, 11, 12, 40, 172, 1499, 1500, 2048))) for _ in range(4000)]
    hostile += [spoken(1)[:-1] + bytes(3000), b"\x80\xc8" + bytes(50), bytes((0x90, 0)) + bytes(10) + b"\xff" * 4]
    made.receive(spoken(0), PHONE, 0.0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    began = time.process_time()
    reasons = set()
    for data in hostile:
        for told in (made.receive(data, PHONE, 0.1), made.receive_report(data, (PHONE[0], 4001), 0.1)):
            if isinstance(told, Dropped):
                reasons.add(told.reason)
    cost = time.process_time() - began
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert {DropReason.TOO_SHORT, DropReason.TOO_LONG, DropReason.BAD_VERSION, DropReason.BAD_RTCP} <= reasons
    assert grown < 200_000
    assert cost / len(hostile) < 0.001


def test_a_caller_who_never_says_anything_is_hung_up_on_after_the_silence_that_is_allowed() -> None:
    made = stream()
    ends = [number for number in range(2000) if any(isinstance(a, WentSilent) for a in made.tick(0.02 * number))]
    assert ends[0] == pytest.approx(1500, abs=2)


def settings(longest_seconds: float = 3600.0, silence_seconds: float = 60.0) -> MediaProcessSettings:
    limits = SessionLimits(silence_seconds=silence_seconds, longest_seconds=longest_seconds)
    return MediaProcessSettings(engine=EngineSettings("127.0.0.1", 20_000, 39_999, limits=limits))


async def with_echo(made: MediaProcess, caller: MediaCaller) -> None:
    assert await caller.invite() == 200
    caller.start_sending(lambda number: encode(0, TALK[160 * (number % 300) :][:160]))


async def test_a_caller_who_never_hangs_up_is_hung_up_on_after_the_longest_call() -> None:
    made = await build_media_process(settings(longest_seconds=1.0))
    async with MediaCaller(made.sip_port) as caller:
        await with_echo(made, caller)
        await eventually_async(lambda: made.engine.sessions == 0)
    await made.close()


async def test_a_flood_of_keys_keeps_what_an_application_can_ask_for_and_a_flood_of_forgeries_leaves_the_call() -> None:
    made = await build_media_process(settings())
    async with MediaCaller(made.sip_port) as caller:
        await with_echo(made, caller)
        await eventually_async(lambda: made.engine.sessions == 1 and len(caller.heard.payloads) > 5)
        (session,) = made.engine._sessions
        target = session.rtp.getsockname()
        before = session.stream.packets_received
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as third:
            third.bind(("127.0.0.1", 0))
            # At full speed, so the socket's queue overflows between two looks: until enough of each has been counted.
            for number in range(200_000):
                third.sendto(spoken(number, ssrc=99), target)
                third.sendto(b"\x80" * 1800, target)
                caller.send_packet(101, 40_000 + number & 0xFFFF, 1600 * number, bytes((number % 12, 0, 0, 160)))
                if number % 20 == 0:
                    await asyncio.sleep(0)
                    counted = made.engine.drops
                    if number >= 1500 and min(counted["foreign_source"], counted["too_long"]) > 500:
                        break
        assert made.engine.drops["foreign_source"] > 500
        assert made.engine.drops["too_long"] > 500
        await eventually_async(lambda: session.stream.packets_received > before + 100)
        assert len(session._happenings._events) <= MOST_WAITING_EVENTS
        heard = len(caller.heard.payloads)
        await eventually_async(lambda: len(caller.heard.payloads) > heard + 25)
        assert caller.heard.sources == {("127.0.0.1", target[1])}
        assert await caller.bye() == 200
    await made.close()
