"""Calls from phone to phone that a rule has recorded: their media goes by the relay, also where none else does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pytest

from contract.snapshot import RecordingPolicy, RecordingRule
from edge_agent.ports import RecordingOrder
from edge_agent.sip.relaying.recording import BROWSER, NO_ADDRESS, NO_PORT, NoCalls
from edge_agent.sip.relaying.rules import MediaRules
from tests.edge_agent.sip.proxy.test_media import INSIDE, SDP, Office, place_in

RULES = MediaRules("never", inside=(INSIDE,))


class Told(NoCalls):
    """What records and alarms are told is kept."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.misses: list[str | None] = []

    def tell(self, call_id: str, sentence: str) -> None:
        """See `CallsTold`."""
        self.told.append(sentence)

    def missed(self, why: str | None) -> None:
        """See `CallsTold`."""
        self.misses.append(why)


class Recorded:
    """An office with one rule, and a call from 200 to 201."""

    def __init__(
        self,
        rule: Mapping[str, object] | None = None,
        media: MediaRules = RULES,
        spared: frozenset[str] = frozenset(),
        browser: str = "",
    ) -> None:
        self.office = Office(media)
        self.calls = Told()
        rules = self.office.site.recording
        rules.calls = self.calls
        made = RecordingRule.model_validate({"name": "Inside", "calls": "inside", **(rule or {})})
        groups = {"sales": frozenset({"user-201"}), "support": frozenset({"user-203"}), "empty": frozenset[str]()}
        rules.configure(RecordingPolicy(rules=(made,)), spared, groups=groups)
        if browser:
            self.office.site.network.connect((browser, 5060), browser=True)
        self.caller = self.office.phone("200", "10.0.0.20")
        self.callee = self.office.phone("201", "10.0.0.21", 180, 200)

    def call(self) -> None:
        """200 calls 201, who answers."""
        self.invite, self.answer = self.office.call(self.caller, self.callee)
        assert self.answer.status == 200

    @property
    def order(self) -> RecordingOrder | None:
        """How the voice is recorded; None: it is not, or does not go by the relay."""
        return self.office.carried[0].record if self.office.carried else None


def test_a_call_from_phone_to_phone_goes_by_the_relay_and_is_recorded_from_its_answer_on() -> None:
    world = Recorded()
    world.call()
    assert place_in(world.callee.ringing) == (INSIDE, 17410)
    assert place_in(world.answer) == (INSIDE, 17408)
    (stream,) = world.office.carried
    assert (stream.call_id, stream.caller) == (world.invite.call_id.decode(), 0)
    assert world.order == RecordingOrder("recording-1", announce=True)
    assert (world.calls.told, world.calls.misses) == (["recorded: by the rule Inside"], [None])
    orders = {stream.record for told in world.office.site.carried for stream in told}
    assert orders == {None, RecordingOrder("recording-1", announce=True)}  # not before
    world.caller.in_dialog("BYE", world.invite, world.answer)
    world.office.site.network.run()
    assert world.office.carried == ()


@pytest.mark.parametrize(
    ("rule", "recorded"),
    [
        ({"calls": "all"}, True),
        ({"calls": "trunk"}, False),
        ({"enabled": False}, False),
        ({"user_ids": ("user-200",)}, True),
        ({"user_ids": ("user-201",)}, True),
        ({"user_ids": ("user-202",)}, False),
        ({"group_ids": ("sales",)}, True),
        ({"group_ids": ("support",)}, False),
        ({"group_ids": ("support",), "user_ids": ("user-200",)}, True),
        ({"group_ids": ("empty",)}, False),
        ({"group_ids": ("gone",)}, False),
        ({"trunk_ids": ("first",), "direction": "in"}, True),  # of calls by trunks only
    ],
)
def test_a_rule_is_for_calls_of_its_users_and_of_members_of_its_groups(rule: dict[str, object], recorded: bool) -> None:
    world = Recorded(rule)
    world.call()
    assert (world.order is not None) is recorded
    assert place_in(world.answer)[0] == (INSIDE if recorded else "10.0.0.21")


def test_a_call_for_help_is_not_recorded() -> None:
    world = Recorded(spared=frozenset({"201"}))
    world.call()
    assert world.order is None


def test_where_no_port_is_free_the_call_goes_directly_and_that_is_said() -> None:
    world = Recorded()
    while world.office.site.pool.take() is not None:
        pass
    world.call()
    assert (place_in(world.callee.ringing)[0], place_in(world.answer)[0]) == ("10.0.0.20", "10.0.0.21")
    assert (world.calls.told, world.calls.misses) == ([f"not_recorded: {NO_PORT}"], [NO_PORT])


def test_where_the_relay_has_no_address_the_call_goes_directly_and_that_is_said() -> None:
    world = Recorded(media=replace(RULES, inside=()))
    world.call()
    assert (place_in(world.callee.ringing)[0], place_in(world.answer)[0]) == ("10.0.0.20", "10.0.0.21")
    assert (world.calls.told, world.calls.misses) == ([f"not_recorded: {NO_ADDRESS}"], [NO_ADDRESS])


def test_another_session_is_recorded_on() -> None:
    world = Recorded()
    world.call()
    moved = world.caller.sdp.replace(b"4000", b"4444").decode()
    world.caller.in_dialog("INVITE", world.invite, world.answer, headers=SDP, body=moved)
    world.office.site.network.run()
    assert world.office.carried[0].first.media == ("10.0.0.20", 4444)
    assert world.order == RecordingOrder("recording-1", announce=True)


@pytest.mark.parametrize("browser", ["10.0.0.20", "10.0.0.21"])
@pytest.mark.parametrize("relay", ["never", "behind_nat"])
def test_a_call_with_a_browser_goes_directly_and_that_is_said(
    browser: str, relay: Literal["never", "behind_nat"]
) -> None:
    world = Recorded(media=replace(RULES, relay=relay), browser=browser)
    world.call()
    assert (place_in(world.callee.ringing)[0], place_in(world.answer)[0]) == ("10.0.0.20", "10.0.0.21")
    assert (world.calls.told, world.calls.misses) == ([f"not_recorded: {BROWSER}"], [BROWSER])
    other = Recorded({"user_ids": ("user-202",)}, browser=browser)
    other.call()
    assert (other.calls.told, other.calls.misses) == ([], [])
