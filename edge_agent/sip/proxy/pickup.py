"""Taking a call that rings elsewhere: whose it is, and how whoever picks it up gets to its caller.

A caller whose phone knows Replaces is sent the INVITE of whoever picks up (RFC 3891 §4, early calls only), and gives
his own up for it. For any other (gateways, old phones) the phone of whoever picks up becomes one more branch of the
call, which answers by itself if it can, and his own INVITE ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contract.dialplan import CompiledPlan
from edge_agent.sip.answering import ANSWER_AT_ONCE
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import BadMessage, DropReason, Flow, Message, NameAddr, SipError
from edge_agent.sip.proxy.calls import Calls, LiveCall, Ringing
from edge_agent.sip.proxy.desks import Desks
from edge_agent.sip.proxy.parties import Party
from edge_agent.sip.proxy.target import Target
from edge_agent.sip.trust import Trust

PERMISSION: Final = "CallPickup"
"""What whoever picks up calls of others needs, beyond those of a pickup group that he is in."""
_REPLACES: Final = b"replaces"
_PARAMETER: Final = re.compile(rb";\s*(to-tag|from-tag)\s*=\s*([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ringer:
    """A call that rings at a phone.

    Args:
        call: which.
        fork: what rings.
        party: whose phone it is.
    """

    call: LiveCall
    fork: Ringing
    party: Party


class Pickups:
    """Finds calls that can be picked up.

    Args:
        calls: in progress.
        location: where phones are.
        desks: whose they are.
        trust: who may be told identities.
    """

    def __init__(self, calls: Calls, location: Location, desks: Desks, trust: Trust) -> None:
        self._calls = calls
        self._location = location
        self._desks = desks
        self._trust = trust

    def ringing_at(self, user_ids: Iterable[str]) -> Ringer | None:
        """The call that has been ringing the longest at any of these users' phones."""
        parties = [party for user_id in user_ids for party in self._calls.parties.of_user(user_id)]
        found = [ringer for party in parties if (ringer := self._ringer(party)) is not None]
        return min(found, key=lambda one: one.call.opened.started_at, default=None)

    def replaced(self, request: Message) -> Ringer | None:
        """The ringing call that an INVITE is to replace, as a phone asks for that watched it (RFC 4235 §5.3).

        None: it replaces nothing, or what is no ringing call of this site, which is the phones' own business.

        Raises:
            BadMessage: Replaces is malformed.
        """
        if not request.has(_REPLACES):
            return None
        value = request.need(_REPLACES)
        call_id, _, rest = value.partition(b";")
        tags = {name.lower(): tag for name, tag in _PARAMETER.findall(b";" + rest)}
        if len(tags) != 2 or len(request.all(_REPLACES)) > 1 or request.has(b"refer-to"):
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Replaces")
        pair = {tags[b"to-tag"], tags[b"from-tag"]}
        for tag in pair:
            call = self._calls.at((call_id.strip(), tag))
            if call is None:
                continue
            for party in call.parties.ringing():
                if {party.local_tag, party.remote_tag} == pair:
                    return self._ringer(party)
        return None

    def _ringer(self, party: Party) -> Ringer | None:
        if party.state != "early" or party.direction != "recipient":
            return None
        call = self._calls.at((party.call_id, party.remote_tag))
        if call is None or call.fork is None or call.opened.answered_at is not None:
            return None
        return Ringer(call, call.fork, party)

    def way_to_caller(self, ringer: Ringer) -> Target | None:
        """Where the caller's phone takes an INVITE with Replaces; None: it does not know that."""
        request, party = ringer.fork.request, ringer.party
        try:
            if self._trust.is_service(request.flow):
                # Our own user agents (trunks) let no early call be replaced that they placed themselves.
                return None
            knows = any(one.lower() == _REPLACES for one in request.values(b"supported"))
            if not knows or not party.local_tag:
                return None
            contact = NameAddr.parse(request.values(b"contact")[0], "Contact").uri
            route = tuple(request.values(b"record-route"))
        except (SipError, IndexError):
            return None
        binding = self._location.at_contact(contact.text)
        flow = binding.flow if binding is not None else request.flow
        replaces = party.call_id + b";to-tag=" + party.remote_tag + b";from-tag=" + party.local_tag + b";early-only"
        return Target(
            contact.text,
            flow,
            trusted=self._trust.covers(flow),
            route=route,
            headers=((b"Replaces", replaces),),
        )

    def phones_of(self, user_id: str, request: Message, now: float) -> list[Target]:
        """The phone that an INVITE came from, as a target that is to answer by itself; every one of the user's if it is
        not known which."""
        bindings = self._desks.phones_of(user_id, now)
        own = [one for one in bindings if _is_from(one, request.flow)]
        return [
            Target(one.contact, one.flow, one.q, route=one.path, user_id=user_id, headers=ANSWER_AT_ONCE)
            for one in own or bindings
        ]


def _is_from(binding: Binding, flow: Flow) -> bool:
    return (binding.flow.host, binding.flow.port) == (flow.host, flow.port)


def may_pick_up(plan: CompiledPlan, user_id: str, whose: str) -> bool:
    """Whether a user may take what rings at another's phones."""
    user = plan.users.get(user_id)
    if user is None:
        return False
    return user_id == whose or PERMISSION in user.permissions or whose in plan.colleagues.get(user_id, ())
