"""The ladder of a call as data: who spoke, when, and what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from contract.sync.ladder import MAX_ARROWS, MAX_MESSAGE_CHARACTERS, Arrow, Ladder, Participant
from edge_agent.sip.message import Flow
from edge_agent.sip.observation.masking import masked
from edge_agent.sip.observation.tape import Heard, Recording

_CSEQ: Final = re.compile(rb"\r\ncseq[ \t]*:[ \t]*\d+[ \t]+([^\r\n ]*)", re.IGNORECASE)
_FROM: Final = re.compile(rb"\r\n(?:from|f)[ \t]*:[^\r\n]{0,255}?sips?:([^@>;\r\n]{0,255})@", re.IGNORECASE)
_LONGEST: Final = 255
_UNPRINTABLE: Final = re.compile(r"[^\r\n\t -~\u00a0-\uffff]")
ANSWER_BYTES: Final = 900_000
"""Of messages; the channel takes an answer half as long again."""


class WallTime:
    """Moments of the monotonic clock as moments that people read.

    Args:
        now: the moment in UTC …
        monotonic: … at which the monotonic clock showed so many seconds.
    """

    def __init__(self, now: datetime, monotonic: float) -> None:
        self._now = now
        self._monotonic = monotonic

    def of(self, at: float) -> datetime:
        """The moment of `at` seconds, monotonic."""
        return self._now + timedelta(seconds=at - self._monotonic)


def ladder_of(call_id: bytes, recording: Recording, local: Mapping[str, tuple[str, int]], wall: WallTime) -> Ladder:
    """Draw a call.

    Args:
        call_id: its SIP Call-ID.
        recording: its messages.
        local: host and port of the edge by transport.
        wall: for the arrows' moments.
    """
    kept = recording.messages(ANSWER_BYTES)[:MAX_ARROWS]
    places = _places(kept)
    seen: set[tuple[bool, Flow, bytes]] = set()
    arrows = []
    for heard in kept:
        mark = (heard.sent, heard.flow, heard.data)
        there = places[heard.flow[:3]]
        arrows.append(
            _arrow(heard, wall.of(heard.at), 0 if heard.sent else there, there if heard.sent else 0, mark in seen)
        )
        seen.add(mark)
    return Ladder(
        sip_call_id=_text(call_id)[:1024],
        participants=(_edge(kept, local), *_others(kept)),
        arrows=tuple(arrows),
        left_out=len(recording) - len(kept),
    )


def _places(messages: list[Heard]) -> dict[tuple[str, str, int], int]:
    peers = dict.fromkeys(heard.flow[:3] for heard in messages)
    return {peer: place for place, peer in enumerate(peers, start=1)}


def _edge(messages: list[Heard], local: Mapping[str, tuple[str, int]]) -> Participant:
    first = messages[0].flow.transport if messages else "udp"
    host, port = local.get(first) or next(iter(local.values()), ("", 0))
    return Participant(name="Edge", address=Flow(first, host, port).source, transport=first, edge=True)


def _others(messages: list[Heard]) -> list[Participant]:
    names: dict[tuple[str, str, int], str] = {}
    for heard in messages:
        if heard.data.startswith(b"SIP/2.0"):
            continue
        if heard.sent:
            target = re.match(rb"[^ ]+ sips?:([^@ >;]*)@", heard.data)
            name = target[1] if target is not None else b""
        else:
            found = _FROM.search(heard.data)
            name = found[1] if found is not None else b""
        if name and not names.get(heard.flow[:3]):
            names[heard.flow[:3]] = _text(name)[:_LONGEST]
    return [
        Participant(name=names.get(flow[:3], ""), address=flow.source[:_LONGEST], transport=flow.transport)
        for flow in {heard.flow[:3]: heard.flow for heard in messages}.values()
    ]


def _arrow(heard: Heard, at: datetime, source: int, target: int, again: bool) -> Arrow:
    data = masked(heard.data)
    line = data.partition(b"\r\n")[0]
    method, status = line.partition(b" ")[0], 0
    if line.startswith(b"SIP/2.0 "):
        found = _CSEQ.search(data)
        method = found[1] if found is not None else b""
        digits = line[8:11]
        status = int(digits) if digits.isdigit() and int(digits) < 700 else 0
    return Arrow(
        at=at,
        source=source,
        target=target,
        line=_text(line)[:_LONGEST],
        method=_text(method)[:_LONGEST],
        status=status,
        again=again,
        text=_UNPRINTABLE.sub("\ufffd", data.decode("utf-8", "replace"))[:MAX_MESSAGE_CHARACTERS],
    )


def _text(data: bytes) -> str:
    """One line for people."""
    return "".join(c if c.isprintable() else "\ufffd" for c in data.decode("utf-8", "replace"))
