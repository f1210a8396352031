"""Tells vendors' redirect services where phones find their server."""
