"""The root of everything the cloud raises on purpose; each subject keeps its own small tree beside its code."""


class CloudError(Exception):
    """Something the control plane can name."""
