"""Logging in at another's phone by extension and PIN, by the keys; the call is a script."""

import json
from dataclasses import dataclass, field

import pytest

from contract.pin import hashed
from contract.snapshot import User
from contract.sync.state import Stamp, StateRecord
from edge_agent.media.applications.hot_desk import HotDeskLogin, hot_desk_config
from edge_agent.media.applications.voicemail.attempts import LOCKED_SECONDS, WRONG_ATTEMPTS
from edge_agent.media.errors import SessionEnded
from edge_agent.media.speech import Languages
from tests.support.hand_clock import HandClock
from tests.support.scripted_call import ScriptedCall, Step

LANGUAGES = Languages()
PIN = "2580"


def user(number: str, *permissions: str, enabled: bool = True) -> User:
    return User(
        user_id=f"u-{number}",
        username=f"name{number}",
        display_name=number,
        extension=number,
        permissions=permissions,
        enabled=enabled,
    )


USERS = (
    user("200", "HotDesking"),
    user("201"),
    user("202", "HotDesking"),
    user("203", "HotDesking", enabled=False),
)
RECORDS = tuple(
    StateRecord(key=f"voicemail_pin/u-{number}", value=hashed(PIN, number.zfill(32)), stamp=Stamp(wall_ms=1, node="n"))
    for number in ("200", "201", "203")
)


@dataclass
class Desk:
    """The phone of u-9, which has the line l-9."""

    clock: HandClock = field(default_factory=HandClock)
    written: dict[str, str | bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = hot_desk_config(USERS, RECORDS)
        self.application = HotDeskLogin(LANGUAGES, lambda: config, self.written.update, self.clock)

    async def call(self, *script: Step, **arguments: str) -> ScriptedCall:
        made = ScriptedCall(script, arguments={"line": "l-9", "host": "u-9", "hours": "0", **arguments})
        try:
            await self.application.run(made)
        except SessionEnded:
            made.heard.append("ended")
        return made


async def test_who_knows_extension_and_pin_is_logged_in() -> None:
    desk = Desk()
    call = await desk.call("200#", "2580#")
    assert json.loads(str(desk.written["hot_desk/l-9"])) == {"user_id": "u-200", "host_id": "u-9", "until": 0}
    assert call.heard[-1] == "confirmed"


async def test_who_dialled_his_extension_is_asked_for_the_pin_only() -> None:
    desk = Desk()
    call = await desk.call("2580#", user="u-200", hours="12")
    until = int(desk.clock.now().timestamp()) + 12 * 3600
    assert json.loads(str(desk.written["hot_desk/l-9"]))["until"] == until
    assert "phrase.enter_extension" not in call.heard


@pytest.mark.parametrize("number", ["200", "201", "202", "203", "999"])
async def test_a_wrong_pin_and_who_may_not_are_told_apart_by_nobody(number: str) -> None:
    desk = Desk()
    pin = "1111" if number == "200" else PIN
    call = await desk.call(*[f"{number}#", f"{pin}#"] * 3)
    assert desk.written == {}
    assert [one for one in call.heard if one != "confirmed"] == [
        "phrase.enter_extension",
        "phrase.enter_pin",
        "phrase.wrong_pin",
    ] * 3 + ["phrase.goodbye"]


async def test_guessing_locks_the_pin_for_a_while() -> None:
    desk = Desk()
    for _ in range(WRONG_ATTEMPTS):
        await desk.call("1111#", user="u-200")
    assert (await desk.call("2580#", user="u-200")).heard[-1] == "phrase.pin_locked"
    assert desk.written == {}
    desk.clock.advance(LOCKED_SECONDS + 1)
    assert (await desk.call("2580#", user="u-200")).heard[-1] == "confirmed"
