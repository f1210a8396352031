"""Where a Contact may point: never at the edge itself, and at nobody but the phone that registers (RFC 3261 §10.3)."""

from dataclasses import replace

import pytest

from edge_agent.sip.message import DropReason
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_site import DOMAIN


@pytest.mark.parametrize(
    "contact",
    [
        f"sip:201@{EDGE[0]}:{EDGE[1]}",
        f"sip:201@{EDGE[0]}",
        f"sip:{EDGE[0]};transport=tcp",
        f"sip:201@{DOMAIN}",
        f"sip:202@{DOMAIN}:5060",
        f"sip:201@192.0.2.11;maddr={EDGE[0]}",
    ],
)
@pytest.mark.parametrize("tcp", [False, True])
def test_a_contact_that_is_the_edge_itself_is_refused(site: MemorySite, contact: str, tcp: bool) -> None:
    phone = site.phone("201", registered=False, tcp=tcp)
    answer = phone.register(contact=f"<{phone.contact}>, <{contact}>")
    assert (answer.status, answer.reason) == (403, b"Contact Is This Edge")
    assert site.endpoint.drops[DropReason.CONTACT_IS_THIS_EDGE] == 1
    assert len(site.endpoint.location) == 0


def test_a_contact_at_another_address_than_the_phones_is_refused(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    answer = phone.register(contact="<sip:victim@203.0.113.9>")
    assert (answer.status, answer.reason) == (403, b"Contact at Another Address")
    assert site.endpoint.drops[DropReason.CONTACT_ELSEWHERE] == 1


def test_a_site_may_allow_contacts_at_other_addresses(site: MemorySite) -> None:
    site.configure(replace(site.config, contacts_elsewhere=True))
    assert site.phone("201", registered=False).register(contact="<sip:a@203.0.113.9>").status == 200


def test_a_contact_that_turned_out_to_be_the_edge_is_not_taken_up_after_a_restart(site: MemorySite) -> None:
    site.phone("201")
    (key,) = site.store.kept
    site.store.kept[key] = replace(site.store.kept[key], host=EDGE[0], port=EDGE[1])
    restarted = site.started()
    assert len(restarted.location) == 0


def test_a_call_to_a_name_that_only_looks_like_another_host_does_not_loop(site: MemorySite) -> None:
    phone = site.phone("201", 200, registered=False)
    assert phone.register(contact="<sip:201@edge.invalid>").status == 200
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 200
    assert phone.methods == ["INVITE"]
