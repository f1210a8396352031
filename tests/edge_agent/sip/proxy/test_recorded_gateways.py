"""Calls between a phone and a gateway that a rule has recorded: by the relay, the site's side on the left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from contract.snapshot import Gateway, RecordingPolicy, RecordingRule
from edge_agent.ports import RecordingOrder, RelayedStream
from edge_agent.sip.message import Message
from edge_agent.sip.relaying.recording import NO_PORT
from tests.edge_agent.sip.proxy.test_dial_plan import FIRST, GATEWAYS, with_plan
from tests.edge_agent.sip.proxy.test_media import INSIDE, SDP, Office, described, place_in
from tests.edge_agent.sip.proxy.test_recorded_calls import RULES, Told
from tests.support.memory_site import EDGE, uri
from tests.support.sip_phone import SipPhone

ORDER = RecordingOrder("recording-1", announce=True)
OUTSIDE_NUMBER = "0441234567"


class WithGateway:
    """An office with one rule, two gateways, of which the first is there, and the phone of 201."""

    def __init__(
        self,
        rule: Mapping[str, object] | None = None,
        spared: frozenset[str] = frozenset(),
        gateways: tuple[Gateway, ...] = GATEWAYS,
        users: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self.office = Office(RULES)
        self.site = self.office.site
        self.site.configure(replace(with_plan(users, gateways=gateways), media=RULES))
        self.calls = Told()
        rules = self.site.recording
        rules.calls = self.calls
        made = RecordingRule.model_validate({"name": "Outside", **(rule or {})})
        rules.configure(RecordingPolicy(rules=(made,)), spared, groups={"sales": frozenset({"user-201"})})
        self.phone = self.office.phone("201", "10.0.0.21", 180, 200)
        self.gateway = SipPhone(self.site.network, FIRST, EDGE, "first", (180, 200))
        self.gateway.sdp = described(FIRST[0])

    def call_out(self) -> Message:
        """201 calls a number outside, which answers; the 2xx."""
        sdp = self.phone.sdp.decode()
        self.invite = self.phone.authenticated("INVITE", uri(OUTSIDE_NUMBER), headers=SDP, body=sdp)
        return self._answered(self.phone)

    def call_in(self) -> Message:
        """The gateway calls 201, who answers; the 2xx."""
        self.invite = self.gateway.request("INVITE", uri("201"), headers=SDP, body=self.gateway.sdp.decode())
        self.site.network.run()
        return self._answered(self.gateway)

    def _answered(self, caller: SipPhone) -> Message:
        answer = caller.responses[-1]
        assert answer.status == 200
        caller.in_dialog("ACK", self.invite, answer)
        self.site.network.run()
        return answer

    @property
    def stream(self) -> RelayedStream:
        """The voice, as it is carried."""
        (found,) = self.office.carried
        return found


def test_a_call_out_has_the_caller_on_the_left() -> None:
    world = WithGateway()
    answer = world.call_out()
    assert place_in(world.gateway.ringing)[0] == place_in(answer)[0] == INSIDE
    assert (world.stream.record, world.stream.caller) == (ORDER, 0)
    assert world.stream.first.media == ("10.0.0.21", 4000)
    assert world.stream.second.media == (FIRST[0], 4000)
    assert (world.calls.told, world.calls.misses) == (["recorded: by the rule Outside"], [None])


def test_a_call_in_has_who_is_called_on_the_left_and_knows_that_the_other_called() -> None:
    world = WithGateway()
    answer = world.call_in()
    assert place_in(world.phone.ringing)[0] == place_in(answer)[0] == INSIDE
    assert (world.stream.record, world.stream.caller) == (ORDER, 1)
    assert world.stream.first.media == ("10.0.0.21", 4000)
    assert world.stream.second.media == (FIRST[0], 4000)


@pytest.mark.parametrize("by", ["gateway", "phone"])
def test_either_side_may_move_and_hang_up(by: str) -> None:
    world = WithGateway()
    answer = world.call_in()
    mover, called = (world.gateway, False) if by == "gateway" else (world.phone, True)
    first = world.phone.ringing if called else world.invite
    moved = mover.sdp.replace(b"4000", b"4444").decode()
    mover.in_dialog("INVITE", first, answer, headers=SDP, body=moved, as_callee=called)
    world.site.network.run()
    ends = (world.stream.first.media, world.stream.second.media)
    assert ends == (("10.0.0.21", 4444 if called else 4000), (FIRST[0], 4000 if called else 4444))
    assert world.stream.record == ORDER
    mover.in_dialog("BYE", first, answer, as_callee=called)
    world.site.network.run()
    assert world.office.carried == ()


@pytest.mark.parametrize(
    ("rule", "out", "in_"),
    [
        ({"calls": "all"}, True, True),
        ({"calls": "inside"}, False, False),
        ({"direction": "in"}, False, True),
        ({"direction": "out"}, True, False),
        ({"trunk_ids": ("first",)}, True, True),
        ({"trunk_ids": ("second", "provider")}, False, False),
        ({"user_ids": ("user-201",)}, True, True),
        ({"user_ids": ("user-200",)}, False, False),
        ({"group_ids": ("sales",)}, True, True),
        ({"enabled": False}, False, False),
    ],
)
def test_rules_choose_by_gateway_direction_and_user(rule: dict[str, object], out: bool, in_: bool) -> None:
    outward, inward = WithGateway(rule), WithGateway(rule)
    outward.call_out()
    inward.call_in()
    recorded = [bool(one.office.carried) and one.stream.record == ORDER for one in (outward, inward)]
    assert recorded == [out, in_]


def test_calls_for_help_and_those_at_servers_of_others_are_not_recorded() -> None:
    helped = WithGateway(spared=frozenset({OUTSIDE_NUMBER}))
    stranger = WithGateway(gateways=tuple(one.model_copy(update={"trusted": False}) for one in GATEWAYS))
    for world in (helped, stranger):
        world.call_out()
        assert world.office.carried == ()
        assert world.calls.told == []


def test_a_call_in_that_is_forwarded_to_the_outside_is_not_recorded() -> None:
    world = WithGateway(users={"201": {"forwarding": {"always": OUTSIDE_NUMBER}}})
    world.call_in()
    assert world.gateway.ringing.uri == b"sip:+41441234567@192.0.2.101"
    assert world.office.carried == ()
    assert world.calls.told == []


def test_where_no_port_is_free_the_call_goes_directly_and_that_is_said() -> None:
    world = WithGateway()
    while world.site.pool.take() is not None:
        pass
    answer = world.call_in()
    assert (place_in(world.phone.ringing)[0], place_in(answer)[0]) == (FIRST[0], "10.0.0.21")
    assert (world.calls.told, world.calls.misses) == ([f"not_recorded: {NO_PORT}"], [NO_PORT])
