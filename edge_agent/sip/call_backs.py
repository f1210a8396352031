"""Call-back: once whom somebody did not reach is free, the edge rings him and sends his phone there (REFER).

    waits ──both are free for a moment──▶ rings the phones of who asked ──one answers──▶ REFER ──▶ over
      └──its time is over, cancelled──▶ over        └──nobody answers, refused──▶ over

The phone then calls by itself, so that permissions, screening, record and sound are those of any call. What waits is
site state, and so outlives the process and the cloud's absence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from contract.dialplan.site_state import CALL_BACK
from edge_agent.clock import Clock
from edge_agent.ports import CallListener, CallRefused, Transfer
from edge_agent.sip.answering import OTHER_FORM
from edge_agent.sip.config import SipConfig
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import Uri, escaped_user
from edge_agent.sip.proxy.parties import Parties
from edge_agent.sip.silence import silences
from edge_agent.sip.transaction import TimerWheel

TICK_SECONDS: Final = 1.0
FREE_SECONDS: Final = 2.0
"""So long both have to be free: a phone that was hung up needs a moment."""
RING_SECONDS: Final = 20.0
LEAVE_SECONDS: Final = 2.0
"""How long after the REFER the call that rang the phone is hung up, where the phone has not done so."""
_PHONES: Final = 5

Wrote = Callable[[dict[str, str | bool]], None]


class PhoneLeg(Protocol):
    """A call that rings a phone."""

    def refer(self, transfer: Transfer, *, quiet: bool = False) -> None:
        """Ask the phone to call somebody."""
        ...

    def hang_up(self) -> None:
        """End it, whatever state it is in."""
        ...


Place = Callable[[Binding, Uri, Uri, bytes, bytes, CallListener], PhoneLeg]
"""Rings a phone: where it is registered, its user, our address and display name, what is offered, who listens; may
raise `CallRefused`."""


class CallBacks:
    """Those who wait, and those who are being rung.

    Args:
        config: of the site; its state says who waits.
        location: where phones are.
        parties: who is in a call.
        wheel: for the tick, while somebody waits.
        clock: wall time.
        place: rings a phone.
        wrote: keeps that a call-back is over.
    """

    def __init__(
        self,
        config: SipConfig,
        location: Location,
        parties: Parties,
        wheel: TimerWheel,
        clock: Clock,
        place: Place,
        wrote: Wrote,
    ) -> None:
        self._location, self._parties, self._wheel = location, parties, wheel
        self._clock, self._place, self._wrote = clock, place, wrote
        self._free_since: dict[tuple[str, str], float] = {}
        self._attempts: dict[str, _Attempt] = {}
        """By the user who asked."""
        self._over: set[tuple[str, str]] = set()
        """Until the site's state says so, too."""
        self._ticking = False
        self.rung = 0
        """Who was rung since the start."""
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration, or what users changed at the site."""
        self._config = config
        waiting = {(user, other) for user, others in config.state.call_backs.items() for other in others}
        self._over &= waiting
        self._free_since = {pair: since for pair, since in self._free_since.items() if pair in waiting}
        for user_id, attempt in self._attempts.items():
            if (user_id, attempt.other_id) not in waiting:
                attempt.cancel()
        self._start(self._clock.monotonic())

    def _start(self, now: float) -> None:
        if not self._ticking and (self._config.state.call_backs or self._attempts):
            self._ticking = True
            self._wheel.add(TICK_SECONDS, self, 0, now)

    def expired(self, kind: int, now: float) -> None:
        """Look who is free."""
        del kind
        self._ticking = False
        for user_id, attempt in list(self._attempts.items()):
            if attempt.is_over(now):
                del self._attempts[user_id]
        wall = self._clock.now().timestamp()
        for user_id, others in self._config.state.call_backs.items():
            for other_id, until in others.items():
                pair = user_id, other_id
                if pair in self._over:
                    continue
                if until <= wall:
                    self._end(pair)
                elif user_id not in self._attempts and self._are_free(pair, now):
                    self._ring(pair, now)
        self._start(now)

    def _are_free(self, pair: tuple[str, str], now: float) -> bool:
        config, other_id = self._config, pair[1]
        free = other_id not in config.state.do_not_disturb and all(
            one in config.users and self._location.of_user(one, now) and not list(self._parties.of_user(one))
            for one in pair
        )
        if not free:
            self._free_since.pop(pair, None)
            return False
        return now - self._free_since.setdefault(pair, now) >= FREE_SECONDS

    def _ring(self, pair: tuple[str, str], now: float) -> None:
        """Once; who does not answer has lost interest."""
        user_id, other_id = pair
        self._end(pair)
        self.rung += 1
        other, domain = self._config.users[other_id], self._config.domain.encode()
        address = Uri(domain, escaped_user(other.extension or other.username))
        caller = Uri(domain, escaped_user(self._config.users[user_id].username))
        name = other.display_name.replace("\\", "").replace('"', "")
        attempt = _Attempt(other_id, address, now)
        self._attempts[user_id] = attempt
        for binding in self._location.of_user(user_id, now)[:_PHONES]:
            attempt.ring(partial(self._place, binding, caller, address, f'"{name}"'.encode()), silences(binding))

    def _end(self, pair: tuple[str, str]) -> None:
        self._over.add(pair)
        self._free_since.pop(pair, None)
        self._wrote({f"{CALL_BACK}/{pair[1]}/{pair[0]}": False})


class _Attempt:
    """The phones of one user ring; the first to answer is sent on."""

    def __init__(self, other_id: str, target: Uri, now: float) -> None:
        self.other_id = other_id
        self._target = target
        self._until = now + RING_SECONDS
        self._phones: list[_Phone] = []
        self._answered: _Phone | None = None
        self._referred_at: float | None = None

    def ring(self, place: Callable[[bytes, CallListener], PhoneLeg], silences: tuple[bytes, ...]) -> None:
        """One more phone, which may be called with any of these sessions."""
        phone = _Phone(self, place, silences)
        if phone.ring():
            self._phones.append(phone)

    def answered(self, phone: _Phone) -> None:
        """The first counts."""
        if self._answered is None:
            self._answered = phone

    def ended(self, phone: _Phone) -> None:
        """A phone's call is over."""
        if phone in self._phones:
            self._phones.remove(phone)

    def cancel(self) -> None:
        """Nobody who did not answer yet need do so."""
        if self._answered is None:
            self._until = 0.0

    def is_over(self, now: float) -> bool:
        """Go on; whether nothing is left to do. To be asked every second."""
        answered = self._answered
        if answered is not None and self._referred_at is None:
            self._referred_at = now
            for phone in self._phones:
                if phone is not answered:
                    phone.hang_up()
            if answered in self._phones and answered.leg is not None:
                answered.leg.refer(Transfer(self._target.text.decode("ascii")), quiet=True)
        elif (answered is None and now >= self._until) or (
            self._referred_at is not None and now - self._referred_at >= LEAVE_SECONDS
        ):
            for phone in list(self._phones):
                phone.hang_up()
            return True
        return not self._phones


class _Phone:
    """One phone that rings; the `CallListener` of its call."""

    def __init__(
        self, attempt: _Attempt, place: Callable[[bytes, CallListener], PhoneLeg], silences: tuple[bytes, ...]
    ) -> None:
        self._attempt, self._place = attempt, place
        self._silence, *self._others = silences
        self._unwanted = False
        self.leg: PhoneLeg | None = None

    def ring(self) -> bool:
        """Have it rung; False: it cannot be."""
        try:
            self.leg = self._place(self._silence, self)
        except CallRefused:
            return False
        return True

    def hang_up(self) -> None:
        """It need not ring, or stay in this call, any more."""
        self._unwanted = True
        if self.leg is not None:
            self.leg.hang_up()

    def progressed(self, status: int, description: bytes | None) -> bytes | None:
        """See `CallListener`."""
        del status, description
        return None

    def answered(self, description: bytes | None) -> bytes | None:
        """See `CallListener`."""
        del description
        self._attempt.answered(self)
        return None

    def reoffered(self, offer: bytes | None) -> bytes:
        """See `CallListener`: it stays silent."""
        del offer
        return self._silence

    def acknowledged(self, answer: bytes | None) -> None:
        """See `CallListener`."""

    def changed(self, status: int, description: bytes | None) -> None:
        """See `CallListener`."""

    def informed(self, content_type: str, body: bytes) -> None:
        """See `CallListener`."""

    def record_wanted(self, wanted: bool) -> None:
        """See `CallListener`."""
        raise CallRefused("a call-back is silent")

    def transfer_wanted(self, transfer: Transfer) -> None:
        """See `CallListener`."""
        raise CallRefused("a call-back goes where it goes")

    def transfer_progressed(self, status: int, final: bool) -> None:
        """See `CallListener`."""

    def ended(self, cause: str, status: int) -> None:
        """See `CallListener`."""
        if cause == "refused" and status in OTHER_FORM and self._others and not self._unwanted:
            self._silence = self._others.pop(0)
            if self.ring():
                return
        self._attempt.ended(self)
