"""Subscriptions to this edge: made, refreshed, told, ended, limited, and taken up after a restart (RFC 6665 §4.2)."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.sip.kept_rows import SqliteKeptRows
from edge_agent.sip.message import DropReason
from tests.support.memory_site import MemorySite, uri, with_limits
from tests.support.sip_site import sip_config
from tests.support.subscriber import Subscriber, subscriber


def live(site: MemorySite) -> int:
    """How many subscriptions there are."""
    return len(site.endpoint.events.subscriptions)


def test_a_subscription_is_accepted_and_told_the_state_at_once(site: MemorySite) -> None:
    """RFC 6665 §4.2.1.2, §4.1.3."""
    phone = subscriber(site)
    answer = phone.subscribe("200")
    assert (answer.status, answer.get(b"expires")) == (200, b"600")
    assert answer.values(b"contact") == [b"<sip:192.0.2.1:5060>"]
    (notify,) = phone.notifies
    assert notify.uri == phone.contact.encode()
    assert (notify.get(b"event"), notify.get(b"subscription-state")) == (b"reg", b"active;expires=600")
    assert (notify.from_tag, notify.to_tag) == (answer.to_tag, answer.from_tag)
    assert notify.get(b"content-type") == b"application/reginfo+xml"
    assert live(site) == 1


def test_a_subscription_needs_the_users_password(site: MemorySite) -> None:
    """RFC 6665 §4.2.1.3."""
    phone = subscriber(site)
    phone.request("SUBSCRIBE", uri("200"), headers="Event: reg\r\n")
    site.network.run()
    assert (phone.statuses, live(site)) == ([407], 0)


@pytest.mark.parametrize(
    ("event", "headers", "status", "name", "value"),
    [
        ("weather", "", 489, b"allow-events", b"reg, presence, dialog, message-summary, call-info, line-seize"),
        ("REG", "", 489, b"allow-events", b"reg, presence, dialog, message-summary, call-info, line-seize"),
        ("reg", "Expires: 5\r\n", 423, b"min-expires", b"30"),
        ("reg", "Accept: text/plain\r\n", 406, b"accept", b"application/reginfo+xml"),
        ("reg", "Require: weather\r\n", 420, b"unsupported", b"weather"),
    ],
)
def test_what_cannot_be_subscribed_to_is_refused_with_what_could(
    site: MemorySite, event: str, headers: str, status: int, name: bytes, value: bytes
) -> None:
    """RFC 6665 §4.2.1.1, RFC 3261 §21.4.17."""
    phone = subscriber(site)
    answer = phone.subscribe("200", event, None, headers)
    assert (answer.status, answer.get(name)) == (status, value)
    assert live(site) == 0


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*;q=0.5", "text/plain, application/reginfo+xml;q=0.1", "Application/Reginfo+XML"]
)
def test_a_range_of_media_types_will_do(site: MemorySite, accept: str) -> None:
    """RFC 3261 §20.1."""
    assert subscriber(site).subscribe("200", headers=f"Accept: {accept}\r\n").status == 200


@pytest.mark.parametrize("headers", ["Event: reg;=x\r\n", "Event: \r\n", "Event: reg\r\nAccept: a;q=x\r\n"])
def test_a_malformed_subscription_is_named(site: MemorySite, headers: str) -> None:
    phone = subscriber(site)
    phone.authenticated("SUBSCRIBE", uri("200"), headers=headers)
    assert phone.statuses[-1] == 400
    assert site.endpoint.drops[DropReason.BAD_HEADER_VALUE] == 1


def test_without_an_expires_the_package_says_how_long(site: MemorySite) -> None:
    """RFC 6665 §4.2.1.1; RFC 3680 §4.3 with the site's limit."""
    phone = subscriber(site)
    assert phone.subscribe("200", expires=None).get(b"expires") == b"3600"
    assert phone.subscribe("200", expires=999_999).get(b"expires") == b"3600"


def test_state_is_fetched_once_by_a_subscription_of_no_time(site: MemorySite) -> None:
    """RFC 6665 §4.4.3."""
    phone = subscriber(site)
    assert phone.subscribe("200", expires=0).status == 200
    assert phone.states == ["terminated;reason=timeout"]
    assert phone.notifies[0].body
    assert live(site) == 0


def test_a_refresh_prolongs_a_subscription_and_is_told_everything(site: MemorySite) -> None:
    """RFC 6665 §4.1.2.2, §4.2.1.2."""
    phone = subscriber(site)
    accepted = phone.subscribe("200", expires=100)
    site.network.run(90)
    assert phone.refresh(accepted, 100).get(b"expires") == b"100"
    site.network.run(90)
    assert live(site) == 1
    assert phone.states == ["active", "active"]
    assert [one.cseq[0] for one in phone.notifies] == [1, 2]
    site.network.run(20)
    assert phone.states[-1] == "terminated;reason=timeout"
    assert live(site) == 0


def test_a_refresh_by_the_address_of_record_is_taken_as_well(site: MemorySite) -> None:
    """Phones that send it where the first one went, whatever Contact they got."""
    phone = subscriber(site)
    accepted = phone.subscribe("200")
    headers = "Event: reg\r\nExpires: 0\r\n"
    phone.authenticated(
        "SUBSCRIBE", uri("200"), headers=headers, to=accepted.need(b"to").decode(), call=accepted.call_id.decode()
    )
    assert (phone.statuses[-1], live(site)) == (200, 0)


def test_unsubscribing_ends_with_a_last_notify(site: MemorySite) -> None:
    """RFC 6665 §4.1.2.3."""
    phone = subscriber(site)
    accepted = phone.subscribe("200")
    assert phone.refresh(accepted, 0).status == 200
    assert phone.states == ["active", "terminated;reason=timeout"]
    assert live(site) == 0
    assert phone.refresh(accepted).status == 481


@pytest.mark.parametrize(("event", "cseq", "status"), [("presence", 0, 481), ("reg", 1, 500)])
def test_a_refresh_that_does_not_fit_its_dialog_is_refused(
    site: MemorySite, event: str, cseq: int, status: int
) -> None:
    """RFC 3261 §12.2.2."""
    phone = subscriber(site)
    accepted = phone.subscribe("200")
    assert phone.refresh(accepted, event=event, cseq=cseq).status == status
    assert live(site) == 1


def test_nobody_ends_a_subscription_without_its_tag(site: MemorySite) -> None:
    phone = subscriber(site)
    accepted = phone.subscribe("200")
    accepted.set(b"To", accepted.need(b"to")[:-1] + b"x")
    assert phone.refresh(accepted, 0).status == 481
    assert live(site) == 1


@pytest.mark.parametrize("status", [481, 404, 489, 604, None])
def test_a_subscriber_who_is_gone_is_forgotten(site: MemorySite, status: int | None) -> None:
    """RFC 6665 §4.2.2, RFC 5057 §5.1."""
    phone = subscriber(site)
    phone.status = status
    phone.subscribe("200")
    site.network.run(40)
    assert live(site) == 0


def test_a_subscriber_who_is_busy_is_told_later(site: MemorySite) -> None:
    """RFC 6665 §4.2.2."""
    phone = subscriber(site)
    phone.status, phone.headers = 503, ((b"Retry-After", b"7"),)
    phone.subscribe("200")
    site.network.run(5)
    phone.status, phone.headers = 200, ()
    site.network.run(10)
    assert len(phone.notifies) == 2
    assert phone.notifies[1].body
    assert live(site) == 1


def test_an_error_that_concerns_one_notify_ends_nothing(site: MemorySite) -> None:
    """RFC 5057 §5.1."""
    phone = subscriber(site)
    phone.status = 500
    phone.subscribe("200")
    site.network.run(20)
    assert (len(phone.notifies), live(site)) == (1, 1)


def test_changes_within_the_packages_pause_are_told_together(site: MemorySite) -> None:
    """RFC 6665 §5.4.10, RFC 3680 §4.8: no more than one in five seconds."""
    phone = subscriber(site)
    phone.subscribe("200")
    other = site.phone("200", registered=False)
    for _ in range(5):
        other.register()
    site.network.run(20)
    assert len(phone.notifies) == 2
    assert phone.at[1] - phone.at[0] == pytest.approx(5.0, abs=0.1)


def test_one_notify_is_on_its_way_at_a_time(site: MemorySite) -> None:
    """RFC 6665 §4.2.2: the next waits for the answer."""
    phone = subscriber(site)
    phone.status = None
    accepted = phone.subscribe("200")
    phone.refresh(accepted)
    site.network.run(1)
    assert {one.cseq[0] for one in phone.notifies} == {1}


def test_each_user_and_the_site_have_a_limit(site: MemorySite) -> None:
    first, second, third = subscriber(site), subscriber(site, "201"), subscriber(site, "202")
    site.configure(with_limits(site.config, subscriptions_per_user=1, subscriptions=2))
    assert first.subscribe("200").status == 200
    answer = first.subscribe("200")
    assert (answer.status, answer.reason) == (403, b"Too Many Subscriptions")
    assert first.subscribe("200", expires=0).status == 200
    assert second.subscribe("201").status == 200
    answer = third.subscribe("202")
    assert (answer.status, answer.get(b"retry-after")) == (503, b"60")


def test_when_a_subscriber_is_disabled_his_subscriptions_end(site: MemorySite) -> None:
    """RFC 6665 §4.1.3 `rejected`."""
    phone = subscriber(site)
    phone.subscribe("200")
    site.configure(sip_config("200"))
    site.network.run()
    assert phone.states[-1] == "terminated;reason=rejected"
    assert live(site) == 0


def test_when_what_is_watched_is_gone_the_subscription_ends(site: MemorySite) -> None:
    """RFC 6665 §4.1.3 `noresource`."""
    phone = subscriber(site)
    phone.subscribe("203", "presence")
    site.configure(sip_config(users=3))
    site.network.run()
    assert phone.states[-1] == "terminated;reason=noresource"


def test_notifies_go_where_the_subscription_came_from_whatever_its_contact_says(site: MemorySite) -> None:
    """A Contact of somebody else's must not draw our NOTIFYs there."""
    phone = subscriber(site, registered=False)
    headers = "Event: reg\r\nExpires: 600\r\n"
    phone.authenticated("SUBSCRIBE", uri("200"), headers=headers, contact="<sip:victim@203.0.113.9>")
    assert [one.uri for one in phone.notifies] == [b"sip:victim@203.0.113.9"]


def test_a_subscription_over_a_stream_ends_with_it(site: MemorySite) -> None:
    phone = subscriber(site, tcp=True)
    accepted = phone.subscribe("200")
    assert accepted.values(b"contact") == [b"<sip:192.0.2.1:5060;transport=tcp>"]
    assert site.kept.kept == {}
    site.network.disconnect(phone.address)
    assert live(site) == 0


def restarted(site: MemorySite) -> None:
    """The agent is killed and started again."""
    site.endpoint = site.started()
    site.network.flush()


def test_subscriptions_outlive_a_restart_and_go_on_with_higher_numbers(site: MemorySite) -> None:
    """RFC 3261 §12.2.1.1: a sequence number is never used twice."""
    phone = subscriber(site)
    accepted = phone.subscribe("200")
    restarted(site)
    assert live(site) == 1
    site.network.run(1)
    assert [one.cseq[0] for one in phone.notifies] == [1, 1001]
    assert b'version="1000" state="full"' in phone.notifies[1].body
    assert phone.refresh(accepted).status == 200
    restarted(site)
    site.network.run(1)
    assert [one.cseq[0] for one in phone.notifies] == [1, 1001, 1002, 2002]


def test_a_restart_is_no_storm_and_what_changes_meanwhile_is_told_at_once(site: MemorySite) -> None:
    phones = [subscriber(site, str(200 + number)) for number in range(4)]
    for phone in phones:
        for _ in range(25):
            assert phone.subscribe(phone.username).status == 200
    site.config = replace(site.config, restored_per_second=20.0)
    for phone in phones:
        phone.notifies.clear()
    restarted(site)
    site.network.run(1)
    assert 10 <= sum(len(phone.notifies) for phone in phones) <= 25
    last = phones[3]
    before = len(last.notifies)
    site.phone("203")
    site.network.run(0.5)
    assert len(last.notifies) - before >= 20
    site.network.run(8)
    assert [len(phone.notifies) for phone in phones[:3]] == [25, 25, 25]


def test_a_thousand_notifies_at_once_leave_in_bites(site: MemorySite) -> None:
    phone = subscriber(site)
    for _ in range(30):
        phone.subscribe("200")
    site.network.run(10)
    phone.notifies.clear()
    site.configure(replace(site.config, notifies_per_batch=10))
    phone.status = None
    site.phone("200")
    site.network.run(0.03)
    assert len(phone.notifies) == 10
    site.network.run(0.2)
    assert len(phone.notifies) == 30


def test_what_lapsed_while_the_agent_was_away_is_forgotten(site: MemorySite) -> None:
    phone = subscriber(site)
    phone.subscribe("200", expires=60)
    site.endpoint.stop()
    site.network.clock.advance(100)
    site.endpoint = site.started()
    assert live(site) == 0
    assert site.kept.kept == {}


@pytest.mark.parametrize(
    "damage", ["{}", "nonsense", '{"event": "gone", "flow": ["udp", "x", 1], "watcher": null, "reserved": 1}', "[]"]
)
def test_kept_rows_that_make_no_sense_are_dropped(site: MemorySite, damage: str) -> None:
    site.kept.kept["subscription", "k"] = damage
    site.kept.kept["publication", "k"] = damage
    restarted(site)
    assert site.kept.kept == {}
    assert live(site) == 0


def test_a_disk_that_refuses_is_an_alarm_and_subscriptions_go_on(site: MemorySite) -> None:
    phone = subscriber(site)
    site.kept.writable = False
    assert phone.subscribe("200").status == 200
    assert [one.active for one in site.log.alarms] == [True]
    site.kept.writable = True
    site.network.run(6)
    assert [one.active for one in site.log.alarms] == [True, False]


def test_a_proxy_before_the_site_is_gone_through_by_notifies(site: MemorySite) -> None:
    """RFC 3261 §12.1.1: the route set of the dialog."""
    phone = subscriber(site)
    answer = phone.subscribe("200", headers="Record-Route: <sip:192.0.2.77;lr>\r\n")
    assert answer.values(b"record-route") == [b"<sip:192.0.2.77;lr>"]
    assert phone.notifies[0].values(b"route") == [b"<sip:192.0.2.77;lr>"]


def test_what_can_be_subscribed_to_is_said_in_answer_to_options(site: MemorySite) -> None:
    """RFC 3261 §11.2, RFC 6665 §8.2.2."""
    phone = subscriber(site)
    phone.request("OPTIONS", "sip:demo.tandem.test")
    site.network.run()
    assert phone.responses[-1].get(b"allow-events") == b"reg, presence, dialog, message-summary, call-info, line-seize"
    assert b"SUBSCRIBE, PUBLISH" in (phone.responses[-1].get(b"allow") or b"")


def test_a_service_of_the_site_subscribes_without_a_password(site: MemorySite) -> None:
    service = Subscriber(site.network, ("192.0.2.200", 5070), ("192.0.2.1", 5060), "201")
    site.configure(replace(site.config, trusted=frozenset({service.address})))
    service.request("SUBSCRIBE", uri("200"), headers="Event: reg\r\n")
    site.network.run()
    assert (service.statuses, len(service.notifies)) == ([200], 1)


def test_kept_rows_survive_the_process_and_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    rows = SqliteKeptRows(path)
    rows.put("a", "1", "one")
    rows.put("a", "2", "two")
    rows.put("b", "1", "other")
    assert rows.commit()
    rows.remove("a", "2")
    rows.close()
    again = SqliteKeptRows(path)
    assert (again.load("a"), again.load("b"), again.load("c")) == ({"1": "one"}, {"1": "other"}, {})
    again.close()
    path.write_bytes(b"no database at all" * 1000)
    fresh = SqliteKeptRows(path)
    assert fresh.load("a") == {}
    assert (tmp_path / "events.db.damaged").exists()
    fresh.close()
