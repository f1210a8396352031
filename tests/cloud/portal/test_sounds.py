"""Sound files and the choice of music in a browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.cloud.api.test_sound_files import bring
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.left_messages import sound
from tests.support.portal import PHONE, Visit, visit
from tests.support.waiting import eventually

pytestmark = pytest.mark.peer("chromium")


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def plan(world: ApiWorld) -> dict[str, Any]:
    return dict(world.admin.get(f"{site(world)}/dial-plan").json["document"])


def keep(world: ApiWorld, name: str, seconds: float = 1.0) -> str:
    digest = bring(world.admin, sound(seconds))
    assert world.admin.post("/sounds", {"digest": digest, "name": name}).status == 201
    return digest


def choose(form: Locator, page: Page, name: str) -> None:
    form.get_by_role("combobox", name="Music", exact=True).click()
    page.get_by_role("option", name=name).click()


def test_a_file_is_brought_played_used_and_deleted_when_nobody_uses_it(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/sounds")
    expect(page.get_by_text("There are no sound files yet")).to_be_visible()
    page.get_by_label("Sound files").and_(page.locator("input")).set_input_files(
        {"name": "Waltz.wav", "mimeType": "audio/wav", "buffer": sound(2.0)}
    )
    table = page.get_by_role("table", name="Sound files")
    expect(table).to_contain_text("Waltz.wav")
    for text in ("0:02", "31 KiB", "nobody"):
        expect(table).to_contain_text(text)
    page.get_by_role("button", name="Play Waltz.wav").click()
    player = page.get_by_label("Playing Waltz.wav")
    expect(player).to_be_visible()
    # Not `wait_for_function`: it has the page look again by itself, which its policy forbids (no `unsafe-eval`).
    eventually(lambda: abs(page.locator("audio").evaluate("audio => audio.duration || 0") - 2) < 0.1, 10, "its length")
    page.keyboard.press("Escape")
    expect(player).to_have_count(0)
    form = page.get_by_role("form", name="Music of the site")
    choose(form, page, "Waltz.wav")
    form.get_by_role("button", name="Save music").click()
    expect(table).to_contain_text(re.compile("the site at "))
    (kept,) = world.admin.get("/sounds").json["items"]
    assert plan(world)["music"] == {"digest": kept["digest"], "name": "Waltz.wav"}
    page.get_by_role("button", name="Delete Waltz.wav").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete sound file").click()
    expect(dialog).to_contain_text("Waltz.wav is used by the site at ")
    dialog.get_by_role("button", name="Cancel").click()
    form.get_by_label("Choose no music").click()
    form.get_by_role("button", name="Save music").click()
    expect(table).to_contain_text("nobody")
    assert plan(world)["music"] is None
    page.get_by_role("button", name="Delete Waltz.wav").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete sound file").click()
    expect(page.get_by_text("There are no sound files yet")).to_be_visible()
    msp.wrong.clear()  # the browser says of the refusal that it was one


def test_music_is_chosen_for_a_park_an_orbit_a_queue_a_room_a_user_and_a_group(world: ApiWorld, msp: Visit) -> None:
    page, digest = msp.page, keep(world, "Waltz.wav")
    chosen = {"digest": digest, "name": "Waltz.wav"}

    def made(
        path: str, button: str, form_name: str, save: str, fill: Callable[[Locator], None], item: str = ""
    ) -> None:
        msp.go(f"{site(world)}/{path}")
        page.get_by_role("button", name=button).click()
        if item:
            page.get_by_role("menuitem", name=item).click()
        form = page.get_by_role("form", name=form_name)
        fill(form)
        choose(form, page, "Waltz.wav")
        form.get_by_role("button", name=save).click()
        expect(form).to_have_count(0)

    def named(form: Locator, number: str) -> None:
        form.get_by_label("Name", exact=True).fill("Front")
        form.get_by_label("Number", exact=True).fill(number)

    def park(form: Locator) -> None:
        named(form, "700")
        orbits = form.get_by_label("Orbits").and_(page.locator("input"))
        orbits.fill("701-703")
        orbits.press("Enter")
        for _ in range(2):
            form.get_by_role("button", name="Other music in one orbit").click()
        form.get_by_role("combobox", name="Orbit", exact=True).first.click()
        page.get_by_role("option", name="703").click()
        form.get_by_label("No music of its own in orbit 702").click()

    made("services", "Add a park", "New park", "Add park", park)
    made("call-queues", "Add a call queue", "New call queue", "Add call queue", lambda form: named(form, "610"))
    made("conferences", "Add a room", "New room", "Add room", lambda form: named(form, "620"), "One room")
    made("users", "Edit Reception", "Edit Reception", "Save", lambda form: None)
    msp.go(f"{site(world)}/dial-plan")
    page.get_by_role("button", name="Add a hunt group").click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Name").fill("Sales")
    panel.get_by_label("Extension").fill("500")
    choose(panel, page, "Waltz.wav")
    panel.get_by_role("button", name="Add group").click()
    page.get_by_role("button", name="Save dial plan").click()
    expect(page.get_by_text("The dial plan was saved")).to_be_visible()
    assert [group["music"] for group in plan(world)["hunt_groups"]] == [chosen]
    services = {one["kind"]: one["music"] for one in plan(world)["voice_services"]}
    assert services == {"park": chosen, "queue": chosen, "conference": chosen}
    (in_orbits,) = [one["orbit_music"] for one in plan(world)["voice_services"] if one["kind"] == "park"]
    assert in_orbits == [{"orbit": "703", "music": chosen}]
    assert world.admin.get(f"/users/{world.user_id}").json["music"] == chosen
    uses = [use["what"] for use in world.admin.get("/sounds").json["items"][0]["used_by"]]
    assert {use.split()[0] for use in uses} == {"park", "orbit", "queue", "conference", "user", "hunt"}


def test_the_page_fits_a_telephone_in_the_dark(browser: Browser, url: str, world: ApiWorld) -> None:
    keep(world, "A piece of music with a name that is rather long for a telephone's screen.wav", 3.0)
    with visit(browser, url, PHONE, dark=True) as tab:
        tab.log_in("msp@tandem.test", PASSWORD)
        tab.go(f"{site(world)}/sounds")
        expect(tab.page.get_by_role("table", name="Sound files")).to_contain_text("A piece of music")
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
