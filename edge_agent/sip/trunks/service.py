"""The trunks of a site: calls out and in, registrations and health, on two user agents.

The one *inside* talks to the proxy, which it is a trusted peer of; the one *outside* to providers. Each call is a
bridge of one leg of each. A call out that finds no provider is refused with 503, upon which the proxy goes on to the
dial plan's next gateway.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Final, cast

from edge_agent.clock import Clock
from edge_agent.ports import CallLeg, CallRefused, Transfer
from edge_agent.sip.dialog import DialogKey
from edge_agent.sip.kept_rows import Forgetful, KeptRows
from edge_agent.sip.message import BadMessage, Flow, Message, RawHeader, Uri, escaped_user
from edge_agent.sip.message.name_addr import parse_params
from edge_agent.sip.transaction import Finder, Send
from edge_agent.sip.trunk_groups import SERVED_USER, TARGET_DIALOG, number_and_trunk, target_dialog, user_at
from edge_agent.sip.trunks.account import Account, TrunkSettings
from edge_agent.sip.trunks.bridge import Bridge, Side
from edge_agent.sip.trunks.earlier import EarlierCalls
from edge_agent.sip.trunks.failures import passed_on
from edge_agent.sip.trunks.first_response import FirstResponse
from edge_agent.sip.trunks.health import Health
from edge_agent.sip.trunks.identity import (
    called_number,
    caller_inside,
    caller_outside,
    shown_inside,
    shown_outside,
)
from edge_agent.sip.trunks.joins import Joins, Unheard
from edge_agent.sip.trunks.origin import Origins, PeerOf
from edge_agent.sip.trunks.refusals import NoSuchTrunk, NotFound, TrunkFull, Unusable
from edge_agent.sip.trunks.registration import Registration
from edge_agent.sip.trunks.relays import RelayedCall, Relays
from edge_agent.sip.trunks.status import Told, TrunkStatus
from edge_agent.sip.trunks.transfer import Join, Moving, take_place
from edge_agent.sip.user_agent.agent import UserAgent, UserAgentSettings
from edge_agent.sip.user_agent.asked import SDP
from edge_agent.sip.user_agent.challenges import Login
from edge_agent.sip.user_agent.leg import Leg, PlacedLeg
from edge_agent.tokens import Tokens

FIRST_RESPONSE_SECONDS: Final = 2.0
"""How long a provider has for its first response; with one second for the rest, another is tried within three."""
FIRST_RESPONSE_OF_A_NAME_SECONDS: Final = 5.0
"""The same for one that is given by name: of several addresses a silent one is left after three seconds."""
_TICK_SECONDS: Final = 1.0
_TICK: Final = 0
_PASSED_ON: Final = (b"geolocation", b"geolocation-routing", b"priority", b"resource-priority", b"subject")
"""What goes along with a call to a provider; everything else of the site's stays."""
_NUMBER: Final = re.compile(r"[0-9A-Za-z_.!~*'()&=+$,?/#-]{1,64}")


class _Plane:
    """The `MediaPlane` of one of the two user agents."""

    def __init__(self, trunks: Trunks, offered: Callable[[Leg], None]) -> None:
        self._trunks, self._offered = trunks, offered

    def offered(self, leg: CallLeg) -> None:
        """See `MediaPlane`."""
        self._offered(cast("Leg", leg))

    def confirmed(self, leg: CallLeg, answer: bytes | None) -> None:
        """See `MediaPlane`."""
        side = self._trunks.side_of(cast("Leg", leg))
        if side is not None and answer is not None:
            side.acknowledged(answer)

    def reoffered(self, leg: CallLeg, offer: bytes | None) -> bytes:
        """See `MediaPlane`: every leg here has a listener, which is asked instead."""
        raise CallRefused("nobody listens")

    def ended(self, leg: CallLeg, cause: str) -> None:
        """See `MediaPlane`."""
        self._trunks.forget(cast("Leg", leg))


class Trunks:
    """Every trunk of a site.

    Args:
        settings: the site's.
        inside: host and port of the user agent that the proxy talks to.
        outside: the same of the one that providers talk to, with its stream ports.
        edge: the way to the proxy.
        send_inside: hands bytes to the transport of the one.
        send_outside: and of the other.
        finder: looks up providers' names.
        peer_of: whom a certificate is for.
        clock: monotonic time.
        tokens: tags, branches, ids.
        told: hears how trunks do.
        relays: of media, where a phone and a provider cannot reach each other; None: every call's goes directly.
        complaint: what was wrong when an encrypted connection to a name or address was wanted last; empty: nothing.
        joins: hears of calls that are joined; None: nobody does.
        kept: keeps calls, so that whoever is in one hears of its end when this process was killed; None: nothing does.
    """

    def __init__(
        self,
        settings: TrunkSettings,
        *,
        inside: UserAgentSettings,
        outside: UserAgentSettings,
        edge: Flow,
        send_inside: Send,
        send_outside: Send,
        finder: Finder | None,
        peer_of: PeerOf,
        clock: Clock,
        tokens: Tokens,
        told: Told,
        relays: Relays | None = None,
        complaint: Callable[[str], str] = lambda _: "",
        joins: Joins | None = None,
        kept: KeptRows | None = None,
    ) -> None:
        self._joins = joins or Unheard()
        self._relays, self._complaint = relays, complaint
        self._edge, self._clock, self._tokens, self._told = edge, clock, tokens, told
        self._peer_of = peer_of
        outer, inner = _Plane(self, self._call_in), _Plane(self, self._call_out)
        self.inside = UserAgent(inside, send_inside, inner, clock, tokens, None, self._is_edge, self._is_earlier)
        self.outside = UserAgent(outside, send_outside, outer, clock, tokens, finder, self._is_known, self._is_earlier)
        self.earlier = EarlierCalls(
            kept or Forgetful(), self.inside, inside.port, self.outside, self._login_of, clock, tokens
        )
        """Calls that an earlier process had."""
        self.counts: Counter[str] = Counter()
        """Calls and failures since the start, by what they were."""
        self._sides: dict[Leg, Side] = {}
        self._bridges: set[Bridge] = set()
        self._registrations: dict[str, Registration] = {}
        self._health: dict[str, Health] = {}
        self._settings = TrunkSettings(settings.domain)
        self._origins = Origins({}, {}, peer_of)
        self._known: tuple[TrunkStatus, ...] = ()
        self.configure(settings, clock.monotonic())
        self.outside.wheel.add(_TICK_SECONDS, self, _TICK, clock.monotonic())

    def configure(self, settings: TrunkSettings, now: float) -> None:
        """Go by other settings; calls in progress go on, and trunks that did not change keep their registration."""
        before = self._settings.accounts
        for trunk_id in [one for one in before if settings.accounts.get(one) != before[one]]:
            self._health.pop(trunk_id)
            gone = self._registrations.pop(trunk_id, None)
            if gone is not None:
                gone.leave(now)
        self._settings = settings
        for trunk_id, account in settings.accounts.items():
            if trunk_id in self._health:
                continue
            registration = None
            if account.trunk.register_seconds:
                registration = Registration(account, self.outside, self._tokens, self._registration_changed)
                self._registrations[trunk_id] = registration
            self._health[trunk_id] = Health(account, self.outside, self._tokens, registration, self._changed)
        self._origins = Origins(settings.accounts, self._registrations, self._peer_of)
        for trunk_id, registration in self._registrations.items():
            self._origins.learn(trunk_id, registration.source)
        self._tick(now)
        self._changed()

    def leave(self, now: float) -> None:
        """Give every registration back."""
        for registration in self._registrations.values():
            registration.leave(now)

    @property
    def down(self) -> frozenset[str]:
        """Ids of the trunks by which calls will not work now."""
        return frozenset(one for one, health in self._health.items() if health.problem)

    @property
    def status(self) -> tuple[TrunkStatus, ...]:
        """How every trunk does."""
        return tuple(
            TrunkStatus(
                one,
                account.trunk.name,
                self._problem(account, self._health[one].problem),
                self._registrations[one].registered if one in self._registrations else None,
                self.calls_of(one),
            )
            for one, account in self._settings.accounts.items()
        )

    def _problem(self, account: Account, problem: str) -> str:
        said = self._complaint(account.way.host) if problem and account.trunk.may_be_encrypted else ""
        return f"{problem} ({said})" if said else problem

    def calls_of(self, trunk_id: str) -> int:
        """Calls by a trunk at this moment."""
        return sum(1 for bridge in self._bridges if bridge.trunk_id == trunk_id)

    def figures(self) -> dict[str, int]:
        """What is there now, and what happened since the start."""
        return {
            "trunks": len(self._settings.accounts),
            "trunks.down": len(self.down),
            "trunks.calls": len(self._bridges),
            **{f"trunks.{name}": count for name, count in sorted(self.counts.items())},
            **self._relay_figures(),
        }

    def _relay_figures(self) -> dict[str, int]:
        if self._relays is None:
            return {}
        return {
            "trunks.relayed_calls": self._relays.calls,
            **{f"trunks.{name}": count for name, count in sorted(self._relays.counts.items())},
        }

    def expired(self, kind: int, now: float) -> None:
        """Once a second."""
        del kind
        self._tick(now)
        self.outside.wheel.add(_TICK_SECONDS, self, _TICK, now)

    def _tick(self, now: float) -> None:
        for registration in self._registrations.values():
            registration.tick(now)
        for health in self._health.values():
            health.tick(now)
        if self._relays is not None:
            self._relays.restate()

    def _registration_changed(self, registration: Registration) -> None:
        if registration.source:
            self._origins.learn(registration.account.trunk_id, registration.source)
        self._changed()

    def _changed(self) -> None:
        known = tuple(one for one in self.status)
        seen = [(one.trunk_id, one.problem, one.registered) for one in known]
        if seen != [(one.trunk_id, one.problem, one.registered) for one in self._known]:
            self._known = known
            self._told(known)

    # -- who may call

    def _is_edge(self, request: Message) -> bool:
        """Whether a request inside is the proxy's."""
        return (request.flow.host, request.flow.port) in ((self._edge.host, self._edge.port), self._loopback_edge)

    @property
    def _loopback_edge(self) -> tuple[str, int]:
        return ("127.0.0.1", self._edge.port)

    def _is_known(self, request: Message) -> bool:
        return self._origins.of(request) is not None

    def _is_earlier(self, request: Message, now: float) -> bool:
        return self.earlier.asked(request, now)

    def _login_of(self, trunk_id: str) -> Login | None:
        account = self._settings.accounts.get(trunk_id)
        return account.login if account is not None else None

    # -- calls

    def side_of(self, leg: Leg) -> Side | None:
        """The side that a leg which came in is."""
        return self._sides.get(leg)

    def forget(self, leg: Leg) -> None:
        """A leg that came in is over."""
        self._sides.pop(leg, None)

    def _call_out(self, leg: Leg) -> None:
        """The proxy calls somebody by a trunk, or takes the place of an earlier leg."""
        invite = leg.invite
        if invite.has(b"replaces"):
            bridge = self._replaced(invite)
            if bridge is None:
                raise NotFound("Replaces names no call of a trunk")
            self._sides[leg] = take_place(bridge, leg)
            return
        number, trunk_id = number_and_trunk(invite.request_uri())
        account = self._settings.accounts.get(trunk_id)
        if account is None:
            raise NoSuchTrunk(f"there is no trunk {trunk_id}")
        if _NUMBER.fullmatch(number) is None:
            raise Unusable("no number")
        self._check_room(account)
        caller = caller_inside(invite)
        shown = shown_outside(caller, account)
        headers: list[RawHeader] = [(b"Route", value) for value in self._routes_of(trunk_id)]
        headers += shown.headers
        headers += [(name.title(), value) for name in _PASSED_ON for value in invite.all(name)]
        bridge = Bridge(
            self, trunk_id, outward=True, caller=leg, number=number, relay=self._relay(account, number, leg.call_id)
        )
        trunk = account.trunk
        contact = (trunk.username or "").encode() or shown.local.user
        self._begin(bridge, leg)
        self.counts["calls_out"] += 1
        placed = bridge.second.leg = self.outside.place(
            account.uri_of(escaped_user(number)),
            shown.local,
            bridge.second,
            bridge.offer,
            flow=account.way,
            login=account.login,
            headers=headers,
            display=shown.display,
            contact_user=contact,
            session_expires=trunk.session_expires,
            content_type=invite.get(b"content-type") or SDP,
        )
        seconds = FIRST_RESPONSE_OF_A_NAME_SECONDS if account.way.connection < 0 else FIRST_RESPONSE_SECONDS
        self.outside.wheel.add(
            seconds, FirstResponse(placed, lambda: self._no_response(bridge)), 0, self._clock.monotonic()
        )

    def _call_in(self, leg: Leg) -> None:
        """A provider calls."""
        invite = leg.invite
        trunk_id = self._origins.of(invite)
        account = self._settings.accounts.get(trunk_id or "")
        if account is None or trunk_id is None:
            raise NoSuchTrunk("nobody's")
        try:
            number = called_number(invite, account)
            caller = caller_outside(invite, account)
        except BadMessage as error:
            raise Unusable(str(error)) from None
        if _NUMBER.fullmatch(number) is None:
            raise NotFound("no number")
        self._check_room(account)
        domain = self._settings.domain
        shown = shown_inside(caller, domain)
        bridge = Bridge(self, trunk_id, False, leg, caller.number, self._relay(account))
        self._begin(bridge, leg)
        self.counts["calls_in"] += 1
        bridge.second.leg = self.inside.place(
            Uri(domain.encode(), escaped_user(number)),
            shown.local,
            bridge.second,
            bridge.offer,
            flow=self._edge,
            headers=shown.headers,
            display=shown.display,
            contact_user=user_at(caller.number or "anonymous", trunk_id, domain),
            session_expires=0,
        )

    def _relay(self, account: Account, called: str = "", call_id: str = "") -> RelayedCall | None:
        host, trunk_id = account.trunk.host, account.trunk_id
        return self._relays.call(host, trunk_id, called, call_id) if self._relays is not None else None

    def _begin(self, bridge: Bridge, leg: Leg) -> None:
        self._bridges.add(bridge)
        self._sides[leg] = bridge.first
        leg.listen(bridge.first)

    def _check_room(self, account: Account) -> None:
        most = account.trunk.max_calls
        if most and self.calls_of(account.trunk_id) >= most:
            self.counts["full"] += 1
            raise TrunkFull(f"{account.trunk.name} carries {most} calls already")

    def _routes_of(self, trunk_id: str) -> tuple[bytes, ...]:
        registration = self._registrations.get(trunk_id)
        return registration.service_route if registration is not None else ()

    def _no_response(self, bridge: Bridge) -> None:
        """A provider did not say anything in time."""
        if not bridge.over:
            self.counts["unanswered"] += 1
            health = self._health.get(bridge.trunk_id)
            if health is not None:
                health.call_unanswered(self._clock.monotonic())
            bridge.give_up(503, "")

    # -- what bridges tell

    def refused(self, bridge: Bridge, status: int) -> tuple[int, tuple[RawHeader, ...]]:
        """See `BridgeOwner`."""
        leg = bridge.second.last
        response = leg.refusal if isinstance(leg, PlacedLeg) else None
        if not bridge.outward:
            return status, ()
        self.counts["refused_out"] += 1
        now = self._clock.monotonic()
        health = self._health.get(bridge.trunk_id)
        if response is not None and health is not None:
            health.call_answered(now)
            health.refused(response, now)
        account = self._settings.accounts.get(bridge.trunk_id)
        fail_over_on = account.trunk.fail_over_on if account is not None else ()
        headers = tuple((b"Reason", value) for value in response.all(b"reason")) if response is not None else ()
        return passed_on(status, response, fail_over_on), headers

    def transfer_wanted(self, side: Side, transfer: Transfer) -> None:
        """See `BridgeOwner`."""
        bridge = side.bridge
        if bridge.moving is not None or bridge.over:
            raise CallRefused("it is being transferred already")
        try:
            target = Uri.parse(transfer.target.encode())
        except BadMessage:
            raise NotFound("no address") from None
        if transfer.replaces and (other := self._by_replaces(transfer.replaces.encode())) is not None:
            if other is bridge:
                raise NotFound("a call takes no place of its own")
            Join(bridge, other, side, self._joins).begin()
            return
        headers: list[RawHeader] = []
        if transfer.replaces:
            headers.append((b"Replaces", transfer.replaces.encode()))
        if transfer.referred_by:
            headers.append((b"Referred-By", transfer.referred_by.encode()))
        if transfer.served_user:
            headers.append((SERVED_USER.title(), transfer.served_user.encode()))
        if side.leg is not None and side.leg.key is not None:
            headers.append((TARGET_DIALOG.title(), target_dialog(*side.leg.key)))
        moving = Moving(bridge, side)
        bridge.moving = moving
        self.counts["transfers"] += 1
        number = bridge.number or "anonymous"
        moving.leg = self.inside.place(
            target,
            Uri(self._settings.domain.encode(), escaped_user(number)),
            moving,
            b"",
            flow=self._edge,
            headers=headers,
            contact_user=user_at(number, bridge.trunk_id, self._settings.domain),
            session_expires=0,
        )

    def pressed(self, bridge: Bridge, key: str) -> None:
        """See `BridgeOwner`."""
        bridge.pressed(key, self._clock.monotonic())

    def key_pressed(self, call_id: str, key: str) -> None:
        """Who is at the site pressed a key in the relayed call whose record has this Call-ID."""
        for bridge in [one for one in self._bridges if one.relay is not None and one.relay.call_id == call_id]:
            self.pressed(bridge, key)

    def settled(self, bridge: Bridge) -> None:
        """See `BridgeOwner`."""
        self.earlier.keep(bridge)

    def over(self, bridge: Bridge, cause: str) -> None:
        """See `BridgeOwner`."""
        del cause
        self._bridges.discard(bridge)
        self.earlier.over(bridge)
        if bridge.joined is not None:
            name, other = bridge.joined
            self._joins.parted(name, bridge.ended_by is other)

    def _replaced(self, invite: Message) -> Bridge | None:
        return self._by_replaces(invite.get(b"replaces") or b"")

    def _by_replaces(self, value: bytes) -> Bridge | None:
        """The bridge whose inner leg a Replaces value names."""
        call_id, semicolon, rest = value.partition(b";")
        try:
            params = parse_params(semicolon + rest, "Replaces")
        except BadMessage:
            return None
        key = DialogKey(call_id.strip(), params.get(b"to-tag") or b"", params.get(b"from-tag") or b"")
        for bridge in self._bridges:
            if bridge.inside.leg is not None and bridge.inside.leg.key == key:
                return bridge
        return None
