"""A call leg for tests of the media plane: it keeps what is asked of it."""

from edge_agent.ports import Transfer, TransferTold


class RecordingLeg:
    """A call whose SIP side is a list of words."""

    def __init__(self, offer: bytes | None, called: str = "echo", caller: str = "200") -> None:
        self.called, self.caller, self.offer = called, caller, offer
        self.caller_name, self.asserted = "", caller
        self.call_id, self.placed = "leg@phone", False
        self.arguments: dict[str, str] = {}
        self.replaces: RecordingLeg | None = None
        self.asked: list[str] = []
        self.told: TransferTold | None = None
        """Hears what becomes of the transfer that was asked for."""
        self.descriptions: list[bytes] = []

    def ring(self) -> None:
        """180."""
        self.asked.append("ring")

    def answer(self, description: bytes) -> None:
        """200."""
        self.asked.append("answer")
        self.descriptions.append(description)

    def refuse(self, status: int, reason: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """A refusal."""
        self.asked.append(f"refuse {status}")

    def transfer(self, to: str | Transfer, told: TransferTold, proven: str = "") -> None:
        """REFER."""
        self.asked.append(f"transfer {to.target if isinstance(to, Transfer) else to}")
        self.told = told

    def hang_up(self) -> None:
        """The end."""
        self.asked.append("hang_up")
