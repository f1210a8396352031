"""What becomes of a datagram to the plug and play group, and the NOTIFY that follows. No sockets, no clock.

RFC 3261 non-INVITE transactions over UDP (§17.1.2): a NOTIFY that is not answered is sent again after 0.5 s, doubling
to 4 s, until 32 s are over. Everything goes to the address that the SUBSCRIBE came from, so that nobody can have the
edge send to somebody else. Every `now` is seconds on one monotonic clock.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_agent.provisioning.access import Refusal
from edge_agent.provisioning.identify import Facts
from edge_agent.provisioning.serve.plug_and_play import message
from edge_agent.provisioning.serve.plug_and_play.message import Answer, Subscribe
from edge_agent.tokens import Tokens

T1_SECONDS: Final = 0.5
T2_SECONDS: Final = 4.0
TIMER_F_SECONDS: Final = 32.0
MAX_PENDING: Final = 2000
REMEMBERED_SECONDS: Final = 32.0
"""How long a SUBSCRIBE that is repeated gets the same answer."""

Peer = tuple[str, int]


class Outcome(StrEnum):
    """What became of a datagram; counted."""

    TOLD = "told"
    REPEATED = "repeated"
    REFUSED = "refused"
    BUSY = "busy"
    NOT_UNDERSTOOD = "not_understood"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class Send:
    """Send this; a NOTIFY from the port whose answers come back, an answer from the group's own."""

    data: bytes
    to: Peer
    notify: bool


@dataclass(slots=True)
class _Pending:
    notify: bytes
    to: Peer
    ok: bytes
    ok_to: Peer
    began: float
    due: float
    wait: float
    done: bool = False


class PlugAndPlay:
    """Answers phones that ask by multicast.

    Args:
        decide: whether a phone is told: None when it is, else why not.
        identify: facts from MAC address, vendor, model and firmware, as the phone says them.
        url_for: the URL for a phone; empty: there is none to tell.
        tokens: for branches and tags.
    """

    def __init__(
        self,
        decide: Callable[[Facts, str, str], Refusal | None],
        identify: Callable[[str, str, str, str], Facts],
        url_for: Callable[[Facts], str],
        tokens: Tokens,
    ) -> None:
        self._decide, self._identify, self._url_for, self._tokens = decide, identify, url_for, tokens
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self.outcomes: Counter[Outcome] = Counter()
        self.not_understood: Counter[str] = Counter()
        """Why datagrams were no messages of plug and play."""

    @property
    def deadline(self) -> float | None:
        """When `advance` is to be called; None while nothing waits."""
        return min((each.due for each in self._pending.values()), default=None)

    def receive(self, data: bytes, source: Peer, local: Peer, now: float) -> list[Send]:
        """What to send about a datagram.

        Args:
            source: where it came from.
            local: our address towards it, and the port that answers to a NOTIFY come to.
        """
        try:
            received = message.parse(data)
        except message.MessageRefused as error:
            self.not_understood[str(error)] += 1
            return self._count(Outcome.NOT_UNDERSTOOD)
        if isinstance(received, Answer):
            return self._answered(received, source)
        return self._subscribed(received, source, local, now)

    def advance(self, now: float) -> list[Send]:
        """Send again what was not answered; forget what is over."""
        sends = []
        for key, pending in list(self._pending.items()):
            if pending.due > now:
                continue
            if pending.done or now - pending.began >= TIMER_F_SECONDS:
                self.outcomes[Outcome.UNANSWERED] += not pending.done
                del self._pending[key]
                continue
            pending.wait = min(pending.wait * 2, T2_SECONDS)
            pending.due = min(now + pending.wait, pending.began + TIMER_F_SECONDS)
            sends.append(Send(pending.notify, pending.to, notify=True))
        return sends

    def _answered(self, answer: Answer, source: Peer) -> list[Send]:
        for pending in self._pending.values():
            if pending.to[0] == source[0] and not pending.done and answer.call_id.encode() in pending.notify:
                if answer.status >= 200:
                    pending.done, pending.due = True, pending.began + REMEMBERED_SECONDS
                    return self._count(Outcome.ANSWERED)
                return []
        return self._count(Outcome.STRAY)

    def _subscribed(self, request: Subscribe, source: Peer, local: Peer, now: float) -> list[Send]:
        key = f"{source[0]} {request.call_id} {request.cseq}"
        if (known := self._pending.get(key)) is not None:
            self.outcomes[Outcome.REPEATED] += 1
            return [Send(known.ok, known.ok_to, notify=False)]
        if len(self._pending) >= MAX_PENDING:
            return self._count(Outcome.BUSY)
        vendor, model = request.told.get("vendor", ""), request.told.get("model", "")
        facts = self._identify(request.mac, vendor, model, request.told.get("version", ""))
        if self._decide(facts, source[0], f"{vendor} {model}".strip()) is not None:
            return self._count(Outcome.REFUSED)
        url = self._url_for(facts)
        if not url:
            return self._count(Outcome.REFUSED)
        tag = self._tokens.token(8)
        ok_to = source if request.wants_rport else (source[0], request.sent_by_port)
        # To the contact's port, where phones listen; never to another host than the one that asked.
        notify_to = (source[0], request.contact[1]) if request.contact[0] == source[0] else source
        ok = _ok(request, source, local, tag)
        notify = _notify(request, url, local, tag, self._tokens.token(8))
        self._pending[key] = _Pending(notify, notify_to, ok, ok_to, now, now + T1_SECONDS, T1_SECONDS)
        self.outcomes[Outcome.TOLD] += 1
        return [Send(ok, ok_to, notify=False), Send(notify, notify_to, notify=True)]

    def _count(self, outcome: Outcome) -> list[Send]:
        self.outcomes[outcome] += 1
        return []


def _ok(request: Subscribe, source: Peer, local: Peer, tag: str) -> bytes:
    first, *others = request.vias
    # RFC 3581 §4, and RFC 3261 §18.2.1 where the phone names itself otherwise than it is seen.
    if request.wants_rport:
        first = _with_rport(first, source)
    lines = [
        "SIP/2.0 200 OK",
        f"Via: {first}",
        *(f"Via: {via}" for via in others),
        f"From: {request.from_}",
        f"To: {_tagged(request.to, tag)}",
        f"Call-ID: {request.call_id}",
        f"CSeq: {request.cseq}",
        f"Contact: <sip:{_host(local[0])}:{local[1]}>",
        "Expires: 0",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _notify(request: Subscribe, url: str, local: Peer, tag: str, branch: str) -> bytes:
    here = f"{_host(local[0])}:{local[1]}"
    lines = [
        f"NOTIFY {request.contact_uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{branch};rport",
        "Max-Forwards: 20",
        f"From: {_tagged(request.to, tag)}",
        f"To: {request.from_}",
        f"Call-ID: {request.call_id}",
        "CSeq: 1 NOTIFY",
        f"Contact: <sip:{here}>",
        "Subscription-State: terminated;reason=timeout",
        f"Event: {request.event}",
        "Content-Type: application/url",
        f"Content-Length: {len(url.encode())}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + url).encode()


def _with_rport(via: str, source: Peer) -> str:
    parts = [part for part in via.split(";") if not part.strip().lower().startswith(("rport", "received"))]
    return ";".join([*parts, f"received={source[0]}", f"rport={source[1]}"])


def _tagged(value: str, tag: str) -> str:
    return value if ";tag=" in value.partition(">")[2].lower() else f"{value};tag={tag}"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
