"""Conferences controlled from afar: a room and its PIN saved over the API, real phones in it, orders by the channel."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from cloud.local.api_client import ApiRefused
from cloud.local.demo_site import DOMAIN
from cloud.local.system import LocalSystem
from tests.support.phones.phone import Seen, Surroundings
from tests.support.waiting import eventually
from tests.system.conftest import Site
from tests.system.test_conferences import TONES, Phone

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(300)]

ROOM: Final = {"kind": "conference", "service_id": "team", "name": "Team", "extension": "800", "asks_pin": True}


class Office:
    """The demo site with a room that asks for a PIN, and its two phones."""

    def __init__(self, site: Site, folder: Path, stack: ExitStack) -> None:
        self._site, self._api = site, site.api
        self._path = f"/sites/{site.running.site_id}"
        site.ask_for_services({**ROOM, "owner": site.user_id(0), "music_alone": False})
        self._api.patch(f"{self._path}/conference-rooms/team/pins", {"pin": "2580"})
        eventually(lambda: site.serves("team"), within=60, what="the room is at the edge")
        surroundings = Surroundings(folder, {"udp": site.target}, folder / "none", DOMAIN)
        self.phones = [self._phone(which, surroundings, stack) for which in range(2)]

    def _phone(self, which: int, surroundings: Surroundings, stack: ExitStack) -> Phone:
        account = self._site.real_phone(which)
        phone = Phone(f"phone-{account.username}", account, surroundings)
        phone.tone_hz = TONES[account.username]
        stack.enter_context(phone).wait_for(Seen.REGISTERED)
        return phone

    def conference(self) -> dict[str, Any]:
        """The one that goes on; empty: none does."""
        found: list[dict[str, Any]] = self._api.get(f"{self._path}/conferences")["items"]
        return found[0] if found else {}

    def party(self, number: str) -> dict[str, Any]:
        """Somebody in it."""
        return next((one for one in self.conference().get("parties", ()) if one["number"] == number), {})

    def order(self, action: str, number: str = "", **more: Any) -> dict[str, Any]:
        """Have something done; the conference afterwards."""
        whom = {"party_id": self.party(number)["party_id"]} if number else {}
        answer = self._api.post(f"{self._path}/conferences/team/orders", {"action": action, **whom, **more})
        return dict(answer["conference"] or {})

    def recordings(self) -> list[dict[str, Any]]:
        """What lies at the edge."""
        return list(self._api.get(f"{self._path}/conference-recordings")["items"])

    def delete(self, recording_id: str) -> None:
        """Delete one."""
        self._api.delete(f"{self._path}/conference-recordings/{recording_id}")


@pytest.fixture
def office(own_system: LocalSystem, tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(Site(own_system), tmp_path, stack)


def test_who_is_in_a_conference_is_seen_and_muted_recorded_and_removed_from_the_portal(office: Office) -> None:
    owner, guest = office.phones
    owner.dials("800")
    guest.dials("800")
    guest.press("2580#")
    owner.hears_just("201")
    guest.hears_just("200")
    eventually(lambda: all(one["speaking"] for one in office.conference()["parties"]), what="both are seen speaking")
    assert [office.party(number)["moderator"] for number in ("200", "201")] == [True, False]

    assert next(one for one in office.order("mute", "201")["parties"] if one["number"] == "201")["muted"]
    owner.hears_just()
    guest.press("*1")
    eventually(lambda: guest.hears() != {"200"}, what="he is told that he cannot")
    guest.hears_just("200")
    assert office.party("201")["muted"], "whom a moderator muted cannot end it"
    office.order("unmute", "201")
    owner.hears_just("201")

    assert office.order("record")["recorded"]
    eventually(lambda: not office.order("stop_recording")["recorded"] and office.recordings(), what="it is listed")
    (recording,) = office.recordings()
    office.delete(recording["recording_id"])
    assert office.recordings() == []

    assert office.order("lock")["locked"]
    office.order("kick", "201")
    guest.closed()
    eventually(lambda: len(office.conference()["parties"]) == 1, what="one is left")
    assert office.order("end") in ({}, office.conference())
    owner.closed()
    eventually(lambda: office.conference() == {}, what="nobody is in a conference")
    with pytest.raises(ApiRefused, match="Nobody is in a conference"):
        office.order("lock")
