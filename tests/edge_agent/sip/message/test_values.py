"""URIs, addresses, Via and lists: parse and write are inverse, anything else is our one error."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sip.message import BadMessage, NameAddr, Uri, Via, split_commas
from edge_agent.sip.message.name_addr import tag_of

WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()"
word = st.text(alphabet=WORD, min_size=1, max_size=12)
name = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6)
host = st.one_of(
    st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,5})?", fullmatch=True),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda one: f"[{one}]"),
)


@st.composite
def uris(draw: st.DrawFn) -> str:
    user = draw(st.one_of(st.just(""), word.map(lambda one: f"{one}@"), word.map(lambda one: f"{one}:pw@")))
    port = draw(st.one_of(st.just(""), st.integers(1, 65535).map(lambda one: f":{one}")))
    params = draw(st.dictionaries(name, st.one_of(st.none(), word), max_size=3))
    text = "".join(f";{k}" if v is None else f";{k}={v}" for k, v in params.items())
    headers = draw(st.one_of(st.just(""), word.map(lambda one: f"?h={one}")))
    return f"{draw(st.sampled_from(['sip', 'sips']))}:{user}{draw(host)}{port}{text}{headers}"


@given(uris())
@settings(max_examples=200)
def test_a_uri_is_written_as_it_was_read(text: str) -> None:
    assert bytes(Uri.parse(text.encode())) == text.encode()


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
@settings(max_examples=200)
def test_any_text_after_sip_is_a_uri_or_our_error(text: str) -> None:
    with contextlib.suppress(BadMessage):
        parsed = Uri.parse(b"sip:" + text.encode())
        assert Uri.parse(bytes(parsed)).same_as(parsed)


@given(uris(), st.sampled_from(["", '"A, <b>" ', "Plain Name "]), st.dictionaries(name, st.one_of(st.none(), name)))
@settings(max_examples=150)
def test_an_address_keeps_its_parts(uri: str, display: str, params: dict[str, str | None]) -> None:
    text = f"{display}<{uri}>" + "".join(f";{k}" if v is None else f";{k}={v}" for k, v in params.items())
    address = NameAddr.parse(text.encode())
    assert bytes(address) == text.encode()
    assert NameAddr.parse(bytes(address)).params == address.params
    assert tag_of(text.encode(), "From") == address.tag


@given(st.binary(max_size=40))
@settings(max_examples=300)
def test_any_bytes_are_an_address_a_list_a_via_or_our_error(data: bytes) -> None:
    for read in (NameAddr.parse, Via.parse, split_commas):
        with contextlib.suppress(BadMessage):
            read(data)


@given(st.lists(st.one_of(name, st.just('"a,b"'), st.just("<sip:a,b@c>")), min_size=1, max_size=5))
def test_a_list_is_cut_at_its_own_commas_only(values: list[str]) -> None:
    assert split_commas(" , ".join(values).encode()) == [value.encode() for value in values]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", True),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", True),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5", True),
        ("sip:ALICE@AtLanTa.CoM", "sip:alice@AtLanTa.CoM", False),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", False),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", False),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", False),
        ("sip:carol@chicago.com", "sips:carol@chicago.com", False),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            True,
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            True,
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", False),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", False),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", False),
    ],
)
def test_uris_are_compared_as_in_rfc_3261_19_1_4(one: str, other: str, same: bool) -> None:
    first, second = Uri.parse(one.encode()), Uri.parse(other.encode())
    assert first.same_as(second) is second.same_as(first) is same


@given(uris(), uris())
def test_the_comparison_of_uris_is_reflexive_and_symmetric(one: str, other: str) -> None:
    first, second = Uri.parse(one.encode()), Uri.parse(other.encode())
    assert first.same_as(Uri.parse(one.encode()))
    assert first.same_as(second) is second.same_as(first)


@given(uris(), st.sampled_from(["maddr", "ttl", "user", "method", "transport"]))
def test_a_parameter_that_counts_makes_another_uri_and_an_unknown_one_does_not(one: str, counts: str) -> None:
    first = Uri.parse(one.encode())
    if counts.encode() not in first.params and b"?" not in first.text:
        assert not first.same_as(Uri.parse(f"{one};{counts}=1".encode()))
        assert first.same_as(Uri.parse(f"{one};unheard-of=1".encode()))


def test_parts_of_a_uri() -> None:
    uri = Uri.parse(b"sip:+49%2030:pw@[2001:DB8::1]:5070;transport=TCP;lr?Subject=x")
    assert (uri.user, uri.password, uri.host, uri.port) == (b"+49%2030", b"pw", b"[2001:db8::1]", 5070)
    assert (uri.dialled, uri.address, uri.transport) == ("+49 30", "2001:db8::1", b"tcp")
    assert uri.params == {b"transport": b"TCP", b"lr": None}


def test_parts_of_a_via() -> None:
    via = Via.parse(b"SIP / 2.0 / udp  Host.Example.com : 5061 ; rport ; branch=z9hG4bKx")
    assert (via.transport, via.sent_by, via.host, via.port) == (
        b"UDP",
        b"host.example.com:5061",
        b"host.example.com",
        5061,
    )
    assert (via.branch, via.params) == (b"z9hG4bKx", {b"rport": None, b"branch": b"z9hG4bKx"})


@pytest.mark.parametrize(
    "text",
    ["sip:", "sip:@host", "sip:a@", "sip:a@b:0", "sip:a@b:x", "sip:a@b;", "sip:a b@c", "sip:a@b?", ":a", "sip:a@b@c"],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(BadMessage):
        Uri.parse(text.encode())
