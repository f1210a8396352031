"""The `message-summary` package: what the message lamp of a phone shows (RFC 3842)."""

from dataclasses import replace

import pytest

from edge_agent.ports import MessagesWaiting
from edge_agent.sip.message import Message
from edge_agent.sip.presence.messages import MOST_MESSAGES
from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import sip_config
from tests.support.subscriber import Subscriber, subscriber

EVENT = "message-summary"


def wait(site: MemorySite, username: str, new: int, old: int = 0, urgent_new: int = 0, urgent_old: int = 0) -> None:
    """The voicemail application counts the messages of a mailbox."""
    counts = MessagesWaiting(f"user-{username}", new, old, urgent_new, urgent_old)
    site.endpoint.events.messages_waiting(counts)
    site.network.run(3)


def lamp(site: MemorySite, username: str = "200") -> Subscriber:
    phone = subscriber(site, username)
    assert phone.subscribe(username, event=EVENT).status == 200
    return phone


def shown(phone: Subscriber) -> list[str]:
    """The last summary, line by line."""
    return phone.notifies[-1].body.decode().split("\r\n")


def told(phone: SipPhone) -> list[Message]:
    """NOTIFYs that the phone did not subscribe to."""
    return [one for one in phone.requests if one.method == b"NOTIFY"]


def test_who_subscribes_sees_an_empty_mailbox_at_once(site: MemorySite) -> None:
    phone = lamp(site)
    assert phone.notifies[0].get(b"content-type") == b"application/simple-message-summary"
    assert shown(phone) == ["Messages-Waiting: no", f"Message-Account: {uri('200')}", "Voice-Message: 0/0 (0/0)", ""]


def test_a_new_message_lights_the_lamp_and_a_heard_one_puts_it_out(site: MemorySite) -> None:
    """RFC 3842 §3.5, §5.2."""
    phone = lamp(site)
    wait(site, "200", 2, 8, 0, 2)
    assert shown(phone) == ["Messages-Waiting: yes", f"Message-Account: {uri('200')}", "Voice-Message: 2/8 (0/2)", ""]
    wait(site, "200", 0, 10, 0, 2)
    assert shown(phone)[0] == "Messages-Waiting: no"
    assert len(phone.notifies) == 3


def test_a_count_that_is_what_it_was_tells_nobody(site: MemorySite) -> None:
    phone = lamp(site)
    wait(site, "200", 1)
    wait(site, "200", 1)
    assert len(phone.notifies) == 2


def test_several_changes_within_a_second_are_one_notify(site: MemorySite) -> None:
    phone = lamp(site)
    site.network.run(2)
    for new in range(1, 10):
        site.endpoint.events.messages_waiting(MessagesWaiting("user-200", new))
    site.network.run(3)
    assert [one.body.split(b"\r\n")[2] for one in phone.notifies[1:]] == [b"Voice-Message: 9/0 (0/0)"]


def test_others_mailboxes_are_nobodys_business(site: MemorySite) -> None:
    assert subscriber(site).subscribe("201", event=EVENT).status == 403


def test_an_administrator_may_watch_every_mailbox() -> None:
    site = MemorySite(replace(sip_config(), administrators=frozenset({"user-200"})))
    assert subscriber(site).subscribe("201", event=EVENT).status == 200


def test_lamps_are_right_after_a_restart(site: MemorySite) -> None:
    phone = lamp(site)
    wait(site, "200", 3, 1)
    before = len(phone.notifies)
    site.endpoint = site.started()
    site.network.run(5)
    assert len(phone.notifies) > before
    assert shown(phone)[2] == "Voice-Message: 3/1 (0/0)"
    assert lamp(site).notifies[-1].body.split(b"\r\n")[2] == b"Voice-Message: 3/1 (0/0)"


def test_a_damaged_count_is_forgotten(site: MemorySite) -> None:
    site.kept.kept["messages", "user-200"] = "[1, -1, 0, 0]"
    site.kept.kept["messages", "user-201"] = "nonsense"
    site.kept.kept["messages", "user-202"] = "[1, 0, 0, 0, 0, 0]"
    site.endpoint = site.started()
    site.network.run(1)
    assert shown(lamp(site))[0] == "Messages-Waiting: no"
    assert not [key for key in site.kept.kept if key[0] == "messages"]


def test_a_phone_that_did_not_subscribe_is_told_all_the_same(site: MemorySite) -> None:
    phone = site.phone("200")
    wait(site, "200", 1)
    (notify,) = told(phone)
    assert notify.get(b"event") == b"message-summary"
    assert notify.get(b"subscription-state") == b"terminated"
    assert notify.body.startswith(b"Messages-Waiting: yes\r\n")


def test_a_phone_that_subscribed_is_not_told_twice(site: MemorySite) -> None:
    phone = lamp(site)
    wait(site, "200", 1)
    assert len(phone.notifies) == 2


def test_a_phone_that_registers_is_told_what_waits(site: MemorySite) -> None:
    wait(site, "200", 4)
    phone = site.phone("200")
    site.network.run(2)
    assert [one.body.split(b"\r\n")[2] for one in told(phone)] == [b"Voice-Message: 4/0 (0/0)"]
    assert phone.register().status == 200
    site.network.run(2)
    assert len(told(phone)) == 1


def test_a_phone_of_a_user_who_never_had_a_message_is_left_alone(site: MemorySite) -> None:
    phone = site.phone("200")
    site.network.run(2)
    assert told(phone) == []


def test_a_site_can_leave_phones_alone_that_did_not_subscribe() -> None:
    site = MemorySite(replace(sip_config(), unsolicited_messages=False))
    phone = site.phone("200")
    wait(site, "200", 1)
    assert told(phone) == []


def test_what_became_of_such_a_notify_is_nobodys_concern(site: MemorySite) -> None:
    site.phone("200")
    wait(site, "200", 1)
    assert site.told == []


def test_the_counts_of_a_user_who_is_gone_go(site: MemorySite) -> None:
    wait(site, "203", 1)
    site.configure(sip_config(users=3))
    site.network.run(6)
    assert not [key for key in site.kept.kept if key[0] == "messages"]
    site.configure(sip_config())
    assert shown(lamp(site, "203"))[0] == "Messages-Waiting: no"


def test_a_mailbox_of_nobody_is_ignored(site: MemorySite) -> None:
    wait(site, "999", 1)
    assert not [key for key in site.kept.kept if key[0] == "messages"]


def test_a_negative_count_is_refused(site: MemorySite) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        wait(site, "200", -1)


def test_more_messages_than_anybody_has_are_shown_as_the_most(site: MemorySite) -> None:
    phone = lamp(site)
    wait(site, "200", MOST_MESSAGES + 1)
    assert shown(phone)[2] == f"Voice-Message: {MOST_MESSAGES}/0 (0/0)"
