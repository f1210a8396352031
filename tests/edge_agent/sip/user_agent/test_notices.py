"""NOTIFYs that no phone subscribed to: whom they reach, when, and what is said of it (RFC 3265 §3.2, RFC 3261 §22)."""

from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr

from edge_agent.ports import Notice, NoticeRefused
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Message, ha1, parse, parse_credentials, response_bytes, response_value
from tests.support.memory_network import Address
from tests.support.memory_site import MemorySite, uri, with_limits
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, REALM, password_of, sip_config

CHECK = "check-sync;reboot=false"


def with_devices(config: SipConfig, **devices: str) -> SipConfig:
    """The same site, the lines of these users on devices."""
    credentials = {
        name: replace(one, device_id=devices.get(f"u{one.line_id.removeprefix('line-')}"))
        for name, one in config.credentials.items()
    }
    return replace(config, credentials=credentials)


@pytest.fixture
def office(site: MemorySite) -> MemorySite:
    """Lines 200 and 201 are on one phone, 202 on another."""
    site.configure(with_devices(site.config, u200="desk", u201="desk", u202="lobby"))
    return site


def told(site: MemorySite) -> list[tuple[str, str, int]]:
    """What was heard of notices."""
    return [(one.notice_id, one.state, one.status) for one in site.told]


@dataclass
class CarefulPhone(SipPhone):
    """A phone that wants a password before it believes a NOTIFY."""

    realm: str = REALM
    challenge: str = 'qop="auth", opaque="o"'
    algorithm: str = "MD5"
    nonces: tuple[str, ...] = ("n1",)

    def arrived(self, data: bytes, source: Address) -> None:
        """See `Node`."""
        message = parse(data)
        if message.method != b"NOTIFY":
            super().arrived(data, source)
            return
        self.requests.append(message)
        nonce = self.nonces[min(len(self.requests), len(self.nonces)) - 1]
        stale = ", stale=true" if len(self.requests) > 1 else ""
        headers: tuple[tuple[bytes, bytes], ...] = ()
        status = 200
        if not self.proves(message, nonce):
            status = 401
            value = f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={self.algorithm}, {self.challenge}{stale}'
            headers = ((b"WWW-Authenticate", value.encode()),)
        self.network.send(response_bytes(message, status, b"", headers, b"t"), self.address, self.edge)

    def proves(self, message: Message, nonce: str) -> bool:
        """Whether the password is the account's."""
        value = message.get(b"authorization")
        if value is None:
            return False
        given = parse_credentials(value)
        secret = ha1(self.algorithm, f"auth{self.username}", self.realm, password_of(self.username)).encode()
        qop, nc, cnonce = given.get(b"qop", b""), given.get(b"nc", b""), given.get(b"cnonce", b"")
        wanted = response_value(
            self.algorithm.encode(), secret, b"NOTIFY", message.uri, nonce.encode(), nc, cnonce, qop
        )
        return given[b"response"] == wanted and given[b"nonce"].decode() == nonce


def careful(site: MemorySite, **how: object) -> CarefulPhone:
    """Such a phone of user 202, registered."""
    phone = CarefulPhone(site.network, ("192.0.2.77", 5060), ("192.0.2.1", 5060), "202", **how)  # type: ignore[arg-type]
    phone.register()
    return phone


def test_a_phone_is_told_through_its_flow_and_its_answer_is_reported(office: MemorySite) -> None:
    phone = office.phone("202", tcp=True)
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    office.network.run(1)
    (notify,) = phone.requests
    assert (notify.method, notify.uri) == (b"NOTIFY", phone.contact.encode())
    assert notify.get(b"event") == CHECK.encode()
    assert notify.get(b"subscription-state") == b"terminated"
    assert notify.get(b"to") == f"<sip:202@{DOMAIN}>".encode()
    assert notify.values(b"contact") == [b"<sip:192.0.2.1:5060;transport=tcp>"]
    assert told(office) == [("n1", "accepted", 200)]
    assert office.told[0].contact == phone.contact


def test_a_device_with_two_lines_is_told_once(office: MemorySite) -> None:
    first, second = office.phone("200"), office.phone("201")
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="desk"))
    office.network.run(1)
    assert len(first.methods + second.methods) == 1
    assert told(office) == [("n1", "accepted", 200)]


def test_every_phone_of_a_line_is_told(office: MemorySite) -> None:
    phones = office.phone("202"), office.phone("202")
    office.endpoint.notices.notify(Notice("n1", CHECK, line_id="line-202"))
    office.network.run(1)
    assert [phone.methods for phone in phones] == [["NOTIFY"], ["NOTIFY"]]
    assert told(office) == [("n1", "accepted", 200)] * 2


def test_one_contact_is_told_with_a_body(office: MemorySite) -> None:
    phone, other = office.phone("202"), office.phone("202")
    notice = Notice("n1", "service-control", contact=phone.contact, content_type="text/plain", body="action=restart\n")
    office.endpoint.notices.notify(notice)
    office.network.run(1)
    assert (phone.requests[0].get(b"content-type"), phone.requests[0].body) == (b"text/plain", b"action=restart\n")
    assert other.methods == []


def test_a_phone_behind_a_proxy_is_told_along_its_path(office: MemorySite) -> None:
    """RFC 3327 §5.4."""
    proxy = office.phone("202", registered=False)
    proxy.register(contact="<sip:202@10.0.0.7>", headers="Supported: path\r\nPath: <sip:192.0.2.11;lr>\r\n")
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    office.network.run(1)
    assert proxy.requests[0].uri == b"sip:202@10.0.0.7"
    assert proxy.requests[0].values(b"route") == [b"<sip:192.0.2.11;lr>"]


def test_a_phone_that_is_not_registered_is_reported_as_such(office: MemorySite) -> None:
    for notice in (Notice("n1", CHECK, device_id="lobby"), Notice("n2", CHECK, contact="sip:nobody@192.0.2.9")):
        office.endpoint.notices.notify(notice)
    assert told(office) == [("n1", "not_registered", 0), ("n2", "not_registered", 0)]


@pytest.mark.parametrize("caller", ["202", "203"])
def test_a_phone_in_a_call_is_told_when_the_call_is_over(office: MemorySite, caller: str) -> None:
    phone, other = office.phone("202", 200), office.phone("203", 200)
    calling, called = (phone, other) if caller == "202" else (other, phone)
    invite = calling.authenticated("INVITE", uri(called.username))
    answer = calling.responses[-1]
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    office.network.run(60)
    assert told(office) == [("n1", "deferred", 0)]
    assert "NOTIFY" not in phone.methods
    calling.in_dialog("BYE", invite, answer)
    office.network.run(6)
    assert told(office)[1:] == [("n1", "accepted", 200)]
    assert "NOTIFY" not in other.methods


def test_a_phone_that_rings_is_not_told_either(office: MemorySite) -> None:
    phone, caller = office.phone("202", 180), office.phone("203")
    invite = caller.authenticated("INVITE", uri("202"))
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    office.network.run(10)
    assert "NOTIFY" not in phone.methods
    caller.cancel(invite)
    office.network.run(6)
    assert phone.methods[-1] == "NOTIFY"


def test_a_call_that_lasts_too_long_ends_the_waiting(office: MemorySite) -> None:
    office.configure(replace(with_devices(office.config, u202="lobby"), notice_wait_seconds=100.0))
    caller = office.phone("203")
    office.phone("202", 200)
    caller.authenticated("INVITE", uri("202"))
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    office.network.run(110)
    assert told(office) == [("n1", "deferred", 0), ("n1", "still_in_a_call", 0)]
    assert len(office.endpoint.notices) == 0


@pytest.mark.parametrize(
    ("realm", "algorithm", "challenge"),
    [
        (REALM, "MD5", 'qop="auth", opaque="o"'),
        (REALM, "MD5", ""),
        (REALM, "SHA-256", 'qop="auth-int,auth"'),
        ("a realm of its own", "MD5", 'qop="auth"'),
    ],
)
def test_a_phone_that_wants_proof_gets_its_accounts_password(
    office: MemorySite, realm: str, algorithm: str, challenge: str
) -> None:
    """RFC 3261 §22.2, RFC 7616 §3.4, RFC 8760 §2.4."""
    config = with_devices(sip_config(), u202="lobby")
    known = {
        name: replace(one, password=SecretStr(password_of(name.removeprefix("auth"))))
        for name, one in config.credentials.items()
    }
    office.configure(replace(config, credentials=known))
    phone = careful(office, realm=realm, algorithm=algorithm, challenge=challenge.rstrip(", ") or "x=y")
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    office.network.run(1)
    assert told(office) == [("n1", "accepted", 200)]
    first, second = phone.requests
    assert (first.cseq[0], second.cseq[0]) == (1, 2)
    assert (first.call_id, first.from_tag) == (second.call_id, second.from_tag)


def test_a_hash_is_enough_in_the_realm_of_the_site_and_nowhere_else(office: MemorySite) -> None:
    careful(office)
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    office.network.run(1)
    careful(office, realm="elsewhere")
    office.endpoint.notices.notify(Notice("n2", CHECK, device_id="lobby"))
    office.network.run(1)
    assert told(office) == [("n1", "accepted", 200), ("n2", "refused", 401)]


def test_a_stale_nonce_is_answered_again_and_a_wrong_password_is_not(office: MemorySite) -> None:
    """RFC 7616 §3.3."""
    phone = careful(office, nonces=("n1", "n2", "n2"))
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    office.network.run(1)
    assert (told(office), len(phone.requests)) == ([("n1", "accepted", 200)], 3)
    endless = careful(office, nonces=tuple(f"n{number}" for number in range(50)))
    office.endpoint.notices.notify(Notice("n2", CHECK, device_id="lobby"))
    office.network.run(1)
    assert told(office)[1:] == [("n2", "refused", 401)]
    assert len(endless.requests) == 5


def test_a_silent_phone_is_unreachable_and_its_other_contact_is_tried(office: MemorySite) -> None:
    answers, gone = office.phone("200"), office.phone("201")
    office.network.loses = lambda data, source, target: target == gone.address and data.startswith(b"NOTIFY")
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="desk"))
    office.network.run(40)
    assert (told(office), answers.methods) == ([("n1", "accepted", 200)], ["NOTIFY"])
    office.network.loses = lambda data, source, target: data.startswith(b"NOTIFY")
    office.endpoint.notices.notify(Notice("n2", CHECK, device_id="desk"))
    office.network.run(80)
    assert told(office)[1:] == [("n2", "unreachable", 0)]


def test_a_thousand_notices_leave_at_a_steady_pace(office: MemorySite) -> None:
    phones = [office.phone("202") for _ in range(10)]
    office.configure(replace(office.config, notices_per_second=20.0))
    for number in range(10):
        for phone in phones:
            office.endpoint.notices.notify(Notice(f"n{number}", CHECK, contact=phone.contact))
    office.network.run(1)
    sent = sum(len(phone.methods) for phone in phones)
    assert 18 <= sent <= 20
    office.network.run(5)
    assert [state for _, state, _ in told(office)] == ["accepted"] * 100
    assert len(office.endpoint.notices) == 0


@pytest.mark.parametrize(
    ("notice", "says"),
    [
        (Notice("n", CHECK), "exactly one of"),
        (Notice("n", CHECK, device_id="d", line_id="l"), "exactly one of"),
        (Notice("n", "check-sync\r\nX: y", device_id="d"), "no event type"),
        (Notice("n", "", device_id="d"), "no event type"),
        (Notice("n", CHECK, device_id="d", content_type="text", body="x"), "no media type"),
        (Notice("n", CHECK, device_id="d", body="x"), "needs a content_type"),
        (Notice("n", CHECK, device_id="d", content_type="text/plain", body="x" * 20_000), "longer than"),
    ],
)
def test_a_malformed_notice_is_refused_with_the_reason(site: MemorySite, notice: Notice, says: str) -> None:
    with pytest.raises(NoticeRefused, match=says):
        site.endpoint.notices.notify(notice)


def test_more_notices_than_the_limit_are_refused(office: MemorySite) -> None:
    office.phone("202")
    office.configure(with_limits(with_devices(office.config, u202="lobby"), notices=1))
    office.endpoint.notices.notify(Notice("n1", CHECK, device_id="lobby"))
    with pytest.raises(NoticeRefused, match="wait already"):
        office.endpoint.notices.notify(Notice("n2", CHECK, device_id="lobby"))


def test_no_password_shows_in_what_is_printed() -> None:
    (credential,) = [one for one in sip_config().credentials.values() if one.line_id == "line-200"]
    assert "planted" not in repr(replace(credential, password=SecretStr("planted")))
