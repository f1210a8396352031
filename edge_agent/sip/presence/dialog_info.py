"""Dialog documents (RFC 4235) of shared lines: written with the extensions of RFC 7463 §5.2, and read as phones publish
them.

Phones from before that RFC know an appearance by `x-line-id`, counted from 0, of the local target
(draft-anil-sipping-bla), and a call on hold by `+sip.rendering` (RFC 4235 §5.2). Both are written too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from edge_agent.sip.message import BadMessage, DropReason, escaped_user
from edge_agent.sip.proxy.parties import Party
from edge_agent.sip.xml_text import escape, quoteattr

DIALOG_INFO: Final = b"application/dialog-info+xml"
_NAMESPACE: Final = "urn:ietf:params:xml:ns:dialog-info"
_SHARED: Final = "urn:ietf:params:xml:ns:sa-dialog-info"
_MOST_ELEMENTS: Final = 500
_MOST_DEPTH: Final = 20
_MOST_DIALOGS: Final = 50
_LONGEST_TEXT: Final = 100


@dataclass(frozen=True, slots=True)
class PublishedDialog:
    """What a phone says of one of its dialogs.

    Args:
        call_id: of it; empty: it has none yet.
        state: of RFC 4235 §3.7.1.
        appearance: which it wants; 0: any.
        exclusive: whether others are to leave it alone; None: it does not say.
        takes_up: whether it is there to take up or to join a call of the line.
    """

    call_id: bytes
    state: str
    appearance: int
    exclusive: bool | None
    takes_up: bool


def written(parties: list[Party], entity: str, domain: str, version: int, *, full: bool) -> bytes:
    """The document of a line.

    Args:
        parties: calls and seizures, each with its appearance.
        entity: address of the line.
        domain: of the site.
        version: of the document.
        full: whether these are all.
    """
    state = "full" if full else "partial"
    dialogs = "".join(_dialog(one, entity, domain) for one in parties)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<dialog-info xmlns="{_NAMESPACE}" xmlns:sa="{_SHARED}" '
        f'version="{version}" state="{state}" entity={quoteattr(entity)}>\n{dialogs}</dialog-info>\n'
    ).encode()


def _dialog(party: Party, entity: str, domain: str) -> str:
    named = (("call-id", party.call_id), ("local-tag", party.local_tag), ("remote-tag", party.remote_tag))
    ids = "".join(f" {name}={quoteattr(text_of(value))}" for name, value in named if value)
    remote = ""
    if party.remote is not None:
        other = f"sip:{escaped_user(party.remote).decode()}@{domain}"
        remote = f"<remote><identity>{escape(other)}</identity><target uri={quoteattr(other)}/></remote>\n"
    return (
        f'<dialog id={quoteattr(party.dialog_id)}{ids} direction="{party.direction}">\n<state>{party.state}</state>\n'
        f"<local><identity>{escape(entity)}</identity><target uri={quoteattr(entity)}>"
        f'<param pname="x-line-id" pval="{party.appearance - 1}"/>'
        f'<param pname="+sip.rendering" pval="{"no" if party.held else "yes"}"/></target></local>\n{remote}'
        f"<sa:appearance>{party.appearance}</sa:appearance>"
        f"<sa:exclusive>{'true' if party.exclusive else 'false'}</sa:exclusive>\n</dialog>\n"
    )


def text_of(value: bytes) -> str:
    """Bytes from a message as characters that XML may have."""
    return "".join(c if c >= " " and c.isprintable() else " " for c in value.decode("utf-8", "replace"))


class _Reader:
    """Gathers the dialogs of a document; element by element, so that nothing of it grows without bound."""

    def __init__(self) -> None:
        self.found: list[PublishedDialog] = []
        self._path: list[str] = []
        self._elements = 0
        self._call_id = b""
        self._texts: dict[str, str] = {}
        self._takes_up = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if not self._path and name != f"{_NAMESPACE}}}dialog-info":
            raise _bad()
        self._path.append(name)
        if self._elements > _MOST_ELEMENTS or len(self._path) > _MOST_DEPTH:
            raise _bad()
        if len(self._path) == 2 and name == f"{_NAMESPACE}}}dialog":
            self._call_id = attributes.get("call-id", "").encode()
            self._texts, self._takes_up = {}, False
        elif name in (f"{_SHARED}}}replaced-dialog", f"{_SHARED}}}joined-dialog"):
            self._takes_up = True

    def text(self, data: str) -> None:
        if len(self._path) == 3:
            self._texts[self._path[-1]] = (self._texts.get(self._path[-1], "") + data)[:_LONGEST_TEXT]

    def end(self, name: str) -> None:
        self._path.pop()
        if len(self._path) == 1 and name == f"{_NAMESPACE}}}dialog":
            if len(self.found) >= _MOST_DIALOGS:
                raise _bad()
            self.found.append(self._dialog())

    def _dialog(self) -> PublishedDialog:
        texts = {name: text.strip() for name, text in self._texts.items()}
        index = texts.get(f"{_SHARED}}}appearance", "0")
        exclusive = texts.get(f"{_SHARED}}}exclusive")
        if not index.isascii() or not index.isdigit() or len(index) > 3:
            raise _bad()
        return PublishedDialog(
            self._call_id,
            texts.get(f"{_NAMESPACE}}}state", ""),
            int(index),
            None if exclusive is None else exclusive in ("true", "1"),
            self._takes_up,
        )


def read(body: bytes) -> list[PublishedDialog]:
    """The dialogs in a document that a phone published.

    Document types, and with them entities, are refused: nothing in such a document needs them.

    Raises:
        BadMessage: it is no dialog document, or longer than any phone's.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise _bad()

    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise _bad() from None
    return reader.found


def _bad() -> BadMessage:
    return BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Dialog Document")
