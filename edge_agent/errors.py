"""The root of everything the edge agent raises on purpose; each subject keeps its own small tree beside its code."""


class EdgeError(Exception):
    """Something the edge agent can name."""
