"""Calls of shared lines: the appearance that a phone means, who holds, and calls that another phone takes up.

A phone names its appearance by Call-Info (`appearance-index=2`) or Alert-Info (`appearance=2`, RFC 7463 §6), and learns
it by the same. To take a held call up, or to barge into one, a phone sends an INVITE with Replaces (RFC 3891) or Join
(RFC 3911), or one to the line's own address that names the call's appearance: what of the two that means, follows from
whether the call is held.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from edge_agent.sip.config import SipConfig
from edge_agent.sip.location import Location
from edge_agent.sip.message import BadMessage, DropReason, Message, SipError, Uri
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.proxy.appearances import Appearances
from edge_agent.sip.proxy.calls import Calls, End, LiveCall, end_of
from edge_agent.sip.proxy.parties import Party
from edge_agent.sip.proxy.target import Target
from edge_agent.sip.trust import Trust

_INDEX: Final = re.compile(rb";\s*appearance(?:-index)?\s*=\s*([0-9]{1,3})\s*(?=[;,]|$)", re.IGNORECASE)
_PRIVATE: Final = re.compile(rb";\s*appearance-state\s*=\s*held-private\b", re.IGNORECASE)
_NAMERS: Final = (b"call-info", b"alert-info")
_HOLDING: Final = re.compile(rb"^a=(sendonly|inactive)[ \t]*\r?$|^c=IN IP4 0\.0\.0\.0", re.MULTILINE)
_TALKING: Final = re.compile(rb"^a=(sendrecv|recvonly)[ \t]*\r?$", re.MULTILINE)
_PARAMETER: Final = re.compile(rb";\s*(to-tag|from-tag)\s*=\s*([^;\s]+)", re.IGNORECASE)

How = Literal["replaces", "join"]
_NAMES: Final[dict[How, bytes]] = {"replaces": b"Replaces", "join": b"Join"}


@dataclass(frozen=True, slots=True)
class TakeUp:
    """An INVITE of a line's phone that is about a call which the line has.

    Args:
        call: which.
        party: the line in it.
        how: whether it takes the call, or joins in.
        target: where the INVITE goes.
        other: the phone there.
    """

    call: LiveCall
    party: Party
    how: How
    target: Target
    other: End


def appearance_headers(index: int, domain: str) -> tuple[RawHeader, ...]:
    """What tells a phone at which appearance a call rings."""
    return (
        (b"Alert-Info", b"<urn:alert:service:normal>;appearance=%d" % index),
        (b"Call-Info", b"<sip:" + domain.encode() + b">;appearance-index=%d" % index),
    )


def appearance_of(request: Message) -> int:
    """The appearance that a phone names; 0: none."""
    for name in _NAMERS:
        if request.has(name):
            for value in request.all(name):
                if (found := _INDEX.search(value)) is not None:
                    return int(found[1])
    return 0


def holds(body: bytes) -> bool | None:
    """Whether a session description puts the other end on hold (RFC 3264 §8.4); None: there is none."""
    if not body.startswith(b"v=") and b"\nv=" not in body:
        return None
    return _HOLDING.search(body) is not None and _TALKING.search(body) is None


class SharedCalls:
    """Knows the calls of shared lines.

    Args:
        calls: in progress.
        location: where phones are.
        trust: who may be told identities.
        config: of the site.
    """

    def __init__(self, calls: Calls, location: Location, trust: Trust, config: SipConfig) -> None:
        self._calls = calls
        self._location = location
        self._trust = trust
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config
        self.appearances.configure(config.users.values())

    @property
    def appearances(self) -> Appearances:
        """Places of the site's shared lines."""
        return self._calls.parties.appearances

    # -- holding

    def holding(self, request: Message) -> tuple[Party, bool, bool] | None:
        """What a request within a dialog, once it is accepted, makes of a line's call: on hold, and for itself only.

        None: nothing, or it is no phone of a line that sent it.
        """
        held = holds(request.body)
        if held is None:
            return None
        call = self._calls.of_dialog(request)
        if call is None:
            party = self._calls.parties.restored(request.call_id, request.from_tag)
        else:
            party = next((one for one in call.parties.ends if one.local_tag == request.from_tag), None)
        if party is None or not party.appearance:
            return None
        private = held and any(_PRIVATE.search(value) for value in request.all(b"call-info"))
        return party, held, private or (held and party.exclusive)

    def held(self, party: Party, *, held: bool, exclusive: bool) -> None:
        """A line's call is so now; whoever watches is told."""
        if (party.held, party.exclusive) != (held, exclusive):
            party.held, party.exclusive = held, exclusive
            self._calls.parties.changed(party)

    def set_exclusive(self, user_id: str, call_id: bytes, *, exclusive: bool) -> None:
        """A phone says whether others are to leave its call alone (RFC 7463 §5.4)."""
        for party in list(self._calls.parties.of_user(user_id)):
            if party.call_id == call_id and party.appearance:
                self.held(party, held=party.held, exclusive=exclusive)

    # -- taking up

    def take_up(self, request: Message, uri: Uri, user_id: str) -> TakeUp | None:
        """What an INVITE of a line's phone does to a call that the line has; None: it is about none.

        Args:
            request: let in.
            uri: what it asks for.
            user_id: whose phone it is.

        Raises:
            BadMessage: Replaces or Join is malformed.
            SipError: 403 the call is private, 480 its other end cannot be taken over.
        """
        if not self.appearances.count(user_id):
            return None
        for how, name in _NAMES.items():
            if request.has(name.lower()):
                return self._named(request, user_id, how, name)
        index = appearance_of(request)
        owner = self._config.plan.dialled.get(uri.dialled)
        if not index or owner is None or owner.user_id != user_id:
            return None
        for seat in self.appearances.seats(user_id):
            party = seat.party
            if seat.index == index and party is not None and party.state == "confirmed":
                return self._found(party, "replaces" if party.held else "join")
        return None

    def _named(self, request: Message, user_id: str, how: How, name: bytes) -> TakeUp | None:
        value = request.need(name.lower())
        call_id, _, rest = value.partition(b";")
        tags = {one.lower(): tag for one, tag in _PARAMETER.findall(b";" + rest)}
        if len(tags) != 2 or len(request.all(name.lower())) > 1:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, f"Malformed {name.decode()}")
        pair = {tags[b"to-tag"], tags[b"from-tag"]}
        for party in self._calls.parties.of_user(user_id):
            mine = party.call_id == call_id.strip() and {party.local_tag, party.remote_tag} == pair
            if mine and party.appearance and party.state == "confirmed":
                return self._found(party, how)
        return None

    def _found(self, party: Party, how: How) -> TakeUp | None:
        """The way to the other end of a call to replace a phone of the line, or to that phone to join it."""
        tag = party.remote_tag if how == "replaces" else party.local_tag
        call = self._calls.at((party.call_id, party.local_tag)) or self._calls.at((party.call_id, party.remote_tag))
        if call is None:
            # From before a restart: the dial plan finds the other end.
            return None
        if party.exclusive:
            raise SipError(403, "Private Call")
        end = next((one for one in call.ends if one.tag == tag), None)
        if end is None or not end.contact or how.encode() not in end.supported:
            raise SipError(480, f"The Other Phone Knows No {_NAMES[how].decode()}")
        binding = self._location.at_contact(end.contact)
        flow = binding.flow if binding is not None else end.flow
        other = party.local_tag if how == "replaces" else party.remote_tag
        value = party.call_id + b";to-tag=" + tag + b";from-tag=" + other
        target = Target(
            end.contact,
            flow,
            trusted=self._trust.covers(flow),
            route=binding.path if binding is not None else (),
            headers=((_NAMES[how], value),),
        )
        return TakeUp(call, party, how, target, end)

    def answered(self, found: TakeUp, request: Message, response: Message) -> None:
        """The other phone accepted it."""
        if found.how == "join":
            found.call.told("joined: another phone of the line joined the call")
            return
        mine = end_of(request, request.flow, request.from_tag)
        other = end_of(response, found.target.flow, response.to_tag)
        found.call.taken_up(found.party, (mine, other), request.call_id)
