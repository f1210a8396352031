"""Calls of trunks that an earlier process had: whoever is still in one is told when it is over, and why.

A call that is joined here does not outlive the process, but two ends whose media needs no relay go on talking. So both
dialogs of each answered call are on disk before the answer leaves. From the next start on, the first thing that either
end says within its dialog ends the call at the other one (BYE). Where the media went by the relay, both are told at
once.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sip.dialog import Dialog, DialogKey
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.message import BadMessage, Message
from edge_agent.sip.trunks.bridge import Bridge
from edge_agent.sip.user_agent.agent import UserAgent
from edge_agent.sip.user_agent.asked import Asked
from edge_agent.sip.user_agent.challenges import Challenges, Login
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

KIND: Final = "trunk_call"
SECONDS: Final = 86_400
"""How long a call of an earlier process may go on without a word."""
PAUSES: Final = (2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds after which an end that cannot be reached yet is told again."""
REASON: Final = b'SIP;cause=503;text="What carried this call was started again"'
"""RFC 3326."""
_UNANSWERED: Final = frozenset({408, 430, 480, 500, 503, 504})
_AHEAD: Final = 1_000
"""How far sequence numbers go on from the kept ones: more than any call has requests."""


@dataclass(slots=True, eq=False)
class _End:
    """One leg of an earlier call, and how often it was told."""

    call: _Call
    inside: bool
    dialog: Dialog
    pauses: list[float] = field(default_factory=lambda: list(PAUSES))
    told: bool = False

    def expired(self, kind: int, now: float) -> None:
        """Its pause is over."""
        del kind
        self.call.calls.tell(self, now)


@dataclass(slots=True, eq=False)
class _Call:
    calls: EarlierCalls
    row: str
    trunk_id: str
    ends: list[_End] = field(default_factory=list)


class EarlierCalls:
    """Keeps the calls that there are, and ends those that there were.

    Args:
        store: on disk.
        inside: the user agent that the proxy talks to.
        port: its own.
        outside: the one that providers talk to.
        login_of: answers a trunk's challenges.
        clock: for their age.
        tokens: names rows.
    """

    def __init__(
        self,
        store: KeptRows,
        inside: UserAgent,
        port: int,
        outside: UserAgent,
        login_of: Callable[[str], Login | None],
        clock: Clock,
        tokens: Tokens,
    ) -> None:
        self._store, self._inside, self._outside, self._login_of = store, inside, outside, login_of
        self._clock, self._tokens, self._port = clock, tokens, port
        self._rows: dict[Bridge, str] = {}
        self._ends: dict[DialogKey, _End] = {}

    # -- calls of this process

    def keep(self, bridge: Bridge) -> None:
        """Who talks to whom is known, or somebody else does; on disk when this returns."""
        ends = []
        for side in (bridge.first, bridge.second):
            dialog = side.leg.dialog if side.leg is not None else None
            if dialog is None:
                return
            ends.append({"inside": side.inside, "number": dialog.number, "dialog": dialog.kept()})
        relayed = bridge.relay is not None and bridge.relay.relayed
        began = self._clock.now().timestamp()
        row = {"trunk": bridge.trunk_id, "port": self._port, "relayed": relayed, "began": began, "ends": ends}
        name = self._rows.setdefault(bridge, self._tokens.token())
        self._store.put(KIND, name, json.dumps(row))
        self._store.commit()

    def over(self, bridge: Bridge) -> None:
        """Both ends are told by those who talked there."""
        if (name := self._rows.pop(bridge, None)) is not None:
            self._forget(name)

    # -- calls of an earlier one

    def restore(self, now: float) -> None:
        """Take up what an earlier process kept; to be called when requests can be sent."""
        ended = 0
        for name, text in self._store.load(KIND).items():
            try:
                row = json.loads(text)
                call = _Call(self, name, str(row["trunk"]))
                for one in row["ends"]:
                    dialog = Dialog.restored(one["dialog"], int(one["number"]) + _AHEAD)
                    call.ends.append(_End(call, bool(one["inside"]), dialog))
                relayed, age = bool(row["relayed"]), self._clock.now().timestamp() - float(row["began"])
            except (ValueError, KeyError, TypeError, AttributeError, BadMessage):
                self._forget(name)
                continue
            if age > SECONDS:
                self._forget(name)
                continue
            for end in call.ends:
                self._ends[end.dialog.key] = end
                if relayed:
                    self.tell(end, now)
            ended += relayed
        if self._ends:
            log.warning("trunk_calls_of_earlier_process", extra={"calls": len(self._ends) // 2, "ended": ended})

    def asked(self, request: Message, now: float) -> bool:
        """Whether a request is within such a call, which is over then."""
        end = self._ends.get(DialogKey(request.call_id, request.to_tag, request.from_tag))
        if end is None:
            return False
        self._is_told(end)
        for other in end.call.ends:
            if not other.told:
                self.tell(other, now)
        return True

    def tell(self, end: _End, now: float) -> None:
        """Say BYE."""
        agent = self._inside if end.inside else self._outside
        login = None if end.inside else self._login_of(end.call.trunk_id)

        def answered(response: Message | None, when: float) -> None:
            if (response is None or response.status in _UNANSWERED) and end.pauses:
                agent.wheel.add(end.pauses.pop(0), end, 0, when)
            else:
                self._is_told(end)

        bye = end.dialog.request(b"BYE", ((b"Reason", REASON),))
        Asked(agent, end.dialog, bye, Challenges(login, self._tokens), answered).send(now)

    def _is_told(self, end: _End) -> None:
        end.told = True
        if all(one.told for one in end.call.ends):
            self._forget(end.call.row)
            for one in end.call.ends:
                self._ends.pop(one.dialog.key, None)

    def _forget(self, name: str) -> None:
        self._store.remove(KIND, name)
        self._store.commit()


def port_of(store: KeptRows) -> int:
    """Our port inside as those know it who are in calls of an earlier process; 0: there are none, any port will do."""
    for text in store.load(KIND).values():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            port = int(json.loads(text)["port"])
            if 0 < port < 65_536:
                return port
    return 0
