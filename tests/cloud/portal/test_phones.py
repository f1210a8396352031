"""Phones between the portal and the site: profiles are sent and watched, refusals read, DHCP options pasted."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from cloud.models import DeviceVisit, ResyncItem
from cloud.pbx.database import PLATFORM
from contract.sync.dhcp import DhcpLease, DhcpStatus, OtherServer
from tests.support.answering_edge import answering_edge
from tests.support.api_things import furnish
from tests.support.api_world import ApiWorld
from tests.support.customers import enrolled_edge
from tests.support.portal import Visit

pytestmark = pytest.mark.peer("chromium")


def test_profiles_are_sent_and_the_count_moves_until_one_phone_has_failed(msp: Visit, world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/devices")
    expect(page.get_by_role("table", name="Devices")).to_contain_text("not fetched yet")
    page.get_by_role("button", name="Send profiles").click()
    drawer = page.get_by_role("dialog", name="Send profiles")
    drawer.get_by_label("Have the phones start again").check()
    drawer.get_by_role("button", name="Send profiles").click()
    count = drawer.get_by_role("status", name="Phones by state")
    expect(count).to_contain_text("Waiting: 1")
    job = world.admin.get(f"/resync-jobs?site_id={world.ours.site_id}").json["items"][0]
    assert job["reboot"] is True
    with world.databases.worker.session(PLATFORM) as session:
        item = session.get_one(ResyncItem, (UUID(job["id"]), UUID(things["device_id"])))
        item.state, item.text = "failed", "no answer within 32 seconds"
        session.add(
            DeviceVisit(
                tenant_id=world.ours.tenant_id, device_id=UUID(things["device_id"]), site_id=world.ours.site_id,
                protocol="https", fetched_at=world.clock.now(), resync_state="failed", resync_text="no answer",
            )
        )  # fmt: skip
    expect(count).to_contain_text("Failed: 1")
    expect(drawer.get_by_role("table", name="Phones that failed")).to_contain_text("no answer within 32 seconds")
    drawer.get_by_role("button", name="Try these again").click()
    expect(count).to_contain_text("Waiting: 1")
    drawer.get_by_role("button", name="Close").click()
    expect(page.get_by_role("table", name="Devices")).to_contain_text("Failed")


def test_refusals_say_why_and_are_forgotten(msp: Visit, world: ApiWorld) -> None:
    furnish(world, world.admin, world.ours)
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/unknown-phones")
    table = page.get_by_role("table", name="Refused")
    expect(table).to_contain_text("does not let them out in clear")


def test_dhcp_options_are_copied_for_the_server_that_the_site_has(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/dhcp")
    page.get_by_label("The edge's address, as phones reach it").fill("192.168.10.2")
    expect(page.get_by_role("table", name="DHCP options")).to_contain_text("http://192.168.10.2:8090/")
    page.get_by_role("tab", name="dnsmasq").click()
    page.get_by_role("button", name="Copy in a file of /etc/dnsmasq.d").click()
    assert 'dhcp-option-force=66,"http://192.168.10.2:8090/"' in page.evaluate("navigator.clipboard.readText()")


def test_dhcp_at_the_edge_is_set_up_and_its_leases_and_other_servers_are_shown(msp: Visit, world: ApiWorld) -> None:
    edge = enrolled_edge(world.databases.api, world.ours, world.clock.now())
    now = world.clock.now()
    lease = DhcpLease(
        address="192.168.30.9", mac="001565000001", vendor_class="yealink", switch_port="ge-0/3", ends_at=now
    )
    other = OtherServer(address="192.168.30.254", interface="eth0", seen_at=now)
    told = DhcpStatus(state="withdrawn", leases=(lease,), pool_size=101, pool_free=100, others=(other,))
    page = msp.page
    with answering_edge(world.databases, edge.known, world.clock, lambda _: (True, told.model_dump_json())):
        msp.go(f"/sites/{world.ours.site_id}/dhcp")
        section = page.get_by_role("region", name="DHCP at the edge")
        expect(section).to_contain_text("The edge answers no DHCP")
        section.get_by_role("button", name="Change").click()
        drawer = page.get_by_role("dialog", name="DHCP at the edge")
        drawer.get_by_label("Gives addresses").check()
        drawer.get_by_label("Voice VLAN").fill("30")
        drawer.get_by_label("Network", exact=True).fill("192.168.30.0/24")
        drawer.get_by_label("First address").fill("192.168.31.100")
        drawer.get_by_label("Last address").fill("192.168.30.200")
        drawer.get_by_label("Reservations").fill("00:15:65:00:00:01 192.168.30.9")
        drawer.get_by_role("button", name="Save").click()
        expect(drawer).to_contain_text("192.168.31.100 is not in 192.168.30.0/24")
        drawer.get_by_label("First address").fill("192.168.30.100")
        drawer.get_by_role("button", name="Save").click()
        expect(section).to_contain_text("Gives no addresses: another server answers")
        expect(page.get_by_role("table", name="Leases")).to_contain_text("00:15:65:00:00:01")
        expect(page.get_by_role("table", name="Leases")).to_contain_text("ge-0/3")
        expect(page.get_by_role("table", name="Other DHCP servers")).to_contain_text("192.168.30.254")
    rules = world.admin.get(f"/sites/{world.ours.site_id}").json["provisioning"]["dhcp"]
    assert (rules["voice_vlan"], rules["ranges"][0]["last"]) == (30, "192.168.30.200")
    assert rules["ranges"][0]["reservations"] == [{"mac": "001565000001", "address": "192.168.30.9"}]
