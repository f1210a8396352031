"""Presence documents (PIDF, RFC 3863): what was published is checked, and put together with what the edge knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

from edge_agent.sip.message import BadMessage, DropReason

PIDF: Final = b"application/pidf+xml"
_NAMESPACE: Final = "urn:ietf:params:xml:ns:pidf"
_PRESENCE: Final = f"{{{_NAMESPACE}}}presence"
_TUPLE: Final = f"{{{_NAMESPACE}}}tuple"
_MOST_ELEMENTS: Final = 500
_MOST_DEPTH: Final = 20


def check(body: bytes) -> None:
    """Whether a body is a presence document that may be passed on.

    Document types, and with them entities, are refused: nothing in a presence document needs them.

    Raises:
        BadMessage: it is not.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    seen: list[str] = []
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        del attributes
        depth += 1
        seen.append(name)
        if len(seen) > _MOST_ELEMENTS or depth > _MOST_DEPTH:
            raise _bad()

    def end(name: str) -> None:
        nonlocal depth
        del name
        depth -= 1

    def refuse(*_: object) -> None:
        raise _bad()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise _bad() from None
    if seen[0] != f"{_NAMESPACE}}}presence":
        raise _bad()


def composed(entity: str, registered: bool, published: Sequence[tuple[str, bytes]]) -> bytes:
    """One document of all that is known of a user.

    Args:
        entity: the user's address.
        registered: whether a phone can be reached.
        published: entity tag and checked document of each publication, oldest first.
    """
    ET.register_namespace("", _NAMESPACE)
    root = ET.Element(_PRESENCE, {"entity": entity})
    own = ET.SubElement(root, _TUPLE, {"id": "registration"})
    status = ET.SubElement(own, f"{{{_NAMESPACE}}}status")
    ET.SubElement(status, f"{{{_NAMESPACE}}}basic").text = "open" if registered else "closed"
    if registered:
        ET.SubElement(own, f"{{{_NAMESPACE}}}contact").text = entity
    others: list[ET.Element] = []
    for tag, body in published:
        for child in ET.fromstring(body):  # noqa: S314 - `check` let no document type, and so no entity, in
            if "id" in child.attrib:
                # Ids are unique in a document only; two publications may use the same.
                child.set("id", f"p{tag}-{child.get('id')}")
            if child.tag == _TUPLE:
                root.append(child)
            else:
                others.append(child)
    # The schema wants tuples before notes and before what other standards add (RFC 3863 §4.4).
    root.extend(sorted(others, key=lambda one: one.tag != f"{{{_NAMESPACE}}}note"))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode").encode()


def _bad() -> BadMessage:
    return BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Presence Document")
