"""The edge does what the dial plan says: gateways, forwarding, hunt groups, and the story in the record."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from contract.dialplan import SiteState, compile_plan
from contract.snapshot import (
    CallPattern,
    DialPattern,
    DialPlan,
    EmergencyLocation,
    EmergencyRule,
    FeatureRule,
    Forwarding,
    Gateway,
    HuntGroup,
    IncomingNumbers,
    InternalRule,
    InwardNumber,
    OutsideRule,
    Site,
    Snapshot,
    User,
)
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Message
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, REALM, sip_config

FIRST: Address = ("192.0.2.101", 5060)
SECOND: Address = ("192.0.2.102", 5080)
GATEWAYS = (
    Gateway(gateway_id="first", name="First", host=FIRST[0], caller_id="+41441112200"),
    Gateway(gateway_id="second", name="Second", host=SECOND[0], port=SECOND[1], prefix="9", caller_id_in="asserted"),
)
OUT = OutsideRule(
    rule_id="out",
    name="Out",
    patterns=(DialPattern(prefix="0"),),
    call=CallPattern(prefix="+41", keep="variable"),
    gateways=("first", "second"),
)
NUMBERS = ("200", "201", "202", "203")


def with_plan(users: dict[str, dict[str, Any]] | None = None, state: SiteState | None = None, **plan: Any) -> SipConfig:
    """The test site with this dial plan; `users` changes some of its four."""
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm=REALM),
        users=tuple(
            User(user_id=f"user-{name}", username=name, display_name=f"Desk {name}", **(users or {}).get(name, {}))
            for name in NUMBERS
        ),
        dial_plan=DialPlan(
            **{"rules": (InternalRule(rule_id="internal"), OUT), "gateways": GATEWAYS, **plan},
        ),
    )
    return replace(sip_config(), plan=compile_plan(snapshot), state=state or SiteState())


@dataclass
class Office:
    """A memory site with its gateways, which answer as they are told."""

    site: MemorySite
    first: SipPhone = field(init=False)
    second: SipPhone = field(init=False)

    def __post_init__(self) -> None:
        self.first = SipPhone(self.site.network, FIRST, EDGE, "first", (180, 200))
        self.second = SipPhone(self.site.network, SECOND, EDGE, "second", (180, 200))

    def plan(self, **changes: Any) -> None:
        self.site.configure(with_plan(**changes))

    @property
    def told(self) -> list[str]:
        """The codes of the reasons of the only call, ended or not."""
        calls = list(self.site.log.open_calls.values()) or self.site.log.records
        (call,) = calls
        return [reason.partition(":")[0] for reason in call.reasons]


@pytest.fixture
def office(site: MemorySite) -> Office:
    office = Office(site)
    office.plan()
    return office


def invites(phone: SipPhone) -> list[Message]:
    return [one for one in phone.requests if one.method == b"INVITE"]


# -- gateways


def test_a_number_beyond_the_site_is_sent_to_its_gateway_with_the_caller_id(office: Office) -> None:
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("0441234567"))
    (invite,) = invites(office.first)
    assert invite.uri == b"sip:+41441234567@192.0.2.101"
    assert invite.get(b"p-asserted-identity") == b"<sip:+41441112200@demo.tandem.test>"
    assert invite.address(b"from").uri.text == b"sip:+41441112200@demo.tandem.test"
    assert caller.statuses == [407, 100, 180, 200]
    assert {one.address(b"from").uri.user for one in caller.responses} == {b"200"}
    assert not invites(office.second)


def test_requests_within_a_call_to_a_gateway_pass_both_ways(office: Office) -> None:
    caller = office.site.phone("200")
    invite = caller.authenticated("INVITE", uri("0441234567"))
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    office.site.network.run()
    office.first.in_dialog("BYE", office.first.ringing, answer, as_callee=True)
    office.site.network.run()
    assert office.first.methods == ["INVITE", "ACK"]
    assert caller.methods == ["BYE"]
    assert office.first.statuses == [200]
    assert office.site.record.disposition == "answered"


@pytest.mark.parametrize(
    ("user", "gateway", "asserted", "shown", "privacy"),
    [
        ({}, {}, b"<sip:0441@demo.tandem.test>", b"<sip:0441@demo.tandem.test>", None),
        ({"caller_id": "0442"}, {}, b"<sip:0442@demo.tandem.test>", b"<sip:0442@demo.tandem.test>", None),
        (
            {"caller_id": "0442"},
            {"ignore_user_caller_id": True},
            b"<sip:0441@demo.tandem.test>",
            b"<sip:0441@demo.tandem.test>",
            None,
        ),
        ({}, {"caller_id_in": "asserted"}, b"<sip:0441@demo.tandem.test>", b"<sip:200@demo.tandem.test>", None),
        ({}, {"caller_id_in": "from"}, b'"Desk 200" <sip:200@demo.tandem.test>', b"<sip:0441@demo.tandem.test>", None),
        ({}, {"caller_id": None}, b'"Desk 200" <sip:200@demo.tandem.test>', b"<sip:200@demo.tandem.test>", None),
        (
            {"anonymous": True},
            {},
            b"<sip:0441@demo.tandem.test>",
            b'"Anonymous" <sip:anonymous@anonymous.invalid>',
            b"id",
        ),
        (
            {},
            {"block_caller_id": True},
            b"<sip:0441@demo.tandem.test>",
            b'"Anonymous" <sip:anonymous@anonymous.invalid>',
            b"id",
        ),
    ],
)
def test_the_caller_id_follows_user_and_gateway(
    office: Office,
    user: dict[str, Any],
    gateway: dict[str, Any],
    asserted: bytes,
    shown: bytes,
    privacy: bytes | None,
) -> None:
    gateways = (GATEWAYS[0].model_copy(update={"caller_id": "0441", **gateway}), GATEWAYS[1])
    office.plan(users={"200": user}, gateways=gateways)
    office.site.phone("200").authenticated("INVITE", uri("0441234567"))
    (invite,) = invites(office.first)
    assert invite.get(b"p-asserted-identity") == asserted
    assert invite.need(b"from").partition(b";")[0] == shown
    assert invite.get(b"privacy") == privacy


def test_a_server_that_is_not_trusted_has_its_numbers_and_nothing_more(office: Office) -> None:
    """A feature server of somebody else's: called by the plan, given no identity, challenged when it calls."""
    server = GATEWAYS[0].model_copy(update={"trusted": False})
    office.plan(gateways=(server, GATEWAYS[1]), users={"201": {"anonymous": True}})
    office.site.phone("200").authenticated("INVITE", uri("0441234567"))
    office.site.phone("201").authenticated("INVITE", uri("0441234568"))
    named, private = invites(office.first)
    assert named.get(b"p-asserted-identity") is None
    assert named.address(b"from").uri.text == b"sip:+41441112200@demo.tandem.test"
    assert private.address(b"from").uri.host == b"anonymous.invalid"
    assert private.get(b"p-asserted-identity") is None
    office.site.phone("202").authenticated("INVITE", uri("0441234569"), headers="Privacy: id\r\n")
    assert invites(office.first)[-1].get(b"p-asserted-identity") is None
    office.first.statuses.clear()
    office.first.request("INVITE", uri("202"), headers="P-Asserted-Identity: <sip:200@demo.tandem.test>\r\n")
    office.site.network.run(1.0)
    assert office.first.statuses == [407]
    office.second.request("INVITE", uri("202"))
    office.site.network.run(1.0)
    assert office.second.statuses[0] == 100


@pytest.mark.parametrize("status", [503, 500, 408, 502])
def test_a_gateway_that_cannot_is_followed_by_the_next(office: Office, status: int) -> None:
    office.first.answers = (status,)
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("0441234567"))
    (invite,) = invites(office.second)
    assert invite.uri == b"sip:9+41441234567@192.0.2.102:5080"
    assert caller.statuses == [407, 100, 180, 200]
    assert office.told == ["custom", "gateway", "ended", "gateway"]


def test_who_is_called_and_busy_is_not_called_by_the_next_gateway(office: Office) -> None:
    office.first.answers = (180, 486)
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("0441234567"))
    assert caller.statuses[-1] == 486
    assert not invites(office.second)
    assert office.site.record.disposition == "busy"


def test_a_gateway_that_is_silent_is_left_for_the_next_within_three_seconds(office: Office) -> None:
    office.first.answers = ()
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("0441234567"))
    office.site.network.run(3.0)
    assert len(invites(office.second)) == 1
    assert caller.statuses == [407, 100, 180, 200]
    # It wakes up and rings: taken back, and the caller hears nothing of it.
    office.first.answer(180)
    office.site.network.run(1.0)
    assert office.first.methods[-2:] == ["CANCEL", "ACK"]
    assert caller.statuses == [407, 100, 180, 200]


def test_a_gateway_that_has_begun_may_take_its_time(office: Office) -> None:
    office.first.answers = (100,)
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("0441234567"))
    office.site.network.run(30.0)
    office.first.answer(200)
    office.site.network.run()
    assert caller.statuses == [407, 100, 200]
    assert not invites(office.second)


def test_a_gateway_whose_connection_fails_is_followed_at_once(office: Office) -> None:
    office.plan(gateways=(GATEWAYS[0].model_copy(update={"transport": "tcp"}), GATEWAYS[1]))
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("0441234567"))
    assert caller.statuses == [407, 100, 180, 200]
    assert len(invites(office.second)) == 1


def test_when_no_gateway_is_left_the_caller_is_told_so(office: Office) -> None:
    office.first.answers = office.second.answers = (503,)
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("0441234567"))
    assert caller.statuses[-1] == 500
    assert office.told[-1] == "no_gateway"


def test_a_user_without_the_permission_is_refused(office: Office) -> None:
    office.plan(rules=(InternalRule(rule_id="internal"), OUT.model_copy(update={"permissions": ("LocalDialing",)})))
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("0441234567"))
    assert caller.statuses[-1] == 403
    assert not invites(office.first)


def test_a_gateway_is_no_way_round_the_dial_plan(office: Office) -> None:
    caller = office.site.phone("200")
    for target in ("sip:+41900@192.0.2.101", "sip:+41900@192.0.2.102:5080"):
        caller.authenticated("INVITE", target)
        assert caller.statuses[-1] == 403
    assert not invites(office.first)
    assert not invites(office.second)


# -- calls from gateways


def test_a_call_by_a_gateway_rings_who_has_the_number(office: Office) -> None:
    gateways = (GATEWAYS[0].model_copy(update={"incoming": IncomingNumbers(prefix="+41")}), GATEWAYS[1])
    office.plan(gateways=gateways, numbers=(InwardNumber(number="+41441112233", destination="201"),))
    callee = office.site.phone("201", 180, 200)
    office.first.request(
        "INVITE",
        f"sip:441112233@{EDGE[0]}",
        from_="<sip:0791112233@192.0.2.101>",
        headers="P-Asserted-Identity: <sip:+41791112233@192.0.2.101>\r\n",
    )
    office.site.network.run()
    assert office.first.statuses == [100, 180, 200]
    assert callee.ringing.get(b"p-asserted-identity") == b"<sip:+41791112233@192.0.2.101>"
    (call,) = office.site.log.open_calls.values()
    assert (call.caller, call.caller_user_id, call.callee_user_id) == ("0791112233", None, "user-201")
    assert office.told == ["inward", "inward_number", "internal", "ring"]


def test_a_call_by_a_gateway_does_not_leave_by_one(office: Office) -> None:
    office.first.request("INVITE", f"sip:0441234567@{EDGE[0]}")
    office.site.network.run()
    assert office.first.statuses[-1] == 403
    assert not invites(office.second)


def test_what_is_no_gateways_address_needs_a_digest(office: Office) -> None:
    stranger = SipPhone(office.site.network, (FIRST[0], 5061), EDGE, "stranger")
    stranger.request("INVITE", f"sip:201@{EDGE[0]}")
    office.site.network.run()
    assert stranger.statuses == [407]


def test_a_call_by_a_gateway_is_forwarded_on_the_users_account(office: Office) -> None:
    office.plan(
        users={"201": {"caller_id": "0442", "permissions": ("LocalDialing",)}},
        rules=(InternalRule(rule_id="internal"), OUT.model_copy(update={"permissions": ("LocalDialing",)})),
        state=SiteState(forwarding={"user-201": Forwarding(always="0791112233")}),
    )
    office.second.request("INVITE", f"sip:201@{EDGE[0]}")
    office.site.network.run()
    (invite,) = invites(office.first)
    assert invite.uri == b"sip:+41791112233@192.0.2.101"
    assert invite.get(b"p-asserted-identity") == b"<sip:0442@demo.tandem.test>"
    assert office.second.statuses == [100, 180, 200]


# -- emergency


HELP = (
    EmergencyRule(rule_id="help", numbers=("112",), prefix="0", gateways=("first", "second")),
    InternalRule(rule_id="internal"),
)


def test_a_call_for_help_leaves_by_the_next_gateway_when_the_first_is_silent(office: Office) -> None:
    place = EmergencyLocation(location_id="floor-1", name="Floor 1", caller_id="+41441112201")
    config = with_plan(rules=HELP, locations=(place,), default_location_id="floor-1")
    office.site.configure(replace(config, emergency_numbers=("112", "0112")))
    office.first.answers = ()
    stranger = SipPhone(office.site.network, ("192.0.2.77", 5060), EDGE, "nobody")
    stranger.request("INVITE", uri("0112"))
    office.site.network.run(3.0)
    (invite,) = invites(office.second)
    assert invite.uri == b"sip:9112@192.0.2.102:5080"
    assert invite.get(b"p-asserted-identity") == b"<sip:+41441112201@demo.tandem.test>"
    assert stranger.statuses == [100, 180, 200]


# -- forwarding


def forwards(**forwarding: Any) -> SiteState:
    return SiteState(forwarding={"user-201": Forwarding(**forwarding)})


def test_every_call_is_forwarded_while_the_users_phone_stays_silent(office: Office) -> None:
    office.plan(state=forwards(always="202"))
    caller, callee, other = office.site.phone("200"), office.site.phone("201"), office.site.phone("202", 180, 200)
    caller.authenticated("INVITE", uri("201"))
    assert (invites(callee), len(invites(other))) == ([], 1)
    assert caller.statuses[-1] == 200


@pytest.mark.parametrize("answer", [(486,), (180, 486), (600,)])
def test_a_busy_users_calls_go_on(office: Office, answer: tuple[int, ...]) -> None:
    office.plan(state=forwards(busy="202"))
    caller, other = office.site.phone("200"), office.site.phone("202", 180, 200)
    office.site.phone("201", *answer)
    caller.authenticated("INVITE", uri("201"))
    assert len(invites(other)) == 1
    assert caller.statuses[-1] == 200
    assert office.told == ["internal", "ring", "ended", "forward_busy", "internal", "ring"]


def test_do_not_disturb_counts_as_busy(office: Office) -> None:
    office.plan(state=replace(forwards(busy="202"), do_not_disturb=frozenset({"user-201"})))
    caller, callee, other = office.site.phone("200"), office.site.phone("201"), office.site.phone("202", 180, 200)
    caller.authenticated("INVITE", uri("201"))
    assert (invites(callee), len(invites(other))) == ([], 1)


def test_a_call_that_is_not_answered_in_time_is_taken_back_and_goes_on(office: Office) -> None:
    office.plan(state=forwards(no_answer="202", ring_seconds=12))
    caller, callee, other = office.site.phone("200"), office.site.phone("201", 180), office.site.phone("202", 180, 200)
    caller.authenticated("INVITE", uri("201"))
    office.site.network.run(11.9)
    assert not invites(other)
    office.site.network.run(0.2)
    assert callee.methods == ["INVITE", "CANCEL", "ACK"]
    assert caller.statuses == [407, 100, 180, 180, 200]
    assert "forward_no_answer" in office.told


def test_who_answers_at_the_last_moment_has_the_call(office: Office) -> None:
    """A 200 that crosses our CANCEL: the next step is taken back."""
    office.plan(state=forwards(no_answer="202", ring_seconds=12))
    caller, callee, other = office.site.phone("200"), office.site.phone("201", 180), office.site.phone("202", 180)
    office.site.network.loses = lambda data, _, target: data.startswith(b"CANCEL") and target == callee.address
    caller.authenticated("INVITE", uri("201"))
    office.site.network.run(12.1)
    assert other.methods == ["INVITE"]
    callee.answer(200)
    office.site.network.run()
    assert caller.statuses[-1] == 200
    assert other.methods == ["INVITE", "CANCEL", "ACK"]
    (call,) = office.site.log.open_calls.values()
    assert call.callee_user_id == "user-201"


def test_a_phone_that_answers_nothing_counts_as_not_registered(office: Office) -> None:
    office.plan(state=forwards(unregistered="202", no_answer="203", ring_seconds=5))
    caller, other = office.site.phone("200"), office.site.phone("202", 180, 200)
    callee = office.site.phone("201")
    office.site.network.loses = lambda _data, _source, target: target == callee.address
    caller.authenticated("INVITE", uri("201"))
    office.site.network.run(5.5)
    assert len(invites(other)) == 1


def test_without_a_registration_the_call_goes_on_at_once(office: Office) -> None:
    office.plan(state=forwards(unregistered="0791112233"))
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert len(invites(office.first)) == 1
    assert office.told == ["internal", "ring", "forward_unregistered", "custom", "gateway"]


def test_a_user_who_declines_is_not_forwarded(office: Office) -> None:
    office.plan(state=forwards(busy="202", no_answer="202"))
    caller, other = office.site.phone("200"), office.site.phone("202", 180, 200)
    office.site.phone("201", 603)
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 603
    assert not invites(other)


def test_forwards_that_go_round_end(office: Office) -> None:
    office.plan(
        state=SiteState(forwarding={"user-201": Forwarding(always="202"), "user-202": Forwarding(always="201")})
    )
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 482


def test_a_call_taken_back_while_it_is_forwarded_stops_everywhere(office: Office) -> None:
    office.plan(state=forwards(no_answer="202", ring_seconds=5))
    caller, other = office.site.phone("200"), office.site.phone("202", 180)
    office.site.phone("201", 180)
    invite = caller.authenticated("INVITE", uri("201"))
    office.site.network.run(5.5)
    caller.cancel(invite)
    office.site.network.run()
    assert other.methods[:2] == ["INVITE", "CANCEL"]
    assert caller.statuses[-1] == 487
    assert office.site.record.disposition == "cancelled"


def test_a_phone_and_a_number_beyond_the_site_ring_together(office: Office) -> None:
    office.plan(
        state=SiteState(
            forwarding={
                "user-201": Forwarding.model_validate(
                    {"find_me": [{"destination": "0791112233", "order": "at_the_same_time"}]}
                )
            }
        )
    )
    office.first.answers = (183,)
    caller, callee = office.site.phone("200"), office.site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    assert (len(invites(callee)), len(invites(office.first))) == (1, 1)
    callee.answer(200)
    office.site.network.run()
    assert office.first.methods[1] == "CANCEL"


# -- hunt groups


def group(strategy: str, **more: Any) -> HuntGroup:
    content = {
        "group_id": "sales",
        "name": "Sales",
        "extension": "300",
        "strategy": strategy,
        "members": ("user-201", "user-202", "user-203"),
        "ring_seconds": 10,
    }
    return HuntGroup.model_validate({**content, **more})


def rang(office: Office, *phones: SipPhone) -> list[str]:
    """Who was called, in order."""
    by_address = {phone.address: phone.username for phone in phones}
    return [
        by_address[one.target] for one in office.site.network.log if one.start == "INVITE" and one.target in by_address
    ]


def test_everybody_of_a_parallel_group_rings_and_the_record_says_who_answered(office: Office) -> None:
    office.plan(hunt_groups=(group("parallel"),))
    caller = office.site.phone("200")
    phones = [office.site.phone(number, 180) for number in NUMBERS[1:]]
    caller.authenticated("INVITE", uri("300"))
    phones[1].answer(200)
    office.site.network.run()
    assert rang(office, *phones) == ["201", "202", "203"]
    assert [phone.methods[1] for phone in (phones[0], phones[2])] == ["CANCEL", "CANCEL"]
    (call,) = office.site.log.open_calls.values()
    assert call.callee_user_id == "user-202"


def test_a_serial_group_rings_one_after_the_other_and_goes_on_to_its_fallback(office: Office) -> None:
    office.plan(hunt_groups=(group("serial", fallback="0791112233"),))
    caller = office.site.phone("200")
    phones = [office.site.phone(*args) for args in (("201", 180), ("202", 486), ("203", 603))]
    caller.authenticated("INVITE", uri("300"))
    assert rang(office, *phones) == ["201"]
    office.site.network.run(10.5)
    assert rang(office, *phones) == ["201", "202", "203"]
    assert len(invites(office.first)) == 1
    assert caller.statuses[-1] == 200


def test_a_round_robin_group_begins_with_the_next_member_each_time_and_after_a_restart(office: Office) -> None:
    office.plan(hunt_groups=(group("round_robin"),))
    office.site.config = with_plan(hunt_groups=(group("round_robin"),))
    caller = office.site.phone("200")
    phones = [office.site.phone(number, 200) for number in NUMBERS[1:]]
    for _ in range(2):
        caller.authenticated("INVITE", uri("300"))
    office.site.endpoint.stop()
    office.site.endpoint = office.site.started()
    for _ in range(2):
        caller.authenticated("INVITE", uri("300"))
    assert rang(office, *phones) == ["201", "202", "203", "201"]


def test_the_member_who_is_free_longest_rings_first(office: Office) -> None:
    office.plan(hunt_groups=(group("longest_idle"),))
    caller = office.site.phone("200")
    phones = [office.site.phone(number, 200) for number in NUMBERS[1:]]
    for _ in range(4):
        invite = caller.authenticated("INVITE", uri("300"))
        caller.in_dialog("ACK", invite, caller.responses[-1])
        caller.in_dialog("BYE", invite, caller.responses[-1])
        office.site.network.run(1.0)
    assert rang(office, *phones) == ["201", "202", "203", "201"]


def test_a_message_to_a_group_does_not_count_as_its_call(office: Office) -> None:
    office.plan(hunt_groups=(group("round_robin"),))
    caller = office.site.phone("200")
    phones = [office.site.phone(number, 200) for number in NUMBERS[1:]]
    caller.authenticated("MESSAGE", uri("300"))
    caller.authenticated("INVITE", uri("300"))
    assert rang(office, *phones) == ["201"]


# -- feature codes


CODES = (
    FeatureRule(rule_id="always", name="Forward every call", code="*72", feature="forward_always"),
    FeatureRule(rule_id="quiet", name="Do not disturb", code="*60", feature="do_not_disturb_on"),
    InternalRule(rule_id="internal"),
)


def test_a_code_from_the_phone_is_kept_and_answered_by_a_tone(office: Office) -> None:
    office.site.configure(replace(with_plan(rules=CODES), services={"confirmed": "sip:confirmed@192.0.2.102:5080"}))
    caller = office.site.phone("200")
    caller.authenticated("INVITE", uri("*72201"))
    assert office.site.wrote == [{"forward_always/user-200": "201"}]
    assert invites(office.second)[0].uri == b"sip:confirmed@192.0.2.102:5080"
    assert caller.statuses[-1] == 200
    assert office.told == ["feature", "feature_changed"]


def test_what_is_no_call_changes_nothing(office: Office) -> None:
    office.plan(rules=CODES)
    caller = office.site.phone("200")
    caller.authenticated("MESSAGE", uri("*60"))
    office.first.request("INVITE", f"sip:*60@{EDGE[0]}")
    office.site.network.run()
    assert office.site.wrote == []
    assert office.first.statuses[-1] == 403
