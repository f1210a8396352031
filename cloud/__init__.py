"""The control plane: what MSPs configure, published to the edges of their sites."""
