"""The lite side of ICE: whose checks are answered, and which path is taken."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.dtls_terms import IceCredentials
from edge_agent.media.embedded import ice_lite, stun
from edge_agent.media.embedded.ice_lite import IceLite
from edge_agent.media.embedded.rtp import DropReason
from edge_agent.media.embedded.stun import Attribute, Message

OURS = IceCredentials("ours", "our-password-of-22-chars")
THEIRS = IceCredentials("them", "their-password-of-22-chars")
CONTROLLING = (int(Attribute.ICE_CONTROLLING), bytes(8))
CHOSEN = (int(Attribute.USE_CANDIDATE), b"")
HERE, THERE = ("192.0.2.10", 4000), ("192.0.2.11", 4001)


def check(
    *more: tuple[int, bytes],
    priority: int = 100,
    username: bytes = b"ours:them",
    password: str = OURS.password,
    kind: int = stun.BINDING_REQUEST,
) -> bytes:
    attributes: Iterable[tuple[int, bytes]] = [
        (Attribute.USERNAME, username),
        (Attribute.PRIORITY, priority.to_bytes(4)),
        *more,
    ]
    return stun.message(kind, bytes(range(12)), attributes, password.encode())


def answered(ice: IceLite, data: bytes, source: tuple[str, int] = HERE, now: float = 0.0) -> Message:
    answer = ice.receive(data, source, now)
    assert isinstance(answer, bytes)
    found = stun.parse(answer)
    assert isinstance(found, Message)
    assert found.genuine(OURS.password.encode())
    return found


def code(answer: Message) -> int:
    said = answer.first(Attribute.ERROR_CODE) or bytes(4)
    return said[2] * 100 + said[3]


def test_a_check_is_answered_with_where_it_came_from_and_its_source_is_known_for_a_while() -> None:
    ice = IceLite(OURS, THEIRS)
    assert not ice.checked(HERE, 0.0)
    answer = answered(ice, check(CONTROLLING))
    assert (answer.kind, answer.transaction) == (stun.BINDING_SUCCESS, bytes(range(12)))
    assert answer.first(Attribute.XOR_MAPPED_ADDRESS) is not None
    assert ice.checked(HERE, ice_lite.CONSENT_SECONDS)
    assert not ice.checked(HERE, ice_lite.CONSENT_SECONDS + 1)
    assert not ice.checked(THERE, 0.0)
    assert ice.chosen is None


@pytest.mark.parametrize(
    "data",
    [
        check(CONTROLLING, password=THEIRS.password),
        check(CONTROLLING, username=b"ours:else"),
        check(CONTROLLING, username=b"them:ours"),
        check(CONTROLLING, username=b""),
        check(CHOSEN, kind=stun.BINDING_SUCCESS),
        check(CHOSEN, kind=0x0011),
        b"",
    ],
)
def test_who_does_not_know_the_password_gets_no_answer_and_nothing_changes(data: bytes) -> None:
    ice = IceLite(OURS, THEIRS)
    assert isinstance(ice.receive(data, HERE, 0.0), DropReason)
    assert not ice.checked(HERE, 0.0)
    assert ice.chosen is None


@given(st.binary(max_size=1600))
def test_any_bytes_get_no_answer(data: bytes) -> None:
    assert isinstance(IceLite(OURS, THEIRS).receive(data, HERE, 0.0), DropReason)


def test_a_peer_that_leaves_control_to_us_is_told_that_it_has_it() -> None:
    ice = IceLite(OURS, THEIRS)
    assert code(answered(ice, check((Attribute.ICE_CONTROLLED, bytes(8)), CHOSEN))) == 487
    assert not ice.checked(HERE, 0.0)


def test_what_must_be_understood_and_is_not_is_refused() -> None:
    ice = IceLite(OURS, THEIRS)
    assert code(answered(ice, check(CONTROLLING, (0x7777, b"")))) == 420
    assert not ice.checked(HERE, 0.0)


def test_of_chosen_paths_the_one_of_highest_priority_is_taken_until_it_is_not_checked_any_more() -> None:
    ice = IceLite(OURS, THEIRS)
    answered(ice, check(CHOSEN, priority=50))
    assert ice.chosen == HERE
    answered(ice, check(CHOSEN, priority=90), THERE)
    assert ice.chosen == THERE
    answered(ice, check(CHOSEN, priority=50), HERE, 1.0)
    assert ice.chosen == THERE
    answered(ice, check(CHOSEN, priority=50), HERE, ice_lite.STALE_SECONDS + 0.1)
    assert ice.chosen == HERE


def test_after_a_restart_only_new_credentials_count_and_the_path_stays_until_another_is_chosen() -> None:
    ice = IceLite(OURS, THEIRS)
    answered(ice, check(CHOSEN, priority=90))
    fresh = IceCredentials("new1", "a-new-password-of-22-chars")
    ice.restart(fresh, IceCredentials("new2", THEIRS.password))
    assert ice.chosen == HERE
    assert ice.receive(check(CHOSEN), THERE, 1.0) is DropReason.NOT_GENUINE
    renewed = check(CHOSEN, priority=10, username=b"new1:new2", password=fresh.password)
    assert isinstance(ice.receive(renewed, THERE, 1.0), bytes)
    assert ice.chosen == THERE


def test_sources_are_bounded_and_the_chosen_one_stays() -> None:
    ice = IceLite(OURS, THEIRS)
    answered(ice, check(CHOSEN))
    for port in range(5000, 5200):
        answered(ice, check(), ("192.0.2.12", port))
    assert len(ice._paths) == ice_lite.MOST_SOURCES
    assert ice.chosen == HERE
    assert ice.checked(HERE, 0.0)
    assert ice.checked(("192.0.2.12", 5199), 0.0)
    assert not ice.checked(("192.0.2.12", 5000), 0.0)
