"""A path that is keyed by DTLS: who gets an answer on it, and what it comes to."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.media.dtls_terms import DtlsAnswer, DtlsOffer, DtlsTerms, IceCredentials
from edge_agent.media.embedded import secure_path
from edge_agent.media.embedded.dtls import DtlsAssociation
from edge_agent.media.embedded.rtp import DropReason
from edge_agent.media.embedded.secure_path import Media, Outgoing, SecurePath, Unused
from edge_agent.media.embedded.source import Address
from tests.edge_agent.media.embedded.test_dtls import OURS, THEIRS, client
from tests.edge_agent.media.embedded.test_ice_lite import CHOSEN, CONTROLLING, check
from tests.support.counted_tokens import CountedTokens

PHONE, ELSEWHERE = ("192.0.2.10", 4000), ("203.0.113.5", 4000)
MEDIA = b"\x80" + bytes(40)
LOCAL_ICE = IceCredentials("ours", "our-password-of-22-chars")
REMOTE_ICE = IceCredentials("them", "their-password-of-22-chars")


def terms(ice: bool = False, active: bool = False) -> DtlsTerms:
    theirs = DtlsOffer((THEIRS.fingerprint,), "actpass", ice=REMOTE_ICE if ice else None)
    return DtlsTerms(theirs, DtlsAnswer(OURS.fingerprint, active, "", LOCAL_ICE))


def path(ice: bool = False, active: bool = False, described: Address | None = PHONE) -> SecurePath:
    made = SecurePath(OURS, CountedTokens())
    made.agree(terms(ice, active), None if ice else described)
    return made


def handshake(made: SecurePath, peer: DtlsAssociation, source: Address, now: float = 0.0) -> list[Address]:
    """The peer begins and goes on to the end; where everything went."""
    went, flight = [], peer.begin()
    while flight:
        answers: list[bytes] = []
        for data in flight:
            found = made.receive(data, source, now)
            if isinstance(found, Outgoing):
                went += [found.to] * len(found.datagrams)
                answers += found.datagrams
        flight = [data for answer in answers for data in peer.receive(answer)]
    return went


def reasons(found: Sequence[Outgoing | Media | Unused]) -> set[DropReason]:
    return {each.reason for each in found if isinstance(each, Unused)}


def test_a_phone_without_ice_is_secured_where_it_sends_from_also_behind_a_nat() -> None:
    for source in (PHONE, ELSEWHERE):
        made, peer = path(), client()
        assert made.receive(MEDIA, source, 0.0) == Unused(DropReason.NOT_EXPECTED)
        assert set(handshake(made, peer, source)) == {source}
        assert peer.keys is not None
        assert made.secured is not None
        assert (made.secured.remote, made.secured.keys.theirs) == (source, peer.keys.ours)
        assert made.receive(MEDIA, source, 0.0) == Media()


def test_without_ice_a_check_is_not_answered() -> None:
    assert path().receive(check(CHOSEN), PHONE, 0.0) == Unused(DropReason.NOT_EXPECTED)


def test_under_ice_nobody_gets_anything_before_a_check_has_shown_whose_address_it_is() -> None:
    made, peer = path(ice=True), client()
    assert handshake(made, peer, PHONE) == []
    assert made.receive(MEDIA, PHONE, 0.0) == Unused(DropReason.UNCHECKED)
    assert made.receive(check(CONTROLLING, password="x" * 22), PHONE, 0.0) == Unused(DropReason.NOT_GENUINE)
    assert isinstance(made.receive(check(CONTROLLING), PHONE, 0.0), Outgoing)
    peer = client()
    assert set(handshake(made, peer, PHONE)) == {PHONE}
    assert peer.keys is not None
    assert made.secured is None  # no path has been chosen
    made.receive(check(CHOSEN), PHONE, 0.0)
    assert made.secured is not None
    assert made.secured.remote == PHONE
    assert made.receive(MEDIA, PHONE, 0.0) == Media()
    assert made.receive(MEDIA, ELSEWHERE, 0.0) == Unused(DropReason.UNCHECKED)


def test_under_ice_the_peer_moves_to_another_path_with_the_same_keys() -> None:
    made = path(ice=True)
    made.receive(check(CHOSEN), PHONE, 0.0)
    handshake(made, client(), PHONE)
    before = made.secured
    made.receive(check(CHOSEN, priority=1000), ELSEWHERE, 1.0)
    assert before is not None
    assert made.secured == replace(before, remote=ELSEWHERE)


def test_we_begin_where_the_peer_wants_to_wait_and_only_after_it_has_our_answer() -> None:
    made = path(active=True)
    peer = DtlsAssociation(THEIRS, False, (OURS.fingerprint,))
    assert made.tick(0.0) is None
    made.start()
    first = made.tick(0.02)
    assert first is not None
    assert first.to == PHONE
    flight = [data for datagram in first.datagrams for data in peer.receive(datagram)]
    while flight:
        found = [made.receive(data, PHONE, 0.1) for data in flight]
        flight = [
            data
            for each in found
            if isinstance(each, Outgoing)
            for datagram in each.datagrams
            for data in peer.receive(datagram)
        ]
    assert peer.keys is not None
    assert made.secured is not None
    assert made.secured.keys.ours == peer.keys.theirs
    assert made.tick(1.0) is None


def test_the_described_address_comes_before_a_stranger_who_came_first_but_not_after_the_phone_behind_a_nat() -> None:
    made, stranger = path(), client()
    for data in stranger.begin():
        assert isinstance(made.receive(data, ELSEWHERE, 0.0), Outgoing)
    handshake(made, client(), PHONE)
    assert made.secured is not None
    assert made.secured.remote == PHONE
    assert reasons([made.receive(data, ELSEWHERE, 1.0) for data in client().begin()]) == {DropReason.FOREIGN_SOURCE}

    behind = path()
    handshake(behind, client(), ELSEWHERE)
    assert reasons([behind.receive(data, PHONE, 1.0) for data in client().begin()]) == {DropReason.FOREIGN_SOURCE}


def test_handshakes_without_end_give_way_and_are_bounded_and_leave_the_described_address_its_own() -> None:
    made, now = path(), 0.0
    for number in range(secure_path.MOST_HANDSHAKES):
        (hello,) = client().begin()
        assert isinstance(made.receive(hello, ("203.0.113.7", 5000 + number), now), Outgoing)
        assert made.receive(hello, ("203.0.113.8", 5000), now) == Unused(DropReason.FOREIGN_SOURCE)
        now += secure_path.HANDSHAKE_SECONDS + 1
    (hello,) = client().begin()
    assert made.receive(hello, ELSEWHERE, now) == Unused(DropReason.TOO_MANY_HANDSHAKES)
    assert "10 s" in made.failure
    handshake(made, client(), PHONE, now)
    assert made.secured is not None


def test_a_peer_with_another_certificate_is_never_secured_and_the_reason_is_told() -> None:
    made = SecurePath(OURS, CountedTokens())
    wrong = terms()
    made.agree(replace(wrong, theirs=replace(wrong.theirs, fingerprints=(OURS.fingerprint,))), PHONE)
    handshake(made, client(), PHONE)
    assert made.secured is None
    assert made.receive(MEDIA, PHONE, 0.0) == Unused(DropReason.NOT_EXPECTED)
    made.tick(0.1)
    assert "fingerprint" in made.failure


def test_the_same_terms_go_on_and_another_certificate_role_or_address_begin_anew() -> None:
    made = path()
    handshake(made, client(), PHONE)
    before = made.secured
    made.agree(terms(), PHONE)
    made.agree(terms(), None)  # on hold in the manner of RFC 2543
    made.agree(terms(), PHONE)
    assert made.secured == before
    made.agree(terms(), ELSEWHERE)
    assert made.secured is None
    handshake(made, client(), ELSEWHERE)
    assert made.secured is not None
    again = terms()
    made.agree(replace(again, theirs=replace(again.theirs, tls_id="x" * 20)), ELSEWHERE)
    assert made.secured is None


def test_after_a_restart_of_ice_the_keys_stay() -> None:
    made = path(ice=True)
    made.receive(check(CHOSEN), PHONE, 0.0)
    handshake(made, client(), PHONE)
    before, again = made.secured, terms(ice=True)
    fresh = IceCredentials("new1", "a-new-password-of-22-chars"), IceCredentials("new2", REMOTE_ICE.password)
    made.agree(DtlsTerms(replace(again.theirs, ice=fresh[1]), replace(again.ours, ice=fresh[0])), None)
    assert made.secured == before
    renewed = check(CHOSEN, username=b"new1:new2", password=fresh[0].password)
    made.receive(renewed, ELSEWHERE, 1.0)
    assert made.secured is not None
    assert made.secured.remote == ELSEWHERE


@settings(deadline=None)
@given(st.booleans(), st.booleans(), st.lists(st.tuples(st.binary(max_size=1600), st.booleans()), max_size=10))
def test_any_datagrams_are_unused_or_get_no_more_than_an_alert(
    ice: bool, active: bool, datagrams: list[tuple[bytes, bool]]
) -> None:
    made = path(ice, active)
    for data, known in datagrams:
        found = made.receive(data, PHONE if known else ELSEWHERE, 0.0)
        assert not isinstance(found, Media)
        if isinstance(found, Outgoing):
            assert sum(map(len, found.datagrams)) <= max(40, len(data))
    assert made.secured is None


def test_hellos_from_forged_addresses_get_less_than_they_bring_and_do_not_disturb_a_call() -> None:
    made, now, brought, got = path(), 0.0, 0, 0
    (hello,) = client().begin()
    for number in range(600):
        found = made.receive(hello, ("203.0.113.9", 2000 + number), now)
        brought += len(hello)
        got += sum(map(len, found.datagrams)) if isinstance(found, Outgoing) else 0
        now += 1.0
    assert 0 < got < brought / 10
    assert sum(made._handshakes.values()) <= secure_path.MOST_HANDSHAKES
    handshake(made, client(), PHONE, now)
    before = made.secured
    assert before is not None
    for number in range(600):
        assert made.receive(hello, ("203.0.113.9", 2000 + number), now) == Unused(DropReason.FOREIGN_SOURCE)
    made.receive(hello, PHONE, now)
    assert made.secured == before
    assert made.receive(MEDIA, PHONE, now) == Media()


@pytest.mark.parametrize("first", [4, 70, 200])
def test_what_is_no_protocol_of_ours_is_not_used(first: int) -> None:
    assert path().receive(bytes((first,)) * 30, PHONE, 0.0) == Unused(DropReason.NOT_EXPECTED)
