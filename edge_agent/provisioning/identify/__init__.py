"""Who asks for a file: facts with their certainty."""

from edge_agent.provisioning.identify.facts import Certainty, Fact, Facts, Identifier

__all__ = ["Certainty", "Fact", "Facts", "Identifier"]
