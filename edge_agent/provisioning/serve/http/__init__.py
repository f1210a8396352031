"""A small HTTP/1.1 server that only gives known files (RFC 9110, 9112)."""

from edge_agent.provisioning.serve.http.server import HttpLimits, HttpServer

__all__ = ["HttpLimits", "HttpServer"]
