"""A site's trunks in a browser: made by a provider's template, edited, put in order, and deleted with their uses."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import update

from cloud.models import Alarm
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import TOKENS, new_edge
from tests.support.portal import DESKTOP, PHONE, Visit, scrolls_sideways, visit
from tests.support.postgres import Databases

pytestmark = pytest.mark.peer("chromium")


def page_of(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}/trunks"


def plan_of(world: ApiWorld) -> dict[str, Any]:
    document: dict[str, Any] = world.admin.get(f"/sites/{world.ours.site_id}/dial-plan").json["document"]
    return document


def put_plan(world: ApiWorld, document: dict[str, Any]) -> None:
    answer = world.admin.put(f"/sites/{world.ours.site_id}/dial-plan", {"document": document})
    assert answer.status == 200, answer.body


def give_trunks(world: ApiWorld) -> None:
    """Two trunks and a gateway, the first and the gateway in a rule."""
    document = plan_of(world)
    rule = {
        "kind": "outside",
        "rule_id": "town",
        "name": "To the town",
        "patterns": [{"prefix": "0", "digits": None}],
        "gateways": ["pri", "trunk-1"],
    }
    trunks = [
        {"gateway_id": f"trunk-{number}", "name": name, "host": f"sip{number}.provider.example"}
        for number, name in ((1, "First line"), (2, "Second line"))
    ]
    trunks[0].update(register_seconds=600, username="4711")  # type: ignore[call-overload]
    gateways = [{"gateway_id": "pri", "name": "PRI at the wall", "host": "192.0.2.10"}]
    put_plan(world, {**document, "rules": [rule, *document["rules"]], "trunks": trunks, "gateways": gateways})


def test_a_trunk_is_made_by_a_providers_template_with_its_password(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(page_of(world))
    page.get_by_role("button", name="New trunk").click()
    page.get_by_role("menuitem", name="sipgate trunking").click()
    form = page.get_by_role("form", name="New trunk")
    expect(form.get_by_label("Provider’s address")).to_have_value("sipconnect.sipgate.de")
    form.get_by_role("button", name="Create trunk").click()
    expect(form.get_by_text("A trunk that registers needs its account")).to_be_visible()
    form.get_by_label("Account", exact=True).fill("2345678t0")
    form.get_by_label("Password", exact=True).fill("hidden words")
    form.get_by_role("button", name="Create trunk").click()
    row = page.get_by_role("table", name="Trunks").get_by_role("row").filter(has_text="sipgate")
    expect(row).to_contain_text("2345678t0@sipconnect.sipgate.de")
    expect(row).to_contain_text("set")
    expect(row).to_contain_text("no rule")
    (trunk,) = plan_of(world)["trunks"]
    assert (trunk["register_seconds"], trunk["identity_in"], trunk["numbers"]["style"]) == (600, "preferred", "digits")
    assert world.admin.get(f"/sites/{world.ours.site_id}/trunks").json["items"][0]["has_password"] is True
    assert "hidden words" not in page.content()


def test_what_the_server_refuses_of_a_trunk_stands_at_its_field(world: ApiWorld, msp: Visit) -> None:
    give_trunks(world)
    page = msp.page
    msp.go(page_of(world))
    page.get_by_role("button", name="Edit First line").click()
    form = page.get_by_role("form", name="Trunk First line")
    form.get_by_label("Outbound proxy").fill("NOT a host")
    form.get_by_label("Calls come from").and_(page.locator("input")).fill("192.0.2.999")
    page.keyboard.press("Enter")
    form.get_by_role("button", name="Save").click()
    proxy = form.get_by_label("Outbound proxy")
    expect(proxy).to_have_attribute("aria-invalid", "true")
    expect(form).to_contain_text("is no address and no network")
    proxy.fill("proxy.provider.example")
    form.get_by_role("button", name="Remove 192.0.2.999").or_(form.locator(".mantine-Pill-remove")).first.click()
    form.get_by_label("Calls at one time").fill("4")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("form")).to_have_count(0)
    first = plan_of(world)["trunks"][0]
    assert (first["outbound_proxy"], first["networks"], first["max_calls"]) == ("proxy.provider.example", [], 4)


def test_what_somebody_else_saved_at_a_trunk_meanwhile_is_taken_over_and_what_was_typed_stays(
    world: ApiWorld, msp: Visit
) -> None:
    give_trunks(world)
    page = msp.page
    msp.go(page_of(world))
    page.get_by_role("button", name="Edit First line").click()
    form = page.get_by_role("form", name="Trunk First line")
    form.get_by_label("Calls at one time").fill("4")
    document = plan_of(world)
    document["trunks"][0]["prefix"] = "99"
    document["gateways"][0]["name"] = "Another name"
    put_plan(world, document)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("what you typed stays")
    form.get_by_role("button", name="Reload").click()
    expect(form.get_by_label("Put before every number")).to_have_value("99")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("form")).to_have_count(0)
    after = plan_of(world)
    assert (after["trunks"][0]["prefix"], after["trunks"][0]["max_calls"]) == ("99", 4)
    assert after["gateways"][0]["name"] == "Another name"


def test_the_order_of_a_rules_ways_out_is_changed_and_a_deleted_trunk_says_what_uses_it(
    world: ApiWorld, msp: Visit
) -> None:
    give_trunks(world)
    page = msp.page
    msp.go(page_of(world))
    ways = page.get_by_role("region", name="Ways out of To the town")
    expect(ways.get_by_role("listitem").first).to_contain_text("PRI at the wall")
    ways.get_by_role("button", name="Try First line earlier").click()
    expect(ways.get_by_role("listitem").first).to_contain_text("First line")
    assert plan_of(world)["rules"][0]["gateways"] == ["trunk-1", "pri"]
    page.get_by_role("combobox", name="Add a way out to To the town").click()
    page.get_by_role("option", name="Second line").click()
    expect(ways.get_by_role("listitem")).to_have_count(3)
    page.get_by_role("button", name="Delete First line").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("rule To the town")
    dialog.get_by_role("button", name="Delete trunk").click()
    expect(page.get_by_role("table", name="Trunks")).not_to_contain_text("First line")
    after = plan_of(world)
    assert ([one["name"] for one in after["trunks"]], after["rules"][0]["gateways"]) == (
        ["Second line"],
        ["pri", "trunk-2"],
    )


def test_a_trunk_that_does_not_work_is_told_with_the_reason_until_it_works_again(
    world: ApiWorld, databases: Databases, msp: Visit
) -> None:
    give_trunks(world)
    ours = world.ours
    now = world.services.clock.now()
    edge_id = new_edge(databases.api, ours, now).id
    alarm_id = TOKENS.id()
    with databases.worker.session(ours.scope) as session:
        session.add(
            Alarm(
                id=alarm_id,
                tenant_id=ours.tenant_id,
                site_id=ours.site_id,
                edge_id=edge_id,
                alarm="trunk_down",
                severity="warning",
                text="First line: the provider refuses the registration (403)",
                raised_at=now,
            )
        )
    msp.go(page_of(world))
    row = msp.page.get_by_role("table", name="Trunks").get_by_role("row").filter(has_text="First line")
    expect(row).to_contain_text("Not registered")
    expect(row).to_contain_text("refuses the registration (403)")
    with databases.worker.session(ours.scope) as session:
        session.execute(update(Alarm).where(Alarm.id == alarm_id).values(cleared_at=now))
    expect(row).not_to_contain_text("Not registered")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_the_trunks_fit_the_screen(
    world: ApiWorld, browser: Browser, url: str, size: tuple[int, int], *, dark: bool
) -> None:
    give_trunks(world)
    with visit(browser, url, size, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, page_of(world))
        expect(tab.page.get_by_role("table", name="Trunks")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        tab.page.get_by_role("button", name="Edit First line").click()
        dialog = tab.page.get_by_role("dialog")
        expect(dialog.get_by_label("Session timer")).to_be_attached()
        assert not scrolls_sideways(dialog)
        assert tab.wrong == []
