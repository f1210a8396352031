"""JsSIP 3.13 in Debian's Chromium behind the verbs of a phone; `jssip_page/phone.js` is the phone.

A page without a server: Playwright hands Chromium the document, so that it counts as a secure origin. Audio is the
browser's fake device; DTLS-SRTP goes from page to page over the loopback interface.
"""

import fcntl
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.support.phones.phone import PATIENCE, Event, Phone, Seen
from tests.support.waiting import eventually
from tools.build_portal import find_node

PAGE: Final = Path(__file__).with_name("jssip_page")
CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)
_ADDRESS: Final = "https://phone.test/"
_OF_REGISTER: Final = re.compile(r"(?m)^CSeq: \d+ REGISTER\r?$")


class NotBuilt(Exception):
    """The page's script could not be bundled; the text says why."""


def built_script() -> Path:
    """The page's script with JsSIP in it, made anew when its sources changed; pinned by `package-lock.json`.

    Raises:
        NotBuilt: npm failed.
        NoPortal: there is no Node.
    """
    with (PAGE / "package.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        sources = b"".join((PAGE / name).read_bytes() for name in ("package.json", "package-lock.json", "phone.js"))
        digest, stamp, script = hashlib.sha256(sources).hexdigest(), PAGE / "dist/.sources", PAGE / "dist/phone.js"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
            return script
        node = find_node()
        environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
        for step in (("ci", "--silent", "--ignore-scripts"), ("run", "build")):
            done = subprocess.run(
                [str(node / "npm"), *step], cwd=PAGE, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise NotBuilt(f"npm {' '.join(step)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
        stamp.write_text(digest, encoding="utf-8")
        return script


@contextmanager
def phone_browser(says: Path | None = None) -> Iterator[Browser]:
    """A Chromium without a window that has a fake microphone and takes the edge's certificate for good.

    Args:
        says: a WAV file that the microphone says over and over; None: it beeps.
    """
    spoken = () if says is None else (f"--use-file-for-fake-audio-capture={says}",)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *spoken])
        try:
            yield browser
        finally:
            browser.close()


class JssipPhone(Phone):
    """One tab of the shared browser."""

    program: ClassVar[str] = "chromium"
    unable: ClassVar[Mapping[str, str]] = {}
    browser: ClassVar[Browser]
    """Set by whoever opened it."""
    _context: BrowserContext
    _page: Page

    def start(self) -> None:
        account = self.account
        self._wrong: list[str] = []
        self._registered: list[Event] = []
        self._context = self.browser.new_context(ignore_https_errors=True, permissions=["microphone"])
        self._page = self._context.new_page()
        self._page.on("console", lambda message: self._wrong.append(message.text))
        self._page.on("pageerror", lambda error: self._wrong.append(str(error)))
        self._page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        self._page.route(_ADDRESS, _empty_document)
        self._page.goto(_ADDRESS)
        self._page.add_script_tag(path=built_script())
        self._do(
            "start",
            {
                "url": f"wss://{account.registrar}",
                "uri": f"sip:{account.username}@{account.domain}",
                "user": account.auth_username,
                "password": account.password,
            },
        )

    def stop(self) -> None:
        self._context.close()

    def poll(self) -> list[Event]:
        found = [Event(Seen[what], detail) for what, detail in self._page.evaluate("phone.take()")]
        registered, self._registered = self._registered, []
        return registered + found

    def _frame(self, payload: str | bytes) -> None:
        """JsSIP has no event for a registration that is renewed."""
        text = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
        if text.startswith("SIP/2.0 200 ") and _OF_REGISTER.search(text):
            self._registered.append(Event(Seen.REGISTERED))

    def _do(self, verb: str, argument: Any = None) -> None:
        # What the verb returns is an object of JsSIP, which does not travel.
        self._page.evaluate("([verb, argument]) => { phone[verb](argument); }", [verb, argument])

    def call(self, number: str) -> None:
        self._do("call", self.uri(number))

    def answer(self) -> None:
        self._do("answer")

    def decline(self) -> None:
        self._do("refuse", self.busy_status)

    def let_it_ring(self) -> None:
        self._do("refuse", self.no_answer_status)

    def hang_up(self) -> None:
        self._do("hang_up")

    def press(self, digits: str) -> None:
        """Press keys; they go as telephone events."""
        self._do("press", digits)

    def energy(self) -> float:
        """Of all that it heard in the call of this moment; 1 is a second of full loudness."""
        return float(self._page.evaluate("phone.energy()"))

    def pitch(self) -> float:
        """The loudest frequency that it hears, in Hz; 0: silence."""
        return float(self._page.evaluate("phone.pitch()"))

    def hold(self) -> None:
        self._reoffer("hold")

    def resume(self) -> None:
        self._reoffer("resume")

    def _reoffer(self, verb: str) -> None:
        """JsSIP refuses while an earlier offer is not settled."""
        eventually(lambda: self._page.evaluate(f"phone.{verb}()"), PATIENCE, f"{self.name} can {verb}")

    def transfer(self, number: str) -> None:
        self._do("transfer", self.uri(number))

    def join(self) -> None:
        self._do("join")

    def said(self) -> str:
        return "\n".join(self._wrong)[-3000:]


def _empty_document(route: Route) -> None:
    route.fulfill(content_type="text/html", body="<!doctype html><title>A phone</title>")
