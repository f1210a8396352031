"""SIP plug and play: a phone asks the whole network by multicast where its files are, and the edge tells it."""

from edge_agent.provisioning.serve.plug_and_play.server import GROUP, PlugAndPlayServer

__all__ = ["GROUP", "PlugAndPlayServer"]
