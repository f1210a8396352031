"""What is counted of a stream, and what both ends tell each other of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded import rtcp
from edge_agent.media.embedded.g711 import encode
from edge_agent.media.embedded.reception import Reception
from edge_agent.media.embedded.reports import INTERVAL_SECONDS, Reports
from edge_agent.media.embedded.rtcp import Block, Compound, Report, SenderInfo
from edge_agent.media.embedded.rtp import DropReason, Packet
from edge_agent.media.embedded.srtp import SrtcpReceiver, SrtcpSender
from edge_agent.media.embedded.stream import AudioStream, Dropped, SendReport
from edge_agent.media.quality import opinion
from edge_agent.media.sdes import SrtpKeys
from edge_agent.media.sdp import AudioPlan, Direction
from tests.support.counted_tokens import CountedTokens

PHONE = ("192.0.2.10", 4000)
PHONE_REPORTS = ("192.0.2.10", 4001)
PLAN = AudioPlan(PHONE, 8, frozenset({8}), 101, Direction.SENDRECV, rtcp=PHONE_REPORTS)
MUXED = AudioPlan(PHONE, 8, frozenset({8}), 101, Direction.SENDRECV, rtcp=PHONE, rtcp_mux=True)
KEY, OTHER = bytes(range(30)), bytes(range(100, 130))
QUIET = encode(8, np.zeros(160, dtype=np.int16))


def packet(number: int, ssrc: int = 5) -> Packet:
    return Packet(8, number & 0xFFFF, 160 * number & 0xFFFFFFFF, ssrc, QUIET)


def arrived(heard: Reception, numbers: list[int], late: float = 0.0) -> None:
    for number in numbers:
        heard.arrived(packet(number), 0.02 * number + (late if number % 2 else 0.0), timed=True)


@given(st.integers(0, 0xFFFF), st.sets(st.integers(1, 199), max_size=60))
def test_what_is_missing_counts_as_lost_also_when_the_numbers_wrap(first: int, missing: set[int]) -> None:
    heard = Reception(8000)
    arrived(heard, [first + number for number in range(201) if number not in missing])
    assert (heard.expected, heard.lost) == (201, len(missing))
    assert heard.lost_share_since_told() == (len(missing) << 8) // 201
    assert heard.lost_share_since_told() == 0


def test_the_jitter_of_packets_that_come_evenly_is_none_and_of_uneven_ones_what_they_differ_by() -> None:
    even, uneven = Reception(8000), Reception(8000)
    arrived(even, list(range(500)))
    arrived(uneven, list(range(500)), late=0.03)
    assert even.jitter_seconds < 0.0005
    assert uneven.jitter_seconds == pytest.approx(0.03, rel=0.01)


def test_a_sender_that_counts_anew_and_a_jump_in_time_leave_what_was_counted_in_order() -> None:
    heard = Reception(8000)
    arrived(heard, list(range(100)))
    heard.arrived(Packet(8, 30_000, 77, 5, QUIET), 2.0, timed=True)
    heard.arrived(Packet(8, 30_001, 3_000_000_077, 5, QUIET), 2.02, timed=True)
    assert (heard.restarts, heard.expected, heard.lost) == (1, 102, 0)
    assert heard.longest_jitter_seconds < 0.0005


def test_the_opinion_falls_with_loss_and_with_delay_and_stays_within_its_scale() -> None:
    assert opinion(0, 20) == pytest.approx(4.40, abs=0.02)
    assert opinion(5, 20) == pytest.approx(4.0, abs=0.15)
    assert opinion(0, 400) < opinion(0, 150) < opinion(0, 20)
    assert 1.0 <= opinion(100, 5000) <= opinion(20, 100) < 3.0


@given(st.floats(0, 100), st.floats(0, 10_000))
def test_any_loss_and_delay_give_an_opinion_of_1_to_4_and_a_half(lost: float, delay: float) -> None:
    assert 1.0 <= opinion(lost, delay) <= 4.5


def test_the_round_trip_is_what_passed_since_our_report_without_the_peers_own_delay() -> None:
    ours = Reports(1, 8000, CountedTokens(), 100.0)
    told = rtcp.parse(ours.datagram(0, 10, 1600, now=100.0))
    assert isinstance(told, Compound)
    assert told.reports[0].sender is not None
    block = Block(1, 64, 12, 30, 80, told.reports[0].sender.clock, int(0.5 * 65536))
    ours.received_compound(Compound((Report(5, None, (block,)),)), 100.58)
    quality = ours.quality(0.06)
    assert quality.round_trip_ms == pytest.approx(80, abs=1)
    assert (quality.peer_lost_percent, quality.peer_jitter_ms) == (25.0, 10.0)
    assert quality.mos is None


@pytest.mark.parametrize("block", [Block(1, 0, 0, 0, 0, 1, 0), Block(2, 0, 0, 0, 0, 100 << 16, 0)])
def test_a_report_that_makes_no_sense_or_is_about_another_tells_no_round_trip(block: Block) -> None:
    ours = Reports(1, 8000, CountedTokens(), 100.0)
    ours.received_compound(Compound((Report(5, None, (block,)),)), 200.0)
    assert ours.quality(0.06).round_trip_ms is None


def test_a_second_engine_hears_the_clock_of_the_first_and_both_know_the_round_trip() -> None:
    one, other = Reports(1, 8000, CountedTokens(), 0.0), Reports(2, 8000, CountedTokens(), 0.0)
    one.new_peer(2)
    other.new_peer(1)
    now = 50.0
    for _ in range(3):
        for sender, receiver in ((one, other), (other, one)):
            compound = rtcp.parse(sender.datagram(0, 10, 1600, now))
            assert isinstance(compound, Compound)
            receiver.received_compound(compound, now + 0.04)
            now += 2.0
    assert one.quality(0.06).round_trip_ms == pytest.approx(80, abs=1)
    assert other.quality(0.06).round_trip_ms == pytest.approx(80, abs=1)


def stream(plan: AudioPlan) -> AudioStream:
    made = AudioStream(CountedTokens(), now=0.0, silence_seconds=30, held_seconds=600)
    made.agree(plan, 0.0)
    return made


def reports_of(made: AudioStream, seconds: float, start: float = 0.0) -> list[SendReport]:
    found = []
    for number in range(int(seconds * 50)):
        found += [action for action in made.tick(start + 0.02 * number) if isinstance(action, SendReport)]
    return found


def test_a_stream_reports_each_few_seconds_and_when_it_ends() -> None:
    made = stream(PLAN)
    for number in range(50):
        if number not in (20, 21):
            made.receive(packet(number).to_bytes(), PHONE, 0.02 * number)
    sent = reports_of(made, 4 * INTERVAL_SECONDS)
    assert len(sent) == 4
    assert {report.to for report in sent} == {PHONE_REPORTS}
    first = rtcp.parse(sent[0].data)
    assert isinstance(first, Compound)
    assert first.reports[0].sender is not None
    assert (first.reports[0].blocks[0].ssrc, first.reports[0].blocks[0].lost) == (5, 2)
    last = made.goodbye(20.0)
    assert last is not None
    ended = rtcp.parse(last.data)
    assert isinstance(ended, Compound)
    assert ended.leaving == {ended.reports[0].ssrc}


def test_reports_with_the_audio_go_to_where_the_audio_goes_and_are_taken_from_there() -> None:
    made = stream(MUXED)
    assert [report.to for report in reports_of(made, 3)] == [PHONE]
    assert made.receive(rtcp.compound(Report(5), b"n"), PHONE, 3.0) is None
    assert stream(PLAN).receive(rtcp.compound(Report(5), b"n"), PHONE, 3.0) == Dropped(DropReason.RTCP)


def test_a_report_of_a_third_host_is_dropped_and_moves_nothing() -> None:
    made = stream(PLAN)
    report = rtcp.compound(Report(5, SenderInfo(1, 2, 3, 4)), b"n")
    assert made.receive_report(report, ("198.51.100.1", 4001), 1.0) == Dropped(DropReason.RTCP_SOURCE)
    assert {sent.to for sent in reports_of(made, 6)} == {PHONE_REPORTS}
    assert made.receive_report(report, ("192.0.2.10", 9999), 6.0) is None
    assert {sent.to for sent in reports_of(made, 8, start=6.0)} == {("192.0.2.10", 9999)}


def test_reports_of_a_secure_stream_are_secure_and_only_genuine_ones_are_taken_once() -> None:
    plan = AudioPlan(PHONE, 8, frozenset({8}), 101, Direction.SENDRECV, SrtpKeys(4, KEY, OTHER), PHONE_REPORTS)
    made = stream(plan)
    data = reports_of(made, 3)[0].data
    opened = SrtcpReceiver(KEY).unprotect(data)
    assert isinstance(opened, bytes)
    assert isinstance(rtcp.parse(opened), Compound)
    theirs = SrtcpSender(OTHER).protect(rtcp.compound(Report(5), b"n"))
    assert made.receive_report(theirs[:-1] + b"\x00", PHONE_REPORTS, 3.0) == Dropped(DropReason.NOT_GENUINE)
    assert made.receive_report(theirs, PHONE_REPORTS, 3.0) is None
    assert made.receive_report(theirs, PHONE_REPORTS, 3.0) == Dropped(DropReason.REPLAYED)
    plain = rtcp.compound(Report(5), b"a longer name")
    assert made.receive_report(plain, PHONE_REPORTS, 3.0) == Dropped(DropReason.NOT_GENUINE)


@given(st.binary(max_size=1600))
def test_any_bytes_as_a_secure_report_give_one_reason(data: bytes) -> None:
    assert isinstance(SrtcpReceiver(KEY).unprotect(data), DropReason)


@given(st.binary(max_size=400).map(lambda tail: b"\x80\xc9\x00\x01" + tail + b"four"))
def test_a_secure_report_that_was_written_is_read_again(data: bytes) -> None:
    sender, receiver = SrtcpSender(KEY), SrtcpReceiver(KEY)
    for _ in range(3):
        assert receiver.unprotect(sender.protect(data)) == data


def test_the_quality_of_a_leg_tells_its_losses_and_an_opinion() -> None:
    made = stream(PLAN)
    for number in range(100):
        if number % 20 != 7:
            made.receive(packet(number).to_bytes(), PHONE, 0.02 * number)
        made.tick(0.02 * number)
    quality = made.quality()
    assert (quality.packets, quality.lost, quality.late) == (95, 5, 0)
    assert quality.mos == pytest.approx(4.0, abs=0.2)
