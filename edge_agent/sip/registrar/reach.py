"""Which way leads back to a phone that registered: its connection, its Contact, or where it really sent from."""

from collections.abc import Callable
from ipaddress import ip_address

from edge_agent.sip.message import DropReason, Flow, Message, Refused, Uri
from edge_agent.sip.resolver import Unresolvable, flow_to

LeadsHere = Callable[[Uri, Flow | None], bool]
"""Whether what is sent to this URI, by this way if one is known, comes back to this edge."""


def flow_of_contact(contact: Uri, request: Message, leads_here: LeadsHere, elsewhere: bool) -> Flow:
    """The way to a contact.

    Over a stream it is the stream itself. Over UDP it is the Contact's address, unless the phone does not know its own
    (Via and source differ, RFC 3581) or names a host that is no address: then it is the source.

    Args:
        contact: the Contact URI.
        request: the REGISTER.
        leads_here: a contact must not be this edge itself: calls would go round for ever.
        elsewhere: whether the contact may be at another address than the REGISTER came from. If anybody's address
            would do, a password would be enough to send the calls of a site to strangers.

    Raises:
        Refused: 403.
    """
    named: Flow | None
    try:
        named = flow_to(contact)
    except Unresolvable:
        named = None
    if leads_here(contact, named):
        raise Refused(DropReason.CONTACT_IS_THIS_EDGE, 403, "Contact Is This Edge")
    flow = request.flow
    if (
        named is None
        or flow.transport != "udp"
        or request.via.host.strip(b"[]").decode("ascii", "replace") != flow.host
    ):
        return flow
    if named.host != flow.host and not elsewhere and ip_address(named.host) != ip_address(flow.host):
        raise Refused(DropReason.CONTACT_ELSEWHERE, 403, "Contact at Another Address")
    return named
