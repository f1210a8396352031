"""HTTP and HTTPS for phones: their files, and what they send."""

from edge_agent.provisioning.serve.http.answer import Service
from edge_agent.provisioning.serve.http.credentials import Passwords
from edge_agent.provisioning.serve.http.server import HttpLimits, HttpServer
from edge_agent.provisioning.serve.http.tls import PhoneTls

__all__ = ["HttpLimits", "HttpServer", "Passwords", "PhoneTls", "Service"]
