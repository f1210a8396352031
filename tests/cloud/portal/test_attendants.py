"""The editor of auto attendants in a browser: the tree of menus, keys, greetings, and what is missing."""

import math
import struct
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.portal import PHONE, Visit, visit

pytestmark = pytest.mark.peer("chromium")


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def saved(world: ApiWorld) -> list[dict[str, Any]]:
    services: list[dict[str, Any]] = world.admin.get(f"{site(world)}/dial-plan").json["document"]["voice_services"]
    return [one for one in services if one["kind"] == "attendant"]


def choose(page: Page, scope: Any, label: str, option: str) -> None:
    scope.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def begin(visited: Visit, world: ApiWorld) -> tuple[Page, Any]:
    """A new attendant, with its name and extension."""
    page = visited.page
    visited.go(f"{site(world)}/attendants")
    page.get_by_role("button", name="Add an attendant").click()
    form = page.get_by_role("form", name="New attendant")
    form.get_by_label("Name", exact=True).fill("Front desk")
    form.get_by_label("Extension", exact=True).fill("400")
    return page, form


def test_menus_are_nested_by_their_keys_and_saved(world: ApiWorld, msp: Visit) -> None:
    page, form = begin(msp, world)
    form.get_by_label("Operator").fill("200")
    form.get_by_role("button", name="Key 1", exact=True).click()
    form.get_by_role("button", name="Put a new menu behind it").click()
    # The new menu is what is edited now.
    form.get_by_role("textbox", name="Menu").fill("Sales")
    form.get_by_role("button", name="Key 2", exact=True).click()
    form.get_by_role("button", name="Give it something to do").click()
    form.get_by_label("Number", exact=True).fill("200")
    tree = form.get_by_role("list", name="Menus")
    expect(tree).to_contain_text("connects to 200")
    tree.get_by_role("button", name="Main menu").click()
    form.get_by_role("button", name="Key 0", exact=True).click()
    form.get_by_role("button", name="Give it something to do").click()
    choose(page, form, "Does", "Operator")
    expect(tree).to_contain_text("operator 200")
    silent = form.get_by_role("group", name="Nothing is pressed")
    choose(page, silent, "Then", "Operator")
    form.get_by_role("button", name="Add attendant").click()
    expect(page.get_by_role("table", name="Auto attendants")).to_contain_text("Front desk")
    (attendant,) = saved(world)
    main, sales = attendant["menus"]
    keys = {one["key"]: one["action"] for one in main["keys"]}
    assert keys == {"1": {"kind": "menu", "menu_id": sales["menu_id"]}, "0": {"kind": "operator"}}
    assert (sales["name"], sales["keys"][0]["action"]) == ("Sales", {"kind": "dial", "destination": "200"})
    assert (attendant["operator"], main["no_input"]["then"]) == ("200", {"kind": "operator"})
    # It is edited again, and goes.
    page.get_by_role("button", name="Edit Front desk").click()
    form = page.get_by_role("form", name="Attendant Front desk")
    tree = form.get_by_role("list", name="Menus")
    tree.get_by_role("button", name="Sales").click()
    expect(form.get_by_role("button", name="Remove this menu")).to_be_disabled()
    expect(form).to_contain_text("Still used: key 1 of Main menu")
    form.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete Front desk").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete attendant").click()
    expect(page.get_by_role("table", name="Auto attendants")).to_have_count(0)
    assert saved(world) == []


def test_what_is_missing_is_said_before_anything_is_saved(world: ApiWorld, msp: Visit) -> None:
    page, form = begin(msp, world)
    form.get_by_label("Extension", exact=True).fill("four hundred")
    form.get_by_role("button", name="Key 5", exact=True).click()
    form.get_by_role("button", name="Give it something to do").click()
    form.get_by_role("button", name="Add attendant").click()
    expect(form.get_by_label("Extension", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(form).to_contain_text("Main menu, key 5: whom does it connect to?")
    assert saved(world) == []
    # What only the whole plan knows, the API says.
    form.get_by_label("Extension", exact=True).fill("200")
    form.get_by_label("Number", exact=True).fill("201")
    form.get_by_role("button", name="Add attendant").click()
    expect(form).to_contain_text("'200' is used more than once")
    expect(form.get_by_label("Extension", exact=True)).to_have_attribute("aria-invalid", "true")
    assert saved(world) == []
    assert page.url.endswith("/attendants")


def tone(path: Path) -> Path:
    """Two channels at 44.1 kHz, as a computer records."""
    frames = b"".join(struct.pack("<hh", *[int(8000 * math.sin(n / 10))] * 2) for n in range(22_050))
    chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 44_100, 176_400, 4, 16)
    body = b"WAVE" + chunk + struct.pack("<4sI", b"data", len(frames)) + frames
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    return path


def test_a_sound_file_becomes_what_telephones_play(world: ApiWorld, msp: Visit, tmp_path: Path) -> None:
    page, form = begin(msp, world)
    choose(page, form, "Greeting", "A sound file")
    (tmp_path / "words.mp3").write_bytes(b"no sound at all")
    form.locator("input[type=file]").set_input_files(tmp_path / "words.mp3")
    expect(form.get_by_role("alert")).to_contain_text("words.mp3 is no sound file")
    form.locator("input[type=file]").set_input_files(tone(tmp_path / "welcome.wav"))
    expect(form).to_contain_text("welcome.wav")
    form.get_by_role("button", name="Add attendant").click()
    expect(page.get_by_role("table", name="Auto attendants")).to_contain_text("Front desk")
    greeting = saved(world)[0]["menus"][0]["greeting"]
    assert (greeting["kind"], greeting["name"]) == ("uploaded", "welcome.wav")
    files = world.services.files
    assert files is not None
    content = b"".join(files.store.read(world.ours.tenant_id, greeting["digest"]))
    assert struct.unpack_from("<HHI", content, 20) == (1, 1, 8000)
    assert abs(len(content) - 44 - 8000) < 200, "half a second of 8 kHz"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_editor_fits_a_phone(world: ApiWorld, browser: Browser, url: str, dark: bool) -> None:
    with visit(browser, url, PHONE, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/attendants")
        page, form = begin(tab, world)
        form.get_by_role("button", name="Key 1", exact=True).click()
        form.get_by_role("button", name="Put a new menu behind it").click()
        form.get_by_role("button", name="Key #", exact=True).click()
        form.get_by_role("button", name="Give it something to do").click()
        assert not tab.is_wider_than_the_screen()
        form.get_by_role("button", name="Add attendant").scroll_into_view_if_needed()
        expect(page.get_by_role("list", name="Menus")).to_contain_text("Menu 2")
        assert tab.wrong == []
