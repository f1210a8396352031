"""A call as the media plane holds it: `edge_agent.ports.CallLeg` over a `Call` and a clock."""

from edge_agent.clock import Clock
from edge_agent.sip.message import Uri
from edge_agent.sip.user_agent.call import Call


class Leg:
    """What the media plane may ask of a call; each method acts at the clock's present moment."""

    __slots__ = ("_call", "_caller", "_clock", "_offer", "called")

    def __init__(self, call: Call, called: Uri, caller: Uri, clock: Clock) -> None:
        self._call, self._clock = call, clock
        self._caller = caller.dialled
        self._offer = call.invite.body or None
        self.called = called.dialled
        """User part of the Request-URI."""

    @property
    def caller(self) -> str:
        """User part of the From header."""
        return self._caller

    @property
    def offer(self) -> bytes | None:
        """The session description that the call came with."""
        return self._offer

    def ring(self) -> None:
        """180."""
        self._call.ring(self._clock.monotonic())

    def answer(self, description: bytes) -> None:
        """200 with our session description."""
        self._call.answer(description, self._clock.monotonic())

    def refuse(self, status: int, reason: str) -> None:
        """End the call before it is answered."""
        self._call.refuse(status, reason, self._clock.monotonic())

    def hang_up(self) -> None:
        """End the call, whatever state it is in."""
        self._call.hang_up(self._clock.monotonic())
