"""Resource lists: all lamps of a phone in one subscription (RFC 4662)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from xml.etree import ElementTree as ET

import pytest

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Message
from edge_agent.sip.presence.lists import MOST_DOCUMENTS
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_site import DOMAIN, sip_config
from tests.support.subscriber import Subscriber, subscriber

KNOWS_LISTS = "Supported: eventlist\r\nAccept: application/dialog-info+xml, application/rlmi+xml, multipart/related\r\n"
R = {"r": "urn:ietf:params:xml:ns:rlmi"}
D = {"d": "urn:ietf:params:xml:ns:dialog-info"}


@dataclass
class Told:
    """One NOTIFY of a list, read as RFC 4662 §5 says."""

    meta: ET.Element
    documents: dict[str, ET.Element]
    """By the address of the member."""

    @property
    def members(self) -> list[str]:
        """Their addresses, as the list has them."""
        return [one.get("uri", "") for one in self.meta.findall("r:resource", R)]

    def states(self, username: str) -> list[str | None]:
        """The state of each call of a member."""
        return [one.findtext("d:state", None, D) for one in self.documents[uri(username)].findall("d:dialog", D)]


def _xml(part: MIMEPart) -> ET.Element:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return ET.fromstring(content)


def read(notify: Message) -> Told:
    """The parts of a NOTIFY, found by Content-ID from the first one."""
    assert notify.get(b"require") == b"eventlist"
    head = b"Content-Type: " + notify.need(b"content-type") + b"\r\nMIME-Version: 1.0\r\n\r\n"
    whole = message_from_bytes(head + notify.body, policy=policy.default)
    assert isinstance(whole, EmailMessage)
    assert (whole.get_content_type(), whole.defects) == ("multipart/related", [])
    parts = {part["Content-ID"]: part for part in whole.iter_parts()}
    root = parts[whole["Content-Type"].params["start"]]
    assert root.get_content_type() == whole["Content-Type"].params["type"] == "application/rlmi+xml"
    meta = _xml(root)
    documents: dict[str, ET.Element] = {}
    for resource in meta.findall("r:resource", R):
        instance = resource.find("r:instance", R)
        if instance is not None:
            part = parts[f"<{instance.get('cid')}>"]
            documents[resource.get("uri", "")] = _xml(part)
    assert len(documents) == len(parts) - 1
    return Told(meta, documents)


def office(*members: str, users: int = 4) -> SipConfig:
    """A site where the phone of 200 has lamps of these."""
    members = members or ("201", "202", "203")
    return replace(sip_config(users=users), lists={"user-200": tuple(f"user-{one}" for one in members)})


def watch(site: MemorySite, to: str = "lamps.200", event: str = "dialog", headers: str = KNOWS_LISTS) -> Subscriber:
    """A phone of 200 that watches the list."""
    phone = subscriber(site)
    assert phone.subscribe(to, event, headers=headers).status == 200
    return phone


@pytest.fixture
def site() -> MemorySite:
    return MemorySite(office())


@pytest.mark.parametrize("name", ["lamps.200", "~~rl~F~200", "~~rl~C~200", "lamps.desk200"])
def test_a_list_is_told_as_a_whole_at_first(site: MemorySite, name: str) -> None:
    phone = watch(site, name)
    assert phone.responses[-1].get(b"require") == b"eventlist"
    told = read(phone.notifies[0])
    assert (told.meta.get("uri"), told.meta.get("version"), told.meta.get("fullState")) == (uri(name), "0", "true")
    assert told.members == [uri("201"), uri("202"), uri("203")]
    assert told.meta.findtext("r:resource/r:name", "", R) == "Desk 201"
    assert {one.get("state") for one in told.documents.values()} == {"full"}


def test_a_call_of_one_member_is_told_alone(site: MemorySite) -> None:
    phone = watch(site)
    site.phone("202", 180)
    site.phone("200").authenticated("INVITE", uri("202"))
    site.network.run(1)
    told = read(phone.notifies[-1])
    assert (told.meta.get("version"), told.meta.get("fullState")) == ("1", "false")
    assert told.members == [uri("202")]
    document = told.documents[uri("202")]
    assert (document.get("state"), document.get("version"), told.states("202")) == ("partial", "1", ["early"])


def test_each_members_documents_are_counted_for_themselves(site: MemorySite) -> None:
    """RFC 4235 §3.2: a subscriber that misses a version asks for everything again."""
    phone = watch(site)
    versions: dict[str, list[int]] = {}
    for callee in ("201", "203", "201", "203", "203"):
        callee_phone = site.phone(callee, 180, 486)
        site.phone("202").authenticated("INVITE", uri(callee))
        site.network.run(2)
        assert callee_phone.register(headers="Expires: 0\r\n").status == 200
    for notify in phone.notifies:
        for member, document in read(notify).documents.items():
            versions.setdefault(member, []).append(int(document.get("version", "")))
    assert versions[uri("203")] == list(range(len(versions[uri("203")])))
    assert len(versions[uri("203")]) > 2


def test_calls_of_several_members_within_the_pause_are_one_notify(site: MemorySite) -> None:
    phone = watch(site)
    site.network.run(1)
    site.phone("201", 180), site.phone("203", 180)
    first, second = site.phone("200"), site.phone("202")
    before = len(phone.notifies)
    site.network.run(1)
    first.authenticated("INVITE", uri("201"))
    second.authenticated("INVITE", uri("203"))
    site.network.run(1)
    members = [sorted(read(one).members) for one in phone.notifies[before:]]
    assert members[-1] in ([uri("201"), uri("202"), uri("203")], [uri("202"), uri("203")])
    assert len(members) <= 2
    assert all(
        later - earlier >= 0.5 for earlier, later in zip(phone.at[before:], phone.at[before + 1 :], strict=False)
    )


def test_a_long_list_is_told_in_pieces_that_fit(site: MemorySite) -> None:
    names = [str(201 + number) for number in range(25)]
    site = MemorySite(office(*names, users=26))
    phone = watch(site)
    site.network.run(3)
    told = [read(one) for one in phone.notifies]
    assert told[0].members == [uri(one) for one in names]
    assert [one.meta.get("fullState") for one in told] == ["true", "false", "false"]
    assert [len(one.documents) for one in told] == [MOST_DOCUMENTS, MOST_DOCUMENTS, 5]
    assert sorted(member for one in told for member in one.documents) == sorted(uri(one) for one in names)


def test_a_refresh_tells_the_whole_list_again(site: MemorySite) -> None:
    phone = watch(site)
    accepted = phone.responses[-1]
    site.network.run(2)
    answer = refresh(phone, accepted)
    assert (answer.status, answer.get(b"require")) == (200, b"eventlist")
    told = read(phone.notifies[-1])
    assert (told.meta.get("version"), told.meta.get("fullState")) == ("1", "true")
    assert len(told.documents) == 3


def refresh(phone: Subscriber, accepted: Message, expires: int = 600) -> Message:
    return phone.refresh(accepted, expires, event=f"dialog\r\n{KNOWS_LISTS.rstrip()}")


def test_unsubscribing_ends_with_the_members_and_nothing_of_their_state(site: MemorySite) -> None:
    phone = watch(site)
    refresh(phone, phone.responses[-1], expires=0)
    assert phone.states[-1] == "terminated;reason=timeout"
    told = read(phone.notifies[-1])
    assert (len(told.members), told.documents) == (3, {})


def test_a_list_that_changes_is_told_as_a_whole(site: MemorySite) -> None:
    phone = watch(site)
    site.network.run(1)
    site.configure(office("203", "200"))
    site.network.run(1)
    told = read(phone.notifies[-1])
    assert (told.meta.get("fullState"), told.members) == ("true", [uri("203"), uri("200")])
    before = len(phone.notifies)
    site.phone("201", 486)
    site.phone("202").authenticated("INVITE", uri("201"))
    site.network.run(2)
    assert len(phone.notifies) == before


def test_a_member_who_is_deleted_is_on_no_list(site: MemorySite) -> None:
    phone = watch(site)
    site.configure(
        replace(site.config, plan=office("201", "202", users=3).plan, credentials=office(users=3).credentials)
    )
    site.network.run(1)
    assert read(phone.notifies[-1]).members == [uri("201"), uri("202")]


def test_a_user_without_lamps_has_an_empty_list(site: MemorySite) -> None:
    phone = subscriber(site, "201")
    assert phone.subscribe("lamps.201", "dialog", headers=KNOWS_LISTS).status == 200
    assert read(phone.notifies[0]).members == []


def test_a_list_outlives_a_restart(site: MemorySite) -> None:
    phone = watch(site)
    before = len(phone.notifies)
    site.endpoint = site.started()
    site.network.run(2)
    told = read(phone.notifies[before])
    assert (told.meta.get("fullState"), len(told.documents)) == ("true", 3)
    assert int(told.meta.get("version", "")) > 1
    site.phone("202", 180)
    site.phone("200").authenticated("INVITE", uri("202"))
    site.network.run(1)
    assert read(phone.notifies[-1]).states("202") == ["early"]


def test_presence_has_lists_too(site: MemorySite) -> None:
    phone = watch(site, event="presence")
    told = read(phone.notifies[0])
    assert told.members == [uri("201"), uri("202"), uri("203")]
    site.phone("203")
    site.network.run(6)
    told = read(phone.notifies[-1])
    assert told.members == [uri("203")]
    assert b"open" in phone.notifies[-1].body


@pytest.mark.parametrize(
    ("headers", "status", "name", "value"),
    [
        ("", 421, b"require", b"eventlist"),
        ("Supported: path\r\n", 421, b"require", b"eventlist"),
        ("Supported: eventlist\r\nAccept: application/dialog-info+xml\r\n", 406, b"accept", b"multipart/related"),
    ],
)
def test_who_cannot_read_a_list_is_told_what_it_takes(
    site: MemorySite, headers: str, status: int, name: bytes, value: bytes
) -> None:
    """RFC 4662 §4.2, RFC 3261 §21.4.15."""
    answer = subscriber(site).subscribe("lamps.200", "dialog", headers=headers)
    assert (answer.status, answer.get(name)) == (status, value)


def test_who_requires_lists_may_subscribe_to_one(site: MemorySite) -> None:
    assert subscriber(site).subscribe("lamps.200", "dialog", headers="Require: eventlist\r\n").status == 200


@pytest.mark.parametrize(
    ("to", "event", "status"),
    [
        ("lamps.201", "dialog", 403),
        ("lamps.999", "dialog", 404),
        ("lamps.200", "reg", 404),
        ("lamps.200", "message-summary", 404),
    ],
)
def test_lists_of_others_and_lists_that_do_not_exist_are_refused(
    site: MemorySite, to: str, event: str, status: int
) -> None:
    assert subscriber(site).subscribe(to, event, headers=KNOWS_LISTS).status == status


def test_a_user_whose_name_looks_like_a_list_is_a_user() -> None:
    config = office()
    plan = replace(config.plan, dialled={**config.plan.dialled, "lamps.200": config.plan.dialled["201"]})
    site = MemorySite(replace(config, plan=plan))
    phone = subscriber(site)
    assert phone.subscribe("lamps.200", "dialog").status == 200
    assert phone.document.get("entity") == f"sip:201@{DOMAIN}"


def test_no_member_can_break_out_of_the_document() -> None:
    config = office()
    user = config.users["user-201"].model_copy(update={"display_name": '<&">--list'})
    plan = replace(config.plan, users={**config.users, "user-201": user})
    phone = watch(MemorySite(replace(config, plan=plan)))
    assert read(phone.notifies[0]).meta.findtext("r:resource/r:name", "", R) == '<&">--list'


def test_content_ids_are_never_used_twice(site: MemorySite) -> None:
    phone = watch(site)
    site.phone("202", 180, 200)
    site.phone("200").authenticated("INVITE", uri("202"))
    site.network.run(3)
    names = [name for one in phone.notifies for name in re.findall(rb"Content-ID: <([^>]+)>", one.body)]
    assert len(names) == len(set(names)) > 4
