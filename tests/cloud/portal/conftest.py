"""The portal, built, on a real API on a real PostgreSQL, in a real Chromium."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.api_world import PASSWORD, ApiWorld, make_world
from tests.support.portal import Visit, chromium, serve_portal, visit
from tests.support.postgres import Databases
from tools.build_portal import NoPortal, build


@pytest.fixture(scope="session")
def portal_dir() -> Path:
    """The built portal."""
    try:
        return build()
    except NoPortal as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(str(problem), pytrace=False)
        pytest.skip(f"NOT RUN: portal ({problem})")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module's tests: Playwright keeps an event loop, which must not outlive them."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> ApiWorld:
    return make_world(databases, tmp_path)


@pytest.fixture
def url(world: ApiWorld, portal_dir: Path) -> Iterator[str]:
    """Where the portal is."""
    with serve_portal(world.services, portal_dir) as address:
        yield address


@pytest.fixture
def tab(browser: Browser, url: str) -> Iterator[Visit]:
    """A tab with nothing remembered; nothing may go wrong in it."""
    with visit(browser, url) as opened:
        yield opened
        assert opened.wrong == []


@pytest.fixture
def msp(tab: Visit) -> Visit:
    """The tab of the provider's administrator, at the sites."""
    tab.log_in("msp@tandem.test", PASSWORD)
    tab.page.get_by_role("heading", name="Sites").wait_for()
    return tab
