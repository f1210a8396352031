"""What travels on the channel between hub and edge: messages, their codec and limits, deltas and site state."""
