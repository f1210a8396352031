"""Calls whose media goes through this edge: rewriting of descriptions, ports, and what the relay is told to carry."""

from edge_agent.sip.relaying.media import RelayedMedia
from edge_agent.sip.relaying.pool import RelayPool

__all__ = ["RelayPool", "RelayedMedia"]
