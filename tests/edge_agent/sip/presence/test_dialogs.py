"""The `dialog` package: what a busy lamp shows, and what picking up needs (RFC 4235)."""

from dataclasses import replace
from itertools import pairwise

import pytest

from contract.dialplan import SiteState
from contract.snapshot import Forwarding
from edge_agent.sip.message import Message
from tests.support.memory_site import MemorySite, uri, with_limits
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import sip_config
from tests.support.subscriber import Subscriber, subscriber

D = {"d": "urn:ietf:params:xml:ns:dialog-info"}


def lamp(site: MemorySite, whose: str, username: str = "202") -> Subscriber:
    """A phone with a key that shows a user's calls."""
    phone = subscriber(site, username)
    assert phone.subscribe(whose, event="dialog").status == 200
    return phone


def shown(phone: Subscriber) -> list[tuple[str | None, str | None]]:
    """Direction and state of each dialog in the newest document."""
    return [(one.get("direction"), one.findtext("d:state", None, D)) for one in phone.document.findall("d:dialog", D)]


def told(phone: Subscriber) -> list[str | None]:
    """The state of the dialog in each document after the first."""
    before, states = phone.notifies, list[str | None]()
    for number in range(1, len(before)):
        phone.notifies = before[: number + 1]
        states.append(phone.document.findtext("d:dialog/d:state", None, D))
    phone.notifies = before
    return states


def after_a_while(site: MemorySite) -> None:
    site.network.run(1)


def ringing_call(site: MemorySite, *answers: int) -> tuple[Message, Message]:
    """200 calls 201; the INVITE and the last response."""
    caller, callee = site.phone("200"), site.phone("201", *(answers or (180,)))
    invite = caller.authenticated("INVITE", uri("201"))
    del callee
    after_a_while(site)
    return invite, caller.responses[-1]


def test_the_first_document_is_full_and_of_a_user_without_calls_empty(site: MemorySite) -> None:
    """RFC 4235 §4.1."""
    phone = lamp(site, "201")
    root = phone.document
    assert phone.notifies[0].get(b"content-type") == b"application/dialog-info+xml"
    assert (root.get("version"), root.get("state"), root.get("entity")) == ("0", "full", uri("201"))
    assert shown(phone) == []


def test_a_lamp_follows_a_call_from_its_ringing_to_its_end(site: MemorySite) -> None:
    """RFC 4235 §3.7.1."""
    phone = lamp(site, "201")
    caller, callee = site.phone("200"), site.phone("201", 180)
    invite = caller.authenticated("INVITE", uri("201"))
    after_a_while(site)
    assert (phone.document.get("version"), phone.document.get("state")) == ("1", "partial")
    assert shown(phone) == [("recipient", "early")]
    callee.answer(200)
    after_a_while(site)
    assert shown(phone) == [("recipient", "confirmed")]
    caller.in_dialog("ACK", invite, caller.responses[-1])
    caller.in_dialog("BYE", invite, caller.responses[-1])
    after_a_while(site)
    assert told(phone) == ["early", "confirmed", "terminated"]
    ids = {one.get("id") for one in phone.document.findall("d:dialog", D)}
    assert len(ids) == 1


def test_a_lamp_of_the_caller_shows_the_call_from_its_first_moment(site: MemorySite) -> None:
    phone = lamp(site, "200")
    caller, callee = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"))
    after_a_while(site)
    assert shown(phone) == [("initiator", "trying")]
    callee.answer(180)
    after_a_while(site)
    assert shown(phone) == [("initiator", "early")]
    callee.answer(200)
    after_a_while(site)
    assert shown(phone) == [("initiator", "confirmed")]


def test_who_subscribes_while_a_call_is_up_sees_it(site: MemorySite) -> None:
    ringing_call(site, 180, 200)
    phone = lamp(site, "201")
    assert shown(phone) == [("recipient", "confirmed")]
    assert phone.document.get("state") == "full"


def test_a_ringing_dialog_is_named_so_that_it_can_be_picked_up(site: MemorySite) -> None:
    """RFC 4235 §4.1.2 and RFC 3891 §3: Replaces takes Call-ID and tags as the caller's phone knows them."""
    phone = lamp(site, "201")
    invite, ringing = ringing_call(site)
    dialog = phone.document.find("d:dialog", D)
    assert dialog is not None
    assert dialog.get("call-id") == invite.call_id.decode()
    assert dialog.get("remote-tag") == invite.from_tag.decode()
    assert dialog.get("local-tag") == ringing.to_tag.decode()
    target = dialog.find("d:remote/d:target", D)
    assert target is not None
    assert target.get("uri") == uri("200")
    assert dialog.findtext("d:local/d:identity", None, D) == uri("201")


def test_a_caller_who_wants_privacy_is_not_named(site: MemorySite) -> None:
    """RFC 3323 §4.2."""
    phone = lamp(site, "201")
    site.phone("201", 180)
    site.phone("200").authenticated("INVITE", uri("201"), headers="Privacy: id\r\n")
    after_a_while(site)
    assert shown(phone) == [("recipient", "early")]
    assert phone.document.find("d:dialog/d:remote", D) is None
    assert b"sip:200" not in phone.notifies[-1].body


@pytest.mark.parametrize("status", [486, 603])
def test_a_refused_call_leaves_the_lamp_dark(site: MemorySite, status: int) -> None:
    phone = lamp(site, "201")
    ringing_call(site, 180, status)
    assert told(phone)[-1] == "terminated"


def test_a_call_that_the_caller_takes_back_leaves_the_lamp_dark(site: MemorySite) -> None:
    phone = lamp(site, "201")
    caller = site.phone("200")
    site.phone("201", 180)
    invite = caller.authenticated("INVITE", uri("201"))
    after_a_while(site)
    caller.cancel(invite)
    after_a_while(site)
    assert told(phone) == ["early", "terminated"]


def test_two_phones_of_a_user_are_one_lamp(site: MemorySite) -> None:
    phone = lamp(site, "201")
    caller, first, second = site.phone("200"), site.phone("201", 180), site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    after_a_while(site)
    assert shown(phone) == [("recipient", "early")]
    first.answer(200)
    after_a_while(site)
    assert told(phone) == ["early", "confirmed"]
    dialog = phone.document.find("d:dialog", D)
    assert dialog is not None
    assert dialog.get("local-tag") == caller.responses[-1].to_tag.decode()
    del second


def test_when_a_call_moves_on_the_first_lamp_goes_dark_and_the_next_lights() -> None:
    state = SiteState(forwarding={"user-201": Forwarding(no_answer="203", ring_seconds=10)})
    site = MemorySite(replace(sip_config(), state=state))
    first, second = lamp(site, "201"), lamp(site, "203")
    site.phone("201", 180), site.phone("203", 180)
    site.phone("200").authenticated("INVITE", uri("201"))
    after_a_while(site)
    assert (shown(first), shown(second)) == ([("recipient", "early")], [])
    site.network.run(12)
    assert (told(first), shown(second)) == (["early", "terminated"], [("recipient", "early")])


def test_changes_within_the_pause_are_told_together_as_the_last_of_them(site: MemorySite) -> None:
    phone = lamp(site, "201")
    site.network.run(1)
    ringing_call(site, 180, 200)
    assert told(phone) == ["early", "confirmed"] or told(phone) == ["confirmed"]
    at = phone.at
    assert all(later - earlier >= 0.5 for earlier, later in pairwise(at))


def test_a_user_who_is_deleted_can_no_longer_be_watched(site: MemorySite) -> None:
    phone = lamp(site, "203")
    site.configure(sip_config(users=3))
    after_a_while(site)
    assert phone.states[-1] == "terminated;reason=noresource"


def test_nobody_there_is_not_found(site: MemorySite) -> None:
    assert subscriber(site).subscribe("999", event="dialog").status == 404


def test_what_the_caller_claims_to_be_cannot_break_the_document(site: MemorySite) -> None:
    phone = lamp(site, "201")
    site.phone("201", 180)
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"), call="<&\"'>")
    after_a_while(site)
    dialog = phone.document.find("d:dialog", D)
    assert dialog is not None
    assert dialog.get("call-id") == "<&\"'>"


def after_a_restart(site: MemorySite, away_seconds: float = 2) -> None:
    """The edge is killed and comes back; whatever arrives meanwhile is lost."""
    site.network.run(1)
    site.transport.receiver = None
    site.network.run(away_seconds)
    site.endpoint = site.started()
    after_a_while(site)


def answered_call(site: MemorySite) -> tuple[SipPhone, Message, Message]:
    """200 talks to 201: the caller, the INVITE and its answer."""
    caller, _ = site.phone("200"), site.phone("201", 180, 200)
    invite = caller.authenticated("INVITE", uri("201"))
    caller.in_dialog("ACK", invite, caller.responses[-1])
    after_a_while(site)
    return caller, invite, caller.responses[-1]


def test_a_lamp_of_a_call_from_before_a_restart_is_lit_and_goes_dark_when_it_ends(site: MemorySite) -> None:
    first, second = lamp(site, "201"), lamp(site, "200")
    caller, invite, answer = answered_call(site)
    after_a_restart(site)
    assert (shown(first), shown(second)) == ([("recipient", "confirmed")], [("initiator", "confirmed")])
    assert first.document.get("state") == "full"
    caller.in_dialog("BYE", invite, answer)
    site.network.run(2)
    assert (shown(first), shown(second)) == ([("recipient", "terminated")], [("initiator", "terminated")])
    assert not [key for key in site.kept.kept if key[0] == "dialog"]


def test_who_subscribes_after_a_restart_sees_a_call_from_before_it(site: MemorySite) -> None:
    lamp(site, "201")
    answered_call(site)
    after_a_restart(site)
    assert shown(lamp(site, "201", "203")) == [("recipient", "confirmed")]


def test_a_call_that_was_up_before_anybody_watched_is_kept_too(site: MemorySite) -> None:
    answered_call(site)
    first = lamp(site, "201")
    after_a_restart(site)
    assert shown(first) == [("recipient", "confirmed")]


def test_calls_that_nobody_watches_are_not_written(site: MemorySite) -> None:
    answered_call(site)
    assert not [key for key in site.kept.kept if key[0] == "dialog"]


def test_a_call_that_ended_before_the_restart_stays_over(site: MemorySite) -> None:
    first = lamp(site, "201")
    caller, invite, answer = answered_call(site)
    caller.in_dialog("BYE", invite, answer)
    after_a_while(site)
    after_a_restart(site)
    assert shown(first) == []


def test_the_bye_of_another_call_with_the_same_call_id_darkens_no_lamp(site: MemorySite) -> None:
    first = lamp(site, "201")
    caller, invite, answer = answered_call(site)
    after_a_restart(site)
    parties = site.endpoint.calls.parties
    parties.over(invite.call_id, b"other", answer.to_tag)
    assert [one.state for one in parties.of_user("user-201")] == ["confirmed"]
    parties.over(invite.call_id, answer.to_tag, invite.from_tag)
    assert list(parties.of_user("user-201")) == []
    del first, caller


def test_after_an_absence_in_which_a_bye_may_have_been_lost_lamps_are_dark(site: MemorySite) -> None:
    """RFC 3261 §17.1.2.2: a BYE is sent again for 32 seconds."""
    first = lamp(site, "201")
    answered_call(site)
    after_a_restart(site, away_seconds=60)
    assert shown(first) == []
    assert not [key for key in site.kept.kept if key[0] == "dialog"]


def test_a_call_from_before_a_restart_ends_at_the_latest_when_any_call_does() -> None:
    site = MemorySite(with_limits(sip_config(), call_seconds=100))
    first = lamp(site, "201")
    answered_call(site)
    after_a_restart(site)
    assert shown(first) == [("recipient", "confirmed")]
    site.network.run(110)
    assert shown(first) == [("recipient", "terminated")]


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"user": 1, "direction": "sideways", "remote": ""}'])
def test_a_damaged_dialog_is_forgotten(site: MemorySite, text: str) -> None:
    first = lamp(site, "201")
    answered_call(site)
    key = next(key for key in site.kept.kept if key[0] == "dialog")
    site.kept.kept[key] = text
    after_a_restart(site)
    assert shown(first) == []
    assert key not in site.kept.kept


def test_nothing_is_left_of_calls_that_are_over(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180, 200)
    for _ in range(3):
        invite = caller.authenticated("INVITE", uri("201"))
        caller.in_dialog("BYE", invite, caller.responses[-1])
        site.network.run()
    parties = site.endpoint.calls.parties
    assert [list(parties.of_user(user)) for user in ("user-200", "user-201")] == [[], []]
    del callee
