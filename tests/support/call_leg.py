"""A call leg for tests of the media plane: it keeps what is asked of it."""


class RecordingLeg:
    """A call whose SIP side is a list of words."""

    def __init__(self, offer: bytes | None, called: str = "echo", caller: str = "200") -> None:
        self.called, self.caller, self.offer = called, caller, offer
        self.caller_name, self.asserted = "", caller
        self.arguments: dict[str, str] = {}
        self.asked: list[str] = []
        self.descriptions: list[bytes] = []

    def ring(self) -> None:
        """180."""
        self.asked.append("ring")

    def answer(self, description: bytes) -> None:
        """200."""
        self.asked.append("answer")
        self.descriptions.append(description)

    def refuse(self, status: int, reason: str) -> None:
        """A refusal."""
        self.asked.append(f"refuse {status}")

    def transfer(self, number: str) -> None:
        """REFER."""
        self.asked.append(f"transfer {number}")

    def hang_up(self) -> None:
        """The end."""
        self.asked.append("hang_up")
