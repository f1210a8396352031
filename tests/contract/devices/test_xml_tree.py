"""XML is read with lines and limits, and nothing outside the text is ever touched."""

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.devices.problems import PluginProblems
from contract.devices.xml_tree import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, parse_xml


def problem(data: bytes) -> str:
    with pytest.raises(PluginProblems) as caught:
        parse_xml(data, "x.xml")
    assert len(caught.value.problems) == 1
    return str(caught.value)


def test_each_element_knows_its_line_attributes_and_text() -> None:
    root = parse_xml(b'<a>\n  <b k="v">text</b>\n  <c/>\n</a>', "x.xml")
    assert [(child.tag, child.line) for child in root.children] == [("b", 2), ("c", 3)]
    assert root.children[0].attributes == {"k": "v"}
    assert root.children[0].text == "text"


def test_what_is_not_well_formed_is_named_by_its_line() -> None:
    assert problem(b"<a>\n<b>\n</a>") == "x.xml:3: mismatched tag"


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY e "x">]>\n<a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
    ],
)
def test_a_document_type_is_refused_whatever_is_in_it(document: bytes) -> None:
    assert "a document type declaration is not accepted" in problem(document)


def test_an_unknown_entity_is_refused() -> None:
    assert "undefined entity" in problem(b"<a>&nbsp;</a>")


def test_size_depth_and_number_of_elements_are_bounded() -> None:
    assert "larger than" in problem(b" " * (MAX_BYTES + 1))
    assert "nested deeper" in problem(b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1))
    assert "elements" in problem(b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>")


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(alphabet="<>/ab=\"'&;!-[]? \n", max_size=60).map(str.encode))
@example(b'<?xml version="1.0" encoding="utf-7"?><a/>')
@example(b"")
def test_any_bytes_give_a_tree_or_problems_and_nothing_else(data: bytes) -> None:
    with suppress(PluginProblems):
        parse_xml(data, "x.xml")
