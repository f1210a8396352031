"""Two edges of a site: a phone changes over by itself, and what was recorded at one is worthless at the other."""

from collections.abc import Iterator

import pytest

from edge_agent.sip.message import DropReason, Message, parse_credentials
from tests.support.memory_network import Address
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, KEY

OTHER: Address = ("192.0.2.2", 5060)


@pytest.fixture(params=[KEY, b"another key of this length......"], ids=["one key", "two keys"])
def other(site: MemorySite, request: pytest.FixtureRequest) -> Iterator[MemorySite]:
    """The other edge of the site, with the same key or another."""
    made = MemorySite(network=site.network, tokens=site.tokens, address=OTHER, key=request.param)
    yield made
    assert made.endpoint.drops[DropReason.INTERNAL_ERROR] == 0


def recorded(phone: SipPhone, method: bytes) -> bytes:
    """The newest request of a phone with credentials, as somebody on the line saw it."""
    sent = [one.data for one in phone.network.log if one.source == phone.address and one.data.startswith(method)]
    return next(data for data in reversed(sent) if b"uthorization: Digest" in data)


def is_stale(challenge: Message) -> bool:
    """Whether a challenge tells a phone to try again without asking its user."""
    name = b"www-authenticate" if challenge.status == 401 else b"proxy-authenticate"
    return parse_credentials(challenge.need(name)).get(b"stale") == b"true"


def test_a_phone_that_brings_a_nonce_of_the_other_edge_registers_after_one_more_challenge(
    site: MemorySite, other: MemorySite
) -> None:
    """RFC 7616 §3.3: `stale` means that the password was right."""
    phone = site.phone("201", registered=False)
    phone.request("REGISTER", f"sip:{DOMAIN}", to=f"<sip:201@{DOMAIN}>")
    site.network.run()
    kept = phone.responses[-1]
    assert phone.register().status == 200
    phone.edge = OTHER
    phone.responses.clear()
    old = phone.credentials(kept, "REGISTER", f"sip:{DOMAIN}", "00000002")
    assert phone.register(headers=old).status == 401
    assert [one.status for one in phone.responses] == [401, 401]
    assert is_stale(phone.responses[0])
    phone.responses.clear()
    assert phone.register().status == 200
    assert phone.statuses == [401, 200]
    assert other.endpoint.drops[DropReason.WRONG_CREDENTIALS] == 0
    assert len(other.endpoint.location) == 1


def test_what_was_recorded_at_one_edge_is_refused_at_the_other(site: MemorySite, other: MemorySite) -> None:
    """RFC 7616 §5.4: a REGISTER and an INVITE, good at one edge, are sent to the other, even from the same place."""
    phone, callee = site.phone("201"), site.phone("200", 200)
    phone.authenticated("INVITE", uri("200"))
    assert phone.statuses[-1] == 200
    callee.edge = OTHER
    assert callee.register().status == 200
    rung = len(callee.requests)
    for method, status in ((b"REGISTER", 401), (b"INVITE", 407)):
        phone.responses.clear()
        site.network.send(recorded(phone, method), phone.address, OTHER)
        site.network.run()
        assert phone.statuses == [status]
        assert is_stale(phone.responses[0])
    assert len(callee.requests) == rung
    assert [one.contact for one in other.endpoint.location.all()] == [callee.contact.encode()]
    assert other.endpoint.drops[DropReason.WRONG_CREDENTIALS] == 0
