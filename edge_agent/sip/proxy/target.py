"""Where a request can be sent: one place of a fork (RFC 3261 §16.5, §16.6)."""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.sip.gateways import CallerId
from edge_agent.sip.message import Flow
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.proxy.dispatchable import LocationObject
from edge_agent.sip.proxy.diversion import Diverted


@dataclass(frozen=True, slots=True)
class Target:
    """One place to send a request to.

    Args:
        uri: the Request-URI there; None leaves it.
        flow: the way.
        q: preference in thousandths; equal ones ring together, higher ones first.
        trusted: whether asserted identities may go there in any case, and come back from there (RFC 3325).
        route: put on top of Route (RFC 3327).
        others: further flows of the same phone, tried in turn when this one leads nowhere (RFC 5626 §5.3).
        user_id: whose phone it is.
        gateway_id: which gateway it is, of those that are trusted.
        caller_id: what a call to a gateway shows.
        headers: put into what is sent there, besides what came.
        diverted: what the other end is told of the call's way.
        place: where a call for help comes from, for gateways that want to know.
        asked: it is called without the session description that came, and is to make the offer.
        first_response_seconds: what answers nothing at all for so long leads nowhere; 0: never mind.
    """

    uri: bytes | None
    flow: Flow
    q: int = 1000
    trusted: bool = False
    route: tuple[bytes, ...] = ()
    others: tuple[Target, ...] = ()
    user_id: str | None = None
    caller_id: CallerId | None = None
    headers: tuple[RawHeader, ...] = ()
    diverted: Diverted | None = None
    place: LocationObject | None = None
    first_response_seconds: float = 0.0
    asked: bool = False
    gateway_id: str | None = None
