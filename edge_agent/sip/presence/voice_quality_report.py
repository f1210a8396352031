"""A phone's report of how well it heard a call: the document of RFC 6035 (`application/vq-rtcpxr`), as far as it
counts here. Whatever bytes come, there is a report, None, or `BadMessage`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from edge_agent.sip.message import BadMessage, DropReason

CONTENT_TYPE: Final = b"application/vq-rtcpxr"
_MOST_LINES: Final = 200
_LONGEST_VALUE: Final = 255
_SESSION: Final = "vqsessionreport"
_KINDS: Final = frozenset({_SESSION, "vqintervalreport", "vqalertreport"})
_LOCAL, _REMOTE = "localmetrics", "remotemetrics"


@dataclass(frozen=True, slots=True)
class SessionReport:
    """What a phone says at the end of a call of the media that it got; None: it does not say.

    Args:
        call_id: which call.
        codec: by its name in SDP.
        lost_percent: that the network lost (NLR).
        late_percent: that its jitter buffer threw away (JDR).
        jitter_ms: mean inter-arrival jitter (IAJ).
        round_trip_ms: (RTD).
        mos: of a conversation (MOSCQ), or of listening alone (MOSLQ) where it tells only that.
    """

    call_id: str
    codec: str
    lost_percent: float | None
    late_percent: float | None
    jitter_ms: float | None
    round_trip_ms: float | None
    mos: float | None


def read(body: bytes) -> SessionReport | None:
    """The report in a document; None: it is one of an interval or an alert (RFC 6035 §4.6.1), which do not count.

    Raises:
        BadMessage: it is none; the reason says what is missing.
    """
    try:
        lines = body.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        raise _bad("Report Is Not UTF-8") from None
    if len(lines) > _MOST_LINES:
        raise _bad("Report Has Too Many Lines")
    kind = lines[0].partition(":")[0].strip().lower()
    if kind not in _KINDS:
        raise _bad("Report Does Not Begin With VQSessionReport, VQIntervalReport Or VQAlertReport")
    if kind != _SESSION:
        return None
    call_id, metrics = _fields(lines[1:])
    if not call_id:
        raise _bad("Report Without CallID")
    return SessionReport(
        call_id,
        codec=metrics.get("sessiondesc.pd", ""),
        lost_percent=_number(metrics, "packetloss.nlr", 0, 100),
        late_percent=_number(metrics, "packetloss.jdr", 0, 100),
        jitter_ms=_number(metrics, "delay.iaj", 0, 65_535),
        round_trip_ms=_number(metrics, "delay.rtd", 0, 65_535),
        mos=_opinion(metrics),
    )


def _fields(lines: list[str]) -> tuple[str, dict[str, str]]:
    """The Call-ID, and what stands under LocalMetrics as `line.key`; the first of each counts."""
    call_id, section = "", ""
    metrics: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if name in (_LOCAL, _REMOTE):
            section = name
        elif name == "callid":
            call_id = call_id or value
        elif section == _LOCAL:
            for word in value.split():
                key, equals, said = word.partition("=")
                if equals and said.isprintable():
                    metrics.setdefault(f"{name}.{key.lower()}", said[:_LONGEST_VALUE])
    return call_id, metrics


def _number(metrics: dict[str, str], name: str, least: float, most: float) -> float | None:
    try:
        found = float(metrics[name][:16])
    except (KeyError, ValueError):
        return None
    return found if math.isfinite(found) and least <= found <= most else None


def _opinion(metrics: dict[str, str]) -> float | None:
    conversation = _number(metrics, "qualityest.moscq", 1, 5)
    return conversation if conversation is not None else _number(metrics, "qualityest.moslq", 1, 5)


def _bad(reason: str) -> BadMessage:
    return BadMessage(DropReason.BAD_HEADER_VALUE, reason)
