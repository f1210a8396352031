"""One transfer over a network that loses, repeats and reorders; no sockets and no clock."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.provisioning.serve.tftp import packet
from edge_agent.provisioning.serve.tftp.options import Terms, negotiate
from edge_agent.provisioning.serve.tftp.packet import ErrorCode, acknowledgement
from edge_agent.provisioning.serve.tftp.transfer import MAX_RETRIES, Action, End, Ended, Send, Transfer, to_netascii

PEER = ("192.0.2.50", 40000)


def sent(actions: list[Action]) -> list[packet.Packet]:
    return [packet.parse(action.data) for action in actions if isinstance(action, Send)]


def ack(transfer: Transfer, block: int, now: float = 0.0) -> list[Action]:
    return transfer.receive(acknowledgement(block), now)


def test_a_small_file_is_one_block_and_its_acknowledgement_ends_it() -> None:
    transfer = Transfer(b"abc", Terms())
    assert sent(transfer.start(0.0)) == [packet.Data(1, b"abc")]
    assert ack(transfer, 1) == [Ended(End.COMPLETE)]
    assert transfer.deadline is None


@pytest.mark.parametrize(("size", "sizes"), [(0, [0]), (511, [511]), (512, [512, 0]), (513, [512, 1])])
def test_the_last_block_is_never_full_even_when_it_is_empty(size: int, sizes: list[int]) -> None:
    transfer = Transfer(b"x" * size, Terms())
    found, actions = [], transfer.start(0.0)
    while packets := sent(actions):
        (data,) = packets
        assert isinstance(data, packet.Data)
        found.append(len(data.payload))
        actions = ack(transfer, data.block)
    assert found == sizes
    assert actions == [Ended(End.COMPLETE)]


def test_options_are_acknowledged_first_and_block_0_starts_the_data() -> None:
    transfer = Transfer(b"x" * 20, negotiate({"blksize": "16", "tsize": "0"}, 20))
    assert sent(transfer.start(0.0)) == [packet.OptionAcknowledgement({"blksize": "16", "tsize": "20"})]
    assert sent(ack(transfer, 0)) == [packet.Data(1, b"x" * 16)]
    assert sent(ack(transfer, 1)) == [packet.Data(2, b"x" * 4)]
    assert ack(transfer, 2) == [Ended(End.COMPLETE)]


def test_what_is_not_acknowledged_is_sent_again_and_given_up_after_five_attempts() -> None:
    transfer = Transfer(b"abc", Terms())
    transfer.start(0.0)
    times = []
    while (deadline := transfer.deadline) is not None:
        times.append(deadline)
        assert transfer.advance(deadline - 0.001) == []
        last = transfer.advance(deadline)
    assert times == [1.0, 3.0, 7.0, 15.0, 23.0, 31.0]
    assert len(times) == MAX_RETRIES + 1
    assert last == [Ended(End.TIMED_OUT)]


def test_the_time_out_is_the_one_that_the_client_asked_for() -> None:
    transfer = Transfer(b"abc", negotiate({"timeout": "9"}, 3))
    transfer.start(5.0)
    assert transfer.deadline == 14.0


def test_an_old_acknowledgement_is_not_answered_so_that_nothing_is_doubled() -> None:
    transfer = Transfer(b"x" * 2000, Terms())
    transfer.start(0.0)
    assert sent(ack(transfer, 1)) == [packet.Data(2, b"x" * 512)]
    assert ack(transfer, 1) == []
    assert ack(transfer, 0) == []
    assert ack(transfer, 7) == []


def test_a_window_goes_out_at_once_and_continues_after_the_block_that_arrived_last() -> None:
    transfer = Transfer(b"x" * 5000, negotiate({"windowsize": "4"}, 5000))
    transfer.start(0.0)

    def blocks(actions: list[Action]) -> list[int]:
        return [each.block for each in sent(actions) if isinstance(each, packet.Data)]

    assert blocks(ack(transfer, 0)) == [1, 2, 3, 4]
    assert blocks(ack(transfer, 2)) == [3, 4, 5, 6]
    assert blocks(transfer.advance(transfer.deadline or 0.0)) == [3, 4, 5, 6]
    assert blocks(ack(transfer, 6)) == [7, 8, 9, 10]
    assert ack(transfer, 10) == [Ended(End.COMPLETE)]


def test_the_block_number_begins_again_at_zero_after_65535() -> None:
    body = bytes(range(256)) * 2100
    transfer = Transfer(body, negotiate({"blksize": "8"}, len(body)))
    received, actions = bytearray(), transfer.start(0.0)
    actions = ack(transfer, 0)
    while packets := sent(actions):
        (data,) = packets
        assert isinstance(data, packet.Data)
        received += data.payload
        actions = ack(transfer, data.block)
    assert len(body) // 8 > 65536
    assert received == body
    assert actions == [Ended(End.COMPLETE)]


def test_an_error_from_the_client_ends_it_without_an_answer() -> None:
    transfer = Transfer(b"x", Terms())
    transfer.start(0.0)
    assert transfer.receive(packet.error_packet(ErrorCode.DISK_FULL, ""), 0.0) == [Ended(End.PEER_ERROR)]
    assert transfer.receive(acknowledgement(1), 0.0) == []
    assert transfer.advance(100.0) == []


@pytest.mark.parametrize("data", [b"", b"\0\x09xx", packet.request("a", "octet"), packet.data_packet(1, b"x")])
def test_what_is_no_acknowledgement_is_answered_with_illegal_operation_and_ends_it(data: bytes) -> None:
    transfer = Transfer(b"x", Terms())
    transfer.start(0.0)
    actions = transfer.receive(data, 0.0)
    (error,) = sent(actions)
    assert isinstance(error, packet.ErrorPacket)
    assert error.code == ErrorCode.ILLEGAL_OPERATION
    assert actions[-1] == Ended(End.BAD_PACKET)


@settings(max_examples=150)
@given(
    st.binary(max_size=300),
    st.fixed_dictionaries(
        {}, optional={"blksize": st.sampled_from(["8", "16", "100"]), "windowsize": st.sampled_from(["1", "3", "16"])}
    ),
    st.integers(0, 2**32),
)
def test_over_a_network_that_loses_repeats_and_reorders_the_file_arrives_whole_or_the_transfer_ends(
    body: bytes, options: dict[str, str], seed: int
) -> None:
    terms = negotiate(options, len(body))
    transfer = Transfer(body, terms)
    outcome, received = run_over(transfer, random.Random(seed).random)
    if outcome is End.COMPLETE:
        assert received == body
    else:
        assert outcome is End.TIMED_OUT


def run_over(transfer: Transfer, choose: Callable[[], float]) -> tuple[End | None, bytes]:
    """A client as RFC 7440 asks for, over a network whose luck `choose` decides."""
    now, received, expected = 0.0, bytearray(), 1
    flying = sent(transfer.start(now))
    for _ in range(3000):
        if flying and choose() < 0.8:
            found = flying.pop(0 if choose() < 0.9 else -1)
            if choose() < 0.15:
                flying.append(found)
            if choose() < 0.15:
                continue
            answer = expected - 1
            if isinstance(found, packet.Data) and found.block == expected % 65536:
                received += found.payload
                answer = expected
                expected += 1
            elif isinstance(found, packet.OptionAcknowledgement):
                answer = 0 if expected == 1 else expected - 1
            if choose() < 0.15:
                continue
            actions = transfer.receive(acknowledgement(answer), now)
        else:
            deadline = transfer.deadline
            assert deadline is not None
            now = deadline
            actions = transfer.advance(now)
        for action in actions:
            if isinstance(action, Ended):
                return action.how, bytes(received)
        flying += sent(actions)
    return None, bytes(received)


def test_netascii_ends_lines_with_cr_lf_and_marks_a_bare_cr() -> None:
    assert to_netascii(b"a\nb\r\nc\rd") == b"a\r\nb\r\nc\r\0d"
