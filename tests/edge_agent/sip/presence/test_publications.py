"""PUBLISH and the `presence` package: state that is published, kept, put together and told (RFC 3903, 3856, 3863)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import BadMessage, Message
from edge_agent.sip.presence import pidf
from tests.support.memory_site import MemorySite, uri, with_limits
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import sip_config
from tests.support.subscriber import NAMESPACES, Subscriber, subscriber

HEAD = '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:200@demo.tandem.test">'
AWAY = f'{HEAD}<note>away</note><tuple id="t1"><status><basic>closed</basic></status></tuple></presence>'
HERE = f'{HEAD}<tuple id="t1"><status><basic>open</basic></status><note>at my desk</note></tuple></presence>'


def publish(
    phone: SipPhone, body: str = AWAY, tag: str = "", expires: int | None = 600, to: str = "200", headers: str = ""
) -> Message:
    """Publish presence; the final response."""
    lines = "Event: presence\r\n" + headers
    lines += f"SIP-If-Match: {tag}\r\n" if tag else ""
    lines += "" if expires is None else f"Expires: {expires}\r\n"
    lines += "Content-Type: application/pidf+xml\r\n" if body and "Content-Type" not in headers else ""
    phone.authenticated("PUBLISH", uri(to), headers=lines, body=body)
    return phone.responses[-1]


def tag_of(response: Message) -> str:
    """The entity tag that a publication got."""
    assert response.status == 200, response.status
    return response.need(b"sip-etag").decode()


def basics(phone: Subscriber) -> list[str | None]:
    """Whether each tuple of the newest document is open."""
    return [one.text for one in phone.document.findall("p:tuple/p:status/p:basic", NAMESPACES)]


def published(site: MemorySite) -> int:
    """How many publications there are."""
    return len(site.endpoint.events.publications)


def test_a_publication_is_made_refreshed_changed_and_removed(site: MemorySite) -> None:
    """RFC 3903 §4, §6."""
    phone = site.phone("200")
    made = publish(phone, AWAY)
    assert made.get(b"expires") == b"600"
    refreshed = publish(phone, "", tag_of(made))
    changed = publish(phone, HERE, tag_of(refreshed))
    assert len({tag_of(made), tag_of(refreshed), tag_of(changed)}) == 3
    assert published(site) == 1
    removed = publish(phone, "", tag_of(changed), expires=0)
    assert (removed.get(b"expires"), published(site)) == (b"0", 0)


def test_a_tag_that_is_not_the_newest_is_refused(site: MemorySite) -> None:
    """RFC 3903 §6 step 4."""
    phone, other = site.phone("200"), site.phone("201")
    first = tag_of(publish(phone))
    publish(phone, "", first)
    answer = publish(phone, HERE, first)
    assert (answer.status, answer.reason) == (412, b"Conditional Request Failed")
    theirs = tag_of(publish(other, to="201"))
    assert publish(phone, HERE, theirs).status == 412


def test_a_publication_lapses(site: MemorySite) -> None:
    phone, watcher = site.phone("200"), subscriber(site, "201")
    publish(phone, AWAY, expires=60)
    watcher.subscribe("200", "presence")
    assert basics(watcher) == ["open", "closed"]
    site.network.run(70)
    assert published(site) == 0
    assert basics(watcher) == ["open"]


@pytest.mark.parametrize(
    ("arguments", "status", "name", "value"),
    [
        ({"headers": "Content-Type: text/plain\r\n"}, 415, b"accept", b"application/pidf+xml"),
        ({"headers": "Content-Encoding: gzip\r\n"}, 415, b"accept", b"application/pidf+xml"),
        ({"expires": 5}, 423, b"min-expires", b"30"),
        ({"body": ""}, 400, b"x", None),
        ({"body": "<presence/>"}, 400, b"x", None),
        ({"body": "nonsense"}, 400, b"x", None),
        ({"body": AWAY.replace("</presence>", "")}, 400, b"x", None),
        ({"body": '<!DOCTYPE x [<!ENTITY a "b">]>' + AWAY}, 400, b"x", None),
        ({"tag": "a, b"}, 400, b"x", None),
        ({"to": "201"}, 403, b"x", None),
        ({"to": "nobody"}, 404, b"x", None),
        ({"headers": "Require: foo\r\n"}, 420, b"unsupported", b"foo"),
    ],
)
def test_what_cannot_be_published_is_refused_with_the_reason(
    site: MemorySite, arguments: dict[str, str], status: int, name: bytes, value: bytes | None
) -> None:
    """RFC 3903 §6."""
    answer = publish(site.phone("200"), **arguments)  # type: ignore[arg-type]
    assert (answer.status, answer.get(name)) == (status, value)
    assert published(site) == 0


def test_an_event_that_is_not_published_is_refused(site: MemorySite) -> None:
    """RFC 3903 §6 step 2."""
    phone = site.phone("200")
    phone.authenticated("PUBLISH", uri("200"), headers="Event: reg\r\n", body=AWAY)
    assert (phone.statuses[-1], phone.responses[-1].get(b"allow-events")) == (489, b"presence, dialog")


def test_publications_have_limits(site: MemorySite) -> None:
    """RFC 3903 §14.2."""
    phone, other = site.phone("200"), site.phone("201")
    site.configure(with_limits(site.config, publications_per_user=2, publications=3, publication_bytes=600))
    first = tag_of(publish(phone))
    publish(phone)
    assert publish(phone).status == 403
    assert publish(phone, HERE, first).status == 200
    publish(other, to="201")
    assert publish(other, to="201").status == 503
    big = AWAY.replace("away", "a" * 1000)
    assert publish(phone, big).status == 413


def test_presence_is_what_was_published_and_whether_a_phone_is_registered(site: MemorySite) -> None:
    """RFC 3856 §6.11.1, RFC 3863 §4."""
    watcher = subscriber(site, "201")
    watcher.subscribe("200", "presence")
    assert watcher.notifies[0].get(b"content-type") == b"application/pidf+xml"
    assert watcher.document.get("entity") == uri("200")
    assert basics(watcher) == ["closed"]
    phone = site.phone("200")
    site.network.run(6)
    assert basics(watcher) == ["open"]
    publish(phone, AWAY)
    publish(phone, HERE)
    site.network.run(6)
    assert basics(watcher) == ["open", "closed", "open"]
    ids = [one.get("id") for one in watcher.document.findall("p:tuple", NAMESPACES)]
    assert len(set(ids)) == 3
    assert watcher.document.findtext("p:note", None, NAMESPACES) == "away"
    assert [one.tag.rpartition("}")[2] for one in watcher.document] == ["tuple", "tuple", "tuple", "note"]
    pidf.check(watcher.notifies[-1].body)
    phone.register(contact="*", headers="Expires: 0\r\n")
    site.network.run(6)
    assert basics(watcher)[0] == "closed"


def test_a_refresh_of_a_registration_or_publication_tells_nobody(site: MemorySite) -> None:
    """RFC 3903 §6 step 5: the state did not change."""
    phone, watcher = site.phone("200"), subscriber(site, "201")
    made = publish(phone)
    watcher.subscribe("200", "presence")
    publish(phone, "", tag_of(made))
    phone.register()
    site.network.run(20)
    assert len(watcher.notifies) == 1


def test_publications_outlive_a_restart(site: MemorySite) -> None:
    phone, watcher = site.phone("200"), subscriber(site, "201")
    tag = tag_of(publish(phone, HERE))
    publish(phone, AWAY, expires=60)
    site.endpoint.stop()
    site.network.clock.advance(100)
    site.endpoint = site.started()
    assert published(site) == 1
    watcher.subscribe("200", "presence")
    assert basics(watcher) == ["open", "open"]
    assert publish(phone, "", tag).status == 200


def test_what_a_disabled_user_published_goes(site: MemorySite) -> None:
    phone, watcher = site.phone("200"), subscriber(site, "201")
    publish(phone, AWAY)
    watcher.subscribe("200", "presence")
    site.configure(sip_config("200"))
    site.network.run(6)
    assert basics(watcher) == ["closed"]
    assert published(site) == 0


def test_a_service_of_the_site_publishes_for_a_user(site: MemorySite) -> None:
    service = SipPhone(site.network, ("192.0.2.200", 5070), ("192.0.2.1", 5060), "201")
    site.configure(replace(site.config, trusted=frozenset({service.address})))
    headers = "Event: presence\r\nContent-Type: application/pidf+xml\r\n"
    service.request("PUBLISH", uri("200"), headers=headers, body=HERE)
    site.network.run()
    assert (service.statuses, published(site)) == ([200], 1)


def test_a_publication_addressed_to_a_phone_is_passed_on(site: MemorySite) -> None:
    phone, other = site.phone("200"), site.phone("201")
    phone.authenticated("PUBLISH", other.contact, headers="Event: presence\r\n")
    assert other.methods == ["PUBLISH"]


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"{HEAD}{text}</presence>".encode()))
def test_any_body_is_a_document_or_malformed(body: bytes) -> None:
    try:
        pidf.check(body)
    except BadMessage:
        return
    assert pidf.composed("sip:200@demo.tandem.test", True, [("tag", body)])


@pytest.mark.parametrize("body", [HEAD + "<a>" * 30 + "</a>" * 30 + "</presence>", HEAD + "<a/>" * 600 + "</presence>"])
def test_a_document_that_is_too_deep_or_has_too_much_in_it_is_refused(body: str) -> None:
    with pytest.raises(BadMessage):
        pidf.check(body.encode())
