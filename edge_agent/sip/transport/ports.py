"""What stands on a transport."""

from typing import Protocol

from edge_agent.sip.message import DropReason, Flow


class Receiver(Protocol):
    """A core without I/O: the endpoint, or a user agent."""

    def received(self, data: bytes, flow: Flow, now: float) -> None:
        """One message, as a datagram or as a framer cut it."""
        ...

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Something could not be sent there, or the connection is gone."""
        ...

    def batch_ended(self, now: float) -> None:
        """Everything that had arrived is handled; what was sent meanwhile goes out right after this."""
        ...

    def advance(self, now: float) -> None:
        """Time has passed: let timers go off."""
        ...

    def dropped(self, reason: DropReason) -> None:
        """The transport dropped something; to be counted."""
        ...

    @property
    def deadline(self) -> float | None:
        """When `advance` should be called at the latest; None: nothing waits."""
        ...
