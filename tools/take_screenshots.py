"""Photograph every page of the portal into docs/screenshots, from a real API with demo content.

Not a test: run it when the portal's look has changed, and look at the pictures before committing them.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from cloud.local.postgres import prepare_database
from cloud.models.upgrading import ensure_roles
from cloud.pbx.database import Database
from contract.sync.conferences import (
    ConferenceRecordings,
    LiveConference,
    LiveConferences,
    LiveParty,
)
from contract.sync.dhcp import DhcpLease, DhcpStatus
from contract.sync.messages import Command
from contract.sync.questions import CONFERENCES
from tests.support.answering_edge import Reply, answering_edge, small_ladder
from tests.support.portal import DESKTOP, PHONE, Visit, chromium, serve_portal, visit
from tests.support.portal_demo import ADMIN_EMAIL, ADMIN_PASSWORD, USER_EMAIL, USER_PASSWORD, Demo, make_demo
from tests.support.portal_demo_services import AGENTS
from tests.support.postgres import TEMPLATE, Databases, fresh_database, running_server
from tests.support.queue_edge import QueueEdge
from tools.build_portal import build

PICTURES: Final = Path(__file__).parent.parent / "docs" / "screenshots"
MAX_BYTES: Final = 150_000


@dataclass(frozen=True)
class Camera:
    """Takes pictures of one visit."""

    tab: Visit
    suffix: str = ""

    def take(self, name: str) -> None:
        """Write `<name><suffix>.png`, once nothing moves any more."""
        page = self.tab.page
        page.get_by_label("Loading").first.wait_for(state="hidden")
        page.mouse.move(0, 0)
        file = PICTURES / f"{name}{self.suffix}.png"
        page.screenshot(path=str(file), animations="disabled", caret="hide")
        size = file.stat().st_size
        print(f"{file.name}: {size // 1000} kB")
        if size > MAX_BYTES:
            raise SystemExit(f"{file.name} is larger than {MAX_BYTES} bytes")


def main() -> int:
    """Write all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    portal_dir = build()
    with _databases() as databases, tempfile.TemporaryDirectory() as folder:
        demo = make_demo(databases, Path(folder))
        with serve_portal(demo.services, portal_dir) as url, chromium() as browser:
            _own_queues(browser, url, demo)
            _main_pages(browser, url, demo, PHONE, "-phone", dark=False)
            _main_pages(browser, url, demo, DESKTOP, "-dark", dark=True)
            _desktop(browser, url, demo)  # last: it enrolls an edge
    return 0


@contextmanager
def _databases() -> Iterator[Databases]:
    with running_server() as server:
        ensure_roles(server.url)
        prepare_database(server.url, TEMPLATE)
        with fresh_database(server) as urls:
            opened = Databases(urls, Database(urls.api), Database(urls.hub), Database(urls.worker))
            try:
                yield opened
            finally:
                for database in (opened.api, opened.hub, opened.worker):
                    database.close()


def _desktop(browser: Browser, url: str, demo: Demo) -> None:
    with visit(browser, url) as tab:
        camera, page, site = Camera(tab), tab.page, f"/sites/{demo.site_id}"
        tab.go("/")
        page.get_by_label("E-mail").wait_for()
        camera.take("log-in")
        tab.log_in(ADMIN_EMAIL, ADMIN_PASSWORD, "/sites")
        page.get_by_role("table", name="Sites").wait_for()
        camera.take("sites")
        for name in ("users", "devices", "unknown-phones", "calls", "snapshots", "edges"):
            tab.go(f"{site}/{name}")
            page.get_by_role("table").first.wait_for()
            if name == "calls":
                page.get_by_role("button", name=re.compile("^Why the call")).first.click()
            camera.take(f"site-{name}")
        tab.go(site)
        page.get_by_role("region", name="Alarms").wait_for()
        camera.take("site-overview")
        _dialogs(camera, page, site)
        _ladder(camera, demo)
        _dhcp(camera, demo)
        _plan(camera, site)
        _conferences(camera, demo)
        _queues(camera, demo)
        _services(camera, demo)
        _redirects(camera)
        _firmware(camera)
        tab.go("/tenants")
        page.get_by_role("table").first.wait_for()
        camera.take("tenants")
        tab.go("/webhook-endpoints")
        page.get_by_role("table").first.wait_for()
        camera.take("webhooks")
        tab.go(f"/webhook-endpoints/{demo.endpoint_id}")
        page.get_by_role("table").first.wait_for()
        camera.take("webhook-deliveries")
        tab.go("/audit")
        page.get_by_role("table").first.wait_for()
        camera.take("audit")
        tab.go("/account")
        page.get_by_role("heading", name="Account").wait_for()
        camera.take("account")


def _dhcp(camera: Camera, demo: Demo) -> None:
    """How the edge's own DHCP stands, as an edge in memory answers it, and the options for the servers of others."""
    now = demo.services.clock.now()
    leases = tuple(
        DhcpLease(
            address=f"192.168.10.{100 + place}",
            mac=mac,
            vendor_class=vendor,
            switch_port=port,
            reserved=place == 0,
            ends_at=now + timedelta(hours=11 - place),
        )
        for place, (mac, vendor, port) in enumerate(
            (
                ("805ec0000200", "yealink", "floor-1 / ge-0/14"),
                ("000413a1b2c3", "snomD785", "floor-1 / ge-0/15"),
                ("805ec00003a1", "yealink", "floor-1 / ge-0/21"),
            )
        )
    )
    status = DhcpStatus(state="serving", leases=leases, pool_size=51, pool_free=48, looked_at=now)

    def reply(_: Command) -> Reply:
        return True, status.model_dump_json()

    with answering_edge(demo.databases, demo.edge, demo.services.clock, reply):
        camera.tab.go(f"/sites/{demo.site_id}/dhcp")
        camera.tab.page.get_by_role("table", name="Leases").wait_for()
        camera.take("site-dhcp")


def _plan(camera: Camera, site: str) -> None:
    """What has to do with where calls go."""
    page = camera.tab.page
    camera.tab.go(f"{site}/dial-plan")
    page.get_by_role("combobox", name="Who calls").click()
    page.get_by_role("option").first.click()
    page.get_by_label("What is dialled").and_(page.locator("input")).first.fill("004412345")
    page.get_by_role("button", name="See what happens").click()
    page.get_by_role("list", name="The way of the call").wait_for()
    camera.take("site-dial-plan")
    camera.tab.go(f"{site}/trunks")
    page.get_by_role("table", name="Trunks").wait_for()
    camera.take("site-trunks")
    for name, table in (("numbers", "Numbers"), ("emergency", "Places"), ("groups", "Pickup groups")):
        camera.tab.go(f"{site}/{name}")
        page.get_by_role("table", name=table).wait_for()
        camera.take(f"site-{name}")
    camera.tab.go(f"{site}/users")
    page.get_by_role("button", name="Show Reception").click()
    page.get_by_role("list", name="What rings when").wait_for()
    camera.take("call-handling")


def _conferences(camera: Camera, demo: Demo) -> None:
    """Rooms, and who is in one of them, as an edge in memory answers it."""
    now = demo.services.clock.now()
    parties = tuple(
        LiveParty(
            party_id=f"{place:016x}",
            number=number,
            name=name,
            moderator=place == 0,
            speaking=place == 1,
            muted=place == 2,
            came_at=now - timedelta(minutes=14 - 3 * place),
        )
        for place, (number, name) in enumerate((("200", "Reception"), ("+49301234777", ""), ("202", "Workshop")))
    )
    going = LiveConference(
        room_id="team",
        name="Team meeting",
        extension="600",
        began_at=now - timedelta(minutes=14),
        locked=True,
        parties=parties,
    )

    def reply(command: Command) -> Reply:
        if command.name == CONFERENCES:
            return True, LiveConferences(conferences=(going,)).model_dump_json()
        return True, ConferenceRecordings().model_dump_json()

    with answering_edge(demo.databases, demo.edge, demo.services.clock, reply):
        camera.tab.go(f"/sites/{demo.site_id}/conferences")
        camera.tab.page.get_by_role("region", name="Conference Team meeting").wait_for()
        table = camera.tab.page.get_by_role("table", name="Recordings")
        table.wait_for()
        camera.take("site-conferences")
        table.get_by_role("button", name="Listen to the recording of Team meeting").click()
        player = camera.tab.page.get_by_role("region", name="Player")
        player.get_by_role("slider").press("ArrowRight")
        player.scroll_into_view_if_needed()
        camera.take("conference-recordings")


def _queues(camera: Camera, demo: Demo) -> None:
    """Queues as they stand, at the desk and at the wall, as an edge in memory tells of them, and their editor."""
    page, site = camera.tab.page, f"/sites/{demo.site_id}"
    edge = QueueEdge(demo.services.clock.now(), [demo.users[one] for one in AGENTS])
    with answering_edge(demo.databases, demo.edge, demo.services.clock, edge.reply):
        camera.tab.go(f"{site}/queues")
        page.get_by_role("table", name="Agents of Support").wait_for()
        camera.take("site-queues")
        camera.tab.go(f"{site}/wallboard")
        page.get_by_role("list", name="Agents of Support").wait_for()
        camera.take("wallboard")
    demo.clock.advance(60)  # whoever still asks the edge, which is gone, gives up
    camera.tab.go(f"{site}/queue-calls")
    page.get_by_role("table", name="Callers").wait_for()
    page.get_by_role("table", name="Totals by queue").wait_for()
    camera.take("site-queue-calls")
    camera.tab.go(f"{site}/call-queues")
    page.get_by_role("button", name="Edit Support").click()
    page.get_by_role("form", name="Call queue Support").wait_for()
    camera.take("site-call-queues")


def _own_queues(browser: Browser, url: str, demo: Demo) -> None:
    """What an agent who supervises finds in the self-service."""
    for size, suffix, dark in ((DESKTOP, "", False), (PHONE, "-phone", False), (DESKTOP, "-dark", True)):
        with visit(browser, url, size, dark=dark) as tab:
            tab.log_in(USER_EMAIL, USER_PASSWORD)
            messages = tab.page.get_by_role("list", name="Messages")
            messages.get_by_role("button", name="Listen to message from Mill").click()
            messages.get_by_role("slider").press("ArrowRight")
            Camera(tab, suffix).take("my-calls")
            own = tab.page.get_by_role("region", name="My queues")
            own.get_by_role("button", name="Pause at Support, or log out").click()
            tab.page.get_by_role("menuitem", name="Lunch").wait_for()
            own.scroll_into_view_if_needed()
            Camera(tab, suffix).take("my-queues")


def _services(camera: Camera, demo: Demo) -> None:
    """What else answers at the site."""
    page, site = camera.tab.page, f"/sites/{demo.site_id}"
    camera.tab.go(f"{site}/attendants")
    page.get_by_role("button", name="Edit Main number").click()
    page.get_by_role("region", name="Menus").scroll_into_view_if_needed()
    camera.take("site-attendants")
    camera.tab.go(f"{site}/services")
    page.get_by_role("table").first.wait_for()
    camera.take("site-services")
    page.get_by_role("table", name="Fax mailboxes").scroll_into_view_if_needed()
    camera.take("fax-mailboxes")
    camera.tab.go(f"{site}/voicemail")
    page.get_by_role("region", name="Speaks").wait_for()
    camera.take("site-voicemail")
    camera.tab.go(f"{site}/sounds")
    page.get_by_role("table", name="Sound files").wait_for()
    camera.take("site-sounds")


def _redirects(camera: Camera) -> None:
    camera.tab.go("/redirect-accounts")
    camera.tab.page.get_by_role("table").first.wait_for()
    camera.take("redirect-accounts")


def _ladder(camera: Camera, demo: Demo) -> None:
    """A call's messages, as an edge in memory answers them."""
    page = camera.tab.page

    def reply(_: Command) -> Reply:
        return True, small_ladder().model_dump_json()

    with answering_edge(demo.databases, demo.edge, demo.services.clock, reply):
        camera.tab.go(f"/sites/{demo.site_id}/calls")
        page.get_by_role("button", name=re.compile("^Why the call")).first.click()
        page.get_by_role("button", name="Show its SIP messages").click()
        page.get_by_label("Ladder of the call").get_by_role("button", name="407").click()
        camera.take("call-ladder")


def _dialogs(camera: Camera, page: Page, site: str) -> None:
    tab = camera.tab
    tab.go(f"{site}/users")
    page.get_by_role("button", name="Edit Reception").click()
    page.get_by_role("form").get_by_label("Display name").wait_for()
    camera.take("edit-user")
    tab.go(f"{site}/devices")
    page.get_by_role("button", name="Edit Reception phone").click()
    page.get_by_role("button", name="Time").first.click()
    camera.take("edit-device")
    _phones(camera, page, site)
    tab.go(f"{site}/snapshots")
    page.get_by_role("button", name=re.compile("^What version")).first.click()
    page.get_by_role("dialog").locator("section").first.wait_for()
    camera.take("snapshot-changes")
    tab.go(f"{site}/edges")
    page.get_by_role("button", name="Enroll new edge").click()
    page.get_by_role("button", name="Create enrollment code").click()
    page.get_by_role("button", name="Copy command").wait_for()
    camera.take("enroll-edge")


def _phones(camera: Camera, page: Page, site: str) -> None:
    """Settings for many phones, the rules, a list that is wrong, one phone, and a model of the catalogue."""
    tab = camera.tab
    tab.go(f"{site}/phone-rules")
    page.get_by_role("button", name="Save rules").wait_for()
    camera.take("site-phone-rules")
    _levels(camera, site)
    tab.go(f"{site}/devices")
    page.get_by_role("button", name="Show Reception phone").click()
    page.get_by_role("button", name="Set one").wait_for()
    camera.take("phone")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Import list").click()
    page.get_by_label("List", exact=True).fill(
        "mac,model,name,users\n80:5e:c0:00:03:01,yealink/t54w,Desk,200\n80:5e:c0,acme/x,,206\n"
    )
    page.get_by_role("button", name="Check the list").click()
    page.get_by_role("table", name="Problems").wait_for()
    camera.take("import-devices")
    tab.go("/device-plugins")
    page.get_by_label("Find a model").fill("T54W")
    page.get_by_role("table", name="Catalogue").get_by_role("button", name="T54W").first.click()
    page.get_by_label("Find a setting").fill("time")
    page.get_by_text("time/ntp_server", exact=True).wait_for()
    camera.take("device-model")


def _levels(camera: Camera, site: str) -> None:
    page = camera.tab.page
    camera.tab.go(f"{site}/device-settings")
    page.get_by_label("Find a setting").fill("time")
    page.get_by_label("Time server", exact=True).wait_for()
    camera.take("site-device-settings")


def _main_pages(browser: Browser, url: str, demo: Demo, size: tuple[int, int], suffix: str, *, dark: bool) -> None:
    with visit(browser, url, size, dark=dark) as tab:
        camera, page = Camera(tab, suffix), tab.page
        tab.log_in(ADMIN_EMAIL, ADMIN_PASSWORD, "/sites")
        page.get_by_role("table", name="Sites").wait_for()
        camera.take("sites")
        for name in ("overview", "users", "devices", "calls"):
            tab.go(f"/sites/{demo.site_id}/{name}")
            page.get_by_role("table").or_(page.get_by_role("region", name="Alarms")).first.wait_for()
            camera.take(f"site-{name}")
        _levels(camera, f"/sites/{demo.site_id}")
        _dhcp(camera, demo)
        _plan(camera, f"/sites/{demo.site_id}")
        _conferences(camera, demo)
        _queues(camera, demo)
        _services(camera, demo)
        _redirects(camera)
        _firmware(camera)
        _ladder(camera, demo)


def _firmware(camera: Camera) -> None:
    """Versions, and the newest on its way."""
    camera.tab.go("/firmware")
    camera.tab.page.get_by_text("2 of 4 run it").wait_for()
    camera.take("firmware")


if __name__ == "__main__":
    sys.exit(main())
