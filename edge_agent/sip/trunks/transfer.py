"""Transfers of a trunk's call, carried out here: providers are sent no REFER and see another session at most.

Who was asked to be called (RFC 3515) gets an INVITE without an offer; what he offers when he answers is what the
provider's side is asked to take, and its answer is what he gets in the ACK (RFC 3725 §4.1 does so with two new calls).
"""

from __future__ import annotations

from edge_agent.ports import AnswerLater, CallRefused
from edge_agent.sip.trunks.bridge import Bridge, Side
from edge_agent.sip.user_agent.leg import Leg


class Moving(Side):
    """The side that is to take the place of the one that asked for a transfer.

    Args:
        bridge: the call that is transferred.
        old: who asked.
    """

    __slots__ = ("done", "old")

    def __init__(self, bridge: Bridge, old: Side) -> None:
        super().__init__(bridge, inside=True)
        self.old = old
        self.relay = old.relay
        self.done = False

    def progressed(self, status: int, description: bytes | None) -> bytes | None:
        """He rings."""
        self._tell(status)
        return None

    def answered(self, description: bytes | None) -> bytes | None:
        """He answered, with an offer for the provider's side."""
        outside = self.bridge.outside
        if self.bridge.over or outside.leg is None or description is None or self.bridge.busy:
            self.hang_up()
            return b""
        self.heard = self.relayed(description)
        outside.on_changed = self._agreed
        outside.leg.reoffer(self.heard)
        raise AnswerLater

    def _agreed(self, status: int, answer: bytes | None) -> None:
        if self.leg is None:
            return
        if status >= 300 or answer is None:
            self.leg.acknowledge(b"")
            self.hang_up()
            return
        self.done = True
        self.told = answer
        self.bridge.outside.heard, self.bridge.outside.told = answer, self.heard
        self.leg.acknowledge(answer)
        self._tell(200)
        old, self.old.leg = self.old.leg, None
        self.bridge.replace(self.old, self)
        self.bridge.moving = None
        if old is not None:
            old.hang_up()

    def ended(self, cause: str, status: int) -> None:
        """It is over: the transfer failed, or the call that it led to ended."""
        if self.done:
            super().ended(cause, status)
            return
        self.leg = None
        self.bridge.moving = None
        self._tell(status or 503)
        if self.old.leg is None:
            # Who asked has hung up meanwhile: nobody is left inside.
            self.bridge.side_ended(self.old, cause, status)

    def _tell(self, status: int) -> None:
        if self.old.leg is not None:
            self.old.leg.transfer_progress(status)


def join(kept: Bridge, other: Bridge, transfer_side: Side) -> None:
    """Let the outer sides of two calls talk to each other, as whoever talks to both asked for.

    Args:
        kept: the call whose inner side asked; it goes on.
        other: the call whose place is taken.
        transfer_side: the inner side of `kept`.

    Raises:
        CallRefused: one of them is busy with something else, or over.
    """
    left, right = kept.outside, other.outside
    if kept.busy or other.busy or left.leg is None or right.leg is None:
        raise CallRefused("one of the calls is over, or another session is being agreed on")

    place = right.relay

    def agreed(status: int, answer: bytes | None) -> None:
        if status >= 300 or answer is None:
            right.relay = place
        if left.leg is None:
            return
        left.leg.acknowledge(answer or b"")
        if transfer_side.leg is not None:
            transfer_side.leg.transfer_progress(200 if status < 300 else 500)
        if status >= 300 or answer is None:
            return
        left.told, right.heard = answer, answer
        kept.replace(transfer_side, right)
        old, transfer_side.leg = transfer_side.leg, None
        if old is not None:
            old.hang_up()
        inner = other.inside
        # The other bridge has lost its outer side to this one: what is left of it ends.
        other.replace(right, Side(other, inside=False))
        right.bridge = kept
        other.dissolve()
        inner.hang_up()

    def offered(offer: bytes) -> None:
        left.heard, right.told = offer, offer
        right.on_changed = agreed
        right.relay = transfer_side.relay
        if right.leg is not None:
            right.leg.reoffer(offer)

    left.asking = True
    left.on_offer = offered
    left.leg.reoffer(None)


def take_place(bridge: Bridge, leg: Leg) -> Side:
    """A call with Replaces takes the place of the inner side of a trunk's call (RFC 3891).

    Args:
        bridge: the call that it names.
        leg: the call that came in.

    Returns:
        The side that it will be.

    Raises:
        CallRefused: it cannot be now.
    """
    outside = bridge.outside
    if bridge.busy or not bridge.answered_once or bridge.over or outside.leg is None or not leg.offer:
        raise CallRefused("the call that is to be replaced is over, or another session is being agreed on")
    side = Side(bridge, inside=True)
    side.relay = bridge.inside.relay
    side.leg, side.heard = leg, side.relayed(leg.offer)
    leg.listen(side)

    def agreed(status: int, answer: bytes | None) -> None:
        if status >= 300 or answer is None:
            leg.refuse(488, "")
            return
        old = bridge.inside
        old.leg = None
        bridge.replace(old, side)
        side.told = answer
        outside.heard, outside.told = answer, side.heard
        # The user agent ends the call whose place it takes.
        leg.answer(answer)

    outside.on_changed = agreed
    outside.leg.reoffer(side.heard)
    return side
