"""What happens beside a call for help: its place, who is told, the way back, and whether there is a way out at all."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from contract.dialplan import compile_plan
from contract.snapshot import (
    CivicAddress,
    DialPlan,
    EmergencyLocation,
    EmergencyPolicy,
    EmergencyRule,
    Gateway,
    InternalRule,
    InwardNumber,
    SipPolicy,
    Site,
    Snapshot,
    Trunk,
    User,
)
from contract.sync.events import EmergencyCalled
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Message
from edge_agent.sip.proxy.callbacks import MOST_PHONES
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, REALM, sip_config

WAY_OUT = ("192.0.2.101", 5060)
ELIN, OTHER_ELIN = "+41441112201", "+41441112202"
PLACES = (
    EmergencyLocation(
        location_id="floor-1",
        name="Floor 1",
        caller_id=ELIN,
        address="Main Street 1, floor 1",
        civic=CivicAddress(country="CH", city="Zürich", street="Main <Street>", house_number="1", floor="1"),
    ),
    EmergencyLocation(location_id="floor-2", name="Floor 2", caller_id=OTHER_ELIN, address="Main Street 1, floor 2"),
)
CA = "{urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr}"


def with_help(**changes: Any) -> SipConfig:
    """A site whose phones are on floor 1, but for that of 202."""
    plan: dict[str, Any] = {
        "rules": (
            EmergencyRule(rule_id="help", numbers=("112",), prefix="0", gateways=("out",)),
            InternalRule(rule_id="internal"),
        ),
        "gateways": (Gateway(gateway_id="out", name="Out", host=WAY_OUT[0], send_location=True),),
        "locations": PLACES,
        "default_location_id": "floor-1",
        "numbers": (InwardNumber(number=ELIN, destination="203"),),
    }
    sip = SipPolicy(**changes.pop("sip", {}))
    notified = changes.pop("notified", ())
    plan |= changes
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Office", domain=DOMAIN, realm=REALM, sip=sip),
        users=tuple(
            User(user_id=f"user-{name}", username=name, display_name=f"Desk {name}")
            for name in ("200", "201", "202", "203")
        ),
        dial_plan=DialPlan(**plan),
    )
    config = sip_config()
    for name in ("200", "202"):
        credential = config.credentials[f"auth{name}"]
        config.credentials[f"auth{name}"] = replace(credential, device_id=f"device-{name}")
    return replace(
        config,
        plan=compile_plan(snapshot),
        emergency_numbers=("112", "0112", *(sip.numbers_for_help)),
        device_locations={"device-202": "floor-2"},
        notified_of_emergencies=notified,
    )


@pytest.fixture
def site() -> MemorySite:
    return MemorySite(with_help())


def way_out(site: MemorySite, *answers: int) -> SipPhone:
    return SipPhone(site.network, WAY_OUT, EDGE, "out", answers or (180, 200))


def stranger(site: MemorySite, host: str = "192.0.2.77") -> SipPhone:
    """A phone that nobody is logged in at."""
    return SipPhone(site.network, (host, 5060), EDGE, "nobody")


def for_help(phone: SipPhone, number: str = "112") -> Message:
    invite = phone.request("INVITE", uri(number), headers="Content-Type: application/sdp\r\n", body="v=0\r\n")
    phone.network.run()
    return invite


def called_back(site: MemorySite, gateway: SipPhone, number: str = ELIN) -> None:
    gateway.request("INVITE", f"sip:{number}@{EDGE[0]}", from_="<sip:112@192.0.2.101>")
    site.network.run()


def events(site: MemorySite) -> list[EmergencyCalled]:
    return [one for one in site.log.reports if isinstance(one, EmergencyCalled)]


def alarms(site: MemorySite, alarm: str = "emergency_route_missing") -> list[tuple[bool, str]]:
    return [(one.active, one.text) for one in site.log.alarms if one.alarm == alarm]


# -- place


@pytest.mark.parametrize(("username", "elin"), [("200", ELIN), ("202", OTHER_ELIN), ("201", ELIN)])
def test_a_call_for_help_shows_the_number_of_the_place_of_its_phone(site: MemorySite, username: str, elin: str) -> None:
    """Also when it proves nothing: the phone is known by where it is registered from."""
    gateway = way_out(site)
    for_help(site.phone(username))
    assert gateway.ringing.uri_of(b"p-asserted-identity").dialled == elin


def test_a_call_for_help_takes_its_place_along(site: MemorySite) -> None:
    """RFC 6442 §4.1, RFC 5491 §3, RFC 5139 §3."""
    gateway = way_out(site)
    for_help(site.phone("200"))
    invite = gateway.ringing
    assert invite.get(b"geolocation-routing") == b"yes"
    head = b"MIME-Version: 1.0\r\nContent-Type: " + invite.need(b"content-type") + b"\r\n\r\n"
    whole = message_from_bytes(head + invite.body, policy=policy.default)
    assert isinstance(whole, EmailMessage)
    assert whole.defects == []
    session, place = whole.iter_parts()
    assert (session.get_content_type(), session.get_payload()) == ("application/sdp", "v=0\r\n")
    assert place.get_content_type() == "application/pidf+xml"
    assert invite.need(b"geolocation").decode() == f"<cid:{place['Content-ID'].strip('<>')}>"
    assert int(invite.need(b"content-length")) == len(invite.body)
    content = place.get_payload(decode=True)
    assert isinstance(content, bytes)
    civic = ET.fromstring(content).find(f".//{CA}civicAddress")
    assert civic is not None
    assert [(one.tag.removeprefix(CA), one.text) for one in civic] == [
        ("country", "CH"),
        ("A3", "Zürich"),
        ("RD", "Main <Street>"),
        ("HNO", "1"),
        ("FLR", "1"),
    ]


def test_a_place_without_parts_is_sent_as_people_read_it(site: MemorySite) -> None:
    gateway = way_out(site)
    for_help(site.phone("202"))
    assert b"<ca:LOC>Main Street 1, floor 2</ca:LOC>" in gateway.ringing.body


def test_a_call_for_help_takes_its_place_along_by_a_trunk_and_names_the_site_to_nobody(site: MemorySite) -> None:
    """The user agent of trunks passes the body on, as `trunks/test_calls.py` shows."""
    out = Trunk(gateway_id="out", name="Out", host="voice.test", username="office", send_location=True)
    agent = SipPhone(site.network, ("127.0.0.1", 5070), EDGE, "trunks", (200,))
    site.configure(
        replace(with_help(gateways=(), trunks=(out,)), trunks_at=agent.address, trusted=frozenset({agent.address}))
    )
    for_help(site.phone("200"))
    invite = agent.ringing
    assert b"<ca:FLR>1</ca:FLR>" in invite.body
    name = invite.need(b"geolocation")
    assert name.startswith(b"<cid:")
    assert name.endswith(b"@voice.test>")
    place = invite.body[invite.body.index(b"Content-ID") :]
    assert b"Content-ID: " + name.replace(b"cid:", b"") in place
    assert DOMAIN.encode() not in place


def test_a_gateway_that_does_not_want_to_know_the_place_gets_the_call_as_it_is(site: MemorySite) -> None:
    site.configure(with_help(gateways=(Gateway(gateway_id="out", name="Out", host=WAY_OUT[0]),)))
    gateway = way_out(site)
    for_help(site.phone("200"))
    assert gateway.ringing.body == b"v=0\r\n"
    assert not gateway.ringing.has(b"geolocation")


# -- the way back


def test_a_call_back_to_the_place_rings_the_phone_that_called(site: MemorySite) -> None:
    gateway, caller, other = way_out(site), site.phone("200", 180, 200), site.phone("203", 180)
    for_help(caller)
    called_back(site, gateway)
    assert caller.ringing.uri.startswith(b"sip:200@")
    assert "INVITE" not in other.methods
    assert gateway.statuses == [100, 180, 200]


def test_a_phone_that_nobody_is_logged_in_at_is_called_back(site: MemorySite) -> None:
    gateway, caller = way_out(site), stranger(site)
    for_help(caller)
    called_back(site, gateway)
    assert caller.methods == ["INVITE", "ACK"] or caller.methods == ["INVITE"]
    assert gateway.statuses[-1] == 200


def test_a_call_back_goes_where_the_call_came_from_whatever_its_contact_claims(site: MemorySite) -> None:
    gateway, caller, victim = way_out(site), stranger(site), stranger(site, "192.0.2.99")
    caller.request("INVITE", uri("112"), contact="<sip:x@192.0.2.99:5060>")
    site.network.run()
    called_back(site, gateway)
    assert "INVITE" in caller.methods
    assert "INVITE" not in victim.methods


def test_a_call_back_of_who_does_not_want_to_be_named_is_put_through_too() -> None:
    config = with_help(screening={"reject_anonymous": True, "blocked": ("112",)})
    site = MemorySite(config)
    gateway, caller = way_out(site), site.phone("200", 200)
    for_help(caller)
    gateway.request("INVITE", f"sip:{ELIN}@{EDGE[0]}", from_="<sip:anonymous@anonymous.invalid>")
    site.network.run()
    assert gateway.statuses[-1] == 200


def test_a_phone_whose_user_wants_no_calls_is_called_back(site: MemorySite) -> None:
    state = replace(site.config.state, do_not_disturb=frozenset({"user-200"}))
    site.configure(replace(site.config, state=state))
    gateway, caller = way_out(site), site.phone("200", 200)
    for_help(caller)
    called_back(site, gateway)
    assert gateway.statuses[-1] == 200


def test_a_phone_that_does_not_answer_leaves_the_number_to_whom_it_belongs(site: MemorySite) -> None:
    gateway, caller, owner = way_out(site), site.phone("200", 486), site.phone("203", 200)
    for_help(caller)
    called_back(site, gateway)
    assert "INVITE" in caller.methods
    assert "INVITE" in owner.methods


def test_after_the_time_the_number_is_whose_it_was(site: MemorySite) -> None:
    gateway, caller, owner = way_out(site), site.phone("200", 200), site.phone("203", 200)
    for_help(caller)
    site.network.run(3601)
    assert owner.register().status == 200
    called_back(site, gateway)
    assert "INVITE" in owner.methods
    assert "INVITE" not in caller.methods
    site.network.run(6)
    assert not [key for key in site.kept.kept if key[0] == "emergency_callback"]


def test_a_site_can_have_no_calls_back() -> None:
    site = MemorySite(with_help(emergency=EmergencyPolicy(callback_minutes=0)))
    gateway, caller, owner = way_out(site), site.phone("200", 200), site.phone("203", 200)
    for_help(caller)
    called_back(site, gateway)
    assert "INVITE" in owner.methods


def test_the_way_back_outlives_a_restart(site: MemorySite) -> None:
    gateway, caller = way_out(site), stranger(site)
    caller.answers = (200,)
    for_help(caller)
    site.network.run(1)
    site.endpoint = site.started()
    called_back(site, gateway)
    assert "INVITE" in caller.methods


@pytest.mark.parametrize("text", ["", "[]", '["x", "y", "carrier pigeon", "h", 1, null, 9e9]', '{"a": 1}'])
def test_a_damaged_way_back_is_forgotten(site: MemorySite, text: str) -> None:
    site.kept.kept["emergency_callback", "key"] = text
    site.endpoint = site.started()
    site.network.run(1)
    assert ("emergency_callback", "key") not in site.kept.kept


def test_of_many_phones_of_a_place_the_last_ones_ring(site: MemorySite) -> None:
    gateway = way_out(site)
    callers = [stranger(site, f"192.0.2.{200 + number}") for number in range(MOST_PHONES + 2)]
    for caller in callers:
        caller.answers = (180,)
        for_help(caller)
    called_back(site, gateway)
    assert ["INVITE" in one.methods for one in callers] == [False] * 2 + [True] * MOST_PHONES


# -- who is told


def test_the_cloud_is_told_at_once_who_calls_and_from_where(site: MemorySite) -> None:
    way_out(site, 100)
    caller = site.phone("202")
    for_help(caller)
    (event,) = events(site)
    (call,) = site.log.open_calls.values()
    assert event == EmergencyCalled(
        call_id=call.call_id,
        number="112",
        caller="Desk 202 (202)",
        user_id="user-202",
        device_id="device-202",
        source=f"{caller.address[0]}:5060",
        location_id="floor-2",
        location_name="Floor 2",
        address="Main Street 1, floor 2",
        caller_id=OTHER_ELIN,
    )


def test_a_call_for_help_that_leads_nowhere_is_told_of_too(site: MemorySite) -> None:
    way_out(site, 503)
    for_help(stranger(site))
    (event,) = events(site)
    assert (event.user_id, event.device_id, event.caller, event.location_name) == (None, None, "nobody", "Floor 1")


def test_people_at_the_site_are_told_by_a_message_on_their_phones() -> None:
    """RFC 3428; Kari's Law."""
    site = MemorySite(with_help(notified=("user-201", "user-203")))
    way_out(site)
    front, security, other = site.phone("201"), site.phone("203"), site.phone("202")
    for_help(other)
    for phone in (front, security):
        (message,) = [one for one in phone.requests if one.method == b"MESSAGE"]
        assert message.get(b"content-type") == b"text/plain;charset=UTF-8"
        text = message.body.decode()
        assert text.startswith("EMERGENCY CALL to 112 by Desk 202 (202) at Floor 2, Main Street 1, floor 2 (phone 192")
    assert "MESSAGE" not in other.methods
    assert site.endpoint.alerts.sent == 2


def test_a_phone_that_refuses_the_message_is_counted() -> None:
    site = MemorySite(with_help(notified=("user-201",)))
    way_out(site)
    front = site.phone("201")
    front.other_status = 405
    for_help(stranger(site))
    assert (site.endpoint.alerts.sent, site.endpoint.alerts.failed) == (0, 1)


def test_an_ordinary_call_tells_nobody(site: MemorySite) -> None:
    site.phone("201", 200)
    site.phone("200").authenticated("INVITE", uri("201"))
    assert events(site) == []


# -- whether there is a way out


def test_a_country_number_that_no_rule_names_goes_out_by_any_gateway() -> None:
    site = MemorySite(with_help(sip={"country": "DE"}))
    gateway = way_out(site)
    for_help(site.phone("200"), "110")
    assert gateway.ringing.uri == b"sip:110@192.0.2.101"


def test_each_day_it_is_seen_whether_a_way_out_answers(site: MemorySite) -> None:
    gateway = way_out(site)
    site.network.run(110)
    assert (alarms(site), gateway.methods) == ([], ["OPTIONS", "OPTIONS"])
    site.network.loses = lambda data, source, target: target == WAY_OUT
    site.network.run(86_600)
    assert alarms(site)[-1] == (
        True,
        "112 leads to gateways that do not answer only: Out; 0112 leads to gateways that do not answer only: Out",
    )
    site.network.loses = None
    site.network.run(120)
    assert alarms(site)[-1] == (False, "every number leads out")


def test_a_number_without_a_way_out_is_an_alarm_as_soon_as_it_is_configured(site: MemorySite) -> None:
    site.configure(with_help(gateways=(), rules=(InternalRule(rule_id="internal"),)))
    assert alarms(site) == [
        (
            True,
            "112 leads nowhere: no gateway is switched on for it; 0112 leads nowhere: no gateway is switched on for it",
        )
    ]
    site.configure(with_help())
    assert alarms(site)[-1][0] is False


def test_gateways_that_are_down_are_passed_over_and_tried_last_for_help() -> None:
    second = Gateway(gateway_id="second", name="Second", host="192.0.2.102", qualify_seconds=30)
    first = Gateway(gateway_id="out", name="Out", host=WAY_OUT[0], qualify_seconds=30)
    rule = EmergencyRule(rule_id="help", numbers=("112",), gateways=("out", "second"))
    site = MemorySite(with_help(gateways=(first, second), rules=(rule,)))
    other = SipPhone(site.network, ("192.0.2.102", 5060), EDGE, "second", (200,))
    site.network.run(120)
    assert alarms(site, "gateway_silent")[-1] == (True, "no answer from: Out")
    assert site.endpoint.outages.down == {"out"}
    for_help(site.phone("200"))
    assert "INVITE" in other.methods
    gateway = way_out(site)
    site.network.run(60)
    assert site.endpoint.outages.down == frozenset()
    for_help(site.phone("200"))
    assert "INVITE" in gateway.methods
