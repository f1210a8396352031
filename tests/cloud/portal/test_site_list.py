"""The site list lives: edges go offline and come back before one's eyes."""

import pytest
from playwright.sync_api import Locator, Response, expect

from cloud.pbx.edges import KnownEdge, lose_lease, record_applied, record_rejected, take_lease
from cloud.pbx.publishing import publish_site
from tests.support.api_world import ApiWorld
from tests.support.customers import enrolled_edge, new_edge
from tests.support.portal import Visit

pytestmark = pytest.mark.peer("chromium")


def _row(tab: Visit) -> Locator:
    return tab.page.get_by_role("table", name="Sites").get_by_role("row").filter(has_text="Main site")


def _connect(world: ApiWorld, edge: KnownEdge) -> None:
    with world.databases.hub.session(world.ours.scope) as session:
        take_lease(session, edge, hub="hub-1/1", now=world.clock.now(), seconds=3600, transport="quic")


def test_the_site_list_shows_an_edge_going_offline_and_online_without_reloading(msp: Visit, world: ApiWorld) -> None:
    expect(_row(msp)).to_contain_text("No edge")
    edge = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
    _connect(world, edge)
    expect(_row(msp)).to_contain_text("Online")
    with world.databases.hub.session(world.ours.scope) as session:
        lose_lease(session, edge, "hub-1/1", world.clock.now())
    world.clock.advance(1)
    expect(_row(msp)).to_contain_text("Offline")
    expect(_row(msp)).to_contain_text("last seen")
    _connect(world, edge)
    expect(_row(msp)).to_contain_text("Online")
    assert len(msp.pages_loaded) == 1


def test_an_edge_that_never_enrolled_is_waited_for(msp: Visit, world: ApiWorld) -> None:
    new_edge(world.databases.api, world.ours, world.clock.now())
    expect(_row(msp)).to_contain_text("Waiting for enrollment")


def test_versions_are_shown_as_behind_in_sync_or_rejected_with_the_reason(msp: Visit, world: ApiWorld) -> None:
    edge = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
    _connect(world, edge)
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    expect(_row(msp)).to_contain_text("Behind")
    with world.databases.hub.session(world.ours.scope) as session:
        record_rejected(session, edge, 1, ["devices: no such model"], world.clock.now())
    expect(_row(msp)).to_contain_text("Rejected")
    expect(_row(msp)).to_contain_text("devices: no such model")
    with world.databases.hub.session(world.ours.scope) as session:
        record_applied(session, edge, 1, "digest", world.clock.now())
    expect(_row(msp)).to_contain_text("In sync")


def test_polling_costs_a_304_while_nothing_changes(msp: Visit) -> None:
    def holds_nothing_new(response: Response) -> bool:
        return response.url.endswith("/sites?limit=200") and response.status == 304

    with msp.page.expect_response(holds_nothing_new):
        pass
    expect(_row(msp)).to_be_visible()


def test_the_list_is_searched_and_filtered(msp: Visit) -> None:
    page = msp.page
    page.get_by_label("Search sites and tenants").fill("nowhere")
    expect(page.get_by_text("No site fits")).to_be_visible()
    page.get_by_label("Search sites and tenants").fill("customer")
    expect(_row(msp)).to_be_visible()
    page.get_by_text("Online 0").click()
    expect(page.get_by_text("No site fits")).to_be_visible()
