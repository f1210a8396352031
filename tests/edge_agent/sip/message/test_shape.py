"""Where the headers of a message stand, remembered for all messages of the same order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import BadMessage, parse
from edge_agent.sip.message.shape import _REMEMBERED, Shape, _shapes, shape_of
from tests.edge_agent.sip.message.test_parse import INVITE

names = st.lists(
    st.sampled_from((b"via", b"from", b"to", b"call-id", b"cseq", b"contact", b"x-other")), min_size=1, max_size=12
).map(lambda found: [b"", *found])


@given(names)
def test_a_shape_tells_where_each_header_stands_first(found: list[bytes]) -> None:
    shape = shape_of(found)
    assert shape.places == {name: found.index(name) for name in found}
    assert shape.repeats == (len(set(found)) != len(found))
    once = all(found.count(name) == 1 for name in (b"from", b"to", b"call-id", b"cseq"))
    assert shape.usual == (once and b"via" in found)


def test_messages_of_one_order_share_their_shape_until_a_line_is_moved() -> None:
    first, second = parse(INVITE), parse(INVITE.replace(b"1928", b"1929"))
    assert first.shape is second.shape is not None
    first.insert(1, b"Via", b"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKnew")
    first.append(b"X-Given", b"1")
    assert (first.index(b"from"), second.index(b"from")) == (4, 3)
    assert (first.has(b"x-given"), second.has(b"x-given")) == (True, False)


def test_shapes_are_remembered_in_a_bounded_number() -> None:
    for number in range(_REMEMBERED + 10):
        shape_of([b"", b"x-%d" % number])
    assert len(_shapes) <= _REMEMBERED
    long = [b"", *(b"x-%d" % number for number in range(200))]
    assert isinstance(shape_of(long), Shape)
    assert tuple(long) not in _shapes


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b;branch=z9hG4bK2", b"SIP/2.0/UDP b;branch=z9hG4bK2"),
        (b"SIP/2.0/UDP a;x=1,SIP/2.0/UDP b, SIP/2.0/UDP c", b"SIP/2.0/UDP b, SIP/2.0/UDP c"),
        (b'SIP/2.0/UDP a;x="1,2", SIP/2.0/UDP b', b"SIP/2.0/UDP b"),
    ],
)
def test_the_first_of_several_values_on_a_line_is_taken_out_and_the_others_stay(value: bytes, left: bytes) -> None:
    message = parse(INVITE.replace(b"SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK776;rport", value))
    message.remove_first_value(b"via")
    assert message.all(b"via") == [left]


def test_a_line_without_a_colon_is_malformed_also_when_it_is_the_name_of_a_header() -> None:
    parse(INVITE)
    with pytest.raises(BadMessage, match="Malformed Header Line"):
        parse(INVITE.replace(b"Max-Forwards: 70", b"Max-Forwards"))


def test_a_top_via_is_extended_only_where_it_ends_as_it_should_and_stands_alone() -> None:
    message = parse(INVITE)
    assert message.extend_top_via(b";rport", b"=5062")
    assert message.lines[1].endswith(b";rport=5062")
    assert not message.extend_top_via(b";rport", b"=1")
    several = parse(INVITE.replace(b";rport", b", SIP/2.0/UDP b;rport"))
    assert not several.extend_top_via(b";rport", b"=1")
    assert bytes(several) == INVITE.replace(b";rport", b", SIP/2.0/UDP b;rport")
