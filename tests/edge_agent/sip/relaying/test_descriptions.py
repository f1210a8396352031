"""Session descriptions for a relay: what is changed, and that nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.relaying.descriptions import BadDescription, Place, Stream, redirected, streams_of

HEAD = b"v=0\r\no=- 1 1 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\nt=0 0\r\n"
AUDIO = b"m=audio 4000 RTP/SAVP 9 0 101\r\na=rtpmap:9 G722/8000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:key\r\n"
VIDEO = b"m=video 4010 RTP/AVP 99\r\nc=IN IP4 10.0.0.8\r\na=rtcp:4020 IN IP4 10.0.0.9\r\n"
HERE = Place("198.51.100.1", 17408)


def test_addresses_and_ports_are_the_relays_and_codecs_and_keys_stay() -> None:
    changed = redirected(HEAD + AUDIO + VIDEO, [HERE, Place("198.51.100.1", 17412)])
    assert b"10.0.0" not in changed
    assert b"o=- 1 1 IN IP4 198.51.100.1\r\n" in changed
    assert b"m=audio 17408 RTP/SAVP 9 0 101\r\n" in changed
    assert b"m=video 17412 RTP/AVP 99\r\nc=IN IP4 198.51.100.1\r\n" in changed
    assert AUDIO.split(b"\r\n", 1)[1] in changed
    assert b"a=rtcp:" not in changed


def test_where_media_and_rtcp_go_is_read_of_each_line() -> None:
    assert streams_of(HEAD + AUDIO + VIDEO) == (
        Stream(("10.0.0.7", 4000), ("10.0.0.7", 4001), carried=True, secure=True),
        Stream(("10.0.0.8", 4010), ("10.0.0.9", 4020), carried=True),
    )


def test_candidates_are_taken_out_so_that_nobody_goes_past_the_relay() -> None:
    ice = b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=candidate:1 1 UDP 1 10.0.0.7 4000 typ host\r\n"
    changed = redirected(HEAD + b"a=ice-lite\r\n" + AUDIO + ice, [HERE])
    assert b"ice" not in changed
    assert b"candidate" not in changed


def test_an_address_of_the_other_family_is_written_as_one() -> None:
    changed = redirected(HEAD + AUDIO, [Place("2001:db8::7", 17408)])
    assert b"c=IN IP6 2001:db8::7\r\n" in changed
    assert b"o=- 1 1 IN IP6 2001:db8::7\r\n" in changed


def test_media_that_is_not_rtp_keeps_its_own_address() -> None:
    fax = b"m=image 5000 udptl t38\r\n"
    assert streams_of(HEAD + AUDIO + fax)[1] == Stream(None, None, carried=False)
    assert redirected(HEAD + AUDIO + fax, [HERE, None]).endswith(b"m=image 5000 udptl t38\r\nc=IN IP4 10.0.0.7\r\n")


def test_a_hold_of_the_old_kind_and_a_declined_line_stay_what_they_are() -> None:
    held = HEAD.replace(b"c=IN IP4 10.0.0.7", b"c=IN IP4 0.0.0.0") + AUDIO + b"m=video 0 RTP/AVP 99\r\n"
    assert streams_of(held) == (Stream(None, None, carried=True, secure=True), Stream(None, None, carried=False))
    changed = redirected(held, [HERE, None])
    assert b"c=IN IP4 0.0.0.0\r\n" in changed
    assert b"m=video 0 RTP/AVP 99\r\n" in changed


@pytest.mark.parametrize(
    "description",
    [
        b"",
        b"v=1\r\nm=audio 4000 RTP/AVP 0\r\n",
        HEAD,
        HEAD + b"m=audio 4000 RTP/AVP\r\n",
        HEAD + b"m=audio 99999 RTP/AVP 0\r\n",
        HEAD + b"m=audio 65535 RTP/AVP 0\r\n",
        HEAD + AUDIO * 9,
        HEAD + b"a=x\r\n" * 500 + AUDIO,
        HEAD + b"a=" + b"x" * 20_000 + b"\r\n" + AUDIO,
        HEAD.replace(b"c=IN IP4 10.0.0.7", b"c=IN IP4 phone.test") + AUDIO,
        HEAD.replace(b"c=IN IP4 10.0.0.7", b"c=IN IP6 10.0.0.7") + AUDIO,
        HEAD.replace(b"c=IN IP4 10.0.0.7", b"c=IN IP4 224.0.1.75") + AUDIO,
        HEAD.replace(b"c=IN IP4 10.0.0.7\r\n", b"") + AUDIO,
        HEAD + AUDIO + b"a=rtcp:none\r\n",
    ],
)
def test_what_cannot_be_relayed_is_refused_by_name(description: bytes) -> None:
    with pytest.raises(BadDescription, match=r"\w"):
        streams_of(description)


_LINES = st.lists(
    st.one_of(
        st.binary(max_size=40).filter(lambda line: b"\n" not in line and b"\r" not in line),
        st.sampled_from([*HEAD.split(b"\r\n"), *AUDIO.split(b"\r\n"), *VIDEO.split(b"\r\n"), b"c=IN IP4 0.0.0.0"]),
    ),
    max_size=30,
)


@given(_LINES)
def test_any_text_is_refused_or_leads_to_the_relay_with_as_many_lines_of_media(lines: list[bytes]) -> None:
    description = b"v=0\r\n" + b"\r\n".join(lines) + b"\r\n"
    try:
        before = streams_of(description)
        changed = redirected(description, [HERE if one.carried else None for one in before])
    except BadDescription:
        return
    after = streams_of(changed)
    assert [one.carried for one in after] == [one.carried for one in before]
    assert all(one.media in (None, ("198.51.100.1", 17408)) for one in after)
