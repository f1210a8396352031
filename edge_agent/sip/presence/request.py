"""What SUBSCRIBE and PUBLISH ask for: Event, Accept, Expires (RFC 6665 §8.2, RFC 3261 §20.1, §20.19)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from edge_agent.sip.message import BadMessage, DropReason, Message, RawHeader
from edge_agent.sip.message.name_addr import parse_params
from edge_agent.sip.presence.package import EventRefused

_TYPE: Final = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]+")
_SPACE: Final = b" \t"


class Event(NamedTuple):
    """An Event header.

    Args:
        package: its name; event types are compared byte for byte (RFC 6665 §8.2.1).
        id: tells subscriptions of one subscriber apart; empty: none.
    """

    package: bytes
    id: bytes = b""

    def __bytes__(self) -> bytes:
        return self.package + (b";id=" + self.id if self.id else b"")


def event_of(request: Message, known: tuple[bytes, ...]) -> Event:
    """The event that a request names, if it is one of those.

    Raises:
        EventRefused: 489, with those that there are.
        BadMessage: it is malformed.
    """
    values = request.all(b"event")
    if len(values) == 1:
        name, semicolon, rest = values[0].partition(b";")
        name = name.strip(_SPACE)
        if _TYPE.fullmatch(name) is None:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Event")
        params = parse_params(semicolon + rest, "Event")
        # A variant of a package is a package of its own here, such as `dialog;shared` (RFC 7463 §5.1).
        variants = (name + b";" + one for one, value in params.items() if value is None)
        name = next((one for one in variants if one in known), name)
        if name in known:
            return Event(name, params.get(b"id") or b"")
    raise EventRefused(489, "", allow_events(known))


def allow_events(known: tuple[bytes, ...]) -> RawHeader:
    """The header that says which events there are."""
    return (b"Allow-Events", b", ".join(dict.fromkeys(name.partition(b";")[0] for name in known)))


def accepted_type(request: Message, offered: tuple[bytes, ...]) -> bytes:
    """The type of document that the subscriber wants most of those that there are.

    Raises:
        EventRefused: 406, it takes none of them.
        BadMessage: Accept is malformed.
    """
    if b"accept" not in request.names or not offered:
        return offered[0] if offered else b""
    wanted: dict[bytes, float] = {}
    for value in request.values(b"accept"):
        name, semicolon, rest = value.partition(b";")
        quality = parse_params(semicolon + rest, "Accept").get(b"q") or b"1"
        wanted[name.strip(_SPACE).lower()] = _quality(quality)
    best, found = 0.0, b""
    for one in offered:
        ranges = (one, one.partition(b"/")[0] + b"/*", b"*/*")
        quality_of = next((wanted[name] for name in ranges if name in wanted), 0.0)
        if quality_of > best:
            best, found = quality_of, one
    if not found:
        raise EventRefused(406, "", (b"Accept", b", ".join(offered)))
    return found


def _quality(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Accept") from None


def granted_expires(request: Message, default: int, least: int, most: int) -> int:
    """Seconds granted; 0 where 0 was asked for.

    Raises:
        EventRefused: 423, more than nothing and less than `least` was asked for.
    """
    value = request.get(b"expires")
    if value is None or not value.isdigit():
        return min(default, most)
    wanted = int(value[:11])
    if 0 < wanted < least:
        raise EventRefused(423, "", (b"Min-Expires", b"%d" % least))
    return min(wanted, most)
