"""Calls that were answered and have ended lately, for what phones tell of them afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_agent.sip.proxy.calls import Calls, LiveCall

MOST: Final = 2_000
"""Calls that are remembered; the oldest goes first. Phones report within seconds."""


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call that is in progress or was lately.

    Args:
        sip_call_id: as its record has it.
        caller_user_id, callee_user_id: users of the site; None: it is none.
        caller_source, callee_source: `address:port` of their phones; empty: not known.
    """

    sip_call_id: str
    caller_user_id: str | None
    callee_user_id: str | None
    caller_source: str
    callee_source: str


class RecentCalls:
    """Finds calls by their Call-ID.

    Args:
        calls: in progress.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._ended: dict[bytes, KnownCall] = {}

    def ended(self, call: LiveCall) -> None:
        """A call is over."""
        if call.opened.answered_at is None:
            return
        call_id = call.key[0]
        self._ended.pop(call_id, None)
        self._ended[call_id] = _known(call)
        if len(self._ended) > MOST:
            del self._ended[next(iter(self._ended))]

    def find(self, call_id: bytes) -> KnownCall | None:
        """The answered call of this Call-ID; None: there is none, or it is too long ago."""
        known = self._ended.get(call_id)
        if known is None and (live := self._calls.answered(call_id)) is not None:
            known = _known(live)
        return known


def _known(call: LiveCall) -> KnownCall:
    opened, callee = call.opened, call.callee_flow
    return KnownCall(
        opened.sip_call_id,
        call.calling.user_id,
        call.called.user_id,
        call.caller_flow.source,
        callee.source if callee is not None else "",
    )
