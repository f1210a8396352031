"""Which sessions a phone is called with for a call-back: each refusal of the form leads to the next one."""

from dataclasses import replace

import pytest

from contract.dialplan import SiteState
from edge_agent.ports import CallListener, CallRefused, Transfer
from edge_agent.sip.call_backs import FREE_SECONDS, RING_SECONDS, TICK_SECONDS, CallBacks
from edge_agent.sip.location import Binding
from edge_agent.sip.message import Uri
from edge_agent.sip.silence import FOR_BROWSERS, PLAIN, SECURE
from edge_agent.sip.transaction import TimerWheel
from tests.support.memory_site import MemorySite

BROWSER = "192.0.2.11"
"""The address of the first phone."""


class Leg:
    """A call that rings a phone."""

    def __init__(self, offer: bytes, listener: CallListener) -> None:
        self.offer, self.listener = offer, listener
        self.over = False
        self.referred: list[str] = []

    def refer(self, transfer: Transfer, *, quiet: bool = False) -> None:
        """See `PhoneLeg`."""
        assert quiet
        self.referred.append(transfer.target)

    def hang_up(self) -> None:
        """See `PhoneLeg`."""
        self.over = True


class World:
    """200 wants to be called back once 201 is free; both are."""

    def __init__(self, site: MemorySite, browser: bool = False) -> None:
        if browser:
            site.network.connect((BROWSER, 5060), browser=True)
        site.phone("200")
        site.phone("201")
        self.legs: list[Leg] = []
        self.refuses = False
        self._clock, self._wheel = site.network.clock, TimerWheel()
        until = self._clock.now().timestamp() + 3600
        config = replace(site.config, state=SiteState(call_backs={"user-200": {"user-201": until}}))
        endpoint = site.endpoint
        self.backs = CallBacks(
            config,
            endpoint.location,
            endpoint.calls.parties,
            self._wheel,
            self._clock,
            self._place,
            lambda values: None,
        )
        self.passes(FREE_SECONDS + 2 * TICK_SECONDS)

    def _place(
        self, binding: Binding, addressee: Uri, local: Uri, display: bytes, offer: bytes, listener: CallListener
    ) -> Leg:
        assert (binding.user_id, addressee.user, local.user) == ("user-200", b"200", b"201")
        if self.refuses:
            raise CallRefused("no way")
        self.legs.append(Leg(offer, listener))
        return self.legs[-1]

    def passes(self, seconds: float) -> None:
        """Time."""
        for _ in range(int(seconds / TICK_SECONDS)):
            self._wheel.advance(self._clock.advance(TICK_SECONDS))


def test_a_phone_that_refuses_plain_audio_is_called_with_secure_audio_and_sent_on(site: MemorySite) -> None:
    world = World(site)
    world.legs[0].listener.ended("refused", 488)
    assert [leg.offer for leg in world.legs] == [PLAIN, SECURE]
    assert world.legs[1].listener.reoffered(None) == SECURE
    world.legs[1].listener.answered(b"")
    world.passes(2 * TICK_SECONDS)
    assert [len(leg.referred) for leg in world.legs] == [0, 1]


def test_a_browser_is_called_with_what_browsers_take_and_once(site: MemorySite) -> None:
    world = World(site, browser=True)
    world.legs[0].listener.ended("refused", 488)
    assert [leg.offer for leg in world.legs] == [FOR_BROWSERS]


@pytest.mark.parametrize(("cause", "status"), [("refused", 486), ("refused", 603), ("unanswered", 408)])
def test_any_other_end_is_the_end(site: MemorySite, cause: str, status: int) -> None:
    world = World(site)
    world.legs[0].listener.ended(cause, status)
    assert len(world.legs) == 1


def test_a_phone_that_rang_too_long_is_not_called_again(site: MemorySite) -> None:
    world = World(site)
    world.passes(RING_SECONDS + 2 * TICK_SECONDS)
    assert world.legs[0].over
    world.legs[0].listener.ended("refused", 488)
    assert len(world.legs) == 1


def test_a_phone_that_cannot_be_called_any_more_is_left(site: MemorySite) -> None:
    world = World(site)
    world.refuses = True
    world.legs[0].listener.ended("refused", 488)
    world.passes(2 * TICK_SECONDS)
    assert len(world.legs) == 1
