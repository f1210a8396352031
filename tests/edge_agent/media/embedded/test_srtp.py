"""Secure RTP: the vectors of RFC 3711, and what hostile packets come to."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media import sdes, sdp
from edge_agent.media.codecs import ALL
from edge_agent.media.embedded import srtp
from edge_agent.media.embedded.rtp import DropReason, Packet
from edge_agent.media.embedded.srtp import SrtpReceiver, SrtpSender
from edge_agent.media.embedded.stream import AudioStream, Digit, Dropped, Send
from edge_agent.media.errors import NotAcceptable
from edge_agent.media.sdp import AudioPlan, Direction
from tests.support.counted_tokens import CountedTokens

KEY = bytes(range(30))
OTHER = bytes(range(100, 130))
PHONE = ("192.0.2.10", 4000)
OFFER = """v=0
c=IN IP4 192.0.2.10
m=audio 4000 RTP/SAVP 0 101
a=rtpmap:101 telephone-event/8000
a=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31
a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz
"""


def packet(sequence: int, payload: bytes = b"x" * 160, ssrc: int = 7, kind: int = 0) -> bytes:
    return Packet(kind, sequence & 0xFFFF, 160 * sequence & 0xFFFFFFFF, ssrc, payload).to_bytes()


def pair(tag_bytes: int = 10) -> tuple[SrtpSender, SrtpReceiver]:
    return SrtpSender(KEY, tag_bytes), SrtpReceiver(KEY, tag_bytes)


def test_the_keystream_is_that_of_rfc_3711_appendix_b_2() -> None:
    cipher = AES(bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"))
    counter = int("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000", 16)
    expected = "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0"
    assert srtp._keystream(cipher, counter, bytes(48)).hex().upper() == expected


def test_the_session_keys_are_those_of_rfc_3711_appendix_b_3() -> None:
    keys = srtp._Keys(bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139" + "0EC675AD498AFEEBB6960B3AABE6"))
    assert keys.cipher.key.hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert f"{keys.salt:X}" == "30CBBC08863D8C85D49DB34A9AE1"


@pytest.mark.parametrize("tag_bytes", [4, 10])
def test_what_is_sent_is_heard_across_wraps_of_the_sequence_and_looks_like_noise(tag_bytes: int) -> None:
    sender, receiver = pair(tag_bytes)
    for sequence in range(65_500, 65_500 + 65_536 * 2, 16):
        plain = packet(sequence)
        secured = sender.protect(plain)
        assert len(secured) == len(plain) + tag_bytes
        assert secured[:12] == plain[:12]
        assert b"xxxx" not in secured
        assert receiver.unprotect(secured) == plain


def test_packets_that_overtake_each_other_at_a_wrap_are_heard_and_none_twice() -> None:
    sender, receiver = pair()
    sent = [(plain := packet(sequence), sender.protect(plain)) for sequence in range(65_530, 65_545)]
    order = [0, 1, 2, 6, 7, 5, 4, 8, 3, 9, 12, 11, 10, 14, 13]
    assert [receiver.unprotect(sent[number][1]) for number in order] == [sent[number][0] for number in order]
    assert {receiver.unprotect(secured) for _, secured in sent} == {DropReason.REPLAYED}


def test_a_packet_from_before_the_window_is_taken_for_a_replay() -> None:
    sender, receiver = pair()
    sent = [sender.protect(packet(sequence)) for sequence in range(70)]
    assert receiver.unprotect(sent[69]) == packet(69)
    assert receiver.unprotect(sent[6]) == packet(6)
    assert receiver.unprotect(sent[5]) is DropReason.REPLAYED


@given(st.integers(0, 181), st.integers(1, 255))
def test_a_packet_of_which_any_byte_was_changed_is_not_used_and_the_genuine_one_is(at: int, change: int) -> None:
    sender, receiver = pair()
    secured = sender.protect(packet(1))
    forged = bytearray(secured)
    forged[at] ^= change
    assert isinstance(receiver.unprotect(bytes(forged)), DropReason)
    assert receiver.unprotect(secured) == packet(1)


@given(st.binary(max_size=1700))
def test_any_bytes_are_dropped_for_a_reason(data: bytes) -> None:
    assert isinstance(SrtpReceiver(KEY, 10).unprotect(data), DropReason)


def test_forged_sources_leave_nothing_behind_and_genuine_ones_are_bounded() -> None:
    receiver = SrtpReceiver(KEY, 10)
    for ssrc in range(500):
        assert receiver.unprotect(SrtpSender(OTHER, 10).protect(packet(1, ssrc=ssrc))) is DropReason.NOT_GENUINE
    assert not receiver._sources
    for ssrc in range(500):
        assert receiver.unprotect(SrtpSender(KEY, 10).protect(packet(1, ssrc=ssrc))) == packet(1, ssrc=ssrc)
    assert len(receiver._sources) == srtp._MOST_SOURCES


# In descriptions


def test_the_first_suite_of_ours_is_taken_and_answered_with_our_own_key() -> None:
    plan, body = sdp.answer(OFFER.encode(), "192.0.2.1", 16384, 1, 1, ALL, KEY)
    assert plan.srtp is not None
    assert (plan.srtp.tag_bytes, plan.srtp.ours) == (4, KEY)
    assert plan.srtp.theirs == b"YS___semctl () {\t220;}\n}\nunles"
    lines = body.decode().split("\r\n")
    assert "m=audio 16384 RTP/SAVP 0 101" in lines
    assert "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd" in lines
    assert "unles" not in repr(plan)


def test_of_a_plain_and_a_secure_section_the_secure_one_is_taken() -> None:
    both = OFFER.replace("m=audio", "m=audio 5000 RTP/AVP 0\nm=audio")
    plan, body = sdp.answer(both.encode(), "192.0.2.1", 16384, 1, 1, ALL, KEY)
    assert plan.srtp is not None
    assert b"m=audio 0 RTP/AVP 0\r\nm=audio 16384 RTP/SAVP" in body
    plain, _ = sdp.answer(both.encode(), "192.0.2.1", 16384, 1, 1, ALL)
    assert (plain.srtp, plain.remote) == (None, ("192.0.2.10", 5000))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("crypto", "nothing"),
        lambda text: text.replace("inline:WVN", "inline:W!N"),
        lambda text: text.replace("nVubGVz", "nVubGVz|2^31|1:4").replace("|2^31|1:4|2^31", "|1:4"),
        lambda text: text.replace("nVubGVz", "nVubGVz UNENCRYPTED_SRTP").replace("|2^31", ""),
        lambda text: text.replace("_128_", "_999_"),
    ],
)
def test_a_secure_section_without_a_key_that_we_can_use_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(NotAcceptable, match="RTP/SAVP"):
        sdp.answer(change(OFFER).encode(), "192.0.2.1", 16384, 1, 1, ALL, KEY)


def test_in_the_middle_of_a_call_its_key_is_offered_again_and_no_answer_without_one_is_taken() -> None:
    plan, _ = sdp.answer(OFFER.encode(), "192.0.2.1", 16384, 1, 1, ALL, KEY)
    body = sdp.offer("192.0.2.1", 16384, 1, 2, ALL, plan).decode()
    assert "m=audio 16384 RTP/SAVP 9 111 0 8 101" in body
    assert "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n" in body
    again = sdp.accept_answer(OFFER.encode(), "192.0.2.1", ALL, plan)
    assert again.srtp == plan.srtp
    for bad in (OFFER.replace("SAVP", "AVP"), OFFER.replace("crypto", "nothing")):
        with pytest.raises(NotAcceptable, match="keys"):
            sdp.accept_answer(bad.encode(), "192.0.2.1", ALL, plan)
    with pytest.raises(NotAcceptable):
        sdp.accept_answer(OFFER.encode(), "192.0.2.1", ALL)


@given(st.text(max_size=200))
def test_any_attribute_is_a_key_or_none(text: str) -> None:
    found = sdes.chosen([("crypto", text)])
    assert found is None or len(found.key) == sdes.KEY_BYTES


# In a stream


def secure_stream(ours: bytes = KEY, theirs: bytes = OTHER) -> AudioStream:
    made = AudioStream(CountedTokens(), now=0.0, silence_seconds=30, held_seconds=600)
    made.agree(secure_plan(ours, theirs), 0.0)
    return made


def secure_plan(ours: bytes = KEY, theirs: bytes = OTHER) -> AudioPlan:
    keys = sdes.SrtpKeys(10, ours, theirs)
    return AudioPlan(PHONE, 0, frozenset({0}), 101, Direction.SENDRECV, keys)


def sent_by(made: AudioStream) -> bytes:
    (send,) = [action for action in made.tick(0.0) if isinstance(action, Send)]
    return send.data


def test_a_secure_stream_encrypts_and_takes_nothing_plain() -> None:
    made = secure_stream()
    assert isinstance(SrtpReceiver(KEY, 10).unprotect(sent_by(made)), bytes)
    key = packet(1, bytes([5, 0, 0, 160]), kind=101)
    assert made.receive(key, PHONE, 0.0) == Dropped(DropReason.TOO_SHORT)
    assert made.receive(packet(1), PHONE, 0.0) == Dropped(DropReason.NOT_GENUINE)
    assert made.receive(SrtpSender(OTHER, 10).protect(key), PHONE, 0.0) == Digit("5")


def test_a_new_description_with_the_same_keys_goes_on_and_one_with_another_key_begins_anew() -> None:
    made, phone, listener = secure_stream(), SrtpSender(OTHER, 10), SrtpReceiver(KEY, 10)
    assert made.receive(phone.protect(packet(1)), PHONE, 0.0) is None
    assert isinstance(listener.unprotect(sent_by(made)), bytes)
    made.agree(secure_plan(), 0.0)
    assert made.receive(SrtpSender(OTHER, 10).protect(packet(1)), PHONE, 0.0) == Dropped(DropReason.REPLAYED)
    assert isinstance(listener.unprotect(sent_by(made)), bytes)
    made.agree(secure_plan(theirs=KEY), 0.0)
    assert made.receive(phone.protect(packet(2)), PHONE, 0.0) == Dropped(DropReason.NOT_GENUINE)
    assert made.receive(SrtpSender(KEY, 10).protect(packet(2)), PHONE, 0.0) is None
    made.agree(AudioPlan(PHONE, 0, frozenset({0}), 101, Direction.SENDRECV), 0.0)
    assert made.receive(packet(3), PHONE, 0.0) is None
