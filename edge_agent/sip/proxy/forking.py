"""The response context: one request on its way to one or more contacts, and what comes back (RFC 3261 §16.6–§16.10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from edge_agent.sip.message import Flow, Message, response_bytes
from edge_agent.sip.proxy.branch import Branch, TimerC
from edge_agent.sip.proxy.calls import LiveCall
from edge_agent.sip.proxy.identity import ASSERTED
from edge_agent.sip.proxy.media import Choosing
from edge_agent.sip.proxy.policy import Policy
from edge_agent.sip.proxy.responses import BranchEnd, best_of, gather_challenges
from edge_agent.sip.proxy.routes import RouteBook
from edge_agent.sip.proxy.session_timers import SessionTimer, granted
from edge_agent.sip.proxy.target import Target
from edge_agent.sip.proxy.voice_dialogs import VoiceDialogs
from edge_agent.sip.transaction import (
    InvitingClient,
    NonInviteServer,
    OnHop,
    ServerTransaction,
    TransactionLayer,
)

_TIMER_C: Final = 0
_SERIAL: Final = 1
_STILL_TRYING: Final = 2
_FIRST_RESPONSE: Final = 3
_STEP: Final = 4
_TAKEN: Final = 5
_TAKEN_SECONDS: Final = 5.0
"""How long a caller who was taken has to give his own INVITE up."""
_TIMER_C_SLACK: Final = 1.0
"""Seconds: Timer C is set again at most as often; it is five seconds longer than it has to be (§16.6 step 11)."""
ANSWERED_ELSEWHERE: Final = b'SIP;cause=200;text="Call completed elsewhere"'
"""RFC 3326 §3.1: a phone that stops ringing for this has missed no call."""
_HOPS_BY_DEFAULT: Final = 70
_BREADTH_BY_DEFAULT: Final = 60
"""RFC 5393 §5.3.3.1."""


_GONE: Final = Message([b""], [b""], b"", b"", 0)
"""Stands for a request that is not needed any more."""

Answered = Callable[[Message, float], None]
"""Told of a 2xx, and when it came."""


class Fork:
    """One request being proxied with state.

    Args:
        layer: sends.
        routes: for Record-Route.
        transaction: answers the request.
        request: as it came, our own Route entries removed; copied for each target.
        loop_mark: for the branches.
        policy: what to do when all targets failed; None: the best response goes up.
        call: its record, for an INVITE that starts a call.
        record_route: whether to stay in the dialog's path.
        private: whether the caller does not want to be named to anybody who is not trusted.
        serial_seconds: how long contacts of one q ring before the next.
        unreachable_status: what stands for a target that cannot be reached.
        timer: the session timer that was asked for.
        session: the call whose session a 2xx prolongs; None: that of `call`, if there is one.
        answered: told of the first 2xx.
        media: says which descriptions go through the relay; None: none does.
        voice: told of each 2xx; None: it is no business of a voice service.
    """

    __slots__ = (
        "_answered",
        "_branches",
        "_breadth",
        "_call",
        "_cancelled",
        "_decided",
        "_ends",
        "_groups",
        "_heard",
        "_layer",
        "_loop_mark",
        "_media",
        "_policy",
        "_private",
        "_record_route",
        "_request",
        "_routes",
        "_serial_at",
        "_serial_seconds",
        "_session",
        "_starting",
        "_step_at",
        "_taken",
        "_timer",
        "_timer_c",
        "_transaction",
        "_voice",
        "unreachable_status",
    )

    def __init__(
        self,
        layer: TransactionLayer,
        routes: RouteBook,
        transaction: ServerTransaction,
        request: Message,
        *,
        loop_mark: bytes = b"",
        policy: Policy | None = None,
        call: LiveCall | None = None,
        record_route: bool = False,
        private: bool = False,
        serial_seconds: float = 20.0,
        unreachable_status: int = 503,
        timer: SessionTimer | None = None,
        session: LiveCall | None = None,
        answered: Answered | None = None,
        media: Choosing | None = None,
        voice: VoiceDialogs | None = None,
    ) -> None:
        self._media = media
        self._voice = voice
        self._answered = answered
        self._layer = layer
        self._routes = routes
        self._transaction = transaction
        self._request = request
        self._loop_mark = loop_mark
        self._policy = policy
        self._call = call
        self._record_route = record_route
        self._private = private
        self._timer = timer
        self._session = session if session is not None else call
        self._serial_seconds = serial_seconds
        self._serial_at = 0.0
        self._timer_c = layer.timers.timer_c if request.method == b"INVITE" else 0.0
        self._branches: list[Branch] = []
        self._ends: list[BranchEnd] = []
        self._groups: list[list[Target]] = []
        self._breadth = 0
        self._cancelled = False
        self._decided = False
        self._starting = False
        self._heard = False
        """Whether anything of this step answered."""
        self._step_at = 0.0
        """When this step ends at the latest; 0: it does not."""
        self._taken = False
        """Whether somebody else has the caller, who is to give this up."""
        self.unreachable_status = unreachable_status
        transaction.user = self
        if call is not None:
            call.fork = self

    @property
    def call(self) -> LiveCall | None:
        """The record of the call that this INVITE starts."""
        return self._call

    @property
    def request(self) -> Message:
        """The request as it came."""
        return self._request

    # -- out

    def join(self, targets: Sequence[Target], now: float) -> bool:
        """Ring at more places, besides those that ring now; False: it is too late for that."""
        if self._decided or self._cancelled or self._taken or not targets:
            return False
        self._starting = True
        for target in targets:
            self._send(target, now)
        self._starting = False
        self._settle(now)
        return True

    def start(self, targets: Sequence[Target], now: float, seconds: float | None = None) -> None:
        """Send the request to these targets: equal q at once, lower q later.

        Args:
            targets: of one step.
            now: seconds, monotonic.
            seconds: how long an INVITE may ring there; None: as long as the caller waits.
        """
        if len(targets) == 1:
            self._groups = [list(targets)]
        else:
            groups: dict[int, list[Target]] = {}
            for target in sorted(targets, key=lambda one: -one.q):
                groups.setdefault(target.q, []).append(target)
            self._groups = list(groups.values())
        self._ends = []
        self._heard = False
        self._step_at = 0.0
        if seconds is not None and self._timer_c:
            self._step_at = now + seconds
            self._layer.wheel.add(seconds, self, _STEP, now)
        # Each target, also of groups that come later, gets its share: their sum is what came (RFC 5393 §5.3.3).
        self._breadth = self._request_breadth() // max(1, len(targets))
        if not self._breadth:
            self._groups.clear()
            self.answer(440, b"", now)
            return
        if not self._timer_c and self._transaction.flow.reliable:
            # On a stream nothing is sent again: what is not answered by then gets a 100 (RFC 4320 §4.1).
            timers = self._layer.timers
            self._layer.wheel.add(timers.t2 - timers.t1, self, _STILL_TRYING, now)
        self._next_group(now)

    def _request_breadth(self) -> int:
        value = self._request.get(b"max-breadth")
        if value is None:
            return _BREADTH_BY_DEFAULT
        return int(value)

    def _next_group(self, now: float) -> None:
        group = self._groups.pop(0)
        # A send that fails at once must not end the fork while the others of the group are not yet out.
        self._starting = True
        for target in group:
            self._send(target, now)
        self._starting = False
        if self._groups and self._timer_c:
            self._serial_at = now + self._serial_seconds
            self._layer.wheel.add(self._serial_seconds, self, _SERIAL, now)
        self._settle(now)

    def _send(self, target: Target, now: float) -> None:
        request = self._request.copy()
        if target.uri is not None:
            request.set_uri(target.uri)
        if target.asked and request.body:
            request.body = b""
            request.remove(b"content-type")
            request.set(b"Content-Length", b"0")
        at = request.index(b"max-forwards")
        if at < 0:
            request.append_line(b"Max-Forwards: %d" % _HOPS_BY_DEFAULT, b"max-forwards")
        else:
            request.lines[at] = b"Max-Forwards: %d" % (int(request.value_at(at)) - 1)
        at = request.index(b"max-breadth")
        if at < 0:
            request.append_line(b"Max-Breadth: %d" % self._breadth, b"max-breadth")
        else:
            request.lines[at] = b"Max-Breadth: %d" % self._breadth
        for value in reversed(target.route):
            at = request.index(b"route")
            request.insert(at if at > 0 else request.index(b"via") + 1, b"Route", value)
        if self._private and not target.trusted:
            request.remove(ASSERTED)
        on_hop: OnHop | None = None
        if self._record_route:
            if target.flow.connection < 0:
                on_hop = self._record
            else:
                self._record(request, target.flow)
        if self._voice is not None:
            self._voice.towards(request, target.flow)
        branch = Branch(self, target)
        self._branches.append(branch)
        if target.caller_id is not None:
            if target.caller_id.private and not target.trusted:
                request.remove(ASSERTED)
            branch.caller = target.caller_id.write(request)
            if self._private and not target.trusted:
                request.remove(ASSERTED)
        if self._media is not None:
            branch.media = self._media.towards(target, request)
            if branch.media is not None:
                branch.media.asked(request)
        for name, value in target.headers:
            request.append(name, value)
        if target.diverted is not None:
            target.diverted.write(request)
        if target.place is not None:
            target.place.write(request)
        if self._timer_c:
            self._wait_for(branch, now)
        branch.client = self._layer.request(request, target.flow, branch, now, self._loop_mark, on_hop)
        if target.first_response_seconds and self._timer_c:
            self._layer.wheel.add(target.first_response_seconds, branch, _FIRST_RESPONSE, now)

    def _record(self, request: Message, outgoing: Flow) -> None:
        """Put our Record-Route on; where a name leads by several transports, on what goes to each hop."""
        self._routes.record(request, self._request.flow, outgoing)

    def _wait_for(self, branch: Branch, now: float) -> None:
        timer = branch.timer_c
        if timer is None:
            timer = branch.timer_c = TimerC(branch)
        elif now + self._timer_c - timer.deadline < _TIMER_C_SLACK:
            # A flood of provisional responses must not fill the wheel with minutes of entries.
            return
        timer.deadline = now + self._timer_c
        self._layer.wheel.add(self._timer_c, timer, _TIMER_C, now)

    # -- back

    def response_arrived(self, branch: Branch, response: Message, now: float) -> None:
        """A branch answered."""
        status = response.status
        if branch.abandoned and not 200 <= status < 300:
            return
        self._heard = branch.heard = True
        if branch.caller is not None:
            response.set(b"From", branch.caller)
        if not branch.trusted and response.has(ASSERTED):
            response.remove(ASSERTED)
        if status < 200:
            if status > 100 and not self._decided:
                if self._timer_c:
                    self._wait_for(branch, now)
                if self._call is not None:
                    self._call.rang(branch.user_id, response.to_tag)
                self._pass_up(response, now)
            return
        branch.decided()
        if status == 430 and self._try_other(branch, now):
            return
        if status < 300:
            if self._call is not None and branch.client is not None:
                self._call.answered(branch.client.flow, branch.user_id, self._request, response)
            if self._answered is not None and not self._decided:
                self._answered(response, now)
            if self._voice is not None and branch.client is not None:
                self._voice.answered(self._request, response, branch.client.flow, now)
            self._decided = True
            self._groups.clear()
            if self._call is not None:
                self._call.fork = None
            if self._timer is not None:
                self._timer.complete(response)
            if self._session is not None:
                self._session.refreshed(granted(response), now)
            self._pass_up(response, now)
            self._cancel_pending(now, ANSWERED_ELSEWHERE)
            if self._timer_c:
                self._let_go()
            else:
                self._release()
            return
        if branch.given_up:
            status = 408
        self._ends.append(BranchEnd(status, response))
        if status >= 600:
            # Nobody else is to be rung; what still answers is waited for (§16.7 step 5).
            self._groups.clear()
            self._cancel_pending(now)
        self._settle(now)

    def branch_failed(self, branch: Branch, status: int, now: float) -> None:
        """A branch ended without a response."""
        if branch.pending:
            branch.decided()
            if self._try_other(branch, now):
                return
            self._ends.append(BranchEnd(status))
            self._settle(now)

    def _try_other(self, branch: Branch, now: float) -> bool:
        """A flow is dead: the phone may have another."""
        if not branch.others or self._decided or self._cancelled or branch.given_up:
            return False
        first, *rest = branch.others
        self._send(replace(first, others=tuple(rest)), now)
        return True

    def cancel(self, now: float) -> None:
        """The caller gave up: every branch is cancelled, the answer comes from them."""
        if self._decided or self._cancelled:
            return
        self._cancelled = True
        self._groups.clear()
        self._cancel_pending(now)
        self._settle(now)

    def taken(self, now: float) -> None:
        """See `Ringing`: phones stop ringing, and the caller's phone gives its INVITE up by itself (RFC 3891 §3)."""
        if self._decided or self._cancelled:
            return
        self._taken = True
        self._groups.clear()
        self._step_at = 0.0
        self._cancel_pending(now, ANSWERED_ELSEWHERE)
        self._layer.wheel.add(_TAKEN_SECONDS, self, _TAKEN, now)

    def lost(self, there: Callable[[Flow], bool], now: float) -> None:
        """See `Ringing`."""
        if there(self._request.flow):
            self.cancel(now)
            return
        for branch in tuple(self._branches):
            if branch.pending and branch.client is not None and there(branch.client.flow):
                self.leave(branch, 503, now)

    def expired(self, kind: int, now: float) -> None:
        """This q rang long enough, the next one's turn; or a client on a stream is to be told that we are at it."""
        if kind == _STILL_TRYING:
            if not self._decided and isinstance(self._transaction, NonInviteServer):
                self._transaction.still_trying(self._request, now)
            return
        if kind == _TAKEN:
            self.cancel(now)
            return
        if kind == _STEP:
            if self._step_at and now >= self._step_at and not self._decided and not self._cancelled:
                self._end_step(now)
            return
        if self._groups and not self._decided and now >= self._serial_at:
            for branch in self._branches:
                if branch.pending:
                    branch.give_up(now)
            self._next_group(now)

    def _end_step(self, now: float) -> None:
        """It rang long enough: what is still open is taken back, and its end not waited for."""
        self._step_at = 0.0
        self._groups.clear()
        self._starting = True
        for branch in tuple(self._branches):
            if branch.pending:
                self.leave(branch, 408, now)
        self._starting = False
        self._settle(now)

    def leave(self, branch: Branch, status: int, now: float) -> None:
        """Go on without a branch, which is taken back; should somebody answer there all the same, that counts.

        Args:
            branch: one that is pending.
            status: what stands for its end.
            now: seconds, monotonic.
        """
        branch.decided()
        branch.abandoned = True
        self._ends.append(BranchEnd(status))
        if isinstance(branch.client, InvitingClient):
            branch.client.cancel(now)
        self._settle(now)

    def _cancel_pending(self, now: float, reason: bytes = b"") -> None:
        for branch in self._branches:
            if branch.pending and isinstance(branch.client, InvitingClient):
                branch.client.cancel(now, reason)

    def _settle(self, now: float) -> None:
        """When nothing is pending: the next group, the next step, or the best response."""
        if self._decided or self._starting:
            return
        for branch in self._branches:
            if branch.pending:
                return
        if self._groups:
            self._next_group(now)
            return
        if self._taken and not self._cancelled:
            return
        if self._cancelled:
            best = best_of(self._ends) if self._ends else BranchEnd(487)
            if best.status in (408, 503) or best.response is None:
                best = BranchEnd(487)
            self._finish(best, now)
            return
        best = best_of(self._ends)
        if self._policy is not None and best.status not in (401, 407):
            self._branches.clear()
            self._step_at = 0.0
            response = best.response
            if 300 <= best.status < 400 and response is not None and self._policy.redirected(self, response, now):
                return
            if self._policy.next_step(self, best.status, self._heard, now):
                return
        self._finish(best, now)

    # -- up

    def _pass_up(self, response: Message, now: float) -> None:
        response.remove_first_value(b"via")
        self._transaction.respond(response.status, bytes(response), now)

    def _finish(self, best: BranchEnd, now: float) -> None:
        if best.status == 408 and isinstance(self._transaction, NonInviteServer):
            # The client has given up by itself when this would reach it (RFC 4320 §4.2).
            self._decided = True
            self._transaction.abandon()
            self._release()
            return
        response = best.response
        if response is None or response.status != best.status or best.status == 503:
            self.answer(500 if best.status == 503 else best.status, b"", now)
            return
        if best.status in (401, 407):
            gather_challenges(response, self._ends)
        self._decided = True
        if self._call is not None:
            self._call.refused(best.status, self._cancelled)
        self._pass_up(response, now)
        self._release()

    def answer(self, status: int, reason: bytes, now: float) -> None:
        """Answer by a final response of our own."""
        if self._decided:
            return
        self._decided = True
        if self._call is not None:
            self._call.refused(status, self._cancelled)
        transaction = self._transaction
        transaction.respond(status, response_bytes(self._request, status, reason, to_tag=transaction.tag), now)
        self._release()

    def _let_go(self) -> None:
        """A call was answered. Other phones may still say so too, for half a minute; nothing else is wanted of it."""
        self._policy = None
        self._media = None
        self._answered = None
        self._voice = None
        self._request = _GONE

    def _release(self) -> None:
        """Nothing more can come: let go of what would keep this in memory."""
        self._branches.clear()
        self._ends.clear()
        self._policy = None
        if self._call is not None:
            self._call.fork = None
        self._transaction.user = None
