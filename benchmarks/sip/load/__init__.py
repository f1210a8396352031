"""A load generator for registrar and proxy: one process of the standard library alone, so that any Python runs it."""
