"""Handshakes in memory: two of our associations, and peers of other making."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from edge_agent.media.dtls_terms import Fingerprint
from edge_agent.media.embedded import dtls
from edge_agent.media.embedded.dtls import DtlsAssociation, DtlsIdentity, begins_handshake
from tests.support.counted_tokens import CountedTokens
from tests.support.waiting import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OURS, THEIRS = DtlsIdentity(NOW, CountedTokens()), DtlsIdentity(NOW, CountedTokens())


def server(*fingerprints: Fingerprint, cookie: bytes = b"") -> DtlsAssociation:
    return DtlsAssociation(OURS, False, fingerprints or (THEIRS.fingerprint,), cookie)


def client(*fingerprints: Fingerprint) -> DtlsAssociation:
    return DtlsAssociation(THEIRS, True, fingerprints or (OURS.fingerprint,))


def exchanged(one: DtlsAssociation, other: DtlsAssociation, first: list[bytes]) -> list[bytes]:
    """Everything that was said, `first` by `one`, until both are silent."""
    said, flight = list(first), first
    while flight:
        flight = [data for datagram in flight for data in other.receive(datagram)]
        said += flight
        one, other = other, one
    return said


def test_both_sides_come_to_the_same_keys_each_with_its_own() -> None:
    active, passive = client(), server()
    said = exchanged(active, passive, active.begin())
    assert active.keys is not None
    assert passive.keys is not None
    assert (active.keys.ours, active.keys.theirs) == (passive.keys.theirs, passive.keys.ours)
    assert {len(active.keys.ours), len(active.keys.theirs), active.keys.tag_bytes} == {30, 10}
    assert active.keys.ours != active.keys.theirs
    assert max(map(len, said)) <= dtls.DATAGRAM_BYTES
    assert not active.failed
    assert not passive.failed


def test_each_handshake_has_keys_of_its_own() -> None:
    seen = set()
    for _ in range(3):
        active, passive = client(), server()
        exchanged(active, passive, active.begin())
        assert passive.keys is not None
        seen.add(passive.keys.ours)
    assert len(seen) == 3


def test_a_client_whose_address_is_not_proven_gets_less_than_it_sent_until_it_returns_the_cookie() -> None:
    active, passive = client(), server(cookie=b"c" * 16)
    hello = active.begin()
    first = [data for datagram in hello for data in passive.receive(datagram)]
    assert sum(map(len, first)) < sum(map(len, hello))
    exchanged(passive, active, first)
    assert active.keys is not None
    assert passive.keys is not None


def test_a_hello_with_a_cookie_of_somebody_else_gets_another_cookie_and_no_more() -> None:
    stranger = client()
    asked = server(cookie=b"c" * 16)
    again = [data for datagram in stranger.begin() for data in asked.receive(datagram)]
    with_cookie = [data for datagram in again for data in stranger.receive(datagram)]
    other = server(cookie=b"d" * 16)
    answers = [data for datagram in with_cookie for data in other.receive(datagram)]
    assert sum(map(len, answers)) < sum(map(len, with_cookie))
    assert other.keys is None


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_certificate_of_another_fingerprint_comes_to_no_keys(who: str) -> None:
    wrong = Fingerprint("sha-256", bytes(32))
    active = client(wrong) if who == "client" else client()
    passive = server(wrong) if who == "server" else server()
    exchanged(active, passive, active.begin())
    suspicious = active if who == "client" else passive
    assert suspicious.keys is None
    assert "fingerprint" in suspicious.failed
    assert suspicious.receive(b"\x16" * 40) == []


def test_one_of_several_fingerprints_is_enough() -> None:
    active, passive = client(), server(Fingerprint("sha-512", bytes(64)), THEIRS.fingerprint)
    exchanged(active, passive, active.begin())
    assert passive.keys is not None


class Foreign:
    """A DTLS client that OpenSSL makes by itself, with what the test leaves out."""

    def __init__(self, srtp: bytes = b"SRTP_AES128_CM_SHA1_80", version: int = 0) -> None:
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_options(SSL.OP_NO_QUERY_MTU)
        context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
        if srtp:
            context.set_tlsext_use_srtp(srtp)
        if version:
            context.set_cipher_list(b"ALL:@SECLEVEL=0")
            context.set_min_proto_version(version)
            context.set_max_proto_version(version)
        self.connection = SSL.Connection(context, None)
        self.connection.set_ciphertext_mtu(1200)
        self.connection.set_connect_state()

    def said(self) -> bytes:
        """One more step, and what it writes."""
        with contextlib.suppress(SSL.Error):
            self.connection.do_handshake()
        try:
            return self.connection.bio_read(65_536)
        except SSL.WantReadError:
            return b""


def ended(foreign: Foreign, passive: DtlsAssociation) -> Iterator[str]:
    for _ in range(10):
        for data in passive.receive(foreign.said()):
            foreign.connection.bio_write(data)
        yield passive.failed


def test_a_peer_without_certificate_comes_to_no_keys() -> None:
    passive = server()
    assert any(ended(Foreign(), passive))
    assert passive.keys is None


def test_a_peer_without_a_profile_of_ours_comes_to_no_keys() -> None:
    passive = server()
    assert any(ended(Foreign(srtp=b"SRTP_AEAD_AES_256_GCM"), passive))
    assert passive.keys is None


def test_dtls_1_0_is_refused() -> None:
    passive = server()
    assert any(ended(Foreign(version=0xFEFF), passive))
    assert passive.keys is None


def repeated(lost: DtlsAssociation) -> list[bytes]:
    """What is sent again when nothing came back for a second of OpenSSL's own clock."""
    again: list[bytes] = []

    def due() -> bool:
        again.extend(lost.advance())
        return bool(again)

    eventually(due)
    return again


def test_a_lost_flight_is_sent_again() -> None:
    active, passive = client(), server()
    assert active.begin()
    assert active.advance() == []
    exchanged(active, passive, repeated(active))
    assert active.keys is not None
    assert passive.keys is not None


def test_a_last_flight_that_was_lost_is_repeated_when_the_peer_repeats_its_own() -> None:
    active, passive = client(), server()
    flight = [data for datagram in active.begin() for data in passive.receive(datagram)]
    finished = [data for datagram in flight for data in active.receive(datagram)]
    assert [data for datagram in finished for data in passive.receive(datagram)]
    assert passive.keys is not None
    assert active.keys is None
    exchanged(active, passive, repeated(active))
    assert active.keys is not None
    assert active.keys.ours == passive.keys.theirs


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=12))
def test_any_datagrams_come_to_no_keys_and_no_error(datagrams: list[bytes]) -> None:
    waiting = client()
    waiting.begin()
    for made in (server(), server(cookie=b"c" * 16), waiting):
        for data in datagrams:
            for answer in made.receive(b"\x16\xfe\xfd" + data):
                assert len(answer) <= dtls.DATAGRAM_BYTES
        assert made.keys is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255), st.integers(0, 5))
def test_a_handshake_of_which_a_byte_was_changed_comes_to_the_same_keys_or_to_none(
    at: int, change: int, number: int
) -> None:
    active, passive = client(), server()
    flight, one, other, count = active.begin(), active, passive, 0
    while flight:
        answers = []
        for datagram in flight:
            changed = bytearray(datagram)
            if count == number:
                changed[at % len(changed)] ^= change
            count += 1
            answers += other.receive(bytes(changed))
        flight = answers
        one, other = other, one
    if active.keys is not None and passive.keys is not None:
        assert active.keys.ours == passive.keys.theirs


def test_a_handshake_takes_a_bounded_number_of_datagrams() -> None:
    passive = server(cookie=b"c" * 16)
    (hello,) = client().begin()
    for _ in range(dtls.MOST_DATAGRAMS):
        passive.receive(hello)
    assert passive.receive(hello) == []
    assert str(dtls.MOST_DATAGRAMS) in passive.failed


def test_a_client_hello_is_known_by_its_look() -> None:
    (hello,) = client().begin()
    assert begins_handshake(hello)
    assert not begins_handshake(hello[:13])
    assert not begins_handshake(b"\x17" + hello[1:])
