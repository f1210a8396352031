"""Trunks by TLS of a whole edge whose cloud is away: whose certificates count, with Kamailio as provider."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge_agent.clock import SystemClock
from tests.support.certificates import Authority
from tests.support.kamailio_provider import REALM, ProviderTls
from tests.support.trunk_office import DOMAIN, MOBILE, Office
from tests.support.waiting import eventually

pytestmark = [pytest.mark.peer("kamailio", "baresip"), pytest.mark.timeout(240)]


@dataclass(frozen=True)
class World:
    """An office, and the authority of its provider."""

    office: Office
    authority: Authority

    def encrypted(self, which: str, **more: object) -> dict[str, Any]:
        """Settings of a trunk that goes to its provider by TLS."""
        return {
            "transport": "tls",
            "port": self.office.ports[which] + 1,
            "certificate_authorities": self.authority.file.read_text(),
            **more,
        }

    def told(self, text: str) -> None:
        """Wait until the edge says this of its trunks."""

        def said() -> bool:
            alarms = self.office.alarms()
            return bool(alarms) and alarms[-1].active and text in alarms[-1].text

        try:
            eventually(said, 60, "what is wrong with the trunk is told")
        except AssertionError:
            raise AssertionError([one.text for one in self.office.alarms()]) from None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(Office(tmp_path, stack), Authority(tmp_path, "the provider's authority"))


def test_a_trunk_by_tls_registers_and_carries_calls_both_ways(world: World) -> None:
    office = world.office
    provider = office.provider("first", tls=ProviderTls(*world.authority.issue("127.0.0.1")))
    office.begin(each={"first": world.encrypted("first")})
    office.registered(provider)
    phone, mobile = office.call_out(provider)
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    called = office.phone("202")
    mobile.dial(f"sip:0441112202@{REALM}")
    called.accept()
    mobile.wait_for("CALL_ESTABLISHED")
    office.talk("202", MOBILE)
    mobile.hang_up()
    called.wait_for("CALL_CLOSED")
    for method in ("REGISTER", "INVITE"):
        assert "Via: SIP/2.0/TLS 127.0.0.1" in provider.requests(method, "office")[-1]
    assert all("Via: SIP/2.0/TLS" in one for one in provider.requests("REGISTER", "office"))


@pytest.mark.parametrize("wrong", ["name", "authority", "dates"])
def test_a_provider_whose_certificate_is_not_in_order_gets_nothing_and_what_is_wrong_is_told(
    world: World, tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "somebody").mkdir()
    signer = Authority(tmp_path / "somebody") if wrong == "authority" else world.authority
    host, days = "sip.other.test" if wrong == "name" else "127.0.0.1", 1 if wrong == "dates" else 36_500
    provider = world.office.provider("first", tls=ProviderTls(*signer.issue(host, days=days)))
    text = {
        "name": "its certificate is for sip.other.test, not for 127.0.0.1",
        "authority": "its certificate cannot be trusted: unable to get local issuer certificate",
        "dates": "its certificate cannot be trusted: certificate has expired",
    }[wrong]
    world.office.begin(each={"first": world.encrypted("first")})
    world.told(f"first: its registration was not answered ({text})")
    assert not provider.requests("REGISTER")


def test_a_provider_may_be_known_by_a_name_that_is_not_the_one_to_connect_to(world: World) -> None:
    certificate = world.authority.issue("sip.provider.test")
    provider = world.office.provider("first", tls=ProviderTls(*certificate))
    world.office.begin(each={"first": world.encrypted("first", certificate_names=["sip.provider.test"])})
    world.office.registered(provider)


def test_a_provider_that_asks_for_a_certificate_is_shown_the_edges_own(world: World, tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    ours = Authority(tmp_path / "ours", "whom the provider trusts")
    tls = ProviderTls(*world.authority.issue("127.0.0.1"), clients=ours.file)
    provider = world.office.provider("first", tls=tls)
    certificate, key = ours.issue("site.demo.tandem.test", "edge")
    shown = {"TANDEM_EDGE_SIP_TLS_CERTIFICATE": str(certificate), "TANDEM_EDGE_SIP_TLS_KEY": str(key)}
    world.office.begin(each={"first": world.encrypted("first")}, environment=shown)
    world.office.registered(provider)


def test_a_provider_that_does_not_take_our_certificate_is_told_apart_from_one_that_is_away(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "ours").mkdir()
    tls = ProviderTls(*world.authority.issue("127.0.0.1"), clients=Authority(tmp_path / "ours").file)
    provider = world.office.provider("first", tls=tls)
    world.office.begin(each={"first": world.encrypted("first")})
    world.told("first: its registration was not answered (the encrypted connection failed: ")
    assert not provider.requests("REGISTER")


def test_a_call_leaves_by_the_next_trunk_when_the_encrypted_one_cannot_be_trusted(world: World) -> None:
    office = world.office
    first = office.provider("first", tls=ProviderTls(*world.authority.issue("sip.other.test")))
    second = office.provider("second")
    office.begin(register_seconds=0, options_seconds=0, each={"first": world.encrypted("first")})
    mobile, phone = office.outside(second), office.phone("200")
    began = SystemClock().monotonic()
    phone.dial(f"sip:{MOBILE}@{DOMAIN}")
    mobile.wait_for("CALL_INCOMING")
    assert SystemClock().monotonic() - began < 3.0
    mobile.command("accept")
    phone.wait_for("CALL_ESTABLISHED")
    office.talk("200", MOBILE)
    phone.hang_up()
    mobile.wait_for("CALL_CLOSED")
    (record,) = office.records()
    assert [reason.partition(":")[0] for reason in record.reasons] == ["custom", "gateway", "ended", "gateway"]
    assert not first.requests("INVITE")
