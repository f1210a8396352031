"""Call queues (ACD): callers wait with music until one of the agents who are logged in is free."""

from edge_agent.media.applications.queue.application import CallQueues
from edge_agent.media.applications.queue.config import QueueConfig, queue_config

__all__ = ["CallQueues", "QueueConfig", "queue_config"]
