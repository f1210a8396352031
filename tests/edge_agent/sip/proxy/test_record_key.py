"""The record key of a phone in calls without a trunk: from phone to phone, and by a gateway."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.snapshot import RecordingPolicy, RecordingRule
from edge_agent.ports import RecordingOrder
from edge_agent.sip.message import Message
from tests.edge_agent.sip.proxy.test_dial_plan import FIRST, GATEWAYS, with_plan
from tests.edge_agent.sip.proxy.test_media import INSIDE, SDP, Office, described, place_in
from tests.edge_agent.sip.proxy.test_recorded_calls import RULES, Told
from tests.support.memory_site import EDGE, uri
from tests.support.sip_phone import SipPhone

ORDER = RecordingOrder("recording-1", announce=True)
ON, OFF = "recorded: on demand, from now on", "recorded: on demand, until now"


class Keyed:
    """An office where 201 may have calls recorded; 200 and 201 have a phone, and the gateway is there."""

    def __init__(self, askers: frozenset[str] = frozenset({"user-201"}), rules: tuple[RecordingRule, ...] = ()) -> None:
        self.office = Office(RULES)
        self.site = self.office.site
        self.site.configure(replace(with_plan(gateways=GATEWAYS), media=RULES))
        self.calls = Told()
        self.site.recording.calls = self.calls
        self.site.recording.configure(RecordingPolicy(rules=rules), frozenset({"202"}), askers)
        self.asker = self.office.phone("201", "10.0.0.21", 180, 200)
        self.other = self.office.phone("200", "10.0.0.20", 180, 200)
        self.gateway = SipPhone(self.site.network, FIRST, EDGE, "first", (180, 200))
        self.gateway.sdp = described(FIRST[0])

    def call(self) -> None:
        """201 calls 200, who answers."""
        self.invite, self.answer = self.office.call(self.asker, self.other)
        assert self.answer.status == 200

    def call_in(self) -> None:
        """The gateway calls 201, who answers."""
        self.invite = self.gateway.request("INVITE", uri("201"), headers=SDP, body=self.gateway.sdp.decode())
        self.site.network.run()
        self.answer = self.gateway.responses[-1]
        self.gateway.in_dialog("ACK", self.invite, self.answer)
        self.site.network.run()

    def press(self, phone: SipPhone, wanted: str, *, first: Message | None = None, called: bool = False) -> int:
        """A phone's record key; the status that it gets."""
        headers = f"Record: {wanted}\r\n"
        phone.in_dialog("INFO", first or self.invite, self.answer, headers=headers, as_callee=called)
        self.site.network.run()
        return phone.responses[-1].status

    def record(self) -> RecordingOrder | None:
        """How the voice is recorded."""
        (stream,) = self.office.carried
        return stream.record


def test_a_call_from_phone_to_phone_is_recorded_as_long_as_who_may_wants_it() -> None:
    world = Keyed()
    world.call()
    assert place_in(world.other.ringing)[0] == place_in(world.answer)[0] == INSIDE
    assert world.record() is None
    for _ in range(2):
        assert (world.press(world.asker, "on"), world.record()) == (200, ORDER)
    for _ in range(2):
        assert (world.press(world.asker, "off"), world.record()) == (200, None)
    assert world.calls.told == [ON, OFF]
    assert "INFO" not in world.other.methods


def test_a_call_by_a_gateway_is_recorded_with_the_site_on_the_left() -> None:
    world = Keyed()
    world.call_in()
    assert world.press(world.asker, " On", first=world.asker.ringing, called=True) == 200
    (stream,) = world.office.carried
    assert (stream.record, stream.caller, stream.first.media) == (ORDER, 1, ("10.0.0.21", 4000))
    assert "INFO" not in world.gateway.methods


def test_who_may_not_is_refused_also_in_the_name_of_who_may() -> None:
    world = Keyed()
    world.call()
    assert world.press(world.other, "on", first=world.other.ringing, called=True) == 403
    assert world.press(world.other, "on") == 403  # with the tags of the other one
    assert world.record() is None
    nobody = Keyed(askers=frozenset())
    nobody.call()
    assert nobody.office.carried == ()
    assert nobody.press(nobody.asker, "on") == 403


def test_what_a_rule_has_recorded_nobody_ends() -> None:
    world = Keyed(rules=(RecordingRule(name="All", calls="all"),))
    world.call()
    assert (world.press(world.asker, "on"), world.press(world.asker, "off"), world.record()) == (200, 403, ORDER)


def test_a_call_for_help_and_one_that_the_relay_has_no_port_for_cannot_be_recorded() -> None:
    helped = Keyed()
    helped.office.phone("202", "10.0.0.22", 180, 200)
    helped.invite = helped.asker.authenticated("INVITE", uri("202"), headers=SDP, body=helped.asker.sdp.decode())
    helped.answer = helped.asker.responses[-1]
    assert helped.press(helped.asker, "on") == 488
    full = Keyed()
    while full.site.pool.take() is not None:
        pass
    full.call()
    assert full.press(full.asker, "on") == 488
    assert full.calls.told == []


def test_encrypted_media_is_not_recorded() -> None:
    world = Keyed()
    secure = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
    for phone in (world.asker, world.other):
        phone.sdp = phone.sdp.replace(b"RTP/AVP", b"RTP/SAVP") + secure.encode()
    world.call()
    assert (world.press(world.asker, "on"), world.record()) == (488, None)


@pytest.mark.parametrize("headers", ["", "Record: maybe\r\n"])
def test_any_other_info_goes_its_way(headers: str) -> None:
    world = Keyed()
    world.call()
    world.asker.in_dialog("INFO", world.invite, world.answer, headers=headers)
    world.site.network.run()
    assert "INFO" in world.other.methods
