"""Calls that voice services place: what is offered to browsers gets to these, and other phones make the offer."""

from dataclasses import replace

import pytest

from edge_agent.sip.message import Message
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

ENGINE: Address = ("127.0.0.1", 5070)
OFFER = "v=0\r\ns=for browsers\r\n"
DESCRIBED = "Content-Type: application/sdp\r\n"
BROWSER = "192.0.2.11"
"""The address of the first phone."""


def ring(site: MemorySite, parameters: str = ";x-tandem-phones=ring;x-tandem-browsers") -> Message:
    """The engine calls 201 with an offer: its INVITE."""
    engine = SipPhone(site.network, ENGINE, EDGE, "queue")
    site.configure(replace(site.config, trusted=frozenset({ENGINE})))
    invite = engine.request("INVITE", uri("201") + parameters, DESCRIBED, OFFER)
    site.network.run()
    return invite


def said(phone: SipPhone) -> tuple[str, str]:
    """The description that a phone was called with, and its type."""
    invite = phone.ringing
    assert int(invite.need(b"content-length")) == len(invite.body)
    return invite.body.decode(), (invite.get(b"content-type") or b"").decode()


def test_of_one_users_phones_the_browser_is_offered_a_session_and_the_other_asked_for_one(site: MemorySite) -> None:
    site.network.connect((BROWSER, 5060), browser=True)
    browser, desk = site.phone("201", 180), site.phone("201", 180)
    ring(site)
    assert said(browser) == (OFFER, "application/sdp")
    assert said(desk) == ("", "")


def test_a_browser_behind_a_proxy_of_its_own_is_known_by_its_contact(site: MemorySite) -> None:
    phone = site.phone("201", 180, registered=False)
    contact = f"<sip:x@{phone.host};transport=WS>"
    assert phone.register(contact=contact, headers="Supported: path\r\n").status == 200
    ring(site)
    assert said(phone) == (OFFER, "application/sdp")


@pytest.mark.parametrize("parameters", ["", ";x-tandem-phones=ring"])
def test_what_is_offered_to_all_gets_to_all(site: MemorySite, parameters: str) -> None:
    desk = site.phone("201", 180)
    ring(site, parameters)
    assert said(desk) == (OFFER, "application/sdp")


def test_a_phone_that_writes_such_a_parameter_takes_nothing_out(site: MemorySite) -> None:
    caller, desk = site.phone("200"), site.phone("201", 180)
    asked = uri("201") + ";x-tandem-phones=ring;x-tandem-browsers"
    caller.authenticated("INVITE", asked, headers=DESCRIBED, body=OFFER)
    assert said(desk) == (OFFER, "application/sdp")
