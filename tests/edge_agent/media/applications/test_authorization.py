"""Authorization codes by the keys: who knows one is connected, who guesses is locked out; the call is a script."""

from contract.authorization_state import key_of, salt_of
from contract.pin import hashed
from contract.snapshot import Authorization, AuthorizationCode
from contract.sync.state import Stamp, StateRecord
from edge_agent.media.applications.authorization import AuthorizedCalls, authorization_config
from edge_agent.media.applications.voicemail.attempts import LOCKED_SECONDS, WRONG_ATTEMPTS
from edge_agent.media.errors import SessionEnded
from edge_agent.media.speech import Languages
from tests.support.hand_clock import HandClock
from tests.support.scripted_call import ScriptedCall

GATE = Authorization(
    service_id="far",
    name="Far",
    extension="770",
    codes=(
        AuthorizationCode(code_id="anna", name="Anna"),
        AuthorizationCode(code_id="bert", name="Bert", enabled=False),
        AuthorizationCode(code_id="carl", name="Carl"),
    ),
)
RECORDS = tuple(
    StateRecord(key=key_of("far", name), value=hashed(code, salt_of("far")), stamp=Stamp(wall_ms=1, node="n"))
    for name, code in (("anna", "2580"), ("bert", "1470"))
)
LANGUAGES = Languages()


class Gate:
    def __init__(self) -> None:
        self.clock = HandClock()
        config = authorization_config((GATE,), RECORDS, "en")
        self.application = AuthorizedCalls(LANGUAGES, lambda: config, self.clock)

    async def call(self, *keys: str, caller: str = "201") -> ScriptedCall:
        made = ScriptedCall(keys, caller, {"service": "far"})
        try:
            await self.application.run(made)
        except SessionEnded:
            made.heard.append("ended")
        return made


async def test_who_knows_a_code_is_connected_on_behalf_of_it() -> None:
    made = await Gate().call("2580#", "00441234#")
    assert (made.transferred, made.proven) == ("00441234", "anna")
    assert made.heard[:2] == ["phrase.enter_code", "phrase.enter_number"]


async def test_a_wrong_code_one_that_is_switched_off_and_one_without_digits_are_told_apart_by_nobody() -> None:
    made = await Gate().call("1111#", "1470#", "#")
    assert made.transferred == ""
    assert made.heard == ["phrase.enter_code", "phrase.wrong_code"] * 3 + ["phrase.goodbye"]


async def test_guessing_locks_out_the_caller_for_a_while_and_nobody_else() -> None:
    gate = Gate()
    for _ in range(WRONG_ATTEMPTS):
        await gate.call("1111#")
    assert (await gate.call("2580#", "200#")).heard == ["phrase.pin_locked"]
    assert (await gate.call("2580#", "200#", caller="202")).transferred == "200"
    gate.clock.advance(LOCKED_SECONDS + 1)
    assert (await gate.call("2580#", "200#")).transferred == "200"


async def test_callers_who_show_another_number_each_time_are_locked_out_too() -> None:
    gate = Gate()
    for number in range(25):
        await gate.call("1111#", "1112#", caller=f"07900{number}")
    assert (await gate.call("2580#", caller="07999")).heard == ["phrase.pin_locked"]
