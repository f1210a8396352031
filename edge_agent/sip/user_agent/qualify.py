"""OPTIONS to phones behind NAT and to gateways: keeps their NAT open, and finds out who is gone (RFC 3261 §11).

    asked ──any final response──▶ there ──the interval──▶ asked
      └──silence, no way──▶ asked again in the next round ──silence, no way──▶ gone

The binding of a phone that is gone goes, too; a gateway that is gone is told of until it answers.

Each round asks everybody once, spread over the interval, so that a thousand phones are not asked in one moment.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from contract.snapshot import Gateway, Trunk
from edge_agent.sip.config import SipConfig
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import Flow, Message, RawHeader, Uri, new_request
from edge_agent.sip.message.flow import Transport, local_kind
from edge_agent.sip.resolver import Unresolvable, flow_for
from edge_agent.sip.transaction import ClientTransaction, TransactionLayer
from edge_agent.tokens import Tokens

_TICK_SECONDS: Final = 1.0
_SILENT_SECONDS: Final = 60
_FAILURES: Final = 2
"""In a row, until somebody counts as gone."""
_FLOW_FAILED: Final = 430

Gone = Callable[[Binding], None]
"""Told of a binding whose phone does not answer."""
Silent = Callable[[dict[str, str]], None]
"""Told the gateways that do not answer, name by id, whenever it is others than before."""


class Qualifier:
    """Asks, by the site's settings `qualify_phones_seconds` and `qualify_gateways_seconds` and each gateway's
    `qualify_seconds`; 0: nobody. Trunks are asked by their own user agent.

    Args:
        layer: sends.
        location: where phones are.
        sent_by: `host:port` of this edge by transport.
        config: of the site.
        tokens: Call-IDs.
        gone: takes bindings that lead nowhere.
        silent: told of gateways that do not answer.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        location: Location,
        sent_by: dict[str, bytes],
        config: SipConfig,
        tokens: Tokens,
        gone: Gone,
        silent: Silent,
    ) -> None:
        self._layer = layer
        self._location = location
        self._sent_by = sent_by
        self._tokens = tokens
        self._gone = gone
        self._tell_silent = silent
        self._silent: dict[bytes, str] = {}
        """Gateways that do not answer: name by id."""
        self._config = config
        self._round = _Round()
        self._asked_at: dict[str, float] = {}
        """When each gateway was asked last, by id."""
        self._ticking = False
        self._failures: dict[bytes, int] = {}
        """In a row, by contact or gateway id."""
        self.asked = 0
        """Since the start."""
        self.silent = 0
        """Of those, unanswered."""
        self.dropped = 0
        """Bindings that went."""

    def configure(self, config: SipConfig, now: float) -> None:
        """Go by another configuration."""
        for gateway in self._config.plan.gateways.values():
            left = config.plan.gateways.get(gateway.gateway_id)
            if left != gateway:
                self._asked_at.pop(gateway.gateway_id, None)
                self._heard(gateway.gateway_id.encode())
        if _settings(config) != _settings(self._config):
            self._round = _Round()
        self._config = config
        self.start(now)

    def start(self, now: float) -> None:
        """Begin, where the configuration wants it."""
        wanted = self._config.qualify_phones_seconds or any(map(self._seconds, self._gateways()))
        if wanted and not self._ticking:
            self._ticking = True
            self._layer.wheel.add(_TICK_SECONDS, self, 0, now)

    def figures(self) -> dict[str, int]:
        """What happened since the start."""
        return {"qualify.asked": self.asked, "qualify.silent": self.silent, "qualify.dropped": self.dropped}

    def expired(self, kind: int, now: float) -> None:
        """The next few are asked."""
        del kind
        self._ticking = False
        seconds = self._config.qualify_phones_seconds
        if seconds:
            if not self._round.left and now >= self._round.ends:
                self._round.begin(self._phones(now), seconds, now)
            for contact in self._round.due():
                self._ask_phone(contact, now)
        for gateway in self._gateways():
            seconds = self._seconds(gateway)
            if seconds and now >= self._asked_at.get(gateway.gateway_id, -math.inf) + seconds:
                self._ask_gateway(gateway, now)
        self.start(now)

    def ask_gateways(self, now: float) -> None:
        """Ask every gateway at once, whatever its interval; who stays silent twice in a row is told of."""
        for gateway in self._gateways():
            self._ask_gateway(gateway, now)
        self.start(now)

    def _phones(self, now: float) -> list[bytes]:
        everybody = self._config.qualify_phones == "all"
        found = [
            binding.contact
            for binding in self._location.all()
            if binding.expires > now and not binding.path and (everybody or is_behind_nat(binding))
        ]
        known = {*found, *(one.encode() for one in self._config.plan.gateways)}
        self._failures = {key: count for key, count in self._failures.items() if key in known}
        return found

    def _gateways(self) -> list[Gateway]:
        return [one for one in self._config.plan.gateways.values() if not isinstance(one, Trunk)]

    def _seconds(self, gateway: Gateway) -> int:
        """How often a gateway is asked; one that was found silent is asked until it is back."""
        own = gateway.qualify_seconds
        seconds = self._config.qualify_gateways_seconds if own is None else own
        return seconds or (_SILENT_SECONDS if gateway.gateway_id.encode() in self._silent else 0)

    def _ask_phone(self, contact: bytes, now: float) -> None:
        binding = self._location.at_contact(contact)
        if binding is not None and binding.expires > now:
            self._send(contact, binding.contact, binding.flow, binding, None, now)

    def _ask_gateway(self, gateway: Gateway, now: float) -> None:
        self._asked_at[gateway.gateway_id] = now
        uri = _uri_of(gateway)
        try:
            flow = flow_for(uri)
        except Unresolvable:
            return
        self._send(gateway.gateway_id.encode(), bytes(uri), flow, None, gateway, now)

    def _send(
        self, key: bytes, uri: bytes, flow: Flow, binding: Binding | None, gateway: Gateway | None, now: float
    ) -> None:
        domain = self._config.domain.encode()
        here = self._sent_by[local_kind(flow, self._sent_by)]
        headers: list[RawHeader] = [
            (b"Max-Forwards", b"70"),
            (b"From", b"<sip:" + domain + b">;tag=" + self._layer.new_tag()),
            (b"To", b"<" + uri + b">"),
            (b"Call-ID", self._tokens.token(12).encode() + b"@" + domain),
            (b"CSeq", b"1 OPTIONS"),
            (b"Contact", b"<sip:" + here + _transport_parameter(flow.transport) + b">"),
            (b"Accept", b"application/sdp"),
        ]
        self.asked += 1
        self._layer.request(new_request(b"OPTIONS", uri, headers), flow, Question(self, key, binding, gateway), now)

    # -- what questions tell

    def answered(self, question: Question) -> None:
        """Somebody is there."""
        self._heard(question.key)

    def _heard(self, key: bytes) -> None:
        self._failures.pop(key, None)
        if self._silent.pop(key, None) is not None:
            self._tell_silent({key.decode(): name for key, name in self._silent.items()})

    def unanswered(self, question: Question, now: float, *, certain: bool) -> None:
        """Nobody answered; `certain`: nobody will by this way."""
        self.silent += 1
        key, binding, gateway = question.key, question.binding, question.gateway
        failures = self._failures[key] = self._failures.get(key, 0) + (_FAILURES if certain else 1)
        if failures < _FAILURES:
            return
        if gateway is not None:
            if key not in self._silent and self._config.plan.gateways.get(gateway.gateway_id) == gateway:
                self._silent[key] = gateway.name
                self.start(now)
                self._tell_silent({key.decode(): name for key, name in self._silent.items()})
            return
        del self._failures[key]
        if binding is not None and self._is_current(binding):
            self.dropped += 1
            self._gone(binding)

    def _is_current(self, binding: Binding) -> bool:
        """Whether the phone has not registered another way meanwhile."""
        known = self._location.at_contact(binding.contact)
        return known is not None and known.flow == binding.flow and known.user_id == binding.user_id


class _Round:
    """Whom to ask, spread over an interval."""

    __slots__ = ("_share", "ends", "left")

    def __init__(self) -> None:
        self.left: deque[bytes] = deque()
        self.ends = 0.0
        self._share = 1

    def begin(self, keys: list[bytes], seconds: int, now: float) -> None:
        """Ask all of these within so many seconds."""
        self.left.extend(keys)
        self.ends = now + seconds
        self._share = -(-len(keys) // max(1, int(seconds / _TICK_SECONDS)))

    def due(self) -> list[bytes]:
        """Those of this tick."""
        return [self.left.popleft() for _ in range(min(self._share, len(self.left)))]


class Question:
    """One OPTIONS; the `ClientOwner` of its transaction."""

    __slots__ = ("_qualifier", "binding", "gateway", "key")

    def __init__(self, qualifier: Qualifier, key: bytes, binding: Binding | None, gateway: Gateway | None) -> None:
        self._qualifier = qualifier
        self.key = key
        self.binding = binding
        self.gateway = gateway

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """Whatever the answer says, somebody gave it; but for 430, the way is dead (RFC 5626 §11.5)."""
        del client
        if response.status == _FLOW_FAILED:
            self._qualifier.unanswered(self, now, certain=True)
        elif response.status >= 200:
            self._qualifier.answered(self)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        self._qualifier.unanswered(self, now, certain=False)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        self._qualifier.unanswered(self, now, certain=False)


def _settings(config: SipConfig) -> tuple[int, str]:
    return config.qualify_phones_seconds, config.qualify_phones


def is_behind_nat(binding: Binding) -> bool:
    """Whether a phone is reached another way than its Contact says: so it does not know its own address."""
    uri, flow = binding.uri, binding.flow
    if uri.address != flow.host:
        return True
    return flow.transport == "udp" and (uri.port or 5060) != flow.port


def _uri_of(gateway: Gateway) -> Uri:
    host = f"[{gateway.host}]" if ":" in gateway.host else gateway.host
    params: dict[bytes, bytes | None] = {b"transport": gateway.transport.encode()} if gateway.transport != "udp" else {}
    return Uri(host.encode(), b"", gateway.port, params=params)


def _transport_parameter(transport: Transport) -> bytes:
    return b"" if transport == "udp" else b";transport=" + transport.encode()
