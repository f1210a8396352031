"""OPTIONS to phones behind NAT and to gateways: who does not answer twice is gone (RFC 3261 §11)."""

from dataclasses import replace

import pytest

from contract.dialplan import compile_plan
from contract.snapshot import DialPlan, Gateway
from contract.sync.events import AlarmChanged
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Flow
from edge_agent.sip.user_agent.qualify import is_behind_nat
from tests.support.example_site import small_site
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite
from tests.support.sip_phone import SipPhone

GATEWAY: Address = ("203.0.113.7", 5060)
OTHER: Address = ("203.0.113.8", 5060)


def asks(site: MemorySite, phones: int = 60, gateways: int = 0) -> None:
    site.configure(replace(site.config, qualify_phones_seconds=phones, qualify_gateways_seconds=gateways))


def behind_nat(site: MemorySite, username: str, status: int = 200) -> SipPhone:
    """A phone whose Contact is an address of its own network."""
    phone = site.phone(username, registered=False)
    phone.private_host, phone.other_status = "10.0.0.9", status
    assert phone.register().status == 200
    return phone


def with_gateways(config: SipConfig, *places: Address) -> SipConfig:
    gateways = tuple(
        Gateway(gateway_id=f"g{number}", name=f"Gateway {number}", host=host, port=port)
        for number, (host, port) in enumerate(places)
    )
    snapshot = small_site()
    plan = DialPlan(rules=snapshot.dial_plan.rules, gateways=gateways)
    compiled = compile_plan(snapshot.model_copy(update={"dial_plan": plan}))
    return replace(config, plan=replace(config.plan, gateways=compiled.gateways), qualify_gateways_seconds=60)


def alarms(site: MemorySite) -> list[tuple[bool, str]]:
    return [
        (one.active, one.text)
        for one in site.log.reports
        if isinstance(one, AlarmChanged) and one.alarm == "gateway_silent"
    ]


def test_phones_behind_nat_are_asked_each_interval_and_others_only_when_all_are_to_be(site: MemorySite) -> None:
    hidden, plain = behind_nat(site, "200"), site.phone("201")
    asks(site)
    site.network.run(125)
    assert hidden.methods == ["OPTIONS"] * 3
    assert plain.methods == []
    everybody = replace(site.config, qualify_phones_seconds=60, qualify_phones="all")
    site.configure(everybody)
    site.network.run(3)
    assert plain.methods == ["OPTIONS"]
    assert site.endpoint.figures()["qualify.asked"] == 5
    # The same settings again, as with every change of the site: nobody is asked sooner for it.
    site.configure(everybody)
    site.network.run(3)
    assert site.endpoint.figures()["qualify.asked"] == 5


def test_nobody_is_asked_unless_the_site_wants_it(site: MemorySite) -> None:
    hidden = behind_nat(site, "200")
    site.network.run(600)
    assert hidden.methods == []


@pytest.mark.parametrize("status", [200, 404, 405, 481, 501])
def test_whatever_a_phone_answers_it_is_there(site: MemorySite, status: int) -> None:
    behind_nat(site, "200", status)
    asks(site)
    site.network.run(600)
    assert len(site.endpoint.location) == 1
    assert site.endpoint.figures()["qualify.silent"] == 0


def test_a_phone_that_is_silent_twice_is_no_longer_rung_and_once_is_forgiven(site: MemorySite) -> None:
    phone = behind_nat(site, "200")
    asks(site)
    site.network.loses = lambda data, _, target: target == phone.address
    site.network.run(40)
    assert len(site.endpoint.location) == 1
    site.network.loses = None
    site.network.run(60)
    site.network.loses = lambda data, _, target: target == phone.address
    site.network.run(60)
    assert len(site.endpoint.location) == 1
    site.network.run(60)
    assert len(site.endpoint.location) == 0
    figures = site.endpoint.figures()
    assert (figures["qualify.silent"], figures["qualify.dropped"]) == (3, 1)
    assert site.log.registrations[-1].state == "removed"


def test_a_phone_that_registered_another_way_meanwhile_stays(site: MemorySite) -> None:
    phone = behind_nat(site, "200")
    asks(site)
    site.network.loses = lambda data, _, target: target == phone.address
    site.network.run(90)
    site.network.loses = None
    moved = SipPhone(site.network, ("192.0.2.99", 5060), EDGE, "200", (200,))
    moved.private_host = "10.0.0.9"
    assert moved.register().status == 200
    site.network.run(300)
    assert [one.flow.host for one in site.endpoint.location.all()] == ["192.0.2.99"]


def test_a_thousand_phones_are_asked_a_few_each_second(site: MemorySite) -> None:
    phones = [behind_nat(site, "200") for _ in range(1)]
    binding = next(iter(site.endpoint.location.all()))
    for number in range(600):
        twin = type(binding)(
            user_id="u201",
            line_id="l201",
            device_id=None,
            contact=b"sip:%d@10.0.0.9" % number,
            flow=binding.flow,
            source=binding.source,
            expires=binding.expires,
            q=1000,
            call_id=b"x",
            cseq=1,
        )
        site.endpoint.location.put(twin)
    asks(site)
    moments: dict[int, int] = {}
    for _ in range(60):
        before = len(phones[0].requests)
        site.network.run(1.0)
        moments[len(phones[0].requests) - before] = moments.get(len(phones[0].requests) - before, 0) + 1
    assert max(moments) <= 11


def test_a_gateway_that_is_silent_twice_is_told_of_until_it_answers(site: MemorySite) -> None:
    gateway, other = (SipPhone(site.network, place, EDGE, "1", (200,)) for place in (GATEWAY, OTHER))
    site.configure(with_gateways(site.config, GATEWAY, OTHER))
    site.network.run(130)
    assert set(gateway.methods) == set(other.methods) == {"OPTIONS"}
    assert alarms(site) == []
    site.network.loses = lambda data, _, target: target in (GATEWAY, OTHER)
    site.network.run(200)
    assert alarms(site) == [
        (True, "no answer from: Gateway 0"),
        (True, "no answer from: Gateway 0, Gateway 1"),
    ]
    site.network.loses = lambda data, _, target: target == OTHER
    site.network.run(70)
    assert alarms(site)[2:] == [(True, "no answer from: Gateway 1")]
    # One that is taken out of the plan is nobody's worry.
    site.configure(with_gateways(site.config, GATEWAY))
    assert alarms(site)[3:] == [(False, "over")]


def test_behind_nat_is_who_is_reached_another_way_than_its_contact_says(site: MemorySite) -> None:
    phone = site.phone("200")
    (binding,) = site.endpoint.location.all()
    assert not is_behind_nat(binding)
    binding.flow = Flow("udp", phone.address[0], 30_000)
    assert is_behind_nat(binding)
    # The port of a connection is never the one that it is reached at.
    binding.flow = Flow("tcp", phone.address[0], 30_000, 7)
    assert not is_behind_nat(binding)
    binding.flow = Flow("tcp", "192.0.2.200", 30_000, 7)
    assert is_behind_nat(binding)


def test_a_proxy_that_says_that_the_flow_to_a_phone_is_dead_is_believed_at_once(site: MemorySite) -> None:
    """RFC 5626 §11.5."""
    behind_nat(site, "200", 430)
    asks(site)
    site.network.run(5)
    assert len(site.endpoint.location) == 0
