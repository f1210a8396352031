"""Call park as its callers meet it: whom an orbit takes, who is taken up, and where the others go."""

import asyncio
from collections.abc import Mapping

import pytest

from contract.snapshot import Park, User
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.park import CallPark, park_config
from edge_agent.media.calling import NotReached, Ringing
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import Collected, EndCause, MediaSession, Prompt
from edge_agent.media.speech import Languages
from tests.support.hand_clock import HandClock
from tests.support.scripted_call import ScriptedCall
from tests.support.waiting import eventually_async

LANGUAGES = Languages()
USERS = tuple(User(user_id=f"u-{n}", username=n, display_name=f"Desk {n}", extension=n) for n in ("200", "202"))
PARK = Park(service_id="p", name="Park", extension="700", orbits=("701", "702"), leave_key="0")


class Caller(ScriptedCall):
    """A call that goes on until somebody hangs up; its caller presses what the test says."""

    def __init__(self, caller: str, orbit: str = "", user: str = "u-200", asserted: str = "", **told: str) -> None:
        super().__init__((), caller, {"service": "p", "orbit": orbit, "user": user, **told}, asserted or caller)
        self.ended: asyncio.Event = asyncio.Event()
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        self.talks_to: MediaSession | None = None

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        self.heard += [one.path.stem for one in prompts]
        if self.heard[-1] == "music":
            await self.ended.wait()
            raise SessionEnded(EndCause.CALLER)
        return 1.0

    async def collect(self, most: int, timeout_seconds: float, terminators: str = "#") -> Collected:
        return Collected(await self.keys.get(), complete=True)

    async def bridge(self, other: MediaSession) -> None:
        self.talks_to = other
        await other.over()

    async def over(self) -> EndCause:
        await self.ended.wait()
        return EndCause.CALLER

    async def hang_up(self) -> None:
        self.ended.set()


class Phones:
    """Whoever is rung answers, or does not."""

    can_ring = True

    def __init__(self) -> None:
        self.rung: list[Ringing] = []
        self.answers: MediaSession | None = None

    async def ring(self, wanted: Ringing) -> MediaSession:
        self.rung.append(wanted)
        if self.answers is None:
            raise NotReached(480)
        return self.answers


class Office:
    def __init__(self, park: Park = PARK) -> None:
        self.lamps: list[Mapping[str, str]] = []
        self.phones, self.clock = Phones(), HandClock()
        config = park_config((park,), USERS, "en")
        self.park = CallPark(LANGUAGES, lambda: config, self.phones, self.lamps.append, self.clock, HoldMusic())

    async def begin(self, call: Caller) -> "asyncio.Task[None]":
        async def serve() -> None:
            try:
                await self.park.run(call)
            except SessionEnded:
                call.heard.append("ended")
            call.ended.set()

        task = asyncio.create_task(serve())
        await asyncio.sleep(0)
        return task

    async def parked(self, call: Caller) -> "asyncio.Task[None]":
        task = await self.begin(call)
        await eventually_async(lambda: "music" in call.heard)
        return task


async def test_whoever_is_sent_to_an_orbit_waits_there_and_a_colleague_takes_him_up() -> None:
    office, caller, colleague = Office(), Caller("+4930", "701"), Caller("202", "701", "u-202")
    await office.parked(caller)
    assert office.lamps == [{"701": "+4930"}]
    await office.begin(colleague)
    await eventually_async(lambda: caller.talks_to is colleague)
    assert office.lamps[-1] == {}
    await colleague.hang_up()
    await eventually_async(caller.ended.is_set)


async def test_a_free_orbit_is_found_and_when_none_is_left_the_call_stays_where_it_was() -> None:
    office = Office()
    for _ in range(2):
        await office.parked(Caller("+4930"))
    assert office.lamps[-1].keys() == {"701", "702"}
    late = Caller("+4931")
    await (await office.begin(late))
    assert not late.answered


async def test_a_caller_who_is_sent_to_a_taken_orbit_takes_nobody_up() -> None:
    office, first, second = Office(), Caller("+4930", "701"), Caller("+4931", "701")
    await office.parked(first)
    await (await office.begin(second))
    assert not second.answered
    assert first.talks_to is None


@pytest.mark.parametrize("orbit", ["701", "702"])
async def test_nobody_is_taken_up_by_the_code_where_nobody_waits(orbit: str) -> None:
    office, colleague = Office(), Caller("202", orbit, "u-202", action="retrieve")
    if orbit == "702":  # whoever holds an orbit for somebody else is nobody to talk to
        await office.parked(Caller("200", orbit))
    await (await office.begin(colleague))
    assert colleague.heard == ["declined"]


async def test_who_holds_an_orbit_hears_its_number_and_gives_it_to_whoever_takes_his_place() -> None:
    office, parker, caller = Office(), Caller("200"), Caller("+4930")
    await office.parked(parker)
    assert parker.heard[:2] == ["phrase.parked_at", "number.7"]
    caller.replaces = parker
    await office.parked(caller)
    await parker.hang_up()
    assert office.lamps[-1] == {"701": "+4930"}
    colleague = Caller("202", "701", "u-202")
    await office.begin(colleague)
    await eventually_async(lambda: caller.talks_to is colleague)


async def test_a_key_leads_whoever_waits_no_longer_back_to_who_parked_him() -> None:
    office, caller = Office(), Caller("+4930", "701")
    task = await office.parked(caller)
    await caller.keys.put("5")
    await caller.keys.put("0")
    await task
    assert caller.transferred == "200"
    assert office.lamps[-1] == {}


async def test_who_parked_is_rung_in_time_with_the_orbit_in_the_name_and_gets_the_caller() -> None:
    office, caller = Office(PARK.model_copy(update={"timeout_seconds": 0})), Caller("+4930", "702")
    office.phones.answers = back = Caller("200")
    await office.begin(caller)
    await eventually_async(lambda: caller.talks_to is back)
    assert office.phones.rung[0] == Ringing("200", "702", "702: +4930")


async def test_where_no_phone_can_be_rung_the_caller_is_sent_back() -> None:
    office, caller = Office(PARK.model_copy(update={"timeout_seconds": 0})), Caller("+4930", "702")
    office.phones.can_ring = False
    await (await office.begin(caller))
    assert caller.transferred == "200"


async def test_an_orbit_is_free_when_its_caller_hangs_up() -> None:
    office, caller = Office(), Caller("+4930", "701")
    task = await office.parked(caller)
    await caller.hang_up()
    await task
    assert office.lamps[-1] == {}
