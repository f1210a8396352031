"""Faxes in a browser: a fax mailbox made by an administrator, and a fax opened as PDF by its owner."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from cloud.models import EdgeLease
from cloud.pbx.fax_documents import fax_pdf
from contract.sync.events import EngineTold
from contract.sync.mailbox_events import FaxSheets
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import enrolled_edge
from tests.support.fax_files import Sheet, tiff
from tests.support.left_messages import TellingEdge
from tests.support.portal import DESKTOP, PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")

PAGES = tiff(Sheet(), Sheet())


def receive(world: ApiWorld) -> None:
    """A fax that came whole, and one that broke off and whose pages have not come yet."""
    site = f"/sites/{world.ours.site_id}"
    fax = {
        "kind": "fax",
        "service_id": "fax-1",
        "name": "Sales fax",
        "extension": "390",
        "owners": [str(world.user_id)],
    }
    document = world.admin.get(f"{site}/dial-plan").json["document"] | {"voice_services": [fax]}
    assert world.admin.put(f"{site}/dial-plan", {"document": document}).status == 200
    assert world.admin.patch(site, {"voicemail": {"recordings_leave": True}}).status == 200
    edge = enrolled_edge(world.databases.api, world.ours, world.clock.now())
    telling = TellingEdge(world.databases, edge.known, world.clock)
    whole = FaxSheets(pages=2, station="+49 30 1234", result="OK")
    broken = FaxSheets(pages=1, complete=False, result="Call dropped prematurely")
    assert telling.tell(
        telling.message("fax-1", PAGES, "1" * 16, fax=whole),
        telling.message("fax-1", tiff(), "2" * 16, fax=broken, caller_name="", caller_number="+41441112233"),
    ) == [None, None]
    assert world.services.files is not None
    assert telling.send(world.services.files.store, PAGES).complete


def test_an_owner_sees_who_sent_a_fax_and_opens_it_as_pdf(world: ApiWorld, tab: Visit) -> None:
    receive(world)
    tab.log_in("user@tandem.test", PASSWORD)
    page = tab.page
    expect(page.get_by_text("Inbox (2 new)")).to_be_visible()
    coming = page.get_by_role("listitem", name="New fax from +41441112233")
    expect(coming).to_contain_text("fax, 1 page")
    expect(coming).to_contain_text("Incomplete: Call dropped prematurely")
    expect(coming).to_contain_text("Its pages are on their way")
    fax = page.get_by_role("listitem", name="New fax from Ada Example")
    expect(fax).to_contain_text("Sales fax")
    expect(fax).to_contain_text("fax, 2 pages")
    expect(fax).to_contain_text("Sent by +49 30 1234")
    expect(fax.get_by_role("button", name="Listen")).to_have_count(0)
    with page.expect_download() as saved:
        fax.get_by_role("button", name="Open fax from Ada Example").press("Enter")
    assert saved.value.suggested_filename.endswith(".pdf")
    assert Path(saved.value.path()).read_bytes() == fax_pdf(PAGES)
    expect(page.get_by_role("listitem", name="New fax from Ada Example")).to_have_count(0)
    expect(page.get_by_text("Inbox (1 new)")).to_be_visible()


def test_a_fax_mailbox_is_made_and_a_site_whose_engine_has_no_fax_is_said_to_refuse_it(
    world: ApiWorld, msp: Visit
) -> None:
    edge = enrolled_edge(world.databases.api, world.ours, world.clock.now())
    with world.databases.hub.session(edge.known.scope) as session:
        session.merge(EdgeLease(edge_id=edge.known.edge_id, tenant_id=world.ours.tenant_id, site_id=world.ours.site_id))
    telling = TellingEdge(world.databases, edge.known, world.clock)
    assert telling.tell(EngineTold(engine="embedded", receives_fax=False)) == [None]
    page = msp.page
    msp.go(f"/sites/{world.ours.site_id}/services")
    page.get_by_role("button", name="Add a fax mailbox").click()
    form = page.get_by_role("form", name="New fax mailbox")
    form.get_by_label("Name", exact=True).fill("Sales fax")
    form.get_by_label("Number").fill("390")
    form.get_by_label("Station id").fill("+49 30 1234")
    form.get_by_role("button", name="Add fax mailbox").click()
    expect(form).to_contain_text("At least one owner")
    form.get_by_role("combobox", name="Owners").fill("Recep")
    page.get_by_role("option", name="Reception").click()
    page.keyboard.press("Escape")
    form.get_by_role("button", name="Add fax mailbox").click()
    expect(page.get_by_role("table", name="Fax mailboxes")).to_contain_text("Reception")
    (saved,) = world.admin.get(f"/sites/{world.ours.site_id}/dial-plan").json["document"]["voice_services"]
    assert (saved["kind"], saved["extension"], saved["station"], saved["t38"]) == ("fax", "390", "+49 30 1234", False)
    expect(page.get_by_text("cannot receive fax: its voice services run on the embedded engine")).to_be_visible()
    expect(page.get_by_text("does not let recordings leave")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_faxes_and_fax_mailboxes_fit_the_screen(
    world: ApiWorld, browser: Browser, url: str, size: tuple[int, int], *, dark: bool
) -> None:
    receive(world)
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("user@tandem.test", PASSWORD)
        expect(tab.page.get_by_role("listitem", name="fax from Ada Example")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"/sites/{world.ours.site_id}/services")
        tab.page.get_by_role("button", name="Edit Sales fax").click()
        expect(tab.page.get_by_role("form", name="Edit Sales fax")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
