"""Emergency calls are recognised before digest, permission, lock-out and shedding (RFC 3261 §26, RFC 5031)."""

from dataclasses import replace

import pytest

from contract.dialplan import compile_plan
from contract.snapshot import DialPlan, InternalRule, Site, Snapshot, User
from edge_agent.sip.message import DropReason
from tests.support.memory_site import EDGE, MemorySite, overload, uri, with_limits
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, REALM


@pytest.fixture
def site(site: MemorySite) -> MemorySite:
    """A site whose user 200 has the emergency numbers."""
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm=REALM),
        users=tuple(
            User(user_id=f"user-{name}", username=name, display_name="", aliases=aliases, enabled=name != "203")
            for name, aliases in (("200", ("112",)), ("201", ()), ("202", ()), ("203", ()))
        ),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="rule-1"),)),
    )
    site.config = replace(site.config, plan=compile_plan(snapshot), emergency_numbers=("112",))
    site.configure(site.config)
    return site


def stranger(site: MemorySite) -> SipPhone:
    """A phone that nobody knows."""
    return SipPhone(site.network, ("192.0.2.77", 5060), EDGE, "nobody")


@pytest.mark.parametrize("target", [uri("112"), f"sip:112@{EDGE[0]}", "sip:112@elsewhere.test"])
def test_an_emergency_call_needs_no_digest_whatever_host_it_names(site: MemorySite, target: str) -> None:
    helper, caller = site.phone("200", 200), stranger(site)
    caller.request("INVITE", target, headers="P-Asserted-Identity: <sip:200@x>\r\nProxy-Require: x\r\n")
    site.network.run()
    assert caller.statuses == [100, 200]
    assert helper.ringing.get(b"p-asserted-identity") is None
    (call,) = site.log.open_calls.values()
    assert (call.callee, call.caller_user_id) == ("112", None)


def test_the_emergency_service_urn_is_recognised(site: MemorySite) -> None:
    """RFC 5031 §4.2; other URNs stay 416."""
    site.phone("200", 200)
    caller = stranger(site)
    for target in ("urn:service:sos", "urn:service:counseling"):
        caller.request("INVITE", target, to=f"<{uri('112')}>")
        site.network.run()
    assert caller.statuses == [100, 200, 416]


@pytest.mark.parametrize("target", ["tel:112", "tel:1-1-2", "tel:112;phone-context=other.example"])
def test_an_emergency_number_is_recognised_as_a_telephone_number(site: MemorySite, target: str) -> None:
    """RFC 3966; whatever its context says."""
    site.phone("200", 200)
    caller = stranger(site)
    caller.request("INVITE", target, to=f"<{uri('112')}>")
    site.network.run()
    assert caller.statuses == [100, 200]


def test_an_emergency_call_within_its_dialog_goes_on_as_any_other(site: MemorySite) -> None:
    helper, caller = site.phone("200", 200), stranger(site)
    invite = caller.request("INVITE", uri("112"))
    site.network.run()
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert helper.methods == ["INVITE", "ACK", "BYE"]


def test_a_caller_who_is_disabled_or_locked_out_gets_help(site: MemorySite) -> None:
    site.phone("200", 200)
    for username in ("203", "201"):
        caller = site.phone(username, registered=False)
        caller.password = "wrong"
        for at in range(12):
            caller.register(call=f"wrong-{at}")
        caller.responses.clear()
        caller.request("INVITE", uri("112"))
        site.network.run()
        assert caller.statuses == [100, 200]


def test_a_caller_who_proved_himself_is_named(site: MemorySite) -> None:
    helper, caller = site.phone("200", 200), site.phone("202")
    caller.request("INVITE", uri("201"))
    site.network.run()
    credentials = caller.credentials(caller.responses[-1], "INVITE", uri("112"))
    caller.request("INVITE", uri("112"), headers=credentials)
    site.network.run()
    assert helper.ringing.get(b"p-asserted-identity") == b"<sip:202@demo.tandem.test>"
    assert helper.ringing.get(b"proxy-authorization") is None


def test_an_emergency_call_is_taken_while_new_dialogs_are_shed(site: MemorySite) -> None:
    site.phone("200", 200)
    caller = stranger(site)
    overload(site)
    caller.request("INVITE", uri("201"))
    caller.request("INVITE", uri("112"))
    site.network.run()
    assert sorted(caller.statuses) == [100, 200, 503]


def test_an_emergency_call_is_taken_beyond_the_limit_of_transactions(site: MemorySite) -> None:
    site.phone("200", 180)
    callee, caller = site.phone("201", 180), site.phone("202")
    site.network.run(60)
    caller.authenticated("INVITE", uri("201"))
    site.configure(with_limits(site.config, transactions=site.endpoint.layer.server_count))
    helped = stranger(site)
    helped.request("INVITE", uri("201"))
    helped.request("INVITE", uri("112"))
    site.network.run()
    assert helped.statuses == [503, 100, 180]
    assert callee.methods == ["INVITE"]
    assert site.endpoint.drops[DropReason.TOO_MANY_TRANSACTIONS] == 1


def test_without_numbers_in_the_configuration_nothing_is_an_emergency(site: MemorySite) -> None:
    site.configure(replace(site.config, emergency_numbers=()))
    caller = stranger(site)
    caller.request("INVITE", uri("112"))
    caller.request("INVITE", "urn:service:sos", to=f"<{uri('112')}>")
    site.network.run()
    assert caller.statuses == [407, 416]


def test_only_an_invite_is_an_emergency_call(site: MemorySite) -> None:
    caller = stranger(site)
    caller.request("MESSAGE", uri("112"))
    site.network.run()
    assert caller.statuses == [407]
