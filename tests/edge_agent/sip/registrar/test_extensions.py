"""What a 200 to REGISTER says beyond the bindings: Service-Route, Flow-Timer, Path by policy, Supported."""

from dataclasses import replace

import pytest

from edge_agent.sip.message import Flow
from tests.support.memory_site import MemorySite, uri

INSTANCE = '"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'


def test_a_service_route_leads_through_this_edge_where_the_site_wants_it(site: MemorySite) -> None:
    """RFC 3608 §5, §6.3."""
    phone = site.phone("200")
    assert phone.register().get(b"service-route") is None
    site.configure(replace(site.config, service_route=True))
    (route,) = phone.register().values(b"service-route")
    assert route == b"<sip:192.0.2.1:5060;lr>"
    streaming = site.phone("201", registered=False, tcp=True)
    assert streaming.register().values(b"service-route") == [b"<sip:192.0.2.1:5060;transport=tcp;lr>"]
    callee = site.phone("202", 200)
    phone.authenticated("INVITE", uri("202"), headers=f"Route: {route.decode()}\r\n")
    assert phone.statuses[-1] == 200
    assert callee.ringing.values(b"route") == []


def outbound(site: MemorySite, *, tcp: bool = True, reg_id: str = ";reg-id=1") -> bytes | None:
    """The Flow-Timer that a phone gets."""
    phone = site.phone("200", registered=False, tcp=tcp)
    answer = phone.register(
        contact=f"<{phone.contact}>;+sip.instance={INSTANCE}{reg_id}", headers="Supported: outbound, path\r\n"
    )
    assert answer.status == 200
    return answer.get(b"flow-timer")


def test_a_phone_with_outbound_is_told_how_often_to_be_heard_on_its_connection(site: MemorySite) -> None:
    """RFC 5626 §4.4.1, §6, §10."""
    assert outbound(site) == b"120"
    (expected,) = site.network._edges[-1].expected.items()
    assert expected == (Flow("tcp", "192.0.2.11", 5060, 1), 180.0)
    assert outbound(site, tcp=False) is None
    assert outbound(site, reg_id="") is None
    site.configure(replace(site.config, flow_timer_seconds=0))
    assert outbound(site) is None


def test_a_path_that_the_phone_does_not_know_of_is_kept_or_refused_as_the_site_wants(site: MemorySite) -> None:
    """RFC 3327 §5.3."""
    phone = site.phone("200", registered=False)
    path = "Path: <sip:192.0.2.11;lr>\r\n"
    assert phone.register(headers=path).status == 200
    site.configure(replace(site.config, path_without_support=False))
    answer = phone.register(headers=path)
    assert (answer.status, answer.get(b"unsupported")) == (420, b"path")
    assert phone.register(headers=path + "Supported: path\r\n").status == 200
    assert phone.register().status == 200


@pytest.mark.parametrize("extension", ["path", "outbound", "gruu", "Path, GRUU"])
def test_what_the_registrar_knows_may_be_required(site: MemorySite, extension: str) -> None:
    """RFC 3261 §8.2.2.3; RFC 3327 §4, 5626 §11, 5627 §9."""
    answer = site.phone("200", registered=False).register(headers=f"Require: {extension}\r\n")
    assert (answer.status, answer.get(b"unsupported")) == (200, None)


def test_a_phone_that_says_what_it_knows_is_told_what_the_registrar_knows(site: MemorySite) -> None:
    """RFC 3261 §20.37."""
    phone = site.phone("200", registered=False)
    assert phone.register(headers="Supported: path\r\n").get(b"supported") == b"path, outbound, gruu"
    assert phone.register().get(b"supported") is None
