"""A call queue watched and staffed from afar: a real caller and a real agent at an edge, the API in front of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from cloud.local.demo_site import DOMAIN
from cloud.local.system import LocalSystem
from tests.support.phones.phone import Seen, Surroundings
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.waiting import eventually
from tests.system.conftest import Site

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(300)]

QUEUE: Final = {
    "kind": "queue",
    "service_id": "support",
    "name": "Support",
    "extension": "850",
    "waits_for_agents": True,
    "welcome": False,
    "ring_seconds": 120,
}


class Office:
    """The demo site with a queue, a caller, and its agent, who is logged out."""

    def __init__(self, site: Site, folder: Path, stack: ExitStack) -> None:
        self._site, self._api = site, site.api
        self._path = f"/sites/{site.running.site_id}"
        self.agent_id = site.user_id(1)
        site.ask_for_services({**QUEUE, "agents": [{"user_id": self.agent_id}]})
        eventually(lambda: site.serves("support"), within=60, what="the queue is at the edge")
        surroundings = Surroundings(folder, {"udp": site.target}, folder / "none", DOMAIN)
        self.caller, self.agent = (self._phone(which, surroundings, stack) for which in range(2))

    def _phone(self, which: int, surroundings: Surroundings, stack: ExitStack) -> PjsuaPhone:
        account = self._site.real_phone(which)
        phone = PjsuaPhone(f"phone-{account.username}", account, surroundings)
        stack.enter_context(phone).wait_for(Seen.REGISTERED)
        return phone

    def queue(self) -> dict[str, Any]:
        """How it stands."""
        found: dict[str, Any] = self._api.get(f"{self._path}/queues/support")["queue"]
        return found

    def doing(self) -> str:
        """What the agent does."""
        return str(self.queue()["agents"][0]["doing"])

    def sets(self, presence: str) -> None:
        """Log the agent in or out."""
        self._api.put(f"{self._path}/queues/support/agents/{self.agent_id}", {"presence": presence})

    def stories(self) -> list[dict[str, Any]]:
        """What became of callers."""
        return list(self._api.get(f"{self._path}/queue-calls")["items"])

    def total(self) -> dict[str, Any]:
        """The queue's day, added up."""
        found: dict[str, Any] = self._api.get(f"{self._path}/queue-totals")["items"][0]
        return found


@pytest.fixture
def office(own_system: LocalSystem, tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(Site(own_system), tmp_path, stack)


def test_a_waiting_caller_is_seen_reaches_the_agent_who_is_logged_in_from_afar_and_leaves_a_story(
    office: Office,
) -> None:
    office.caller.call("850")
    office.caller.wait_for(Seen.ANSWERED, 30)
    eventually(lambda: len(office.queue()["callers"]) == 1, within=30, what="the caller is seen to wait")
    before = office.queue()
    assert (before["callers"][0]["number"], before["agents"][0]["presence"]) == ("200", "out")

    office.sets("in")
    office.agent.wait_for(Seen.INCOMING, 60)
    eventually(lambda: office.doing() == "ringing", within=60, what="the agent is seen to be rung")
    office.agent.answer()
    office.agent.wait_for(Seen.ANSWERED, 30)
    eventually(lambda: office.doing() == "talking", within=30, what="the agent is seen to talk")
    now = office.queue()
    assert (now["callers"], now["answered"], now["agents"][0]["queue_id"]) == ([], 1, "support")

    office.caller.hang_up()
    eventually(lambda: bool(office.stories()), within=60, what="the story is told")
    (story,) = office.stories()
    assert (story["outcome"], story["agent_id"], story["caller"]) == ("answered", office.agent_id, "200")
    assert [(one["user_id"], one["result"]) for one in story["offers"]] == [(office.agent_id, "answered")]
    assert story["came_at"] < story["answered_at"] <= story["ended_at"]
    assert (office.total()["answered"], office.total()["abandoned"]) == (1, 0)
