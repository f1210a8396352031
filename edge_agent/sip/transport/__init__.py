"""Sockets: the only place of the SIP stack that does I/O. Bytes and flows go in and out; no rule of SIP is in here."""

from edge_agent.sip.transport.framer import PING, StreamFramer
from edge_agent.sip.transport.ports import Receiver
from edge_agent.sip.transport.tls import CertificateUnusable, GivenCertificate, TlsIdentity, spare_tls_memory
from edge_agent.sip.transport.transport import NoCertificate, SipTransport

__all__ = [
    "PING",
    "CertificateUnusable",
    "GivenCertificate",
    "NoCertificate",
    "Receiver",
    "SipTransport",
    "StreamFramer",
    "TlsIdentity",
    "spare_tls_memory",
]
