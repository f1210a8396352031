"""What provisioning raises on purpose."""

from edge_agent.errors import EdgeError


class ProvisioningError(EdgeError):
    """Something about provisioning that can be named."""


class ConfigRefused(ProvisioningError):
    """A configuration that cannot be served; `problems` says why, device by device, without any secret."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class NothingPrepared(ProvisioningError):
    """`commit` was called without a configuration prepared."""


class RenderError(ProvisioningError):
    """A template that cannot be rendered for a device; the text never holds a value."""


class UnknownTimeZone(ProvisioningError):
    """A time zone that this machine has no data for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no time zone {name!r} on this machine")
        self.name = name
