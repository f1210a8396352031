"""Registrations: who may, what they ask for, and when they end (RFC 3261 §10)."""

from dataclasses import replace

import pytest

from edge_agent.sip.config import SipConfig
from edge_agent.sip.endpoint import ConfigRefused
from tests.support.memory_site import EDGE, MemorySite, uri, with_limits
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, sip_config


def contacts(site: MemorySite, username: str = "201") -> list[str]:
    """The Contact URIs of a user, highest q first."""
    now = site.network.clock.monotonic()
    return [one.contact.decode() for one in site.endpoint.location.of_user(f"user-{username}", now)]


def test_a_phone_registers_with_digest_and_the_cloud_hears_of_it(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    answer = phone.register(headers="Expires: 600\r\nUser-Agent: Desk Phone/1.0\r\n")
    assert phone.statuses == [401, 200]
    assert answer.values(b"contact") == [f"<{phone.contact}>;expires=600".encode()]
    (reported,) = site.log.registrations
    assert (reported.state, reported.user_id, reported.line_id) == ("registered", "user-201", "line-201")
    assert (reported.contact, reported.user_agent) == (phone.contact, "Desk Phone/1.0")
    assert (reported.source, reported.transport) == ("192.0.2.11:5060", "udp")
    assert reported.expires_at is not None
    assert 599 < (reported.expires_at - site.network.clock.now()).total_seconds() <= 600


def test_an_unknown_user_and_a_wrong_password_are_told_the_same(site: MemorySite) -> None:
    unknown = SipPhone(site.network, ("192.0.2.50", 5060), EDGE, "299")
    wrong = SipPhone(site.network, ("192.0.2.51", 5060), EDGE, "201", password="wrong")
    unknown.register()
    wrong.register()
    assert unknown.statuses == wrong.statuses == [401, 401]
    assert [name for one in unknown.responses for name in one.names] == [
        name for one in wrong.responses for name in one.names
    ]


def test_a_disabled_user_is_forbidden(site: MemorySite) -> None:
    site.configure(sip_config("201"))
    assert site.phone("201", registered=False).register().status == 403


def test_disabling_a_user_takes_the_bindings_away_at_once(site: MemorySite) -> None:
    phone = site.phone("201")
    site.phone("200")
    site.configure(sip_config("201"))
    assert contacts(site) == []
    assert contacts(site, "200")
    assert [(one.state, one.user_id) for one in site.log.registrations][-1] == ("removed", "user-201")
    assert len(site.store.kept) == 1
    assert phone.register().status == 403


def test_a_line_that_is_taken_away_takes_its_binding_along(site: MemorySite) -> None:
    site.phone("203")
    site.configure(sip_config(users=3))
    assert contacts(site, "203") == []
    assert site.log.registrations[-1].state == "removed"


def test_an_ageing_nonce_brings_the_next_one_so_that_no_challenge_follows(site: MemorySite) -> None:
    """RFC 7616 §3.5."""
    phone, to = site.phone("201", registered=False), f"<{uri('201')}>"
    phone.request("REGISTER", f"sip:{DOMAIN}", to=to)
    site.network.run()
    challenge = phone.responses[-1]
    for nc, wait in (("00000001", 100.0), ("00000002", 100.0)):
        credentials = phone.credentials(challenge, "REGISTER", f"sip:{DOMAIN}", nc)
        phone.request("REGISTER", f"sip:{DOMAIN}", to=to, headers=credentials)
        site.network.run(wait)
        assert (phone.statuses[-1], phone.responses[-1].get(b"authentication-info")) == (200, None)
    credentials = phone.credentials(challenge, "REGISTER", f"sip:{DOMAIN}", "00000003")
    phone.request("REGISTER", f"sip:{DOMAIN}", to=to, headers=credentials)
    site.network.run(200.0)
    following = phone.responses[-1].need(b"authentication-info").partition(b'"')[2].rstrip(b'"')
    at = challenge.index(b"www-authenticate")
    old = challenge.lines[at].partition(b'nonce="')[2].partition(b'"')[0]
    challenge.lines[at] = challenge.lines[at].replace(old, following)
    phone.request("REGISTER", f"sip:{DOMAIN}", to=to, headers=phone.credentials(challenge, "REGISTER", f"sip:{DOMAIN}"))
    site.network.run()
    assert phone.statuses == [401, 200, 200, 200, 200]


def test_what_was_recorded_before_a_restart_is_stale_after_it(site: MemorySite) -> None:
    phone = site.phone("201")
    recorded = site.network.log[-2].data
    assert b"Authorization" in recorded
    site.endpoint = site.started()
    site.network.send(recorded.replace(b"z9hG4bK201x", b"z9hG4bKagain"), phone.address, EDGE)
    site.network.run()
    assert phone.statuses == [401]
    assert b"stale=true" in phone.responses[-1].need(b"www-authenticate")


def test_nobody_registers_for_somebody_else(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    assert phone.register(to=f"<sip:202@{DOMAIN}>").status == 403
    assert phone.register(to=f"<sip:999@{DOMAIN}>").status == 404
    assert phone.register(to=f"<sip:desk201@{DOMAIN}>").status == 200


def test_several_contacts_are_bound_together_in_order_of_q(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    answer = phone.register(contact="<sip:a@192.0.2.11>;q=0.3, <sip:b@192.0.2.11>;q=0.75;expires=100")
    assert answer.values(b"contact") == [
        b"<sip:b@192.0.2.11>;expires=100;q=0.750",
        b"<sip:a@192.0.2.11>;expires=3600;q=0.300",
    ]


@pytest.mark.parametrize(
    ("contact", "status"),
    [
        ("<sip:a@192.0.2.11>, <sip:b@192.0.2.11>;expires=5", 423),
        ("<sip:a@192.0.2.11>, <sip:b@192.0.2.11>;q=7", 400),
        ("<sip:a@192.0.2.11>, <sip:a@192.0.2.11>", 400),
        ("<sip:a@192.0.2.11>, <tel:+123>", 400),
        ("<sip:a@192.0.2.11>, *", 400),
        ("*", 400),
        ('"unfinished <sip:a@192.0.2.11>', 400),
    ],
)
def test_a_register_is_carried_out_as_a_whole_or_not_at_all(site: MemorySite, contact: str, status: int) -> None:
    phone = site.phone("201")
    before = contacts(site)
    assert phone.register(contact=contact).status == status
    assert contacts(site) == before


def test_a_registration_that_is_too_short_is_told_the_shortest(site: MemorySite) -> None:
    answer = site.phone("201", registered=False).register(headers="Expires: 5\r\n")
    assert (answer.status, answer.get(b"min-expires")) == (423, b"30")


def test_a_long_registration_is_shortened_and_a_malformed_expiry_is_the_usual(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    assert phone.register(headers="Expires: 999999999999\r\n").values(b"contact")[0].endswith(b";expires=3600")
    assert phone.register(headers="Expires: soon\r\n").values(b"contact")[0].endswith(b";expires=3600")


def test_contacts_are_compared_as_uris(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    phone.register(contact="<sip:%61@PHONE.example.net;x=1>")
    phone.register(contact="<sip:a@phone.example.net>")
    assert contacts(site) == ["sip:a@phone.example.net"]


def test_a_phone_that_comes_back_at_another_address_takes_its_old_place(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    instance = ';+sip.instance="<urn:uuid:0>"'
    phone.register(contact=f"<sip:201@192.0.2.11:1111>{instance}")
    phone.register(contact=f"<sip:201@192.0.2.11:2222>{instance}")
    assert contacts(site) == ["sip:201@192.0.2.11:2222"]


def test_expires_0_takes_one_contact_away_and_a_star_takes_all(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    phone.register(contact="<sip:a@192.0.2.11>, <sip:b@192.0.2.11>, <sip:c@192.0.2.11>")
    phone.register(contact="<sip:a@192.0.2.11>;expires=0")
    assert contacts(site) == ["sip:b@192.0.2.11", "sip:c@192.0.2.11"]
    answer = phone.register(contact="*", headers="Expires: 0\r\n")
    assert (answer.status, answer.values(b"contact")) == (200, [])
    assert contacts(site) == []
    assert [one.state for one in site.log.registrations] == ["registered"] * 3 + ["removed"] * 3


def test_a_register_without_contacts_asks_and_changes_nothing(site: MemorySite) -> None:
    phone = site.phone("201")
    answer = phone.register(contact="")
    assert [one.partition(b";")[0] for one in answer.values(b"contact")] == [f"<{phone.contact}>".encode()]


def test_an_old_register_does_not_undo_a_newer_one(site: MemorySite) -> None:
    phone = site.phone("201")
    assert phone.register(cseq="1").status == 500
    assert phone.register(cseq="1", call="after-a-restart").status == 200


def test_a_registration_lapses_and_the_cloud_hears_of_it(site: MemorySite) -> None:
    site.phone("201", registered=False).register(headers="Expires: 60\r\n")
    site.network.run(59)
    assert len(contacts(site)) == 1
    site.network.run(1)
    assert contacts(site) == [], "lapsed at once, though the sweep comes later"
    site.network.run(6)
    assert [one.state for one in site.log.registrations] == ["registered", "expired"]
    assert site.store.kept == {}


def test_refreshes_are_reported_only_as_often_as_the_cloud_needs_them(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    for _ in range(60):
        phone.register(headers="Expires: 3600\r\n")
        site.network.run(60)
    assert [one.state for one in site.log.registrations] == ["registered", "registered"]
    for before, after in zip(site.log.registrations, site.log.registrations[1:], strict=False):
        assert before.expires_at is not None
        assert after.expires_at is not None
        assert after.expires_at > before.expires_at


def test_a_changed_address_is_reported_at_once(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    phone.register(headers="User-Agent: one\r\n")
    phone.register(headers="User-Agent: two\r\n")
    assert [one.user_agent for one in site.log.registrations] == ["one", "two"]


def test_a_binding_on_a_connection_ends_with_it_and_is_not_kept_on_disk(site: MemorySite) -> None:
    phone = site.phone("201", tcp=True)
    assert contacts(site)
    assert site.store.kept == {}
    site.network.disconnect(phone.address)
    assert contacts(site) == []
    assert [one.state for one in site.log.registrations] == ["registered", "removed"]


def test_a_phone_behind_nat_is_reached_where_it_sent_from(site: MemorySite) -> None:
    phone = site.phone("201", 200, registered=False)
    phone.register(contact="<sip:201@10.0.0.9:5060>", via="SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKnat;rport")
    (binding,) = site.endpoint.location.of_user("user-201", site.network.clock.monotonic())
    assert (binding.flow.host, binding.flow.port) == phone.address


def limited(**limits: float) -> SipConfig:
    """The site with other limits."""
    return with_limits(sip_config(), **limits)


def test_contacts_per_request_contacts_per_user_and_bindings_are_limited(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    three = ", ".join(f"<sip:{name}@192.0.2.11>" for name in "abc")
    site.configure(limited(contacts_per_request=2))
    assert (phone.register(contact=three).status, phone.responses[-1].reason) == (403, b"Too Many Contacts")
    site.configure(limited(contacts_per_aor=2))
    assert (phone.register(contact=three).status, phone.responses[-1].reason) == (403, b"Too Many Bindings")
    site.configure(limited(bindings=2))
    assert phone.register(contact=three).status == 503
    assert contacts(site) == []


def test_a_restarted_edge_has_every_udp_binding(site: MemorySite) -> None:
    for username in ("200", "201"):
        site.phone(username, 200)
    before = [(one.contact, one.flow, one.q, round(one.expires, 3)) for one in site.endpoint.location.all()]
    site.endpoint = site.started()
    assert [(one.contact, one.flow, one.q, round(one.expires, 3)) for one in site.endpoint.location.all()] == before
    assert len(site.log.registrations) == 2, "nothing changed, nothing is reported"


def test_what_lapsed_or_was_forbidden_while_the_edge_was_down_is_gone(site: MemorySite) -> None:
    site.phone("200", registered=False).register(headers="Expires: 60\r\n")
    site.phone("201"), site.phone("202")
    site.network.clock.advance(61)
    site.config = sip_config("201")
    site.endpoint = site.started()
    assert [one.user_id for one in site.endpoint.location.all()] == ["user-202"]
    assert {(one.state, one.user_id) for one in site.log.registrations[-2:]} == {
        ("expired", "user-200"),
        ("removed", "user-201"),
    }


def test_bindings_are_on_disk_before_the_answer_leaves(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    kept: list[int] = []

    def watch(*_: object) -> bool:
        kept.append(len(site.store.kept))
        return False

    site.network.loses = watch
    phone.register()
    assert kept[-1] == 1
    assert site.store.commits == 1


def test_a_disk_that_refuses_is_an_alarm_and_phones_register_all_the_same(site: MemorySite) -> None:
    site.store.writable = False
    site.phone("201")
    assert contacts(site)
    site.store.writable = True
    site.network.run(6)
    site.endpoint.batch_ended(site.network.clock.monotonic())
    assert [one.active for one in site.log.alarms] == [True, False]
    assert len(site.store.kept) == 1


def test_a_retransmitted_register_gets_the_same_answer_again(site: MemorySite) -> None:
    phone = site.phone("201")
    last = [one.data for one in site.network.log if one.start == "REGISTER"][-1]
    site.network.send(last, phone.address, EDGE)
    site.network.run()
    assert phone.statuses == [200]


def test_a_required_extension_that_is_not_understood_is_refused_by_name(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    answer = phone.register(headers="Require: timer-x\r\n")
    assert (answer.status, answer.get(b"unsupported")) == (420, b"timer-x")


def test_a_configuration_that_cannot_run_is_refused_and_nothing_changes(site: MemorySite) -> None:
    broken = replace(site.config, digest_algorithms=("SHA-512-256",))
    with pytest.raises(ConfigRefused, match="SHA-512-256"):
        site.endpoint.prepare(broken)
    site.endpoint.commit()
    assert site.phone("201").contact in contacts(site)
