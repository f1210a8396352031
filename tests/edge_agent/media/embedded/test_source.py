"""Whose packets are taken."""

from edge_agent.media.embedded.rtp import DropReason, Packet
from edge_agent.media.embedded.source import SourceLock

PHONE = ("192.0.2.10", 4000)
NAT = ("203.0.113.7", 61000)
STRANGER = ("198.51.100.9", 5555)


def packet(sequence: int, ssrc: int = 1) -> Packet:
    return Packet(0, sequence & 0xFFFF, 0, ssrc, b"x")


def test_the_described_source_is_taken_at_its_first_packet() -> None:
    lock = SourceLock(PHONE)
    assert lock.admit(packet(5), PHONE) is True
    assert lock.admit(packet(6), PHONE) is False
    assert lock.locked


def test_another_source_is_taken_after_three_packets_in_sequence_and_sent_to() -> None:
    lock = SourceLock(PHONE)
    assert lock.destination == PHONE
    outcomes = [lock.admit(packet(n), NAT) for n in (0xFFFF, 0, 1)]
    assert outcomes == [DropReason.PROBATION, DropReason.PROBATION, True]
    assert lock.destination == NAT


def test_packets_out_of_sequence_prove_nothing() -> None:
    lock = SourceLock(PHONE)
    assert {lock.admit(packet(n), STRANGER) for n in (1, 5, 9, 2, 4, 8)} == {DropReason.PROBATION}
    assert lock.destination == PHONE


def test_once_learned_nobody_else_is_heard() -> None:
    lock = SourceLock(PHONE)
    lock.admit(packet(1), PHONE)
    assert {lock.admit(packet(n), STRANGER) for n in range(10)} == {DropReason.FOREIGN_SOURCE}
    assert lock.destination == PHONE


def test_a_new_sender_at_the_learned_source_begins_afresh() -> None:
    lock = SourceLock(PHONE)
    lock.admit(packet(1), PHONE)
    assert lock.admit(packet(77, ssrc=2), PHONE) is True
    assert lock.admit(packet(78, ssrc=2), PHONE) is False


def test_a_new_description_with_another_address_begins_to_learn_again() -> None:
    lock = SourceLock(PHONE)
    lock.admit(packet(1), PHONE)
    lock.redescribe(NAT)
    assert lock.destination == NAT
    assert lock.admit(packet(2), PHONE) is DropReason.PROBATION
    assert lock.admit(packet(3), NAT) is True


def test_a_new_description_with_the_same_address_keeps_what_was_learned() -> None:
    lock = SourceLock(PHONE)
    for number in (1, 2, 3):
        lock.admit(packet(number), NAT)
    lock.redescribe(PHONE)
    assert lock.destination == NAT
