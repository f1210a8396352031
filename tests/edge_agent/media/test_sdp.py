"""Session descriptions and the offer/answer rules."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.media import sdp
from edge_agent.media.codecs import ALL, OPUS, PCMA, PCMU, Codec, OpusTerms
from edge_agent.media.errors import BadSdp, NotAcceptable
from edge_agent.media.sdp import AudioPlan, Direction

OURS = "192.0.2.1"
TELEPHONE = (PCMU, PCMA)
OFFER = """v=0
o=- 1 1 IN IP4 192.0.2.10
s=call
c=IN IP4 192.0.2.10
t=0 0
m=audio 4000 RTP/AVP 9 8 0 101
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
""".replace("\n", "\r\n")


def answer(text: str, codecs: Sequence[Codec] = TELEPHONE) -> tuple[AudioPlan, list[str]]:
    plan, body = sdp.answer(text.encode(), OURS, 16384, 42, 7, codecs)
    return plan, body.decode().split("\r\n")


def test_an_offer_is_answered_with_the_first_codec_of_ours_that_it_names() -> None:
    plan, lines = answer(OFFER)
    assert plan == AudioPlan(
        ("192.0.2.10", 4000), 8, frozenset({8}), 101, Direction.SENDRECV, rtcp=("192.0.2.10", 4001)
    )
    assert lines == [
        "v=0",
        "o=tandem 42 7 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 16384 RTP/AVP 8 101",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtcp:16385",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]


def test_g722_is_taken_where_it_comes_first_and_its_clock_is_said_as_8000() -> None:
    plan, lines = answer(OFFER, ALL)
    assert (plan.codec, plan.accepted) == (9, frozenset({9}))
    assert lines[5:7] == ["m=audio 16384 RTP/AVP 9 101", "a=rtpmap:9 G722/8000"]
    plan, _ = answer(OFFER.replace("9 8 0 101", "8 9 101"), ALL)
    assert plan.codec == 8


def test_our_offer_names_the_wideband_codec_first_and_keeps_whatever_the_answer_takes() -> None:
    offer = sdp.offer(OURS, 16384, 1, 1, ALL)
    assert b"m=audio 16384 RTP/AVP 9 111 0 8 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:111 opus/48000/2\r\n" in offer
    answered = b"v=0\nc=IN IP4 192.0.2.2\nm=audio 4000 RTP/AVP 8 9\n"
    plan = sdp.accept_answer(answered, OURS, ALL)
    assert (plan.codec, plan.accepted) == (8, frozenset({8, 9}))


def test_opus_is_answered_under_the_number_of_the_offer_with_what_both_sides_want() -> None:
    text = "v=0\nc=IN IP4 192.0.2.10\nm=audio 4000 RTP/AVP 96 0 97 98\na=rtpmap:96 OPUS/48000/2\n"
    text += "a=rtpmap:97 telephone-event/48000\na=rtpmap:98 telephone-event/8000\n"
    plan, lines = answer(text + "a=fmtp:96 maxaveragebitrate=20000; useinbandfec=1;stereo=1\n", ALL)
    assert (plan.codec, plan.opus, plan.event_type) == (96, OpusTerms(96, True, 20_000), 97)
    assert plan.codecs == {96: OPUS}
    assert lines[5:10] == [
        "m=audio 16384 RTP/AVP 96 97",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1",
        "a=rtpmap:97 telephone-event/48000",
        "a=fmtp:97 0-15",
    ]


@pytest.mark.parametrize(
    "wishes", ["", "useinbandfec", "maxaveragebitrate=;useinbandfec=2", "maxaveragebitrate=999999", "=;;="]
)
def test_wishes_for_opus_that_make_no_sense_are_passed_over(wishes: str) -> None:
    text = f"v=0\nc=IN IP4 192.0.2.10\nm=audio 4000 RTP/AVP 96 98\na=rtpmap:96 opus/48000/2\na=fmtp:96 {wishes}\n"
    plan, lines = answer(text + "a=rtpmap:98 telephone-event/8000\n", ALL)
    assert (plan.opus, plan.event_type) == (OpusTerms(96), 98)
    assert "a=rtpmap:98 telephone-event/8000" in lines


@pytest.mark.parametrize("codec", ["opus/48000", "opus/16000/2", "opus/48000/1"])
def test_opus_by_another_name_or_under_a_static_number_is_not_ours(codec: str) -> None:
    for number, name in ((96, codec), (3, "opus/48000/2")):
        with pytest.raises(NotAcceptable):
            answer(f"v=0\nc=IN IP4 192.0.2.10\nm=audio 4000 RTP/AVP {number}\na=rtpmap:{number} {name}\n", ALL)


def test_codecs_with_static_numbers_need_no_map_and_events_only_come_when_offered() -> None:
    plan, lines = answer("v=0\nc=IN IP4 192.0.2.10\nm=audio 4000 RTP/AVP 0 8\n")
    assert (plan.codec, plan.event_type) == (0, None)
    assert "m=audio 16384 RTP/AVP 0" in lines


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_a_direction_is_answered_with_its_mirror(theirs: str, ours: str) -> None:
    plan, lines = answer(OFFER.replace("a=sendrecv", f"a={theirs}"))
    assert plan.direction == ours
    assert f"a={ours}" in lines


def test_a_direction_of_the_whole_session_counts_where_the_audio_has_none() -> None:
    plan, _ = answer("v=0\nc=IN IP4 192.0.2.10\na=sendonly\nm=audio 4000 RTP/AVP 0\n")
    assert plan.direction is Direction.RECVONLY


def test_hold_by_the_zero_address_is_answered_and_nothing_is_sent() -> None:
    plan, _ = answer(OFFER.replace("c=IN IP4 192.0.2.10", "c=IN IP4 0.0.0.0"))
    assert plan.remote is None
    assert not plan.direction.sends


def test_every_other_section_is_refused_in_its_place() -> None:
    video = "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    text = OFFER.replace("m=audio", video + "m=audio") + "m=audio 4002 RTP/AVP 0\r\n"
    _, lines = answer(text)
    assert [line for line in lines if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 96",
        "m=audio 16384 RTP/AVP 8 101",
        "m=audio 0 RTP/AVP 0",
    ]


def test_the_address_of_the_section_goes_before_that_of_the_session() -> None:
    plan, _ = answer(OFFER.replace("a=sendrecv", "c=IN IP4 192.0.2.99"))
    assert plan.remote == ("192.0.2.99", 4000)


@pytest.mark.parametrize(
    "change",
    [
        ("RTP/AVP", "RTP/SAVP"),
        ("9 8 0 101", "9"),
        ("m=audio 4000", "m=audio 0"),
        ("m=audio 4000", "m=audio 53"),
        ("m=audio", "m=video"),
        ("IN IP4 192.0.2.10\r\nt", "IN IP4 224.0.0.5\r\nt"),
        ("IN IP4 192.0.2.10\r\nt", "IN IP4 255.255.255.255\r\nt"),
        ("IN IP4 192.0.2.10\r\nt", "IN IP6 2001:db8::1\r\nt"),
        ("a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/16000\r\na=rtpmap:0 PCMU/8000/2"),
    ],
)
def test_an_offer_of_nothing_that_we_can_do_is_not_acceptable(change: tuple[str, str]) -> None:
    assert change[0] in OFFER
    with pytest.raises(NotAcceptable) as caught:
        answer(OFFER.replace(*change))
    assert caught.value.status == 488


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=1\n",
        "hello\n",
        "v=0\nc=IN IP4 phone.example\nm=audio 4000 RTP/AVP 0\n",
        "v=0\nc=IN IP4 2001:db8::1\nm=audio 4000 RTP/AVP 0\n",
        "v=0\nc=192.0.2.10\nm=audio 4000 RTP/AVP 0\n",
        "v=0\nm=audio 4000 RTP/AVP 0\n",
        "v=0\nm=audio\n",
        "v=0\nm=audio 99999 RTP/AVP 0\n",
        "v=0\nm=audio ١ RTP/AVP 0\n",
        "v=0\nm=audio 4000 RTP/AVP\n",
        "v=0\nm=audio 4000 RTP/AVP" + " 0" * (sdp.MAX_FORMATS + 1) + "\n",
        "v=0\n" + "m=audio 4000 RTP/AVP 0\n" * (sdp.MAX_MEDIA + 1),
        "v=0\n" + "a=x\n" * sdp.MAX_LINES,
        "v=0\na=" + "x" * sdp.MAX_BYTES,
    ],
)
def test_a_description_that_breaks_the_rules_or_a_limit_is_refused(text: str) -> None:
    with pytest.raises(BadSdp):
        answer(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadSdp):
        sdp.parse(b"v=0\r\ns=\xff\xfe\r\n")


def test_our_own_offer_names_our_codecs_and_its_answer_is_understood() -> None:
    offer = sdp.offer(OURS, 16384, 1, 1, TELEPHONE)
    plan, body = sdp.answer(offer, "192.0.2.2", 18000, 2, 1, TELEPHONE)
    assert plan.remote == (OURS, 16384)
    assert plan.codec == 0
    back = sdp.accept_answer(body, OURS, TELEPHONE)
    assert back == AudioPlan(
        ("192.0.2.2", 18000), 0, frozenset({0}), 101, Direction.SENDRECV, rtcp=("192.0.2.2", 18001)
    )


def test_an_answer_that_refuses_our_offer_is_not_acceptable() -> None:
    with pytest.raises(NotAcceptable):
        sdp.accept_answer(b"v=0\nc=IN IP4 192.0.2.2\nm=audio 0 RTP/AVP 0\n", OURS, TELEPHONE)
    with pytest.raises(NotAcceptable):
        sdp.accept_answer(b"v=0\n", OURS, TELEPHONE)


def test_an_answer_over_ipv6_says_so() -> None:
    text = "v=0\nc=IN IP6 2001:db8::5\nm=audio 4000 RTP/AVP 0\n"
    plan, body = sdp.answer(text.encode(), "2001:db8::1", 16384, 1, 1, TELEPHONE)
    assert plan.remote == ("2001:db8::5", 4000)
    assert b"c=IN IP6 2001:db8::1\r\n" in body


lines = st.lists(
    st.sampled_from(OFFER.split("\r\n"))
    | st.builds(lambda kind, rest: f"{kind}={rest}", st.sampled_from("vocmats"), st.text(max_size=30)),
    max_size=20,
)


@given(st.binary(max_size=300) | lines.map(lambda each: "\r\n".join(["v=0", *each]).encode("utf-8", "replace")))
@settings(max_examples=300)
def test_any_bytes_are_answered_well_formed_or_refused_by_our_errors(body: bytes) -> None:
    try:
        _, ours = sdp.answer(body, OURS, 16384, 1, 1, ALL)
    except (BadSdp, NotAcceptable):
        return
    again = sdp.parse(ours)
    assert len(again.media) == len(sdp.parse(body).media)
    assert ours.count(b"\n") == ours.count(b"\r\n")


@pytest.mark.parametrize(
    ("attribute", "rtcp", "ours"),
    [
        ("a=rtcp:5005", ("192.0.2.10", 5005), b"a=rtcp:16385"),
        ("a=rtcp:5005 IN IP4 198.51.100.1", ("192.0.2.10", 5005), b"a=rtcp:16385"),
        ("a=rtcp:22", None, b"a=rtcp:16385"),
        ("a=rtcp:many", None, b"a=rtcp:16385"),
        ("a=rtcp-mux", ("192.0.2.10", 4000), b"a=rtcp-mux"),
    ],
)
def test_reports_go_to_the_port_that_the_peer_names_on_the_host_of_its_audio(
    attribute: str, rtcp: tuple[str, int] | None, ours: bytes
) -> None:
    text = f"v=0\r\nc=IN IP4 192.0.2.10\r\nm=audio 4000 RTP/AVP 0\r\n{attribute}\r\n"
    plan, body = sdp.answer(text.encode(), OURS, 16384, 1, 1, TELEPHONE)
    assert (plan.rtcp, plan.rtcp_mux) == (rtcp, attribute == "a=rtcp-mux")
    assert ours + b"\r\n" in body


def test_whom_we_called_is_answered_by_our_order_of_codecs_and_everybody_else_by_theirs() -> None:
    by_theirs, _ = sdp.answer(OFFER.encode(), OURS, 16384, 42, 7, TELEPHONE)
    by_ours, body = sdp.answer(OFFER.encode(), OURS, 16384, 42, 7, TELEPHONE, by_our_order=True)
    assert (by_theirs.codec, by_ours.codec, by_ours.event_type) == (8, 0, 101)
    assert b"m=audio 16384 RTP/AVP 0 101\r\n" in body


@given(st.permutations(OFFER.split("\r\n")[5].split()[3:]))
def test_the_order_of_a_peers_codecs_does_not_matter_where_ours_counts(formats: list[str]) -> None:
    said = OFFER.replace("9 8 0 101", " ".join(formats))
    plan, _ = sdp.answer(said.encode(), OURS, 16384, 42, 7, ALL, by_our_order=True)
    assert plan.codec == 9
