"""The edge's end of the channel: what the cloud wants, on disk; what happened here, until the cloud has it."""
