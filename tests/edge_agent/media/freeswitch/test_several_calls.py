"""Applications with several calls on FreeSWITCH: recorded scenarios are spoken again, its side word for word."""

from collections.abc import Mapping

import pytest

from contract.snapshot import Multicast, Paging, Park, User
from edge_agent.media.applications.find_me import ConfirmedCalls
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.paging import PagingGroups, paging_config
from edge_agent.media.applications.park import CallPark, park_config
from edge_agent.media.speech import Languages
from tests.edge_agent.media.freeswitch.scenario import Scenario
from tests.edge_agent.media.freeswitch.test_transfers import Queue
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock

USERS = tuple(
    User(user_id=f"user-{n}", username=n, display_name=f"Desk {n}", extension=n) for n in ("200", "201", "202")
)


async def test_who_is_sent_to_an_orbit_hears_music_and_talks_with_who_takes_him_up() -> None:
    scenario = Scenario(("54-park-leg1", "54-park-leg2"))
    lamps: list[Mapping[str, str]] = []
    record = Park(service_id="park", name="Park", extension="700", orbits=("701", "702"))
    config = park_config((record,), USERS, "en")
    park = CallPark(Languages(), lambda: config, scenario, lamps.append, HandClock(), HoldMusic())
    await scenario.speak({"park": park})
    assert lamps == [{"701": "201"}, {}]


@pytest.mark.parametrize("multicast", [None, Multicast(address="239.1.2.3", port=5000)], ids=["calls", "a stream"])
async def test_a_page_is_heard_by_a_group_whose_members_are_not(multicast: Multicast | None) -> None:
    """FreeSWITCH sends no stream: those whose phones would hear it are called, too."""
    legs = ("55-page-leg1", "55-page-leg2", "55-page-leg3")
    scenario = Scenario(legs, placed=legs[1:])
    members = tuple(user.user_id for user in USERS)
    group = Paging(service_id="page", name="Page", extension="750", members=members, multicast=multicast)
    config = paging_config((group,), USERS, {"page": {"user-201"}})
    await scenario.speak({"paging": PagingGroups(lambda: config, scenario, CountedTokens())})


async def test_who_presses_1_at_the_mobile_phone_has_the_call() -> None:
    legs = ("61-find-me-leg1", "61-find-me-leg2")
    scenario = Scenario(legs, placed=legs[1:])
    await scenario.speak({"find_me": ConfirmedCalls(Languages(), lambda: "en", scenario)})


async def test_a_talk_is_as_far_as_it_was_when_the_process_is_killed() -> None:
    legs = ("56-media-killed-leg1", "56-media-killed-leg2")
    queue = Queue(Scenario(legs, placed=legs[1:]))
    await queue.scenario.speak({"queue": queue}, killed=True)


async def test_the_next_process_serves_the_caller_anew_and_ends_the_call_of_the_agent_that_nobody_knows_of() -> None:
    legs = ("57-media-back-leg1", "57-media-back-leg2", "57-media-back-leg3")
    queue = Queue(Scenario(legs, placed=legs[2:]))
    await queue.scenario.speak({"queue": queue})
    assert queue.wanted == []
