"""The portal in a real browser: the API with the built portal on a port of its own, and Chromium to look at it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from cloud.api.app import make_app
from cloud.api.chalicelib.services import Services
from cloud.api.uploads import Uploads
from cloud.api.wsgi import make_server, make_wsgi
from cloud.objects import FolderStore, S3Places, SignedPlaces

CHROMIUM: Final = "/usr/bin/chromium"
PATIENCE_MS: Final = 30_000
"""How long a page may take to show what is expected, on a machine that does much else."""
DESKTOP: Final = (1280, 800)
PHONE: Final = (390, 844)


def _not_yet(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    raise AssertionError("asked before it serves")


@contextmanager
def serve_portal(services: Services, portal_dir: Path) -> Iterator[str]:
    """The API and the portal over HTTP on this machine; its address."""
    server = make_server(_not_yet, "127.0.0.1", 0)
    server.prepare()
    address = f"http://127.0.0.1:{server.bind_addr[1]}"
    uploads = origin = None
    if services.files is not None and isinstance(services.files.places, S3Places):
        origin = services.files.places.origin
    if services.files is not None and isinstance(services.files.store, FolderStore):
        # Places to bring files to are at this address, which is known only now.
        uploads = Uploads(services.files.store, SignedPlaces(address, b"k" * 32, services.clock))
        services = replace(services, files=replace(services.files, places=uploads.places))
    server.wsgi_app = make_wsgi(make_app(services), portal_dir, uploads=uploads, objects_origin=origin)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield address
    finally:
        server.stop()
        thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that Debian packages, without a window."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One tab on the portal, and what went wrong in it."""

    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)
    """Errors that the page threw or wrote to its console; a refused request alone is none."""
    pages_loaded: list[str] = field(default_factory=list)
    """Every document that the tab loaded: moving within the portal loads none."""

    def log_in(self, email: str, password: str, path: str = "/") -> None:
        """Open `path` and log in there."""
        self.page.goto(self.url + path)
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").first.fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("navigation", name="Main").wait_for(state="attached")

    def go(self, path: str) -> None:
        """Load a page anew, as a deep link or a reload does."""
        self.page.goto(self.url + path)

    def is_wider_than_the_screen(self) -> bool:
        """Whether the page scrolls sideways."""
        script = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.page.evaluate(script))


def scrolls_sideways(panel: Locator) -> bool:
    """Whether a panel, or anything in it, can be scrolled sideways."""
    script = """panel => [panel, ...panel.querySelectorAll("*")].some(
        one => one.scrollWidth > one.clientWidth && /auto|scroll/.test(getComputedStyle(one).overflowX))"""
    return bool(panel.evaluate(script))


@contextmanager
def visit(
    browser: Browser, url: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False, scale: float = 1
) -> Iterator[Visit]:
    """A new tab with nothing remembered.

    Args:
        size: of the window, in pixels.
        dark: the machine prefers dark colours.
        scale: pixels of the screen per pixel of the page.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
        device_scale_factor=scale,
        locale="en-GB",
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    tab = Visit(page, url)

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            tab.wrong.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: tab.wrong.append(str(error)))
    page.on("domcontentloaded", lambda shown: tab.pages_loaded.append(shown.url))
    try:
        yield tab
    finally:
        context.close()
