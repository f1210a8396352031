"""Which calls by trunks are recorded, and that their media goes by the relay for that: by rules, and on demand."""

import itertools
from collections.abc import Mapping
from dataclasses import replace

import pytest

from contract.snapshot import RecordingOnDemand, RecordingPolicy, RecordingRule
from edge_agent.ports import RecordingOrder, WatchedKeys
from edge_agent.sip.relaying.recording import NO_ADDRESS, NO_PORT, RecordingRules
from edge_agent.sip.trunks.relays import RelaySettings
from tests.edge_agent.sip.trunks.test_relays import BEYOND, PHONE, place_in
from tests.support.trunk_world import DOMAIN, TrunkWorld

ASKER = frozenset({"user-200"})
NEVER = RelaySettings("never", ("10.0.0.1",), ("198.51.100.1",), 17408, 17439)


class Calls:
    """These users are in every call; what records are told is kept."""

    def __init__(self, users: frozenset[str]) -> None:
        self.users = users
        self.told: list[tuple[str, str]] = []
        self.misses: list[str | None] = []

    def talking(self, call_id: str) -> frozenset[str]:
        """See `CallsTold`."""
        return self.users if call_id else frozenset()

    def tell(self, call_id: str, sentence: str) -> None:
        """See `CallsTold`."""
        self.told.append((call_id, sentence))

    def missed(self, why: str | None) -> None:
        """See `CallsTold`."""
        self.misses.append(why)


def rules(
    *given: Mapping[str, object],
    talking: frozenset[str] = frozenset(),
    askers: frozenset[str] = frozenset(),
    calls: Calls | None = None,
    on_demand: RecordingOnDemand | None = None,
) -> RecordingRules:
    names = (f"recording-{number}" for number in itertools.count(1))
    made = RecordingRules(calls or Calls(talking), lambda: next(names))
    policy = RecordingPolicy(
        rules=tuple(RecordingRule.model_validate({"name": "Rule", **one}) for one in given),
        on_demand=on_demand or RecordingOnDemand(),
    )
    groups = {"sales": ASKER, "support": frozenset({"user-201"})}
    made.configure(policy, frozenset({"112"}), askers, groups)
    return made


@pytest.mark.parametrize(
    ("rule", "recorded"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"direction": "out"}, True),
        ({"direction": "in"}, False),
        ({"trunk_ids": ("first",)}, True),
        ({"trunk_ids": ("second",)}, False),
        ({"user_ids": ("user-200",)}, True),
        ({"user_ids": ("user-201",)}, False),
        ({"group_ids": ("sales",)}, True),
        ({"group_ids": ("support",)}, False),
        ({"group_ids": ("gone",)}, False),
        ({"group_ids": ("gone",), "user_ids": ("user-200",)}, True),
        ({"calls": "all"}, True),
        ({"calls": "inside"}, False),
    ],
)
def test_a_rule_is_for_a_direction_for_trunks_and_for_users(rule: dict[str, object], recorded: bool) -> None:
    made = rules(rule, talking=frozenset({"user-200"}))
    assert (made.order("first", "call-1", outward=True) is not None) is recorded


def test_the_first_rule_that_fits_counts() -> None:
    quiet, told = {"user_ids": ("user-200",), "announcement": "none"}, {"announcement": "before"}
    made = rules(quiet, told, talking=frozenset({"user-200"}))
    assert made.order("first", "call-1", outward=True) == RecordingOrder("recording-1", announce=False)
    made = rules(quiet, told, talking=frozenset({"user-201"}))
    assert made.order("first", "call-1", outward=True) == RecordingOrder("recording-1", announce=True)


def test_nothing_stands_in_the_way_of_a_call_for_help() -> None:
    assert not rules({}).may_record("first", "112")
    assert rules({}).may_record("first", "0791112233")
    assert rules({}).may_record("first", "")


def recorded(body: bytes, beyond: bytes = BEYOND) -> TrunkWorld:
    world = TrunkWorld(relay=NEVER, recording=rules({}))
    world.call_out(body=body)
    assert world.carried[-1][0].record is None  # nobody answered yet
    world.provider.reply(200, beyond)
    return world


def test_a_call_that_is_recorded_goes_by_the_relay_though_none_else_does() -> None:
    world = recorded(PHONE)
    (stream,) = world.carried[-1]
    assert stream.record == RecordingOrder("recording-1", announce=True)
    assert (stream.first.media, stream.second.media) == (("10.0.0.7", 4000), ("192.0.2.50", 6000))
    assert TrunkWorld(relay=NEVER).carried == []


def test_media_that_is_encrypted_from_end_to_end_is_said_to_be() -> None:
    world = recorded(PHONE.replace(b"RTP/AVP", b"RTP/SAVP"), BEYOND.replace(b"RTP/AVP", b"RTP/SAVP"))
    (stream,) = world.carried[-1]
    assert stream.record == RecordingOrder("recording-1", announce=True, secure=True)


class OnDemand:
    """A call out by who may have it recorded, answered."""

    def __init__(self, body: bytes = PHONE, beyond: bytes = BEYOND, **more: object) -> None:
        self.calls = Calls(ASKER)
        self.rules = rules(calls=self.calls, askers=ASKER, **more)  # type: ignore[arg-type]
        self.world = TrunkWorld(relay=NEVER, recording=self.rules)
        self.world.call_out(body=body)
        self.world.provider.reply(200, beyond)
        self.answer, self.invite = self.world.edge.newest("200"), self.world.provider.newest("INVITE")
        self.world.edge.within(self.answer, "ACK", cseq=1)
        self.cseq = 50
        self.forget()

    def forget(self) -> None:
        """What each side got so far."""
        self.world.edge.forget()
        self.world.provider.forget()

    def key(self, wish: str) -> int:
        """The record key of the phone is pressed; what it was answered."""
        self.forget()
        self.cseq += 1
        self.world.edge.within(self.answer, "INFO", headers=f"Record: {wish}\r\n", cseq=self.cseq)
        assert self.world.provider.got == []  # which is none of the provider's business
        (response,) = self.world.edge.got
        return response.status

    @property
    def order(self) -> RecordingOrder | None:
        """How the voice is recorded now."""
        return self.world.carried[-1][0].record


def test_the_record_key_of_a_phone_begins_and_ends_a_recording_as_often_as_it_is_pressed() -> None:
    call = OnDemand()
    assert call.order is None
    assert call.key("on") == 200
    assert call.order == RecordingOrder("recording-1", announce=True)
    assert call.key("On") == 200  # pressed again where it is recorded already
    assert call.order == RecordingOrder("recording-1", announce=True)
    assert call.key("off") == 200
    assert call.order is None
    assert call.key("off") == 200
    assert call.key("on") == 200
    assert call.order == RecordingOrder("recording-2", announce=True)
    inner = "inner-1"
    began, ended = (inner, "recorded: on demand, from now on"), (inner, "recorded: on demand, until now")
    assert call.calls.told == [began, ended, began]


def test_what_the_site_decided_of_the_announcement_counts_on_demand_too() -> None:
    call = OnDemand(on_demand=RecordingOnDemand(announcement="none"))
    assert call.key("on") == 200
    assert call.order == RecordingOrder("recording-1", announce=False)


def test_who_has_no_permission_records_nothing() -> None:
    call = OnDemand()
    call.calls.users = frozenset({"user-201"})
    assert call.key("on") == 403
    assert call.order is None
    assert call.calls.told == []


def test_calls_of_users_who_may_not_record_go_directly() -> None:
    made = rules(talking=frozenset({"user-201"}), askers=ASKER)
    assert not made.may_record("first", "0791112233", "call-1")
    assert made.may_record("first", "")  # who will answer is not known
    assert rules(talking=ASKER, askers=ASKER).may_record("first", "0791112233", "call-1")
    assert not rules(talking=ASKER, askers=ASKER).may_record("first", "112", "call-1")
    assert not rules(talking=ASKER).may_record("first", "0791112233", "call-1")


def test_a_call_whose_media_goes_directly_cannot_be_recorded_on_demand() -> None:
    world = TrunkWorld()
    world.talking_out()
    world.edge.within(world.edge_answer, "INFO", headers="Record: on\r\n")
    assert world.edge.kinds() == ["488"]


def test_media_that_is_encrypted_from_end_to_end_is_refused_on_demand() -> None:
    call = OnDemand(PHONE.replace(b"RTP/AVP", b"RTP/SAVP"), BEYOND.replace(b"RTP/AVP", b"RTP/SAVP"))
    assert call.key("on") == 488
    assert call.order is None


def test_what_a_rule_has_recorded_nobody_ends() -> None:
    world = recorded(PHONE)
    answer = world.edge.newest("200")
    world.edge.within(answer, "ACK", cseq=1)
    world.edge.forget()
    world.edge.within(answer, "INFO", headers="Record: on\r\n", cseq=50)
    world.edge.within(answer, "INFO", headers="Record: off\r\n", cseq=51)
    assert world.edge.kinds() == ["200", "403"]
    (stream,) = world.carried[-1]
    assert stream.record == RecordingOrder("recording-1", announce=True)


def test_a_provider_has_nothing_recorded() -> None:
    call = OnDemand()
    call.world.provider.within(call.invite, "INFO", headers="Record: on\r\n")
    assert call.world.provider.kinds() == ["403"]
    assert call.order is None


def test_a_recording_on_demand_ends_when_who_wanted_it_leaves_the_call() -> None:
    call = OnDemand()
    assert call.key("on") == 200
    inner = call.answer
    tag = inner.need(b"to").rpartition(b"tag=")[2].decode()
    replaces = f"Replaces: {inner.call_id.decode()};to-tag={tag};from-tag=asking\r\n"
    other = PHONE.replace(b"10.0.0.7", b"10.0.0.8")
    call.world.edge.ask("INVITE", "sip:x@127.0.0.1:5070", other, replaces, call="inner-2", sender="<sip:201@x>")
    call.world.provider.reply(200, BEYOND)
    assert call.world.edge.newest("BYE").call_id == inner.call_id
    assert call.order is None
    assert call.calls.told[-1] == ("inner-1", "recorded: on demand, until now")


def test_information_of_other_kinds_goes_on_to_the_provider() -> None:
    call = OnDemand()
    call.world.edge.within(call.answer, "INFO", b"x", "Record: perhaps\r\n")
    assert call.world.provider.kinds() == ["INFO"]
    assert call.order is None


KEYS = b"a=rtpmap:101 telephone-event/8000\r\n"


def by_keys(**more: object) -> OnDemand:
    return OnDemand(PHONE + KEYS, BEYOND + KEYS, on_demand=RecordingOnDemand(keys="*1"), **more)


def test_keys_that_the_relay_hears_begin_and_end_a_recording() -> None:
    call = by_keys()
    (stream,) = call.world.carried[-1]
    assert stream.keys == WatchedKeys(0, (101,))
    trunks = call.world.trunks
    for key in "*1":
        trunks.key_pressed("inner-1", key)
    assert call.order == RecordingOrder("recording-1", announce=True)
    for key in "*1":
        trunks.key_pressed("another", key)
    assert call.order is not None
    for key in "*1":
        trunks.key_pressed("inner-1", key)
    assert call.order is None


def test_keys_that_come_as_information_count_too_and_go_on() -> None:
    call = by_keys()
    for number, key in enumerate((b"*", b"1")):
        body, cseq = b"Signal=" + key + b"\r\nDuration=160\r\n", 50 + number
        call.world.edge.within(call.answer, "INFO", body, cseq=cseq, kind="application/dtmf-relay")
        call.world.provider.answer(call.world.provider.newest("INFO"), 200)
    assert call.world.provider.kinds() == ["INFO", "INFO"]
    assert call.order == RecordingOrder("recording-1", announce=True)


def test_keys_of_who_has_no_permission_record_nothing_and_that_is_counted() -> None:
    call = by_keys()
    call.calls.users = frozenset({"user-201"})
    for key in "*1":
        call.world.trunks.key_pressed("inner-1", key)
    assert call.order is None
    assert call.world.trunks.figures()["trunks.not_recorded"] == 1


def test_keys_are_watched_only_where_they_mean_something() -> None:
    assert OnDemand(PHONE + KEYS, BEYOND + KEYS).world.carried[-1][0].keys is None
    world = TrunkWorld(relay=NEVER, recording=rules({}, on_demand=RecordingOnDemand(keys="*1")))
    world.call_out(body=PHONE + KEYS)
    world.provider.reply(200, BEYOND + KEYS)
    assert world.carried[-1][0].keys is None


def test_a_call_that_a_rule_wants_recorded_is_missed_aloud_while_no_port_is_free() -> None:
    calls = Calls(ASKER)
    world = TrunkWorld(relay=replace(NEVER, last_port=17411), recording=rules({}, calls=calls))
    world.call_out(body=PHONE)
    world.provider.reply(200, BEYOND)
    first = world.edge.newest("200")
    assert calls.misses == [None]
    world.edge.ask(
        "INVITE", f"sip:+41791112234;tgrp=first;trunk-context={DOMAIN}@127.0.0.1:5070", PHONE, call="inner-2"
    )
    world.provider.reply(200, BEYOND)
    assert calls.misses == [None, NO_PORT]
    assert calls.told == [("inner-1", "recorded: by the rule Rule"), ("inner-2", f"not_recorded: {NO_PORT}")]
    # Its media goes directly, both ways, also when a port has become free.
    assert place_in(world.provider.newest("INVITE")) == ("10.0.0.7", 4000)
    assert place_in(world.edge.newest("200")) == ("192.0.2.50", 6000)
    world.edge.within(first, "BYE")
    assert world.carried[-1] == ()
    assert world.trunks.figures()["trunks.relayed_calls"] == 0


def test_where_the_relay_has_no_address_nothing_is_recorded_and_that_is_said() -> None:
    calls = Calls(ASKER)
    world = TrunkWorld(relay=replace(NEVER, inside=(), outside=()), recording=rules({}, calls=calls))
    world.call_out(body=PHONE)
    world.provider.reply(200, BEYOND)
    assert calls.misses == [NO_ADDRESS]
