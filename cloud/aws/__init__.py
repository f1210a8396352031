"""The outermost adapter for AWS, as cloud.local is for one machine: it prepares the environment, then steps aside."""
