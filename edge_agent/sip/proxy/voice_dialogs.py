"""Calls of the media engine, ended for an engine that was killed: the phones in them are told (BYE), and why.

Of each answered call that a voice service is in, the proxy keeps what its engine knows of the dialog, as it came by: on
disk before the answer leaves, so that a kill of the whole agent costs none. An engine names itself by an id; calls that
another engine had are over. One that outlives the agent (FreeSWITCH) comes back with the id that it had, and keeps its
calls.
"""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.dialog.dialog import Dialog, contact_of
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.message import BadMessage, Flow, Message, SipError, Uri
from edge_agent.sip.proxy import hidden_transfers
from edge_agent.sip.resolver.numeric import DEFAULT_PORT
from edge_agent.sip.transaction import ClientTransaction, TimerWheel

_log = logging.getLogger(__name__)

KIND: Final = "voice_dialog"
MOST: Final = 10_000
"""Calls kept; the oldest is forgotten."""
PAUSES: Final[tuple[float, ...]] = (2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds after which a phone that cannot be reached, such as one whose connection broke too, is told again."""
REASON: Final = b'SIP;cause=503;text="The voice service of this call has ended"'
"""RFC 3326."""
TAKES_PLACE: Final = b"X-Tandem-Replaces"
"""Replaces (RFC 3891) as FreeSWITCH is told of it. By Replaces itself it would end the other call and have the new one
do by itself what that was doing at the moment; what becomes of it is the application's to say."""
_REFRESH: Final = frozenset({b"INVITE", b"UPDATE"})
_GONE: Final = frozenset({404, 410, 481})
_UNANSWERED: Final = frozenset({408, 480, 500, 503, 504})

_Key = tuple[bytes, bytes, bytes]
"""Call-ID, the engine's tag, the phone's."""
Send = Callable[[Message, "Farewell", float], None]
"""Sends a request within a dialog on its way, as the engine's; may raise `SipError` when there is no way."""


@dataclass(slots=True)
class _Held:
    """One call.

    Args:
        engine: which had it; empty: the one that will say its name next.
        number: the highest CSeq that the engine used.
        dialog: as the engine knows it (`Dialog.kept`).
        flow: where the engine is.
        until: when it is forgotten; seconds, monotonic.
        placed: whether the engine called the phone.
        asked: whether the phone asked for a transfer that FreeSWITCH is about to call failed.
    """

    engine: str
    number: int
    dialog: dict[str, Any]
    flow: Flow
    until: float
    placed: bool
    asked: bool = False

    @property
    def row(self) -> str:
        """As it is kept."""
        place = [self.flow.host, self.flow.port]
        row = {"engine": self.engine, "number": self.number, "at": place, "dialog": self.dialog, "placed": self.placed}
        return json.dumps(row)


class VoiceDialogs:
    """Knows the calls that the media engine has.

    Args:
        store: keeps them; the caller commits it before what was received is answered.
        wheel: for telling again.
        config: of the site.
    """

    def __init__(self, store: KeptRows, wheel: TimerWheel, config: SipConfig) -> None:
        self._store, self._wheel = store, wheel
        self._engine = ""
        self.most = MOST
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._places = frozenset(_place(uri) for uri in config.services.values())
        self._seconds = config.limits.call_seconds
        self._hides_replaces = config.hides_replaces

    def restore(self, now: float) -> None:
        """Take up what an earlier process kept."""
        for key, text in self._store.load(KIND).items():
            try:
                row = json.loads(text)
                host, port = row["at"]
                dialog = Dialog.restored(row["dialog"], 0)
                flow, placed = Flow("udp", str(host), int(port)), bool(row.get("placed"))
                held = _Held(str(row["engine"]), int(row["number"]), row["dialog"], flow, now, placed)
            except (ValueError, KeyError, TypeError, BadMessage):
                self._store.remove(KIND, key)
                continue
            held.until = now + self._seconds
            self._held[dialog.key] = held

    def are_at(self, flow: Flow) -> bool:
        """Whether the engine is there."""
        return (flow.host, flow.port) in self._places

    def __len__(self) -> int:
        return len(self._held)

    # -- what comes by

    def towards(self, request: Message, flow: Flow) -> None:
        """A request goes out; what the engine is to read in another way is written so."""
        if self._hides_replaces and self.are_at(flow):
            request.remove(TAKES_PLACE.lower())
            if (value := request.get(b"replaces")) is not None:
                request.remove(b"replaces")
                request.append(TAKES_PLACE, value)

    def answered(self, request: Message, response: Message, flow: Flow, now: float) -> None:
        """A 2xx to an INVITE or UPDATE passes.

        Args:
            request: as it came.
            response: the 2xx, whole.
            flow: where it came from.
            now: seconds, monotonic.
        """
        placed = self.are_at(request.flow)
        if placed == self.are_at(flow):
            return  # none of the engine's; or both ends are its own
        try:
            if request.to_tag:
                if placed:
                    self._moved((request.call_id, request.from_tag, request.to_tag), response)
                return
            if placed:
                dialog, at = Dialog.asking(request, response), request.flow
                number = request.cseq[0]
            else:
                dialog, at = Dialog.answering(request, response.to_tag), flow
                # Of the answer: the request came before our own Record-Route was on it.
                dialog.route_set, number = tuple(response.values(b"record-route")), 0
        except SipError:
            return  # what has no Contact is no dialog that anybody could end
        while len(self._held) >= self.most:
            self._forget(next(iter(self._held)))
        until = now + self._seconds
        held = _Held(self._engine, number, dialog.kept(), Flow("udp", at.host, at.port), until, placed)
        self._keep(dialog.key, held)

    def passed(self, request: Message) -> None:
        """A request within a dialog passes; what the engine reads in another way, or says too early, is written so."""
        if not self._held:
            return
        call_id, theirs, other = request.call_id, request.from_tag, request.to_tag
        sent = (call_id, theirs, other)
        key = sent if sent in self._held else (call_id, other, theirs)
        held = self._held.get(key)
        if held is None:
            return
        if self._hides_replaces:
            self._transfer_passes(request, held, theirs=key != sent)
        if request.method == b"BYE":
            self._forget(key)
        elif key != sent:
            if request.method in _REFRESH:
                self._moved(key, request)
        elif request.cseq[0] > held.number:
            held.number = request.cseq[0]
            self._keep(key, held)

    def _transfer_passes(self, request: Message, held: _Held, *, theirs: bool) -> None:
        if request.method == b"NOTIFY" and theirs:
            hidden_transfers.keep_up(request)
        elif request.method == b"REFER" and theirs and held.placed:
            held.asked = hidden_transfers.hide(request)
        elif request.method == b"NOTIFY" and held.asked:
            held.asked = not hidden_transfers.go_on(request)

    def sweep(self, now: float) -> None:
        """Forget what lasted longer than any call may; to be called every few seconds."""
        while self._held and self._held[key := next(iter(self._held))].until <= now:
            self._forget(key)

    # -- what becomes of the engine

    def engine_is(self, engine_id: str, send: Send, now: float) -> int:
        """The media engine has this id now; calls of another are ended.

        Args:
            engine_id: empty: the one that there was is gone, and with it every call of it.
            send: sends their BYEs.
            now: seconds, monotonic.

        Returns:
            How many calls are being ended.
        """
        ended = 0
        for key, held in list(self._held.items()):
            if engine_id and held.engine in (engine_id, ""):
                if not held.engine:
                    held.engine = engine_id
                    self._keep(key, held)
                continue
            ended += 1
            # Until the phone knows, it is kept, and nothing else of it is.
            self._held.pop(key)
            Farewell(held.dialog, held.number, held.flow, send, self._wheel, self._told).begin(now)
        self._engine = engine_id
        if ended:
            _log.warning("calls_of_lost_engine_ended", extra={"calls": ended})
        return ended

    def _told(self, key: _Key) -> None:
        self._store.remove(KIND, _name(key))

    def _moved(self, key: _Key, message: Message) -> None:
        """The phone is elsewhere from here on, where it says so (RFC 3261 §12.2)."""
        held = self._held.get(key)
        if held is None or b"contact" not in message.names:
            return
        try:
            target = bytes(contact_of(message)).decode("latin-1")
        except BadMessage:
            return
        if held.dialog["target"] != target:
            held.dialog["target"] = target
            self._keep(key, held)

    def _keep(self, key: _Key, held: _Held) -> None:
        self._held[key] = held
        self._store.put(KIND, _name(key), held.row)

    def _forget(self, key: _Key) -> None:
        del self._held[key]
        self._store.remove(KIND, _name(key))


class Farewell:
    """The BYE of one call, in the engine's place, until its phone knows or is given up."""

    def __init__(
        self,
        dialog: dict[str, Any],
        number: int,
        flow: Flow,
        send: Send,
        wheel: TimerWheel,
        told: Callable[[_Key], None],
    ) -> None:
        self._dialog = Dialog.restored(dialog, number)
        self._flow, self._send, self._wheel, self._told = flow, send, wheel, told
        self._pauses = list(PAUSES)

    def begin(self, now: float) -> None:
        """Say it."""
        request = self._dialog.request(b"BYE", ((b"Reason", REASON),))
        request.flow = self._flow
        try:
            self._send(request, self, now)
        except SipError:
            self._again(now)

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """See `ClientOwner`."""
        del client
        if response.status in _UNANSWERED:
            self._again(now)
        elif response.status >= 200:
            self._told(self._dialog.key)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`: a phone that is silent for 32 seconds has no call."""
        del client, now
        self._told(self._dialog.key)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        self._again(now)

    def expired(self, kind: int, now: float) -> None:
        """Its pause is over."""
        del kind
        self.begin(now)

    def _again(self, now: float) -> None:
        if self._pauses:
            self._wheel.add(self._pauses.pop(0), self, 0, now)
        else:
            self._told(self._dialog.key)


def _place(uri: str) -> tuple[str, int]:
    found = Uri.parse(uri.encode())
    return found.host.decode("ascii", "replace").strip("[]"), found.port or DEFAULT_PORT


def _name(key: _Key) -> str:
    return "\n".join(part.decode("latin-1") for part in key)
