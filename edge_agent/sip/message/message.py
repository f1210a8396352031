"""A SIP message: its lines as they came, and a name for each; looked into only when asked."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from edge_agent.sip.message.characters import COMMA, LESS, QUOTE
from edge_agent.sip.message.errors import BadMessage, DropReason
from edge_agent.sip.message.flow import Flow
from edge_agent.sip.message.headers import canonical, one_line
from edge_agent.sip.message.name_addr import NameAddr, split_commas, tag_of
from edge_agent.sip.message.shape import Shape, shape_of
from edge_agent.sip.message.uri import Uri
from edge_agent.sip.message.via import Via

NO_FLOW = Flow("udp", "", 0)

_MAX_CSEQ: Final = 2**31
_CACHED_CSEQ: Final = 24
"""Longer ones, which no phone sends, are not remembered."""
_BRANCH: Final = re.compile(rb'[^,"]*?;branch=([A-Za-z0-9\-.!%*_+`\'~]+)(?:[;,]|$)')


class Message:
    """A request or a response.

    Header names in questions are lower-case long names (`b"call-id"`); names in what is added are written as they
    shall stand on the wire (`b"Call-ID"`). Lines that nobody changes are never built again.
    """

    __slots__ = (
        "_call_id",
        "_cseq",
        "_from_tag",
        "_to_tag",
        "_via",
        "body",
        "flow",
        "lines",
        "method",
        "names",
        "shape",
        "status",
    )

    def __init__(self, lines: list[bytes], names: list[bytes], body: bytes, method: bytes, status: int) -> None:
        self.lines = lines
        """The start line, then one line per header, unfolded, without line ends."""
        self.names = names
        """The canonical name of each line; empty for the start line."""
        self.body = body
        self.method = method
        """Of a request; empty in a response."""
        self.status = status
        """Of a response; 0 in a request."""
        self.flow = NO_FLOW
        """Where it came from."""
        self.shape: Shape | None = None
        """Of the lines as they came; None once that no longer tells where they stand."""
        self._via: Via | None = None
        self._call_id: bytes | None = None
        self._cseq: tuple[int, bytes] | None = None
        self._from_tag: bytes | None = None
        self._to_tag: bytes | None = None

    # -- the start line

    @property
    def uri(self) -> bytes:
        """The Request-URI as it stands."""
        return self.lines[0].split(b" ", 2)[1]

    def set_uri(self, uri: bytes) -> None:
        """Give a request another Request-URI."""
        self.lines[0] = one_line(self.method + b" " + uri + b" SIP/2.0")

    @property
    def reason(self) -> bytes:
        """The reason phrase of a response."""
        return self.lines[0].split(b" ", 2)[2] if self.lines[0].count(b" ") > 1 else b""

    # -- headers

    def find_places(self) -> Shape:
        """Look up where each header stands; worth while before many questions."""
        self.shape = shape = shape_of(self.names)
        return shape

    @property
    def repeats(self) -> bool:
        """Whether any header stands on more than one line."""
        return (self.shape or self.find_places()).repeats

    def has(self, name: bytes) -> bool:
        """Whether there is a header of that name."""
        shape = self.shape
        return name in self.names if shape is None else name in shape.places

    def index(self, name: bytes) -> int:
        """The place of the first header of that name; -1 when there is none."""
        shape = self.shape
        if shape is not None:
            return shape.places.get(name, -1)
        # Lines were moved: one more look does not pay for a table.
        names = self.names
        return names.index(name) if name in names else -1

    def value_at(self, at: int) -> bytes:
        """The value of the header line at a place."""
        return self.lines[at].partition(b":")[2].strip(b" \t")

    def get(self, name: bytes) -> bytes | None:
        """The value of the first header of that name."""
        at = self.index(name)
        if at < 0:
            return None
        return self.lines[at].partition(b":")[2].strip(b" \t")

    def need(self, name: bytes) -> bytes:
        """As `get`.

        Raises:
            BadMessage: there is none.
        """
        value = self.get(name)
        if value is None:
            raise BadMessage(DropReason.MISSING_HEADER, f"Missing {name.decode('ascii', 'replace').title()}")
        return value

    def all(self, name: bytes) -> list[bytes]:
        """The values of every header line of that name."""
        at = self.index(name)
        if at < 0:
            return []
        if self.shape is not None and not self.shape.repeats:
            return [self.value_at(at)]
        return [self.value_at(at) for at, one in enumerate(self.names) if one == name]

    def values(self, name: bytes) -> list[bytes]:
        """The values of every header of that name, lists taken apart at their commas.

        Raises:
            BadMessage: a list is malformed.
        """
        return [one for line in self.all(name) for one in split_commas(line)]

    def insert(self, at: int, name: bytes, value: bytes) -> None:
        """Put a header line at a place (1 is right after the start line)."""
        self.insert_line(at, one_line(name + b": " + value), canonical(name))

    def insert_line(self, at: int, line: bytes, name: bytes) -> None:
        """As `insert`, for a line that is written already and holds no line end; `name` is its lower-case long name."""
        self.lines.insert(at, line)
        self.names.insert(at, name)
        self.shape = None

    def append(self, name: bytes, value: bytes) -> None:
        """Put a header line after the others."""
        self.append_line(one_line(name + b": " + value), canonical(name))

    def append_line(self, line: bytes, name: bytes) -> None:
        """As `append`, for a line that is written already and holds no line end; `name` is its lower-case long name."""
        self.shape = None
        self.lines.append(line)
        self.names.append(name)

    def replace_at(self, at: int, value: bytes) -> None:
        """Give the header at a place another value; its name keeps its spelling."""
        line = self.lines[at]
        self.lines[at] = one_line(line[: line.find(b":")] + b": " + value)

    def set(self, name: bytes, value: bytes) -> None:
        """Give the first header of that name this value, or append it."""
        self._call_id = None
        at = self.index(canonical(name))
        if at < 0:
            self.append(name, value)
        else:
            self.lines[at] = one_line(name + b": " + value)

    def remove_at(self, at: int) -> None:
        """Take the header at a place out."""
        del self.lines[at]
        del self.names[at]
        self.shape = None

    def remove(self, name: bytes) -> None:
        """Take every header of that name out."""
        if self.has(name):
            keep = [at for at, one in enumerate(self.names) if one != name]
            self.lines = [self.lines[at] for at in keep]
            self.names = [self.names[at] for at in keep]
            self.shape = None

    def remove_first_value(self, name: bytes) -> None:
        """Take the first value of a listed header (Via, Route) out, its line too when nothing is left on it."""
        at = self.index(name)
        line = self.lines[at]
        if COMMA in line:
            if QUOTE not in line and LESS not in line:
                # Without quotes and brackets the first comma ends the first value, and the others stay as they are.
                first, _, others = line.partition(b",")
                if others := others.lstrip(b" \t"):
                    self.lines[at] = first[: first.find(b":")] + b": " + others
                    return
            elif rest := split_commas(self.value_at(at))[1:]:
                self.replace_at(at, b", ".join(rest))
                return
        self.remove_at(at)

    # -- headers that everybody asks for

    @property
    def via(self) -> Via:
        """The topmost Via.

        Raises:
            BadMessage: missing or malformed.
        """
        if self._via is None:
            value = self.need(b"via")
            self._via = Via.parse(split_commas(value)[0] if COMMA in value else value)
        return self._via

    def top_branch(self) -> bytes:
        """The branch of the topmost Via; looks before it parses, for responses are found by it alone."""
        at = self.index(b"via")
        match = _BRANCH.match(self.lines[at]) if at > 0 else None
        return match.group(1) if match is not None else self.via.branch

    def set_top_via(self, via: Via) -> None:
        """Write the topmost Via anew (after `received` and `rport` were filled in)."""
        at = self.index(b"via")
        value = self.value_at(at)
        rest = split_commas(value)[1:] if COMMA in value else []
        self.replace_at(at, b", ".join((bytes(via), *rest)))
        self._via = via

    def extend_top_via(self, end: bytes, more: bytes) -> bool:
        """Write `more` behind the topmost Via if that ends in `end` and stands alone on its line.

        Returns:
            False when it does not: nothing was changed.
        """
        at = self.index(b"via")
        line = self.lines[at]
        if COMMA in line or not line.endswith(end):
            return False
        self.lines[at] = line + more
        return True

    def forget_via(self) -> None:
        """Called after the topmost Via was removed or another was put above it."""
        self._via = None

    @property
    def call_id(self) -> bytes:
        """The Call-ID.

        Raises:
            BadMessage: missing.
        """
        if self._call_id is None:
            self._call_id = self.need(b"call-id")
        return self._call_id

    @property
    def cseq(self) -> tuple[int, bytes]:
        """The CSeq's number and method.

        Raises:
            BadMessage: missing or malformed.
        """
        if self._cseq is None:
            value = self.need(b"cseq")
            self._cseq = _remembered_cseq(value) if len(value) <= _CACHED_CSEQ else _parse_cseq(value)
        return self._cseq

    @property
    def from_tag(self) -> bytes:
        """The From tag; empty when there is none.

        Raises:
            BadMessage: From is missing or malformed.
        """
        if self._from_tag is None:
            self._from_tag = tag_of(self.need(b"from"), "From") or b""
        return self._from_tag

    @property
    def to_tag(self) -> bytes:
        """The To tag; empty when there is none, which makes a request one outside of a dialog.

        Raises:
            BadMessage: To is missing or malformed.
        """
        if self._to_tag is None:
            self._to_tag = tag_of(self.need(b"to"), "To") or b""
        return self._to_tag

    def request_uri(self) -> Uri:
        """The Request-URI in its parts.

        Raises:
            BadMessage: malformed.
        """
        return Uri.parse(self.uri)

    def uri_of(self, name: bytes) -> Uri:
        """The URI in From or To, without looking at the parameters behind it.

        Raises:
            BadMessage: missing or malformed.
        """
        value = self.need(name)
        end = value.find(b">") + 1
        if end and QUOTE not in value:
            # What is in front of the parameters is the same for every message of a user.
            value = value[:end]
        return NameAddr.parse(value, name.decode("ascii").title()).uri

    def address(self, name: bytes) -> NameAddr:
        """The address in From or To.

        Raises:
            BadMessage: missing or malformed.
        """
        return NameAddr.parse(self.need(name), name.decode("ascii").title())

    # -- as a whole

    def copy(self) -> Message:
        """A message whose lines may be changed without changing this one's."""
        twin = Message(self.lines.copy(), self.names.copy(), self.body, self.method, self.status)
        twin.flow = self.flow
        twin.shape = self.shape
        return twin

    def __bytes__(self) -> bytes:
        return b"\r\n".join(self.lines) + b"\r\n\r\n" + self.body


@lru_cache(maxsize=4096)
def _remembered_cseq(value: bytes) -> tuple[int, bytes]:
    return _parse_cseq(value)


def _parse_cseq(value: bytes) -> tuple[int, bytes]:
    parts = value.split(None, 2)
    if len(parts) != 2 or not parts[0].isdigit() or len(parts[0]) > 10 or int(parts[0]) >= _MAX_CSEQ:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed CSeq")
    return int(parts[0]), parts[1]
