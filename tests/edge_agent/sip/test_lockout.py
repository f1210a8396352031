"""Lock-out and limits of challenges: guessing is stopped, and nobody but the guesser (RFC 3261 §22, §26.3.2.4)."""

from collections import Counter
from dataclasses import replace

import pytest

from edge_agent.sip.config import DEFAULT_LOCKOUT, LockoutRules
from edge_agent.sip.location import Location
from edge_agent.sip.lockout import Lockout, Silence, source_of
from edge_agent.sip.message import DropReason, Flow, Refused
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, SiteLog, sip_config

LIMIT = DEFAULT_LOCKOUT.failures_per_name_and_source
HOME, ELSEWHERE = Flow("udp", "192.0.2.66", 5060), Flow("udp", "192.0.2.67", 5060)


class Guard:
    """A lock-out without an endpoint."""

    def __init__(self, **rules: float) -> None:
        self.log = SiteLog()
        self.drops: Counter[DropReason] = Counter()
        self.lockout = Lockout(replace(LockoutRules(), **rules), Location(), self.log, self.drops)  # type: ignore[arg-type]

    def fails(self, name: bytes, times: int = 1, flow: Flow = HOME, now: float = 0.0) -> None:
        for _ in range(times):
            if not self.refuses(name, flow, now):
                self.lockout.failed(flow, name, now)

    def refuses(self, name: bytes, flow: Flow = HOME, now: float = 0.0) -> bool:
        try:
            self.lockout.check(flow, name, None, now)
        except Refused as error:
            return (error.status, error.drop) == (403, DropReason.LOCKED_OUT)
        return False


def guess(site: MemorySite, phone: SipPhone, times: int) -> list[int]:
    """Register with a wrong password, so often; the last answers."""
    right, phone.password = phone.password, "wrong"
    found = [phone.register(call=f"guess-{at}-{len(phone.responses)}").status for at in range(times)]
    phone.password = right
    return found


def test_wrong_passwords_lock_the_name_at_that_address_until_the_time_is_over(site: MemorySite) -> None:
    phone = site.phone("201", registered=False)
    assert guess(site, phone, LIMIT + 2) == [401] * LIMIT + [403] * 2
    assert phone.responses[-1].reason == b"Too Many Wrong Passwords"
    assert phone.register().status == 403
    assert site.endpoint.drops[DropReason.LOCKED_OUT] == 3
    assert site.endpoint.drops[DropReason.WRONG_CREDENTIALS] == LIMIT
    site.network.run(DEFAULT_LOCKOUT.lock_seconds)
    assert phone.register().status == 200


def test_a_lock_out_is_an_alarm_that_ends_with_the_last_lock(site: MemorySite) -> None:
    guess(site, site.phone("201", registered=False), LIMIT)
    (raised,) = site.log.alarms
    assert (raised.alarm, raised.severity, raised.active) == ("digest_lockout", "warning", True)
    assert raised.text == "10 wrong passwords for auth201 from 192.0.2.11: refused for 300 seconds."
    site.network.run(DEFAULT_LOCKOUT.lock_seconds + 10)
    assert [(one.alarm, one.active) for one in site.log.alarms[1:]] == [("digest_lockout", False)]


def test_while_locks_fall_the_alarm_names_the_newest_and_how_many_there_are_once_a_minute(site: MemorySite) -> None:
    for username in ("200", "201", "202"):
        guess(site, site.phone(username, registered=False), LIMIT)
    assert len(site.log.alarms) == 1
    site.network.run(DEFAULT_LOCKOUT.alarm_seconds + 10)
    assert [(one.active, one.text) for one in site.log.alarms[1:]] == [
        (True, "3 locks, the newest: 10 wrong passwords for auth202 from 192.0.2.13: refused for 300 seconds.")
    ]
    site.network.run(DEFAULT_LOCKOUT.lock_seconds)
    assert [one.active for one in site.log.alarms] == [True, True, False]


def test_a_flood_of_locks_is_told_at_the_pace_of_the_alarm_and_no_faster() -> None:
    guard = Guard(failures_per_name_and_source=1, failures_per_source=10**6, alarm_seconds=60.0)
    for second in range(300):
        for at in range(10):
            guard.fails(b"%d-%d" % (second, at), now=float(second))
        guard.lockout.sweep(float(second))
    assert [one.text.partition(" ")[0] for one in guard.log.alarms] == ["1", "610", "1210", "1810", "2410"]


def test_a_lock_at_one_address_is_none_at_another(site: MemorySite) -> None:
    guess(site, site.phone("201", registered=False), LIMIT + 1)
    assert site.phone("201", registered=False).register().status == 200


def test_a_guesser_behind_the_same_nat_does_not_lock_out_the_registered_phone(site: MemorySite) -> None:
    phone, caller = site.phone("201", 200), site.phone("200", 486)
    guesser = SipPhone(site.network, (phone.address[0], 40_000), EDGE, "201")
    assert guess(site, guesser, LIMIT + 1)[-1] == 403
    assert phone.register().status == 200
    phone.authenticated("INVITE", uri("200"))
    assert phone.statuses[-1] == 486
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 200


def test_a_phone_whose_registration_survived_a_restart_is_not_locked_out_either(site: MemorySite) -> None:
    phone = site.phone("201")
    site.endpoint = site.started()
    guesser = SipPhone(site.network, (phone.address[0], 40_000), EDGE, "201")
    assert guess(site, guesser, LIMIT + 1)[-1] == 403
    assert phone.register().status == 200


def test_one_address_that_guesses_many_names_locks_out_no_phone_that_proved_itself_there() -> None:
    guard = Guard(failures_per_source=5)
    guard.lockout.passed(HOME, b"auth201")
    for at in range(8):
        guard.fails(b"guess%d" % at)
    assert guard.refuses(b"guess9")
    assert guard.refuses(b"auth202")
    assert not guard.refuses(b"auth201")
    assert not guard.refuses(b"auth202", ELSEWHERE)


def test_many_addresses_that_guess_one_name_lock_it_where_it_never_proved_itself_only() -> None:
    guard = Guard(failures_per_name=5)
    guard.lockout.passed(HOME, b"auth201")
    for at in range(8):
        guard.fails(b"auth201", flow=Flow("udp", f"192.0.2.{at}", 5060))
    assert guard.refuses(b"auth201", ELSEWHERE)
    assert not guard.refuses(b"auth201", HOME)
    assert not guard.refuses(b"auth202", ELSEWHERE)


def test_failures_are_forgotten_after_the_window_and_by_the_right_password() -> None:
    guard = Guard(failures_per_name_and_source=3)
    guard.fails(b"a", 2, now=0.0)
    guard.fails(b"a", 2, now=301.0)
    assert not guard.refuses(b"a", now=301.0)
    guard.lockout.passed(HOME, b"a")
    guard.fails(b"a", 2, now=302.0)
    assert not guard.refuses(b"a", now=302.0)


def test_an_ipv6_network_counts_as_one_address() -> None:
    assert source_of("2001:db8:1:2::5") == source_of("2001:db8:1:2:ffff::1") != source_of("2001:db8:1:3::5")
    assert source_of("::ffff:192.0.2.5") == "192.0.2.5"
    assert source_of("fe80::1%eth0") == "fe80::/64"


def test_what_is_remembered_is_bounded() -> None:
    guard = Guard(remembered=100, failures_per_source=10**9, failures_per_name_and_source=2)
    for at in range(1000):
        guard.fails(b"%d" % at, 2)
        guard.lockout.passed(HOME, b"p%d" % at)
        guard.lockout.asking(Flow("udp", f"192.0.{at // 250}.{at % 250}", 5060), 0.0)
    sizes = [len(getattr(guard.lockout, name)) for name in ("_failures", "_locks", "_proven", "_asked")]
    assert max(sizes) <= 101
    assert len(guard.log.alarms) == 1


def test_the_name_in_an_alarm_is_shortened_and_printable() -> None:
    guard = Guard(failures_per_name_and_source=1)
    guard.fails(b"\x00\r\n" * 500)
    assert len(guard.log.alarms[0].text) < 200
    assert guard.log.alarms[0].text.isprintable()


def test_an_address_that_never_proved_anything_gets_no_more_challenges_than_the_burst() -> None:
    guard = Guard(challenge_burst=3, challenges_per_second=1.0)
    for _ in range(3):
        guard.lockout.asking(HOME, 0.0)
    with pytest.raises(Silence):
        guard.lockout.asking(HOME, 0.5)
    guard.lockout.asking(ELSEWHERE, 0.5)
    guard.lockout.asking(HOME, 1.5)
    guard.lockout.passed(HOME, b"a")
    for _ in range(100):
        guard.lockout.asking(HOME, 1.5)
    assert guard.drops[DropReason.RATE_LIMITED] == 1


def test_a_flood_of_requests_without_credentials_is_dropped_and_others_go_on(site: MemorySite) -> None:
    site.configure(
        replace(sip_config(), lockout=replace(DEFAULT_LOCKOUT, challenge_burst=5, challenges_per_second=1.0))
    )
    flooder, phone = site.phone("201", registered=False), site.phone("200")
    for _ in range(50):
        flooder.request("REGISTER", f"sip:{DOMAIN}")
        flooder.request("INVITE", uri("200"))
    site.network.run()
    assert len(flooder.statuses) == 5
    assert site.endpoint.drops[DropReason.RATE_LIMITED] == 95
    assert phone.register().status == 200


def test_a_forged_address_cannot_make_the_phone_at_that_address_fail(site: MemorySite) -> None:
    phone, guesser = site.phone("201", registered=False), site.phone("202", registered=False)
    guesser.request("REGISTER", f"sip:{DOMAIN}")
    site.network.run()
    challenge = guesser.responses[-1]
    for at in range(LIMIT + 5):
        forged = SipPhone(site.network, phone.address, EDGE, "201", password="wrong")
        forged.request(
            "REGISTER",
            f"sip:{DOMAIN}",
            headers=forged.credentials(challenge, "REGISTER", f"sip:{DOMAIN}"),
            call=f"f{at}",
        )
        site.network.run()
    site.network.join(phone.address, phone)
    assert site.endpoint.drops[DropReason.WRONG_CREDENTIALS] == 0
    assert phone.register().status == 200
