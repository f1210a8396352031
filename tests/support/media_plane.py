"""A media plane for tests of user agents: it keeps what it is told, and answers when the test says so."""

from edge_agent.ports import CallLeg, CallRefused


class Busy(CallRefused):
    """The plane was told to take nothing."""

    status = 486
    reason = "Busy Here"


class RecordingPlane:
    """Keeps every call and what became of it."""

    def __init__(self) -> None:
        self.legs: list[CallLeg] = []
        self.confirmed_with: list[bytes | None] = []
        self.reoffers: list[bytes | None] = []
        self.causes: list[str] = []
        self.busy = False

    def offered(self, leg: CallLeg) -> None:
        """A call came."""
        if self.busy:
            raise Busy("the test said so")
        self.legs.append(leg)

    def confirmed(self, leg: CallLeg, answer: bytes | None) -> None:
        """An ACK came."""
        self.confirmed_with.append(answer)

    def reoffered(self, leg: CallLeg, offer: bytes | None) -> bytes:
        """A re-INVITE came."""
        if self.busy:
            raise Busy("the test said so")
        self.reoffers.append(offer)
        return b"v=0\r\ns=again\r\n"

    def ended(self, leg: CallLeg, cause: str) -> None:
        """The call is over."""
        self.causes.append(cause)
