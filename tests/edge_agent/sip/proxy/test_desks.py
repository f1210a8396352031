"""Somebody is logged in at another's phone: it calls as him, and is called when he is."""

from dataclasses import replace
from typing import Any

import pytest

from contract.dialplan import SiteState
from contract.dialplan.hot_desks import HotDesk
from contract.snapshot import FeatureRule, InternalRule
from tests.edge_agent.sip.proxy.test_dial_plan import FIRST, OUT, invites, with_plan
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

RULES = (
    FeatureRule(rule_id="log-in", name="Log in", code="*11", feature="hot_desk"),
    FeatureRule(rule_id="log-out", name="Log out", code="*12", feature="hot_desk_off"),
    FeatureRule(rule_id="hide", name="Hide", code="*67", feature="hide_caller_id"),
    InternalRule(rule_id="internal"),
    OUT.model_copy(update={"permissions": ("LocalDialing",)}),
)
USERS: dict[str, dict[str, Any]] = {
    "200": {"permissions": ("LocalDialing", "HotDesking")},
    "203": {"permissions": ("HotDesking",)},
}


def configure(site: MemorySite, desk: HotDesk | None = None, **changes: Any) -> None:
    """200 is logged in at the phone of 201, unless it is somebody else."""
    at = {"line-201": desk or HotDesk(user_id="user-200", host_id="user-201")}
    state = SiteState(hot_desks=at)
    site.configure(with_plan(**{"rules": RULES, "users": USERS, "state": state, **changes}))


def shown(phone: SipPhone) -> tuple[bytes | None, bytes | None]:
    """What the phone was shown of its caller: From without its tag, and the asserted identity."""
    invite = phone.ringing
    return invite.need(b"from").partition(b";tag=")[0], invite.get(b"p-asserted-identity")


GUEST = b'"Desk 200" <sip:200@demo.tandem.test>'


def test_a_phone_calls_as_who_is_logged_in_there(site: MemorySite) -> None:
    configure(site)
    host, callee = site.phone("201"), site.phone("202", 180, 200)
    invite = host.authenticated("INVITE", uri("202"))
    assert shown(callee) == (GUEST, GUEST)
    assert {one.address(b"from").uri.user for one in host.responses} == {b"201"}
    host.in_dialog("ACK", invite, host.responses[-1])
    host.in_dialog("BYE", invite, host.responses[-1])
    site.network.run()
    record = site.record
    assert (record.caller, record.caller_user_id, record.disposition) == ("200", "user-200", "answered")


def test_permissions_are_those_of_who_is_logged_in(site: MemorySite) -> None:
    gateway = SipPhone(site.network, FIRST, EDGE, "first", (200,))
    configure(site)
    site.phone("201").authenticated("INVITE", uri("0441234567"))
    assert b"200" in gateway.ringing.need(b"p-asserted-identity") or gateway.ringing.has(b"p-asserted-identity")
    configure(site, HotDesk(user_id="user-203", host_id="user-201"))
    other = site.phone("201")
    other.authenticated("INVITE", uri("0441234567"))
    assert other.statuses[-1] == 403


def test_who_is_logged_in_is_reached_there_and_at_his_own_phone_and_the_host_is_not(site: MemorySite) -> None:
    configure(site)
    host, own, caller = site.phone("201", 180), site.phone("200", 180), site.phone("202")
    caller.authenticated("INVITE", uri("200"))
    assert (len(invites(host)), len(invites(own))) == (1, 1)
    assert [one.user_id for one in site.endpoint.calls.parties.of_user("user-200")] == ["user-200"]
    assert not list(site.endpoint.calls.parties.of_user("user-201"))
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 480


@pytest.mark.parametrize("ended", ["time", "disabled"])
def test_a_log_in_ends_with_its_time_and_with_its_user(site: MemorySite, ended: str) -> None:
    now = int(site.network.clock.now().timestamp())
    users = {**USERS, "200": {**USERS["200"], "enabled": ended != "disabled"}}
    until = now + 10 if ended == "time" else 0
    configure(site, HotDesk(user_id="user-200", host_id="user-201", until=until), users=users)
    host, callee = site.phone("201", 180), site.phone("202", 180)
    site.network.run(11.0)
    host.authenticated("INVITE", uri("202"))
    assert callee.ringing.address(b"from").uri.user == b"201"
    site.phone("203").authenticated("INVITE", uri("201"))
    assert len(invites(host)) == 1


def test_who_hides_is_hidden_also_at_anothers_phone(site: MemorySite) -> None:
    configure(site)
    host, callee = site.phone("201"), site.phone("202", 180)
    host.authenticated("INVITE", uri("*67202"))
    assert shown(callee) == (b'"Anonymous" <sip:anonymous@anonymous.invalid>', None)


def test_logging_out_is_said_of_the_line(site: MemorySite) -> None:
    configure(site)
    host = site.phone("201")
    host.authenticated("INVITE", uri("*12"))
    assert site.wrote == [{"hot_desk/line-201": False}]
    other = site.phone("202")
    other.authenticated("INVITE", uri("*12"))
    assert len(site.wrote) == 1


def test_the_service_is_told_line_host_hours_and_who(site: MemorySite) -> None:
    service = SipPhone(site.network, ("127.0.0.1", 5070), EDGE, "hot_desk", (200,))
    users = {**USERS, "200": {**USERS["200"], "extension": "7200"}}
    config = with_plan(rules=RULES, users=users, hot_desk_hours=8)
    site.configure(replace(config, services={"hot_desk": "sip:hot_desk@127.0.0.1:5070"}))
    phone = site.phone("201")
    phone.authenticated("INVITE", uri("*117200"))
    assert service.ringing.uri == b"sip:hot_desk@127.0.0.1:5070;line=line-201;host=user-201;hours=8;user=user-200"
    phone.authenticated("INVITE", uri("*11"))
    assert service.ringing.uri == b"sip:hot_desk@127.0.0.1:5070;line=line-201;host=user-201;hours=8"
    phone.authenticated("INVITE", uri("*11202"))
    assert phone.statuses[-1] == 403


def test_a_phone_watches_what_is_its_own_users_whoever_is_logged_in(site: MemorySite) -> None:
    configure(site)
    phone = site.phone("201")
    phone.authenticated("SUBSCRIBE", uri("201"), headers="Event: reg\r\nExpires: 60\r\n")
    assert phone.statuses[-1] == 200
