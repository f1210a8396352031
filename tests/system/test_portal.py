"""The portal of the whole system in a real browser, while the edge goes and comes back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from cloud.local.demo_site import SITE
from cloud.local.system import LocalSystem
from tests.support.portal import chromium, visit
from tests.system.conftest import settings_for
from tools.build_portal import build

pytestmark = pytest.mark.peer("chromium")


@pytest.fixture
def system_with_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A running system that serves the built portal."""
    running = LocalSystem(settings_for(tmp_path_factory.mktemp("portal")), build(), None, lambda _: None)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_the_site_list_shows_the_edge_going_offline_and_online_again_without_reloading(
    system_with_portal: LocalSystem,
) -> None:
    system = system_with_portal
    assert system.running is not None
    with chromium() as browser, visit(browser, system.api_url) as tab:
        tab.log_in(system.running.email, system.running.password)
        row = tab.page.get_by_role("table", name="Sites").get_by_role("row").filter(has_text=SITE)
        expect(row).to_contain_text("Online")
        expect(row).to_contain_text("In sync")
        system.parts["edge"].stop()
        expect(row).to_contain_text("Offline")
        system.start_part("edge")
        expect(row).to_contain_text("Online")
        assert len(tab.pages_loaded) == 1
        assert tab.wrong == []
