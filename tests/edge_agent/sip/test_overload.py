"""Overload: a standing queue is seen, new dialogs are turned away, what is in progress goes on (RFC 3261 §21.5.4)."""

from dataclasses import replace

from edge_agent.sip.config import OverloadRules
from edge_agent.sip.message import DropReason, Flow
from edge_agent.sip.overload import Overload
from edge_agent.sip.transport.udp import DRAIN_LIMIT
from tests.support.memory_site import MemorySite, overload, uri, with_limits
from tests.support.sip_site import SiteLog


def test_a_batch_is_full_when_the_transport_stops_reading() -> None:
    assert OverloadRules().full_batch == DRAIN_LIMIT


def test_nothing_but_full_batches_for_a_while_is_overload_until_the_queue_was_empty_for_a_second() -> None:
    log = SiteLog()
    watch = Overload(OverloadRules(), log)
    for at in range(24):
        watch.batch_ended(64, at / 100)
        assert not watch.shedding
    watch.batch_ended(64, 0.25)
    assert watch.shedding
    watch.batch_ended(10, 0.3)
    watch.batch_ended(10, 1.2)
    assert watch.shedding
    watch.batch_ended(0, 1.3)
    assert not watch.shedding
    assert [(one.alarm, one.active) for one in log.alarms] == [("sip_overload", True), ("sip_overload", False)]


def test_bursts_that_are_drained_are_no_overload() -> None:
    watch = Overload(OverloadRules(), SiteLog())
    for at in range(1000):
        watch.batch_ended(20 if at % 5 == 0 else 64, at / 100)
        assert not watch.shedding


def test_reads_of_streams_between_do_not_hide_a_standing_queue() -> None:
    watch = Overload(OverloadRules(), SiteLog())
    for at in range(60):
        watch.batch_ended(64 if at % 2 else 1, at / 100)
    assert watch.shedding


def test_while_shedding_new_dialogs_get_503_and_calls_in_progress_go_on(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    overload(site)
    caller.responses.clear()
    for method in ("INVITE", "MESSAGE", "SUBSCRIBE"):
        caller.request(method, uri("201"))
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("INVITE", invite, answer)
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    turned_away = [one for one in caller.responses if one.status == 503]
    waits = [int(one.need(b"retry-after")) for one in turned_away]
    assert len(set(waits)) == 3
    assert all(5 <= wait <= 14 for wait in waits)
    assert callee.methods == ["INVITE", "ACK", "INVITE", "BYE"]
    assert site.endpoint.drops[DropReason.SHED] == 3


def test_while_shedding_phones_still_register(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    overload(site)
    assert phone.register().status == 200


def test_beyond_the_limit_of_transactions_what_is_in_a_dialog_has_headroom(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    limits = site.endpoint.layer.server_count
    site.endpoint.layer.limits = type(site.endpoint.layer.limits)(transactions=limits)
    caller.responses.clear()
    caller.request("INVITE", uri("201"))
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert caller.statuses == [503, 200]
    assert callee.methods[-1] == "BYE"


def test_a_flood_by_strangers_turns_away_strangers_only(site: MemorySite) -> None:
    caller = site.phone("200")
    site.phone("201", 180, 200)
    overload(site)
    assert site.endpoint.overload.shedding
    stranger = site.phone("202", registered=False)
    for number in range(64):
        flow = Flow("udp", f"203.0.113.{number}", 5060)
        site.endpoint.received(b"noise", flow, site.network.clock.monotonic())
    site.network.flush()
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 200
    stranger.request("INVITE", uri("201"))
    site.network.run()
    assert stranger.statuses == [503]


def test_a_user_for_whom_too_many_calls_wait_is_turned_away_until_one_is_answered_or_over(site: MemorySite) -> None:
    """The bound `invites_per_user`; RFC 3261 §21.5.4."""
    site.configure(with_limits(site.config, invites_per_user=2))
    callee, caller, other = site.phone("201", 180), site.phone("200"), site.phone("202")
    for _ in range(2):
        caller.authenticated("INVITE", uri("201"))
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 503
    assert 5 <= int(caller.responses[-1].need(b"retry-after")) <= 14
    assert site.endpoint.drops[DropReason.TOO_MANY_INVITES] == 1
    other.authenticated("INVITE", uri("201"))
    assert other.statuses[-1] == 180
    callee.answer(486, next(one for one in callee.requests if one.method == b"INVITE"))
    site.network.run()
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 180


def test_an_emergency_call_is_placed_however_many_calls_of_its_user_wait(site: MemorySite) -> None:
    site.configure(replace(with_limits(site.config, invites_per_user=1), emergency_numbers=("112",)))
    site.phone("201", 180)
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 503
    caller.request("INVITE", uri("112"))
    site.network.run()
    assert caller.statuses[-1] != 503
