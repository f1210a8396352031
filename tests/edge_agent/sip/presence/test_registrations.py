"""The `reg` package: full and partial documents, who may see them, GRUUs in them (RFC 3680, RFC 5628)."""

from dataclasses import replace

import pytest

from tests.support.memory_site import MemorySite, uri
from tests.support.sip_site import DOMAIN, sip_config
from tests.support.subscriber import NAMESPACES, Subscriber, subscriber

INSTANCE = '"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'


def contacts(phone: Subscriber) -> list[tuple[str | None, str | None, str | None]]:
    """URI, state and event of each contact in the newest document."""
    return [
        (one.findtext("r:uri", None, NAMESPACES), one.get("state"), one.get("event"))
        for one in phone.document.findall("r:registration/r:contact", NAMESPACES)
    ]


def registration(phone: Subscriber) -> tuple[str | None, str | None]:
    """Address of record and state in the newest document."""
    found = phone.document.find("r:registration", NAMESPACES)
    assert found is not None
    return found.get("aor"), found.get("state")


def test_the_first_document_has_every_contact(site: MemorySite) -> None:
    """RFC 3680 §5."""
    phone, other = subscriber(site), site.phone("200", q="0.5")
    phone.subscribe("200")
    root = phone.document
    assert (root.get("version"), root.get("state")) == ("0", "full")
    assert registration(phone) == (uri("200"), "active")
    assert contacts(phone) == [(phone.contact, "active", "registered"), (other.contact, "active", "registered")]
    first, second = root.findall("r:registration/r:contact", NAMESPACES)
    assert second.get("q") == "0.500"
    assert first.get("callid") == f"register-200-{phone.address[0]}-5060"
    assert 3590 <= int(first.get("expires") or 0) <= 3600
    assert first.get("id") != second.get("id")


def test_nobody_registered_is_a_state_as_well(site: MemorySite) -> None:
    """RFC 3680 §3.1 `init`."""
    phone = subscriber(site, registered=False)
    phone.subscribe("200")
    assert (registration(phone), contacts(phone)) == ((uri("200"), "init"), [])


def test_changes_come_as_partial_documents_with_the_next_version(site: MemorySite) -> None:
    """RFC 3680 §5.1, §5.2."""
    phone = subscriber(site)
    phone.subscribe("200")
    first_id = phone.document.find("r:registration/r:contact", NAMESPACES)
    other = site.phone("200")
    site.network.run(6)
    assert (phone.document.get("version"), phone.document.get("state")) == ("1", "partial")
    assert contacts(phone) == [(other.contact, "active", "registered")]
    other.register()
    site.network.run(6)
    assert contacts(phone) == [(other.contact, "active", "refreshed")]
    other.register(headers="Expires: 0\r\n")
    site.network.run(6)
    assert contacts(phone) == [(other.contact, "terminated", "unregistered")]
    assert registration(phone) == (uri("200"), "active")
    phone.register()
    site.network.run(6)
    (again,) = phone.document.findall("r:registration/r:contact", NAMESPACES)
    assert first_id is not None
    assert again.get("id") == first_id.get("id")
    assert phone.document.get("version") == "4"


def test_a_contact_that_changes_twice_is_told_as_it_is(site: MemorySite) -> None:
    phone = subscriber(site)
    phone.subscribe("200")
    other = site.phone("200")
    other.register(contact="*", headers="Expires: 0\r\n")
    site.network.run(6)
    assert sorted(contacts(phone)) == sorted(
        [(other.contact, "terminated", "unregistered"), (phone.contact, "terminated", "unregistered")]
    )
    assert registration(phone) == (uri("200"), "terminated")


def test_a_contact_that_lapses_is_told_as_expired(site: MemorySite) -> None:
    """RFC 3680 §5.2."""
    phone = subscriber(site, registered=False)
    other = site.phone("200", registered=False)
    other.register(headers="Expires: 60\r\n")
    phone.subscribe("200")
    site.network.run(70)
    assert contacts(phone) == [(other.contact, "terminated", "expired")]


@pytest.mark.parametrize("why", ["connection", "configuration"])
def test_a_contact_that_is_taken_away_is_told_as_deactivated(site: MemorySite, why: str) -> None:
    """RFC 3680 §5.2."""
    watcher = subscriber(site, "201")
    other = site.phone("200", tcp=True)
    config = replace(site.config, administrators=frozenset({"user-201"}))
    site.configure(config)
    watcher.subscribe("200")
    contact = other.contact
    if why == "connection":
        site.network.disconnect(other.address)
    else:
        site.configure(replace(sip_config("200"), administrators=config.administrators))
    site.network.run(6)
    assert contacts(watcher) == [(contact, "terminated", "deactivated")]


def test_a_user_sees_himself_an_administrator_everybody_and_others_nobody(site: MemorySite) -> None:
    """RFC 3680 §4.7."""
    phone = subscriber(site, "201")
    assert phone.subscribe("201").status == 200
    assert phone.subscribe("200").status == 403
    assert phone.subscribe("nobody").status == 404
    site.configure(replace(site.config, administrators=frozenset({"user-201"})))
    assert phone.subscribe("200").status == 200
    site.configure(sip_config())
    site.network.run()
    assert phone.states[-1] == "terminated;reason=rejected"


def test_the_document_names_the_phones_gruus(site: MemorySite) -> None:
    """RFC 5628 §5."""
    phone = subscriber(site, registered=False)
    phone.register(contact=f"<{phone.contact}>;+sip.instance={INSTANCE};reg-id=1", headers="Supported: outbound\r\n")
    first = phone.requests[-1].cseq[0] if phone.requests else site.endpoint.location.of_user("user-200", 0)[0].cseq
    phone.register(contact=f"<{phone.contact}>;+sip.instance={INSTANCE};reg-id=1", headers="Supported: outbound\r\n")
    phone.subscribe("200")
    contact = phone.document.find("r:registration/r:contact", NAMESPACES)
    assert contact is not None
    public, temporary = contact.find("gr:pub-gruu", NAMESPACES), contact.find("gr:temp-gruu", NAMESPACES)
    assert public is not None
    assert temporary is not None
    assert public.get("uri") == f"sip:200@{DOMAIN};gr=urn:uuid:00000000-0000-1000-8000-000a95a0e128"
    assert (temporary.get("uri") or "").startswith("sip:tgruu.")
    assert temporary.get("first-cseq") == str(first)
    known = {one.get("name"): one.text for one in contact.findall("r:unknown-param", NAMESPACES)}
    assert known == {"+sip.instance": INSTANCE, "reg-id": "1"}


def test_nothing_that_a_phone_says_breaks_out_of_the_document(site: MemorySite) -> None:
    phone = subscriber(site, registered=False)
    evil = f"sip:200@{phone.address[0]};a=%3C/uri%3E;b='&$"
    call = "<!--\"'>]]>&amp;\x01"
    assert phone.register(contact=f"<{evil}>", call=call).status == 200
    assert phone.subscribe("200").status == 200
    assert contacts(phone) == [(evil, "active", "registered")]
    contact = phone.document.find("r:registration/r:contact", NAMESPACES)
    assert contact is not None
    assert contact.get("callid") == call.replace("\x01", " ")


def test_registrations_that_nobody_watches_are_told_nobody(site: MemorySite) -> None:
    phone = subscriber(site)
    accepted = phone.subscribe("200")
    phone.subscribe("200", "presence")
    assert dict(site.endpoint.location.watched) == {"user-200": 2}
    phone.refresh(accepted, 0)
    site.network.run(610)
    assert dict(site.endpoint.location.watched) == {}
