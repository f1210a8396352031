"""Which way leads back to a phone that registered: its connection, its Contact, or where it really sent from."""

from edge_agent.sip.message import Flow, Message, Uri
from edge_agent.sip.resolver import Unresolvable, flow_to


def flow_of_contact(contact: Uri, request: Message) -> Flow:
    """The way to a contact.

    Over a stream it is the stream itself. Over UDP it is the Contact's address, unless the phone does not know its own
    (Via and source differ, RFC 3581) or names a host that is no address: then it is the source.

    Args:
        contact: the Contact URI.
        request: the REGISTER.
    """
    flow = request.flow
    if flow.transport != "udp":
        return flow
    if request.via.host.strip(b"[]").decode("ascii", "replace") != flow.host:
        return flow
    try:
        return flow_to(contact)
    except Unresolvable:
        return flow
