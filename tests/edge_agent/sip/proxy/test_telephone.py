"""Telephone numbers and secure URIs as what is called (RFC 3966, RFC 3261 §26.2.2, RFC 5630)."""

import pytest

from tests.support.memory_site import MemorySite, uri
from tests.support.sip_site import DOMAIN


@pytest.mark.parametrize(
    "target",
    [
        "tel:201",
        "tel:2-0.(1)",
        f"tel:201;phone-context={DOMAIN}",
        f"tel:201;isub=1;phone-context={DOMAIN.upper()}",
        "TEL:201",
    ],
)
def test_a_local_number_is_called_through_the_dial_plan(site: MemorySite, target: str) -> None:
    """RFC 3966 §5.1.4, §5.1.5."""
    caller, callee = site.phone("200"), site.phone("201", 200)
    caller.authenticated("INVITE", target, to=f"<{uri('201')}>")
    assert (caller.statuses[-1], callee.methods) == (200, ["INVITE"])
    assert callee.ringing.uri == callee.contact.encode()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("tel:201;phone-context=elsewhere.example", 404),
        ("tel:+41445550100", 404),
        ("tel:445550100;phone-context=+41", 404),
        ("tel:+", 400),
        ("tel:", 400),
        ("tel:20x", 400),
        ("tel:201;phone-context=+x", 400),
        ("tel:" + "1" * 40, 400),
    ],
)
def test_a_number_that_leads_nowhere_says_why(site: MemorySite, target: str, status: int) -> None:
    caller = site.phone("200")
    site.phone("201", 200)
    caller.request("INVITE", target, to=f"<{uri('201')}>")
    site.network.run()
    if status == 404 and caller.statuses[-1] == 407:
        caller.responses.clear()
        caller.authenticated("INVITE", target, to=f"<{uri('201')}>")
    assert caller.statuses[-1] == status


def test_a_telephone_number_needs_the_callers_password_as_any_other(site: MemorySite) -> None:
    caller = site.phone("200", registered=False)
    caller.request("INVITE", "tel:201", to=f"<{uri('201')}>")
    site.network.run()
    assert caller.statuses == [407]


def test_a_secure_uri_is_refused_because_its_last_hop_could_not_be_promised(site: MemorySite) -> None:
    """RFC 5630 §5.3: without sips contacts there is no way that is secure to its end; a caller may try with sip."""
    caller, callee = site.phone("200"), site.phone("201", 200)
    caller.request("INVITE", f"sips:201@{DOMAIN}")
    site.network.run()
    assert (caller.statuses, callee.methods) == ([416], [])
