"""Sockets: the only place of the SIP stack that does I/O. Bytes and flows go in and out; no rule of SIP is in here."""

from edge_agent.sip.transport.framer import PING, StreamFramer
from edge_agent.sip.transport.ports import Receiver
from edge_agent.sip.transport.transport import SipTransport

__all__ = ["PING", "Receiver", "SipTransport", "StreamFramer"]
