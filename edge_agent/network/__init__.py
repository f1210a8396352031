"""The machine's place in the network."""
