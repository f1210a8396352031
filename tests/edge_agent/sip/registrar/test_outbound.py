"""Phones behind proxies and with several flows: Path (RFC 3327), outbound (RFC 5626), public GRUU (RFC 5627)."""

import base64
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.sip.message import DropReason, Message
from edge_agent.sip.registrar import SqliteBindingStore
from tests.edge_agent.sip.registrar.test_store import BINDING
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN

INSTANCE = '"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'
GRUU = f"sip:201@{DOMAIN};gr=urn:uuid:00000000-0000-1000-8000-000a95a0e128"


def flow(site: MemorySite, reg_id: int, *answers: int, tcp: bool = True) -> SipPhone:
    """One flow of the phone of user 201."""
    phone = site.phone("201", *answers, registered=False, tcp=tcp)
    contact = f"<sip:201@10.0.0.7;transport=tcp;ob>;+sip.instance={INSTANCE};reg-id={reg_id}"
    answer = phone.register(contact=contact, headers="Supported: outbound, path, gruu\r\n")
    assert answer.status == 200
    assert answer.get(b"require") == b"outbound"
    return phone


def edge_proxy(site: MemorySite, path: str, contact: str = "<sip:201@10.0.0.7>") -> tuple[SipPhone, Message]:
    """A proxy before the site through which user 201 registers."""
    proxy = site.phone("201", 200, registered=False)
    return proxy, proxy.register(contact=contact, headers=f"Supported: path\r\nPath: {path}\r\n")


def test_a_phone_behind_a_proxy_is_reached_along_its_path(site: MemorySite) -> None:
    """RFC 3327 §5.3, §5.4."""
    path = "<sip:token@192.0.2.11;lr>, <sip:10.0.0.1;lr>"
    proxy, answer = edge_proxy(site, path)
    assert (answer.status, answer.values(b"path")) == (200, path.encode().split(b", "))
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 200
    assert proxy.ringing.uri == b"sip:201@10.0.0.7"
    assert proxy.ringing.values(b"route") == path.encode().split(b", ")


def test_a_path_outlives_a_restart(site: MemorySite) -> None:
    proxy, _ = edge_proxy(site, "<sip:192.0.2.11;lr>")
    caller = site.phone("200")
    site.endpoint = site.started()
    caller.authenticated("INVITE", uri("201"))
    assert proxy.ringing.values(b"route") == [b"<sip:192.0.2.11;lr>"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("<sip:203.0.113.9;lr>", 403),
        ("<sip:192.0.2.1;lr>", 403),
        ("<sip:192.0.2.11>", 400),
        ("nonsense", 400),
        (", ".join(["<sip:192.0.2.11;lr>"] * 9), 400),
    ],
)
def test_a_path_leads_to_nobody_but_the_proxy_that_sent_it(site: MemorySite, path: str, status: int) -> None:
    """RFC 3327 §6."""
    _, answer = edge_proxy(site, path)
    assert answer.status == status
    assert len(site.endpoint.location) == 0


def test_a_phone_keeps_several_flows_and_a_call_takes_the_newest_only(site: MemorySite) -> None:
    """RFC 5626 §5.3, §6."""
    first, second = flow(site, 1, 200), flow(site, 2, 200)
    assert len(site.endpoint.location) == 2
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert (first.methods, second.methods) == ([], ["INVITE"])
    assert caller.statuses[-1] == 200


def test_the_same_flow_registered_again_takes_the_place_of_the_old(site: MemorySite) -> None:
    """RFC 5626 §6: instance and reg-id are what a binding is known by."""
    flow(site, 1)
    again = flow(site, 1, 200)
    assert len(site.endpoint.location) == 1
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert again.methods == ["INVITE"]


def test_when_a_flow_breaks_the_phone_is_reached_by_its_other(site: MemorySite) -> None:
    """RFC 5626 §5.3, §6: a binding dies with its flow."""
    first, second = flow(site, 1, 200), flow(site, 2, 200)
    site.network.disconnect(second.address)
    assert len(site.endpoint.location) == 1
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert first.methods == ["INVITE"]


@pytest.mark.parametrize("answers", [(430,), ()])
def test_a_flow_that_fails_or_stays_silent_is_followed_by_the_next(site: MemorySite, answers: tuple[int, ...]) -> None:
    """RFC 5626 §5.3: 430, or no answer at all."""
    first, second = flow(site, 1, 200, tcp=False), flow(site, 2, *answers, tcp=False)
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    site.network.run(40)
    assert second.methods[0] == "INVITE"
    assert first.methods == ["INVITE"]
    assert caller.statuses[-1] == 200


def test_a_udp_flow_is_where_the_register_came_from_whatever_the_contact_says(site: MemorySite) -> None:
    """RFC 5626 §6: the binding is to the flow."""
    phone = flow(site, 1, 200, tcp=False)
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"))
    assert phone.ringing.uri == b"sip:201@10.0.0.7;transport=tcp;ob"


def test_a_first_hop_that_knows_no_outbound_is_named(site: MemorySite) -> None:
    """RFC 5626 §6: 439."""
    contact = f"<sip:201@10.0.0.7>;+sip.instance={INSTANCE};reg-id=1"
    _, answer = edge_proxy(site, "<sip:192.0.2.11;lr>", contact)
    assert (answer.status, answer.reason) == (439, b"First Hop Lacks Outbound Support")
    _, answer = edge_proxy(site, "<sip:192.0.2.12;lr;ob>", contact)
    assert answer.status == 200


@pytest.mark.parametrize("value", ["0", "x", "99999999999"])
def test_a_malformed_reg_id_is_refused(site: MemorySite, value: str) -> None:
    phone = site.phone("201", registered=False)
    assert phone.register(contact=f"<{phone.contact}>;+sip.instance={INSTANCE};reg-id={value}").status == 400


def test_several_contacts_with_reg_id_in_one_register_are_refused(site: MemorySite) -> None:
    """RFC 5626 §6."""
    phone = site.phone("201", registered=False)
    one = f";+sip.instance={INSTANCE};reg-id=1"
    assert phone.register(contact=f"<{phone.contact}>{one}, <{phone.contact};x=1>{one}").status == 400


def test_a_phone_that_asks_for_it_is_told_its_gruu(site: MemorySite) -> None:
    """RFC 5627 §4.3."""
    phone = site.phone("201", registered=False)
    contact = f"<{phone.contact}>;+sip.instance={INSTANCE}"
    assert b"pub-gruu" not in phone.register(contact=contact).need(b"contact")
    told = phone.register(contact=contact, headers="Supported: gruu\r\n").need(b"contact")
    assert told.endswith(f';+sip.instance={INSTANCE};pub-gruu="{GRUU}"'.encode())


def test_a_request_to_a_gruu_reaches_that_phone_only(site: MemorySite) -> None:
    """RFC 5627 §5.1."""
    phone, other = site.phone("201", 200, registered=False), site.phone("201", 200)
    phone.register(contact=f"<{phone.contact}>;+sip.instance={INSTANCE}")
    caller = site.phone("200")
    caller.authenticated("INVITE", GRUU)
    assert (phone.methods, other.methods) == (["INVITE"], [])
    caller.authenticated("INVITE", GRUU.replace("e128", "ffff"))
    assert caller.statuses[-1] == 480


def test_a_gruu_as_contact_of_a_dialog_leads_back_to_its_phone(site: MemorySite) -> None:
    """RFC 5627 §5.1: requests within the dialog are sent to the GRUU."""
    phone, caller = site.phone("201", registered=False), site.phone("200")
    phone.register(contact=f"<{phone.contact}>;+sip.instance={INSTANCE}")
    invite = caller.authenticated("INVITE", uri("201"))
    phone.answer(200)
    site.network.run()
    answer = caller.responses[-1]
    answer.set(b"Contact", f"<{GRUU}>".encode())
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert phone.methods == ["INVITE", "ACK", "BYE"]
    assert phone.requests[-1].uri == phone.contact.encode()
    phone.register(contact="*", headers="Expires: 0\r\n")
    caller.in_dialog("INFO", invite, answer)
    site.network.run()
    assert caller.statuses[-1] == 480


def test_bindings_of_an_earlier_version_are_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "sip.db"
    store = SqliteBindingStore(path)
    store.put(BINDING)
    store.close()
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE bindings DROP COLUMN reg_id")
        database.execute("ALTER TABLE bindings DROP COLUMN path")
    database.close()
    again = SqliteBindingStore(path)
    assert again.load() == [BINDING]
    again.put(replace(BINDING, reg_id=2, path="<sip:a;lr>\n<sip:b;lr>"))
    again.close()
    last = SqliteBindingStore(path)
    assert [(one.reg_id, one.path) for one in last.load()] == [(2, "<sip:a;lr>\n<sip:b;lr>")]
    last.close()
    assert not path.with_name("sip.db.damaged").exists()


def test_a_contact_behind_a_path_is_not_the_edge_either(site: MemorySite) -> None:
    _, answer = edge_proxy(site, "<sip:192.0.2.11;lr>", f"<{uri('201')}>")
    assert answer.status == 403
    assert site.endpoint.drops[DropReason.CONTACT_IS_THIS_EDGE] == 1


def temporary(site: MemorySite, phone: SipPhone, call: str = "", instance: str = INSTANCE) -> str:
    """The temporary GRUU that a registration of the phone brings."""
    answer = phone.register(
        contact=f"<{phone.contact}>;+sip.instance={instance}", headers="Supported: gruu\r\n", call=call or "reg-1"
    )
    found = re.search(rb'temp-gruu="([^"]*)"', b"\n".join(answer.all(b"contact")))
    assert found is not None
    return found[1].decode()


def test_a_temporary_gruu_leads_to_its_phone_and_names_nobody(site: MemorySite) -> None:
    """RFC 5627 §3.1.2, §5.1: it does not tell user or phone."""
    phone, other = site.phone("201", 200, registered=False), site.phone("201", 200)
    first, second = temporary(site, phone), temporary(site, phone)
    assert first != second
    assert b"201" not in base64.urlsafe_b64decode(first[10:].partition("@")[0] + "==")
    caller = site.phone("200")
    for gruu in (first, second):
        caller.authenticated("INVITE", gruu)
        assert caller.statuses[-1] == 200
    assert (phone.methods, other.methods) == (["INVITE"] * 2, [])
    assert phone.ringing.uri == phone.contact.encode()


def test_a_temporary_gruu_outlives_a_restart_and_leads_back_within_a_dialog(site: MemorySite) -> None:
    """RFC 5627 §5.1."""
    phone, caller = site.phone("201", 200, registered=False), site.phone("200")
    gruu = temporary(site, phone)
    site.endpoint = site.started()
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    answer.set(b"Contact", f"<{gruu}>".encode())
    caller.in_dialog("ACK", invite, answer)
    caller.in_dialog("BYE", invite, answer)
    site.network.run()
    assert phone.methods == ["INVITE", "ACK", "BYE"]


def test_a_registration_under_another_call_id_ends_every_temporary_gruu_before_it(site: MemorySite) -> None:
    """RFC 5627 §3.3, §5.1: 404."""
    phone, caller = site.phone("201", 200, registered=False), site.phone("200")
    old = temporary(site, phone)
    new = temporary(site, phone, call="reg-2")
    statuses = []
    for gruu in (old, new):
        caller.authenticated("INVITE", gruu)
        statuses.append(caller.statuses[-1])
    phone.register(contact="*", headers="Expires: 0\r\n", call="reg-2")
    caller.authenticated("INVITE", new)
    assert [*statuses, caller.statuses[-1]] == [404, 200, 404]


@pytest.mark.parametrize("user", ["tgruu.", "tgruu.AAAA", "tgruu." + "A" * 60, "tgruu.!!!"])
def test_a_temporary_gruu_that_was_not_made_here_leads_nowhere(site: MemorySite, user: str) -> None:
    caller = site.phone("200")
    caller.authenticated("INVITE", f"sip:{user}@{DOMAIN};gr")
    assert caller.statuses[-1] == 404
