"""Shared lines: appearances on every phone, seizing, holding, taking up and barging in (RFC 7463, line-seize)."""

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contract.dialplan import compile_plan
from contract.snapshot import DialPlan, Forwarding, InternalRule, Site, Snapshot, User
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Message
from tests.edge_agent.sip.presence.test_dialogs import D, after_a_while, shown
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, REALM, sip_config
from tests.support.subscriber import Subscriber, subscriber

SA = "{urn:ietf:params:xml:ns:sa-dialog-info}"
KNOWS = "Supported: replaces, join\r\n"
INFO = "Content-Type: application/dialog-info+xml\r\n"


def with_lines(**users: dict[str, Any]) -> SipConfig:
    """200 to 203, of whom 201 has a shared line with two appearances."""
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm=REALM),
        users=tuple(
            User(
                **{
                    "user_id": f"user-{name}",
                    "username": name,
                    "display_name": f"Desk {name}",
                    "appearances": 2 if name == "201" else 0,
                    **users.get(f"u{name}", {}),
                }
            )
            for name in ("200", "201", "202", "203")
        ),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="internal"),)),
    )
    return replace(sip_config(), plan=compile_plan(snapshot))


@pytest.fixture
def line(site: MemorySite) -> MemorySite:
    site.config = with_lines()
    site.configure(site.config)
    return site


def watching(site: MemorySite, event: str = "dialog;shared", username: str = "201") -> Subscriber:
    """A phone of the line that watches it."""
    phone = subscriber(site, username)
    accepted = phone.subscribe("201", event=event)
    assert accepted.status == 200, accepted.status
    return phone


def places(phone: Subscriber) -> list[tuple[str | None, ...]]:
    """Appearance, state, whether it is on hold and whether it is private, of each dialog in the newest document."""
    found: list[tuple[str | None, ...]] = []
    for one in phone.document.findall("d:dialog", D):
        rendering = one.find("d:local/d:target/d:param[@pname='+sip.rendering']", D)
        assert rendering is not None
        index = one.findtext(f"{SA}appearance")
        line_id = one.find("d:local/d:target/d:param[@pname='x-line-id']", D)
        assert line_id is not None
        assert int(line_id.get("pval", "")) == int(index or "") - 1
        held = "held" if rendering.get("pval") == "no" else ""
        found.append((index, one.findtext("d:state", None, D), held, one.findtext(f"{SA}exclusive")))
    return found


def call_info(phone: Subscriber) -> dict[str, str]:
    """The state of each place in the newest Call-Info."""
    value = b", ".join(phone.notifies[-1].all(b"call-info")).decode()
    return dict(re.findall(r";appearance-index=([0-9*]+);appearance-state=([a-z-]+)", value))


def seize(phone: Subscriber, index: int | None = 1, expires: int = 15) -> int:
    """Ask for a place by line-seize; the status of the answer."""
    info = "" if index is None else f"Call-Info: <sip:{DOMAIN}>;appearance-index={index}\r\n"
    return phone.subscribe("201", event="line-seize", expires=expires, headers=info).status


def published(phone: SipPhone, dialogs: str, expires: int = 60, match: str = "") -> Message:
    """The answer to a PUBLISH of these dialogs."""
    body = (
        '<?xml version="1.0"?><dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" '
        f'xmlns:sa="urn:ietf:params:xml:ns:sa-dialog-info" version="0" state="full" entity="{uri("201")}">'
        f"{dialogs}</dialog-info>"
    )
    found = f"SIP-If-Match: {match}\r\n" if match else ""
    phone.authenticated(
        "PUBLISH", uri("201"), headers=f"Event: dialog;shared\r\nExpires: {expires}\r\n{found}{INFO}", body=body
    )
    return phone.responses[-1]


def trying(index: int | None = None) -> str:
    wanted = "" if index is None else f"<sa:appearance>{index}</sa:appearance>"
    return f'<dialog id="d1" direction="initiator">{wanted}<state>trying</state></dialog>'


@dataclass
class Answered:
    """A call of 200 to the line.

    Args:
        caller: 200's phone.
        phone: of the line, which answered.
        sent: the INVITE as its caller sent it.
        rung: the INVITE as it rang.
        answer: the 200 of the phone.
    """

    caller: SipPhone
    phone: SipPhone
    sent: Message
    rung: Message
    answer: Message

    @property
    def replaces(self) -> str:
        """What names the call to its caller's phone."""
        return (
            f"{self.rung.call_id.decode()};to-tag={self.rung.from_tag.decode()};from-tag={self.answer.to_tag.decode()}"
        )

    def hold(self, site: MemorySite, how: str = "sendonly", headers: str = "") -> None:
        """The phone of the line sends a re-INVITE."""
        body = f"v=0\r\no=- 1 2 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na={how}\r\n"
        self.phone.in_dialog("INVITE", self.rung, self.answer, as_callee=True, headers=headers, body=body)
        after_a_while(site)


def answered_call(site: MemorySite, phone: SipPhone, *, headers: str = KNOWS) -> Answered:
    """200 calls 201, and that phone answers."""
    caller = site.phone("200", 200)
    invite = caller.authenticated("INVITE", uri("201"), headers=headers)
    answer = phone.answer(200, headers=((b"Supported", b"replaces, join"),))
    after_a_while(site)
    assert caller.statuses[-1] == 200
    caller.in_dialog("ACK", invite, caller.responses[-1])
    site.network.run()
    return Answered(caller, phone, invite, phone.ringing, answer)


# -- what is shown


@pytest.mark.parametrize("event", ["dialog;shared", "dialog;sla", "dialog;ma"])
def test_a_call_is_shown_at_its_appearance_on_every_phone_of_the_line(line: MemorySite, event: str) -> None:
    """RFC 7463 §5.2, draft-anil-sipping-bla."""
    first, second = watching(line, event), watching(line, event)
    first.answers = second.answers = (180,)
    assert first.notifies[0].get(b"event") == event.encode()
    assert places(first) == []
    caller = line.phone("200")
    invite = caller.authenticated("INVITE", uri("201"))
    after_a_while(line)
    assert places(second) == [("1", "early", "", "false")]
    for phone in (first, second):
        assert phone.ringing.all(b"alert-info") == [b"<urn:alert:service:normal>;appearance=1"]
        assert phone.ringing.all(b"call-info") == [f"<sip:{DOMAIN}>;appearance-index=1".encode()]
    first.answer(200)
    after_a_while(line)
    assert places(second) == [("1", "confirmed", "", "false")]
    caller.in_dialog("ACK", invite, caller.responses[-1])
    caller.in_dialog("BYE", invite, caller.responses[-1])
    after_a_while(line)
    assert places(second) == [("1", "terminated", "", "false")]
    assert shown(watching(line, event)) == []


def test_call_info_tells_the_state_of_each_place(line: MemorySite) -> None:
    first, second = watching(line, "call-info"), watching(line, "call-info")
    first.answers = second.answers = (180,)
    assert call_info(second) == {"*": "idle"}
    call = answered_call(line, first)
    assert call_info(second) == {"1": "active", "*": "idle"}
    assert b'appearance-uri="<sip:200@demo.tandem.test>"' in b"".join(second.notifies[-1].all(b"call-info"))
    assert second.notifies[-1].body == b""
    call.hold(line)
    assert call_info(second) == {"1": "held", "*": "idle"}
    callee = line.phone("202", 180)
    first.authenticated("INVITE", uri(callee.username))
    after_a_while(line)
    assert call_info(second) == {"1": "held", "2": "progressing"}


def test_only_phones_of_the_line_watch_it_and_only_shared_lines_are_watched(line: MemorySite) -> None:
    for event in ("dialog;shared", "call-info"):
        assert subscriber(line, "202").subscribe("201", event=event).status == 403
        assert subscriber(line, "202").subscribe("202", event=event).status == 404
    assert seize(subscriber(line, "202")) == 403


def test_events_are_named_without_their_variants(line: MemorySite) -> None:
    phone = subscriber(line, "201")
    refused = phone.subscribe("201", event="nonsense")
    assert refused.status == 489
    assert refused.get(b"allow-events") == b"reg, presence, dialog, message-summary, call-info, line-seize"


def test_a_lamp_of_the_line_is_as_before(line: MemorySite) -> None:
    watcher = subscriber(line, "202")
    assert watcher.subscribe("201", event="dialog").status == 200
    phone = line.phone("201", 180)
    line.phone("200").authenticated("INVITE", uri("201"))
    after_a_while(line)
    del phone
    assert shown(watcher) == [("recipient", "early")]
    assert watcher.document.find(f"d:dialog/{SA}appearance", D) is None


# -- places


def test_a_line_whose_appearances_are_all_taken_is_busy(line: MemorySite) -> None:
    line.configure(with_lines(u201={"forwarding": Forwarding(busy="203")}))
    phone, other = line.phone("201", 180), line.phone("203", 180)
    caller = line.phone("200")
    for _ in range(2):
        caller.authenticated("INVITE", uri("201"))
    after_a_while(line)
    assert [one.get(b"alert-info") for one in phone.requests] == [
        b"<urn:alert:service:normal>;appearance=1",
        b"<urn:alert:service:normal>;appearance=2",
    ]
    line.phone("202").authenticated("INVITE", uri("201"))
    after_a_while(line)
    assert len(phone.requests) == 2
    assert other.ringing.uri == other.contact.encode()
    phone.authenticated("INVITE", uri("202"))
    assert phone.responses[-1].status == 486


def test_a_place_at_which_nothing_rang_is_free_when_the_call_ends(line: MemorySite) -> None:
    phone = line.phone("201", 486)
    for _ in range(3):
        caller = line.phone("200")
        caller.authenticated("INVITE", uri("201"))
        after_a_while(line)
        assert caller.statuses[-1] == 486
    assert {one.get(b"alert-info") for one in phone.requests if one.method == b"INVITE"} == {
        b"<urn:alert:service:normal>;appearance=1"
    }


def test_callers_do_not_say_at_which_place_they_ring(line: MemorySite) -> None:
    phone = line.phone("201", 180)
    forged = f"Call-Info: <sip:{DOMAIN}>;appearance-index=2\r\nAlert-Info: <urn:alert:service:normal>;appearance=9\r\n"
    line.phone("200").authenticated("INVITE", uri("201"), headers=forged)
    after_a_while(line)
    assert phone.ringing.all(b"call-info") == [f"<sip:{DOMAIN}>;appearance-index=1".encode()]
    assert phone.ringing.all(b"alert-info") == [b"<urn:alert:service:normal>;appearance=1"]


# -- seizing


def test_who_seizes_a_place_first_has_it(line: MemorySite) -> None:
    first, second = watching(line, "call-info"), watching(line, "call-info")
    assert seize(first) == 200
    line.network.run()
    assert call_info(second) == {"1": "seized", "*": "idle"}
    assert b"appearance-index=1" in (first.notifies[-1].get(b"call-info") or b"")
    assert seize(second) == 480
    assert seize(second, 3) == 480, "there is no such place"
    assert seize(second, 2) == 200


def test_a_seized_place_is_the_calls_of_the_phone_that_seized_it(line: MemorySite) -> None:
    first, second = watching(line, "call-info"), watching(line, "call-info")
    assert seize(first, 2) == 200
    line.phone("202", 180)
    dialled = f"Call-Info: <sip:{DOMAIN}>;appearance-index=2\r\n"
    second.authenticated("INVITE", uri("202"), headers=dialled)
    assert second.responses[-1].status == 486
    first.authenticated("INVITE", uri("202"), headers=dialled)
    after_a_while(line)
    assert call_info(second) == {"2": "progressing", "*": "idle"}
    assert "terminated;reason=noresource" in first.states, "there is nothing to seize any more"


def test_a_phone_that_names_no_place_calls_from_the_one_that_it_seized(line: MemorySite) -> None:
    first = watching(line)
    assert seize(first, 2) == 200
    callee = line.phone("202", 180)
    first.authenticated("INVITE", uri("202"))
    after_a_while(line)
    assert places(first)[-1][:2] == ("2", "early")
    assert not callee.ringing.has(b"call-info")


@pytest.mark.parametrize("leaves", ["unsubscribes", "lapses"])
def test_a_seizure_ends_with_its_subscription(line: MemorySite, leaves: str) -> None:
    first, second = watching(line, "call-info"), watching(line, "call-info")
    assert seize(first) == 200
    if leaves == "unsubscribes":
        accepted = next(one for one in reversed(first.responses) if one.status == 200)
        first.refresh(accepted, expires=0, event="line-seize")
    else:
        line.network.run(21)
    after_a_while(line)
    assert call_info(second) == {"*": "idle"}
    assert seize(second) == 200


def test_a_place_is_seized_by_publishing_that_it_is_tried(line: MemorySite) -> None:
    """RFC 7463 §5.3."""
    first, second = watching(line), watching(line)
    accepted = published(first, trying())
    assert accepted.status == 200
    assert places(second) == [("1", "trying", "", "false")]
    assert published(second, trying(1)).status == 409
    assert published(second, trying(2)).status == 200
    tag = accepted.need(b"sip-etag").decode()
    assert published(first, "", match=tag).status == 200
    after_a_while(line)
    assert second.document.get("state") == "full"
    assert places(second) == [("2", "trying", "", "false")]


def test_a_published_seizure_lapses_within_a_minute(line: MemorySite) -> None:
    first, second = watching(line), watching(line)
    assert published(first, trying(1), expires=600).status == 200
    line.network.run(66)
    assert places(second)[-1][:2] == ("1", "terminated")


@pytest.mark.parametrize(
    "body",
    [
        "<dialog",
        '<dialog id="1"><sa:appearance>no</sa:appearance></dialog>',
        "<x>" * 30 + "</x>" * 30,
        "<x/>" * 600,
    ],
)
def test_a_document_that_is_none_is_refused(line: MemorySite, body: str) -> None:
    assert published(watching(line), body).status == 400


def test_help_is_called_though_the_line_is_full(line: MemorySite) -> None:
    config = replace(with_lines(u201={"appearances": 1}), emergency_numbers=("112",))
    line.configure(config)
    phone = line.phone("201", 180)
    line.phone("200").authenticated("INVITE", uri("201"))
    after_a_while(line)
    phone.request("INVITE", uri("112"))
    after_a_while(line)
    assert phone.responses[-1].status not in (403, 407, 486)


# -- holding, taking up, joining


def test_a_held_call_is_taken_up_by_another_phone_that_replaces_it(line: MemorySite) -> None:
    first, second = watching(line), watching(line)
    first.answers = second.answers = (180,)
    call = answered_call(line, first)
    call.hold(line)
    assert places(second)[-1] == ("1", "confirmed", "held", "false")
    dialog = second.document.findall("d:dialog", D)[-1]
    replaces = f"{dialog.get('call-id')};to-tag={dialog.get('remote-tag')};from-tag={dialog.get('local-tag')}"
    taking = second.authenticated("INVITE", uri("200"), headers=f"Replaces: {replaces}\r\n{KNOWS}")
    after_a_while(line)
    assert call.caller.ringing.uri == call.caller.contact.encode()
    assert call.caller.ringing.get(b"replaces") == replaces.encode()
    assert second.responses[-1].status == 200
    second.in_dialog("ACK", taking, second.responses[-1])
    assert places(first)[-1] == ("1", "confirmed", "", "false")
    assert first.document.findall("d:dialog", D)[-1].get("call-id") == taking.call_id.decode()

    # Whoever was replaced is hung up, which ends nothing; then the call ends, once.
    accepted = next(one for one in call.caller.responses if one.status == 200 and one.cseq[1] == b"INVITE")
    call.caller.in_dialog("BYE", call.sent, accepted)
    line.network.run()
    assert "BYE" in first.methods
    assert not line.log.records
    second.in_dialog("BYE", taking, second.responses[-1])
    after_a_while(line)
    assert [one.disposition for one in line.log.records] == ["answered"]
    assert any(reason.startswith("taken_up: ") for reason in line.record.reasons)
    assert places(first)[-1][:2] == ("1", "terminated")


def test_a_held_call_is_taken_up_by_calling_the_own_line_at_its_appearance(line: MemorySite) -> None:
    first, second = watching(line, "call-info"), watching(line, "call-info")
    first.answers = second.answers = (180,)
    call = answered_call(line, first)
    call.hold(line)
    assert seize(second) == 200, "a held call may be seized by any phone of the line"
    second.authenticated("INVITE", uri("201"), headers=f"Call-Info: <sip:{DOMAIN}>;appearance-index=1\r\n{KNOWS}")
    after_a_while(line)
    assert call.caller.ringing.get(b"replaces") == call.replaces.encode()
    assert not call.caller.ringing.has(b"call-info")
    assert second.responses[-1].status == 200
    assert call_info(first) == {"1": "active", "*": "idle"}


def test_a_private_call_is_left_to_the_phone_that_holds_it(line: MemorySite) -> None:
    first, second = watching(line, "call-info"), watching(line, "call-info")
    first.answers = second.answers = (180,)
    call = answered_call(line, first)
    private = f"Call-Info: <sip:{DOMAIN}>;appearance-index=1;appearance-state=held-private\r\n"
    call.hold(line, headers=private)
    assert call_info(second) == {"1": "held-private", "*": "idle"}
    assert seize(second) == 480
    mine = f"Call-Info: <sip:{DOMAIN}>;appearance-index=1\r\n{KNOWS}"
    second.authenticated("INVITE", uri("201"), headers=mine)
    assert second.responses[-1].status == 403
    assert [one.method for one in call.caller.requests].count(b"INVITE") == 1, "its own re-INVITE"
    call.hold(line, "sendrecv")
    assert call_info(second) == {"1": "active", "*": "idle"}


def test_a_phone_publishes_that_its_call_is_private(line: MemorySite) -> None:
    """RFC 7463 §5.4."""
    first, second = watching(line), watching(line)
    first.answers = second.answers = (180,)
    call = answered_call(line, first)
    own = (
        f'<dialog id="d1" call-id="{call.rung.call_id.decode()}"><sa:appearance>1</sa:appearance>'
        "<sa:exclusive>true</sa:exclusive><state>confirmed</state></dialog>"
    )
    assert published(first, own).status == 200
    assert places(second)[-1] == ("1", "confirmed", "", "true")
    second.authenticated("INVITE", uri("201"), headers=f"Call-Info: <sip:{DOMAIN}>;appearance-index=1\r\n{KNOWS}")
    assert second.responses[-1].status == 403


def test_a_phone_of_the_line_barges_in_by_joining_the_phone_that_talks(line: MemorySite) -> None:
    first, second = watching(line), watching(line)
    first.answers = second.answers = (180,)
    call = answered_call(line, first)
    first.answers = (200,)
    second.authenticated("INVITE", uri("201"), headers=f"Call-Info: <sip:{DOMAIN}>;appearance-index=1\r\n{KNOWS}")
    after_a_while(line)
    rung, tag = call.rung, call.answer.to_tag
    assert first.ringing.get(b"join") == rung.call_id + b";to-tag=" + tag + b";from-tag=" + rung.from_tag
    assert second.responses[-1].status == 200
    assert not call.caller.requests
    (opened,) = line.log.open_calls.values()
    assert any(reason.startswith("joined: ") for reason in opened.reasons)


def test_a_call_whose_other_end_knows_no_replaces_is_not_taken_up(line: MemorySite) -> None:
    first, second = watching(line), watching(line)
    first.answers = second.answers = (180,)
    call = answered_call(line, first, headers="")
    call.hold(line)
    second.authenticated("INVITE", uri("201"), headers=f"Call-Info: <sip:{DOMAIN}>;appearance-index=1\r\n{KNOWS}")
    assert second.responses[-1].status == 480
    assert second.responses[-1].reason == b"The Other Phone Knows No Replaces"


def test_nobody_else_takes_a_call_of_the_line_up(line: MemorySite) -> None:
    first, stranger = watching(line), line.phone("202")
    first.answers = (180,)
    call = answered_call(line, first)
    call.hold(line)
    before = len(line.log.open_calls)
    stranger.authenticated("INVITE", uri("200"), headers=f"Replaces: {call.replaces}\r\n")
    after_a_while(line)
    assert len(line.log.open_calls) == before + 1, "the phones' own business, as a call of its own"
    assert places(first)[-1] == ("1", "confirmed", "held", "false")


# -- restart


def test_appearances_and_holds_outlive_a_restart_and_each_phone_is_told_once(line: MemorySite) -> None:
    first, second = watching(line), watching(line)
    first.answers = second.answers = (180,)
    call = answered_call(line, first)
    call.hold(line)
    line.network.run(6)
    before = len(second.notifies)
    line.endpoint = line.started()
    line.network.run(5)
    assert places(second) == [("1", "confirmed", "held", "false")]
    assert len(second.notifies) == before + 1
    accepted = next(one for one in call.caller.responses if one.status == 200 and one.cseq[1] == b"INVITE")
    call.caller.in_dialog("BYE", call.sent, accepted)
    after_a_while(line)
    assert places(second)[-1][:2] == ("1", "terminated")


def test_a_line_that_is_shared_no_more_is_watched_no_more(line: MemorySite) -> None:
    phone = watching(line)
    line.configure(with_lines(u201={"appearances": 0}))
    line.network.run(2)
    assert phone.states[-1] == "terminated;reason=noresource"
