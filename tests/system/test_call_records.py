"""Call records as the cloud's API tells them: what people call one call is one, however its legs went, cloud or not."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cloud.local.baresip import Baresip, PhoneAccount, free_pair
from cloud.local.demo_site import DOMAIN
from cloud.local.system import LocalSystem
from tests.support.kamailio_provider import REALM, KamailioProvider
from tests.support.phones.phone import Seen, Surroundings
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.trunk_office import MOBILE, trunk
from tests.support.waiting import eventually
from tests.system.conftest import Site, settings_for
from tests.system.test_outage import bring_the_cloud_back, cut_the_cloud

WITHIN = 60.0
CALLER = "+41791112233"

pytestmark = [pytest.mark.peer("kamailio", "baresip", "pjsua2"), pytest.mark.timeout(400)]


class Office:
    """Three phones of the demo site, and a mobile beyond its trunk; the numbers of 200 and 201 lead there."""

    def __init__(self, system: LocalSystem, folder: Path, stack: ExitStack) -> None:
        self.system, self.site = system, Site(system).without_mailboxes()
        site_id = self.site.running.site_id
        provider = stack.enter_context(KamailioProvider(folder / "provider", free_pair()))
        made = self.site.api.post("/users", {"site_id": site_id, "username": "202", "extension": "202"})
        device = {"site_id": site_id, "mac": "020000000202", "model": "generic/sip", "user_id": made["id"]}
        line = self.site.api.post("/devices", {**device, "name": "Third"})["lines"][0]
        self.users = {one["username"]: one["id"] for one in self.site.api.items(f"/users?site_id={site_id}")}
        self.site.api.patch(f"/users/{self.users['202']}", {"permissions": ["CallPickup"]})
        path = f"/sites/{site_id}/dial-plan"
        plan = self.site.api.get(path)["document"]
        plan["trunks"] = [trunk("first", provider.port).model_dump(mode="json", exclude={"password_ref"})]
        plan["numbers"] = [{"number": f"+41441112{one}", "destination": one} for one in ("200", "201")]
        self.site.api.put(path, {"document": plan})
        self.site.api.put(f"/sites/{site_id}/trunks/first/password", {"password": "password-of-office"})
        eventually(
            lambda: any('username="office"' in one for one in provider.requests("REGISTER")), WITHIN, "the trunk is up"
        )
        eventually(self.site.is_applied, WITHIN, "the edge has it all")
        accounts = [self.site.real_phone(0), self.site.real_phone(1)]
        accounts.append(PhoneAccount("202", line["auth_username"], line["password"], DOMAIN, self.site.target))
        around = Surroundings(folder, {"udp": self.site.target}, folder, DOMAIN)
        self.phones: dict[str, PjsuaPhone] = {}
        for account in accounts:
            phone = stack.enter_context(PjsuaPhone(f"pjsua-{account.username}", account, around))
            phone.wait_for(Seen.REGISTERED, WITHIN)
            self.phones[account.username] = phone
        outside = PhoneAccount(MOBILE, MOBILE, f"password-of-{MOBILE}", REALM, f"127.0.0.1:{provider.port}")
        self.mobile = stack.enter_context(Baresip(folder / "mobile", outside))
        self.mobile.registered()

    def call_in(self, number: str) -> None:
        """The mobile calls a number of the trunk."""
        for phone in self.phones.values():
            phone.forget()
        self.mobile.take_events()
        self.mobile.dial(f"sip:0441112{number}@{REALM}")

    def answers(self, number: str) -> PjsuaPhone:
        """A phone takes the call, and the mobile is connected."""
        phone = self.phones[number]
        phone.wait_for(Seen.INCOMING, WITHIN)
        phone.answer()
        phone.wait_for(Seen.HEARD, WITHIN)
        return phone

    def records(self) -> list[dict[str, Any]]:
        """What the API tells of calls from the mobile, the oldest first."""
        calls = self.site.api.items(f"/calls?site_id={self.site.running.site_id}")
        return sorted((one for one in calls if one["ended_at"]), key=lambda one: str(one["started_at"]))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    ports = {f"TANDEM_EDGE_SIP_TRUNKS_{kind}_PORT": "0" for kind in ("UDP", "TCP", "TLS")}
    system = LocalSystem(settings_for(tmp_path / "own", **ports), None, None, lambda _: None)
    with ExitStack() as stack:
        stack.callback(system.stop)
        system.start()
        yield Office(system, tmp_path, stack)


def story(record: dict[str, Any]) -> list[str]:
    """What happened, without moments."""
    return [str(one).partition(" (")[0] for one in record["reasons"]]


def test_calls_of_a_trunk_that_went_on_while_the_cloud_was_away_are_one_record_each_with_their_story(
    office: Office,
) -> None:
    cut_the_cloud(office.system)
    passed_on(office)
    passed_on_after_asking(office)
    forwarded(office)
    picked_up(office)
    bring_the_cloud_back(office.system)
    eventually(lambda: len([one for one in office.records() if one["caller"] == CALLER]) >= 4, WITHIN, "the records")
    records = office.records()
    blind, attended, forward, pickup = [one for one in records if one["caller"] == CALLER]
    # Besides, there is the call by which the forwarding was switched on.
    assert [one["callee"] for one in records if one["caller"] != CALLER] == ["*72201"]
    told = story(blind)
    assert told[-1] == f"hung_up: {CALLER} ended the call"
    assert "answered: 200 took the call" in told
    assert "transferred: 200 passed the call on to 201" in told
    assert blind["callee_user_id"] == office.users["201"]
    told = story(attended)
    assert told[-1] == f"hung_up: {CALLER} ended the call"
    assert "consulted: 200 asked 202 first" in told
    assert "transferred: 200 passed the call on to 202" in told
    assert attended["callee_user_id"] == office.users["202"]
    assert any(one.startswith("forward_always") for one in story(forward))
    assert forward["callee_user_id"] == office.users["201"]
    assert "pickup: 202 is called to take the call" in story(pickup)
    assert pickup["callee_user_id"] == office.users["202"]
    assert {one["disposition"] for one in records} == {"answered"}


def passed_on(office: Office) -> None:
    office.call_in("200")
    phone = office.answers("200")
    phone.transfer("201")
    office.answers("201")
    phone.closed(WITHIN)
    office.mobile.hang_up()
    office.phones["201"].closed(WITHIN)


def passed_on_after_asking(office: Office) -> None:
    office.call_in("200")
    phone, asked = office.answers("200"), office.phones["202"]
    phone.hold()
    phone.call("202")
    asked.wait_for(Seen.INCOMING, WITHIN)
    asked.answer()
    asked.wait_for(Seen.HEARD, WITHIN)
    phone.join()
    # The call in which it was asked gives way to that of the caller outside.
    asked.wait_for(Seen.CLOSED, WITHIN)
    asked.wait_for(Seen.HEARD, WITHIN)
    phone.closed(WITHIN)
    phone.closed(WITHIN)
    office.mobile.hang_up()
    asked.closed(WITHIN)


def forwarded(office: Office) -> None:
    phone = office.phones["200"]
    phone.forget()
    phone.call("*72201")
    phone.closed(WITHIN)
    office.call_in("200")
    office.answers("201")
    office.mobile.hang_up()
    office.phones["201"].closed(WITHIN)


def picked_up(office: Office) -> None:
    office.call_in("201")
    office.phones["201"].wait_for(Seen.INCOMING, WITHIN)
    picker = office.phones["202"]
    picker.call("*78201")
    # Its own call is refused, and the caller's comes instead, which it answers by itself.
    picker.wait_for(Seen.HEARD, WITHIN)
    office.mobile.hang_up()
    office.phones["201"].closed(WITHIN)
