"""Digits out of telephone events."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.embedded.digits import DIGITS, DigitReader
from edge_agent.media.embedded.rtp import DropReason, Packet


def event(digit: int, timestamp: int, duration: int = 160, end: bool = False, marker: bool = False) -> Packet:
    payload = bytes([digit, 0x80 if end else 0]) + duration.to_bytes(2)
    return Packet(101, 0, timestamp % (1 << 32), 1, payload, marker)


def read(packets: list[Packet]) -> str:
    reader = DigitReader()
    return "".join(found for packet in packets if isinstance(found := reader.receive(packet), str))


@given(st.lists(st.integers(0, 15), max_size=10), st.integers(0, 0xFFFFFFFF), st.data())
def test_each_key_is_one_digit_whichever_of_its_packets_arrive(
    keys: list[int], start: int, data: st.DataObject
) -> None:
    packets = []
    for number, key in enumerate(keys):
        at = start + 1600 * number
        sent = [event(key, at, 160 * n, end=n > 5, marker=n == 1) for n in range(1, 9)]
        arrived = data.draw(st.sets(st.integers(0, 7), min_size=1))
        packets += [sent[n] for n in sorted(arrived)]
    assert read(packets) == "".join(DIGITS[key] for key in keys)


def test_the_same_key_twice_is_two_digits() -> None:
    assert read([event(5, 0), event(5, 0, end=True), event(5, 2000), event(5, 2000, end=True)]) == "55"


def test_a_packet_of_an_earlier_key_that_comes_late_is_no_digit() -> None:
    assert read([event(1, 0), event(2, 2000), event(1, 0, end=True)]) == "12"


def test_a_key_held_beyond_the_longest_duration_stays_one_digit() -> None:
    assert read([event(9, 0, 0xFFFF, marker=True), event(9, 0xFFFF, 160), event(9, 0xFFFF, 320, end=True)]) == "9"


def test_events_that_are_no_digits_are_not_reported() -> None:
    assert read([event(32, 0), event(16, 5000)]) == ""


def test_a_short_event_is_dropped_by_name() -> None:
    assert DigitReader().receive(Packet(101, 0, 0, 1, b"\x01\x00\x00")) is DropReason.BAD_EVENT
