"""Session descriptions whose audio is keyed by DTLS: browsers' offers, phones' offers, and our answers."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media import dtls_terms, sdp
from edge_agent.media.codecs import ALL
from edge_agent.media.dtls_terms import DtlsAnswer, DtlsOffer, Fingerprint, IceCredentials
from edge_agent.media.errors import NotAcceptable
from edge_agent.media.sdp import AudioPlan, Direction

THEIRS = Fingerprint("sha-256", bytes(range(32)))
OURS = Fingerprint("sha-256", bytes(range(100, 132)))
BROWSER = f"""v=0
o=- 4611 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 b5bb4b4c-a7a5-4a9b-9d34-0a3f3c6b1ad1.local 50000 typ host generation 0
a=candidate:2 1 udp 2113937150 192.0.2.10 50001 typ host generation 0
a=ice-ufrag:Xy/+
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=ice-options:trickle
a=fingerprint:{THEIRS}
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:9 G722/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:1 cname:x
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:1
a=rtpmap:96 VP8/90000
"""
PHONE = f"""v=0
c=IN IP4 192.0.2.10
a=fingerprint:SHA-256 {str(THEIRS).split()[1].lower()}
a=setup:actpass
m=audio 4000 UDP/TLS/RTP/SAVP 0 101
a=rtpmap:101 telephone-event/8000
"""


def answering(theirs: DtlsOffer) -> DtlsAnswer:
    return DtlsAnswer(OURS, theirs.setup == "passive", "t" * 20, IceCredentials("ours", "p" * 22))


def answer(text: str) -> tuple[AudioPlan, list[str]]:
    plan, body = sdp.answer(text.encode(), "192.0.2.1", 16384, 1, 1, ALL, b"k" * 30, answering)
    return plan, body.decode().split("\r\n")


def test_a_browsers_offer_is_answered_with_lite_ice_in_its_bundle() -> None:
    plan, lines = answer(BROWSER)
    assert plan.dtls is not None
    ice = IceCredentials("Xy/+", "abcdefghijklmnopqrstuvwx")
    assert plan.dtls.theirs == DtlsOffer((THEIRS,), "actpass", "", ice, "UDP/TLS/RTP/SAVPF", "0", True)
    assert (plan.remote, plan.direction, plan.srtp, plan.rtcp_mux) == (None, Direction.SENDRECV, None, True)
    assert lines[5:8] == ["a=ice-lite", "a=ice-options:ice2", "a=group:BUNDLE 0"]
    at = next(number for number, line in enumerate(lines) if line.startswith("m=audio"))
    assert lines[at] == f"m=audio 16384 UDP/TLS/RTP/SAVPF {plan.codec} {plan.event_type}"
    for expected in (
        f"a=fingerprint:{OURS}",
        "a=setup:passive",
        "a=ice-ufrag:ours",
        f"a=ice-pwd:{'p' * 22}",
        f"a=candidate:1 1 UDP {dtls_terms.HOST_PRIORITY} 192.0.2.1 16384 typ host",
        "a=end-of-candidates",
        "a=rtcp-mux",
        "a=sendrecv",
        "a=mid:0",
    ):
        assert expected in lines[at:-3]
    assert lines[-3:] == ["m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:1", ""]
    assert not any("tls-id" in line or "candidate:2" in line for line in lines)


def test_a_phones_offer_is_answered_without_ice_and_its_address_taken() -> None:
    plan, lines = answer(PHONE)
    assert plan.dtls is not None
    assert (plan.dtls.theirs.fingerprints, plan.dtls.theirs.ice) == ((THEIRS,), None)
    assert (plan.remote, plan.rtcp) == (("192.0.2.10", 4000), ("192.0.2.10", 4001))
    assert "m=audio 16384 UDP/TLS/RTP/SAVP 0 101" in lines
    assert "a=rtcp:16385" in lines
    assert not any("ice" in line or "candidate" in line or "group" in line for line in lines)


def test_who_wants_to_wait_is_answered_that_we_begin_and_a_named_association_by_a_name() -> None:
    plan, lines = answer(PHONE.replace("actpass", "passive") + f"a=tls-id:{'n' * 30}\n")
    assert plan.dtls is not None
    assert plan.dtls.ours.active
    assert "a=setup:active" in lines
    assert f"a=tls-id:{'t' * 20}" in lines


def test_what_a_section_says_comes_before_what_its_session_says() -> None:
    other = Fingerprint("sha-512", bytes(64))
    plan, _ = answer(PHONE + f"a=fingerprint:{other}\na=setup:active\n")
    assert plan.dtls is not None
    assert (plan.dtls.theirs.fingerprints, plan.dtls.theirs.setup) == ((other,), "active")


def test_all_fingerprints_that_we_can_compare_by_are_taken_and_weak_ones_not() -> None:
    weak = f"a=fingerprint:sha-1 {bytes(20).hex(':')}\na=fingerprint:md5 {bytes(16).hex(':')}\n"
    plan, _ = answer(PHONE + weak + f"a=fingerprint:{THEIRS}\na=fingerprint:{OURS}\n")
    assert plan.dtls is not None
    assert plan.dtls.theirs.fingerprints == (THEIRS, OURS)
    with pytest.raises(NotAcceptable, match="SHA-256"):
        answer(PHONE + weak)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("a=fingerprint", "a=nothing"),
        lambda text: text.replace("actpass", "holdconn"),
        lambda text: text.replace("00:01:", "00:01"),
        lambda text: text.replace("00:01:", ""),
        lambda text: text.replace("SHA-256", "SHA-512"),
        lambda text: text + "a=tls-id:short\n",
        lambda text: text.replace("192.0.2.10", "2001:db8::1").replace("IP4", "IP6"),
        lambda text: text.replace("UDP/TLS", "TCP/TLS"),
    ],
)
def test_a_section_whose_peer_cannot_be_proven_or_reached_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(NotAcceptable):
        answer(change(PHONE))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("a=rtcp-mux\n", ""),
        lambda text: text.replace("s=-\n", "s=-\na=ice-lite\n"),
        lambda text: text.replace("a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=ice-pwd:short"),
        lambda text: text.replace("a=ice-ufrag:Xy/+", "a=ice-ufrag:X;y+"),
    ],
)
def test_where_ice_cannot_be_done_the_address_of_the_description_counts(change: Callable[[str], str]) -> None:
    usable = change(BROWSER).replace("0.0.0.0", "192.0.2.10").replace("m=audio 9", "m=audio 4000")
    plan, lines = answer(usable)
    assert plan.dtls is not None
    assert (plan.dtls.theirs.ice, plan.remote) == (None, ("192.0.2.10", 4000))
    assert not any("a=ice" in line or "candidate" in line for line in lines)


@pytest.mark.parametrize(
    ("theirs", "ours"), [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")]
)
def test_a_browser_on_hold_says_so_by_its_direction(theirs: str, ours: str) -> None:
    plan, lines = answer(BROWSER.replace("a=sendrecv", f"a={theirs}"))
    assert plan.direction == ours
    assert f"a={ours}" in lines


def test_a_section_by_dtls_is_preferred_to_a_plain_one() -> None:
    plan, lines = answer(PHONE.replace("m=audio", "m=audio 5000 RTP/AVP 0\nm=audio"))
    assert plan.dtls is not None
    assert "m=audio 0 RTP/AVP 0" in lines


def test_without_anything_to_answer_with_a_section_by_dtls_is_refused() -> None:
    with pytest.raises(NotAcceptable):
        sdp.answer(PHONE.encode(), "192.0.2.1", 16384, 1, 1, ALL, b"k" * 30)


def test_our_address_is_chosen_by_a_candidate_where_the_description_names_none() -> None:
    assert sdp.audio_address(BROWSER.encode()) == "192.0.2.10"
    assert sdp.audio_address(PHONE.encode()) == "192.0.2.10"
    assert sdp.audio_address(BROWSER.replace("192.0.2.10", "other.local").encode()) is None


def test_a_mid_that_is_no_token_is_not_repeated() -> None:
    _, lines = answer(BROWSER.replace("a=mid:0", "a=mid:0 \x01").replace("a=mid:1", "a=mid:é"))
    assert not any(line.startswith(("a=mid", "a=group")) for line in lines)


def test_in_the_middle_of_a_call_its_keys_are_offered_again_and_no_answer_without_them_is_taken() -> None:
    plan, _ = answer(BROWSER)
    body = sdp.offer("192.0.2.1", 16384, 1, 2, ALL, plan)
    lines = body.decode().split("\r\n")
    assert lines[5:8] == ["a=ice-lite", "a=ice-options:ice2", "a=group:BUNDLE 0"]
    assert lines[8].startswith("m=audio 16384 UDP/TLS/RTP/SAVPF 9 111 0 8 101")
    for expected in (f"a=fingerprint:{OURS}", "a=setup:actpass", "a=ice-ufrag:ours", "a=mid:0", "a=rtcp-mux"):
        assert expected in lines
    theirs = BROWSER.replace("actpass", "active").partition("m=video")[0]
    again = sdp.accept_answer(theirs.encode(), "192.0.2.1", ALL, plan)
    assert again.dtls is not None
    assert plan.dtls is not None
    assert again.dtls.ours == plan.dtls.ours
    waits = sdp.accept_answer(theirs.replace("active", "passive").encode(), "192.0.2.1", ALL, plan)
    assert waits.dtls is not None
    assert waits.dtls.ours.active
    plain = "v=0\nc=IN IP4 192.0.2.10\nm=audio 4000 RTP/AVP 0\n"
    for bad in (
        plain,
        theirs.replace("a=fingerprint", "a=nothing"),
        theirs.replace("SAVPF 111", "SAVPF 77", 1),
        "v=0\n",
    ):
        with pytest.raises(NotAcceptable):
            sdp.accept_answer(bad.replace("9 0 8 13", "13").encode(), "192.0.2.1", ALL, plan)


def test_passwords_show_in_no_text() -> None:
    plan, _ = answer(BROWSER)
    assert "abcdefghij" not in repr(plan)
    assert "pppp" not in repr(plan)


_LINES = st.lists(
    st.tuples(
        st.sampled_from(["fingerprint", "setup", "tls-id", "ice-ufrag", "ice-pwd", "candidate", "mid", "group"]),
        st.text(max_size=120) | st.from_regex(r"sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}", fullmatch=True),
    ),
    max_size=12,
)


@given(_LINES, _LINES)
def test_any_attributes_are_an_offer_or_none(session: list[tuple[str, str]], media: list[tuple[str, str]]) -> None:
    assert dtls_terms.offered(session, media, "RTP/SAVP") is None
    found = dtls_terms.offered(session, media, dtls_terms.PROTOCOLS[0])
    assert found is None or all(len(each.digest) == dtls_terms.HASHES[each.hash_name] for each in found.fingerprints)
    dtls_terms.candidate_address(media)
    assert " " not in dtls_terms.mid_of(media)
