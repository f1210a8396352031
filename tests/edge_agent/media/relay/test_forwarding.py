"""Which datagrams of a relayed stream go on, whoever sends them."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.relay.forwarding import Forwarding, RelayDrop
from edge_agent.ports import RelayEnd

PHONE, PROVIDER = ("10.0.0.7", 4000), ("192.0.2.50", 6000)
BEHIND_NAT, THIRD = ("203.0.113.9", 40_000), ("203.0.113.66", 4000)


def rtp(sequence: int, ssrc: int = 7, size: int = 160) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, sequence, sequence * 160, ssrc) + bytes(size)


def rtcp() -> bytes:
    return struct.pack("!BBHI", 0x80, 200, 1, 7)


def stream() -> Forwarding:
    return Forwarding(
        RelayEnd(17408, False, PHONE, (PHONE[0], PHONE[1] + 1)),
        RelayEnd(17410, False, PROVIDER, (PROVIDER[0], PROVIDER[1] + 1)),
    )


def test_media_of_each_side_goes_to_where_the_other_said() -> None:
    carried = stream()
    assert carried.pass_on(0, rtp(1), PHONE, control=False, now=0.0) == PROVIDER
    assert carried.pass_on(1, rtp(1), PROVIDER, control=False, now=0.0) == PHONE
    assert carried.pass_on(0, rtcp(), (PHONE[0], 4001), control=True, now=0.0) == (PROVIDER[0], 6001)
    assert carried.packets == [2, 1]
    assert not carried.dropped


def test_a_party_behind_nat_is_learned_after_three_packets_in_sequence_and_answered_there() -> None:
    carried = stream()
    sent = [carried.pass_on(0, rtp(one), BEHIND_NAT, control=False, now=0.0) for one in (10, 11, 12, 13)]
    assert sent == [None, None, PROVIDER, PROVIDER]
    assert carried.pass_on(1, rtp(1), PROVIDER, control=False, now=0.0) == BEHIND_NAT
    assert carried.pass_on(0, rtcp(), (BEHIND_NAT[0], 50_001), control=True, now=0.0) == (PROVIDER[0], 6001)
    assert carried.pass_on(1, rtcp(), (PROVIDER[0], 6001), control=True, now=0.0) == (BEHIND_NAT[0], 50_001)


def test_a_third_address_neither_is_heard_nor_draws_media_to_itself() -> None:
    carried = stream()
    carried.pass_on(0, rtp(1), PHONE, control=False, now=0.0)
    for sequence in range(2, 200):
        assert carried.pass_on(0, rtp(sequence, ssrc=8), THIRD, control=False, now=0.0) is None
        assert carried.pass_on(0, rtcp(), THIRD, control=True, now=0.0) is None
    assert carried.pass_on(1, rtp(1), PROVIDER, control=False, now=0.0) == PHONE
    assert carried.dropped == {RelayDrop.FOREIGN_SOURCE: 2 * 198}


def test_a_nat_that_gives_another_address_in_the_midst_of_a_stream_is_followed() -> None:
    carried = stream()
    carried.pass_on(0, rtp(65_530), PHONE, control=False, now=0.0)
    assert carried.pass_on(0, rtp(2), BEHIND_NAT, control=False, now=0.0) == PROVIDER
    assert carried.pass_on(1, rtp(1), PROVIDER, control=False, now=0.0) == BEHIND_NAT
    assert carried.pass_on(0, rtcp(), (BEHIND_NAT[0], 50_001), control=True, now=0.0) == (PROVIDER[0], 6001)


def test_who_only_repeats_a_stream_or_is_far_ahead_of_it_is_nobody() -> None:
    carried = stream()
    carried.pass_on(0, rtp(100), PHONE, control=False, now=0.0)
    for sequence in (100, 99, 700):
        assert carried.pass_on(0, rtp(sequence), THIRD, control=False, now=0.0) is None
    assert carried.pass_on(1, rtp(1), PROVIDER, control=False, now=0.0) == PHONE


def test_packets_out_of_sequence_or_of_many_senders_prove_nobody() -> None:
    carried = stream()
    for one in range(50):
        assert carried.pass_on(0, rtp(one * 3), THIRD, control=False, now=0.0) is None
        assert carried.pass_on(0, rtp(one, ssrc=one), THIRD, control=False, now=0.0) is None
        assert carried.pass_on(0, rtcp(), THIRD, control=False, now=0.0) is None
    assert carried.pass_on(1, rtp(1), PROVIDER, control=False, now=0.0) == PHONE


def test_a_new_description_is_followed_and_the_same_one_again_changes_nothing() -> None:
    carried = stream()
    for one in range(3):
        carried.pass_on(0, rtp(one), BEHIND_NAT, control=False, now=0.0)
    same = RelayEnd(17408, False, PHONE, (PHONE[0], PHONE[1] + 1))
    carried.parties[0].redescribe(same)
    assert carried.parties[0].destination == BEHIND_NAT
    carried.parties[0].redescribe(RelayEnd(17408, False, ("10.0.0.8", 5000), ("10.0.0.8", 5001)))
    assert carried.pass_on(1, rtp(1), PROVIDER, control=False, now=0.0) == ("10.0.0.8", 5000)
    assert carried.pass_on(0, rtp(1), ("10.0.0.8", 5000), control=False, now=0.0) == PROVIDER


def test_sizes_are_bounded_and_large_video_and_encrypted_padding_pass() -> None:
    carried = stream()
    assert carried.pass_on(0, rtp(1, size=1400), PHONE, control=False, now=0.0) == PROVIDER
    padded = bytes([0xA0]) + rtp(2)[1:-1] + b"\xff"
    assert carried.pass_on(0, padded, PHONE, control=False, now=0.0) == PROVIDER
    assert carried.pass_on(0, rtp(3, size=1600), PHONE, control=False, now=0.0) is None
    assert carried.dropped == {RelayDrop.TOO_LONG: 1}


def test_the_keys_of_dtls_pass_before_there_is_any_rtp_from_the_described_address_only() -> None:
    carried = stream()
    hello = bytes([22]) + bytes(60)
    assert carried.pass_on(0, hello, PHONE, control=False, now=0.0) == PROVIDER
    assert carried.pass_on(0, hello, THIRD, control=False, now=0.0) is None


def test_who_receives_nothing_is_sent_nothing() -> None:
    carried = Forwarding(RelayEnd(17408, False, PHONE, PHONE), RelayEnd(17410))
    assert carried.pass_on(0, rtp(1), PHONE, control=False, now=0.0) is None
    assert carried.dropped == {RelayDrop.NOWHERE: 1}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.one_of(st.binary(max_size=1600), st.builds(rtp, st.integers(0, 5), st.integers(0, 2))),
            st.sampled_from([PHONE, PROVIDER, BEHIND_NAT, THIRD]),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_every_datagram_is_passed_on_or_counted(sent: list[tuple[int, bytes, tuple[str, int], bool]]) -> None:
    carried = stream()
    for which, data, source, control in sent:
        carried.pass_on(which, data, source, control=control, now=0.0)
    assert sum(carried.packets) + carried.dropped.total() == len(sent)
