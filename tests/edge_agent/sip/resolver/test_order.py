"""The order in which hops are tried, and the memory of dead ones (RFC 2782, RFC 3263 §4)."""

import random

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.resolver import Hop, Naptr, Srv
from edge_agent.sip.resolver.dead_hops import FIRST_SECONDS, LONGEST_SECONDS, REMEMBERED, DeadHops
from edge_agent.sip.resolver.hops import in_srv_order, usable_naptr

servers = st.builds(Srv, st.integers(0, 3), st.integers(0, 65_535), st.just(5060), st.sampled_from(["a.", "b.", "c."]))


@given(st.lists(servers, max_size=8), st.randoms(use_true_random=False))
def test_every_server_is_tried_once_lowest_priority_first(records: list[Srv], dice: random.Random) -> None:
    ordered = in_srv_order(records, dice.random)
    assert sorted(ordered, key=repr) == sorted(records, key=repr)
    assert [one.priority for one in ordered] == sorted(one.priority for one in records)


def test_servers_of_one_priority_are_drawn_by_weight_as_rfc_2782_has_it() -> None:
    records = [Srv(1, 0, 5060, "never."), Srv(1, 10, 5060, "seldom."), Srv(1, 90, 5060, "often.")]
    dice = random.Random(7)
    first = [in_srv_order(records, dice.random)[0].target for _ in range(2_000)]
    assert 1_650 < first.count("often.") < 1_900
    assert 120 < first.count("seldom.") < 300
    assert first.count("never.") < 60


def test_a_single_root_target_says_that_there_is_no_such_service() -> None:
    assert in_srv_order([Srv(0, 0, 0, ".")], lambda: 0.0) == []


def test_naptr_records_are_taken_by_order_then_preference_and_only_what_we_speak() -> None:
    records = [
        Naptr(20, 1, "s", "SIP+D2U", "u.test"),
        Naptr(10, 2, "S", "SIPS+D2T", "s.test"),
        Naptr(10, 1, "s", "sip+d2t", "t.test"),
        Naptr(5, 1, "s", "SIP+D2S", "sctp.test"),
        Naptr(5, 1, "u", "SIP+D2U", "a-terminal-rule.test"),
    ]
    assert usable_naptr(records, ("udp", "tcp", "tls")) == [("tcp", "t.test"), ("tls", "s.test"), ("udp", "u.test")]
    assert usable_naptr(records, ("tls",)) == [("tls", "s.test")]


def hop(number: int) -> Hop:
    return Hop("udp", f"192.0.2.{number % 256}", 5060 + number // 256, "x.test")


def test_a_hop_that_says_for_how_long_comes_last_for_that_time_but_for_no_more_than_ten_minutes() -> None:
    dead, first = DeadHops(), hop(1)
    for wished, seconds in ((7.0, 7.0), (86_400.0, LONGEST_SECONDS)):
        dead.failed(first, 100.0, wished)
        assert not dead.is_dead(first, 100.0 + seconds)
        assert dead.is_dead(first, 100.0 + seconds - 0.1)
    dead.failed(first, 100.0, 0.0)
    assert not dead.is_dead(first, 100.0)
    # What it wished says nothing about how long it is away when it falls silent.
    dead.failed(first, 200.0)
    assert dead.is_dead(first, 200.0 + FIRST_SECONDS - 0.1)
    assert not dead.is_dead(first, 200.0 + FIRST_SECONDS)


def test_a_dead_hop_comes_last_for_a_time_that_doubles_until_it_answers() -> None:
    dead, first, second = DeadHops(), hop(1), hop(2)
    now, seconds = 0.0, FIRST_SECONDS
    for _ in range(8):
        dead.failed(first, now)
        dead.failed(first, now)  # the same failure, seen twice
        assert dead.living_first([first, second], now + seconds - 1) == [second, first]
        now += seconds
        assert dead.living_first([first, second], now) == [first, second]
        seconds = min(2 * seconds, LONGEST_SECONDS)
    dead.answered(first)
    dead.failed(first, now)
    assert not dead.is_dead(first, now + FIRST_SECONDS)


def test_the_memory_of_dead_hops_is_bounded() -> None:
    dead = DeadHops()
    for number in range(REMEMBERED + 5):
        dead.failed(hop(number), 0.0)
    assert len(dead) == REMEMBERED
    assert not dead.is_dead(hop(0), 1.0)
    assert dead.is_dead(hop(REMEMBERED), 1.0)
