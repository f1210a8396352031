"""The edge, Kamailio and every phone of the matrix: which there are, and one place that starts each when first asked.

In each row one phone is tried; who calls it, is called by it and is brought together with it are phones known to be
good: baresip over UDP, or its own kind where the media asks for it (a browser's) or the other does not know Replaces.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.phones.baresip import BaresipPhone
from tests.support.phones.jssip import JssipPhone, phone_browser
from tests.support.phones.kamailio import Kamailio
from tests.support.phones.linphone import LinphonePhone
from tests.support.phones.phone import PATIENCE, Phone, Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite

RINGING_SECONDS: Final = 6
"""How long a phone of a row rings: longer than any scenario lets it wait for an answer."""
RENEWED_SECONDS: Final = 75.0
"""Registrations last 60 seconds: by then every phone has renewed its own."""


@dataclass(frozen=True)
class Row:
    """One phone over one transport, directly or through Kamailio."""

    kind: type[Phone]
    transport: str
    number: str
    proxied: bool = False

    @property
    def name(self) -> str:
        """As the table shows it."""
        program = self.kind.__name__.removesuffix("Phone").lower()
        return f"{program}{' behind Kamailio' if self.proxied else ''}, {self.transport}"

    @property
    def programs(self) -> tuple[str, ...]:
        """What has to be on the machine."""
        return (self.kind.program, *((Kamailio.program,) if self.proxied else ()))


PLAIN: Final = ("udp", "tcp", "tls")
ROWS: Final = tuple(
    Row(kind, transport, str(200 + at), proxied)
    for at, (kind, transport, proxied) in enumerate(
        [
            *((kind, name, False) for kind in (BaresipPhone, PjsuaPhone, LinphonePhone) for name in PLAIN),
            (JssipPhone, "wss", False),
            *((BaresipPhone, name, True) for name in PLAIN),
        ]
    )
)  # fmt: skip
HELPERS: Final[dict[tuple[type[Phone], str], str]] = {
    (kind, place): str(300 + at)
    for at, (kind, place) in enumerate(
        (kind, place) for kind in (BaresipPhone, PjsuaPhone, JssipPhone) for place in ("partner", "third")
    )
}
"""Numbers of the phones that the others are tried with."""


class Fleet:
    """Every phone, started when first asked for.

    Args:
        folder: for the edge's state and the phones' files.
        stack: ends them all.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack, self._folder = stack, folder
        self.site = PeerSite(folder, [*(row.number for row in ROWS), *HELPERS.values()])
        stack.callback(self.site.stop)
        self._phones: dict[str, Phone] = {}
        self._kamailio: Kamailio | None = None
        self._before_restart: dict[str, int] | None = None

    def phone(self, row: Row) -> Phone:
        """The phone that a row is about."""
        registrar = self._proxy().target[row.transport] if row.proxied else ""
        return self._started(row.kind, row.number, row.transport, registrar, RINGING_SECONDS)

    def helper(self, place: str, kind: type[Phone] = BaresipPhone) -> Phone:
        """`partner` or `third`, a phone to try others with."""
        return self._started(kind, HELPERS[kind, place], "wss" if kind is JssipPhone else "udp")

    def second(self, row: Row, stack: ExitStack) -> Phone:
        """A second phone of the row's user, until the stack is left."""
        kind = JssipPhone if row.kind is JssipPhone else BaresipPhone
        account = self.site.account(row.number, "wss" if kind is JssipPhone else "udp")
        phone = kind(f"second-{row.number}", account, self.site.surroundings)
        stack.enter_context(phone).wait_for(Seen.REGISTERED)
        return phone

    def restart(self) -> None:
        """Kill the edge and start it again, once for all tests."""
        if self._before_restart is None:
            for phone in self._phones.values():
                phone.forget()
            self._before_restart = {number: phone.registrations for number, phone in self._phones.items()}
            self.site.restart()

    def is_back(self, phone: Phone) -> None:
        """Wait until a phone has registered by itself since the edge was killed."""
        assert self._before_restart is not None
        phone.registers_beyond(self._before_restart.get(phone.account.username, 0), RENEWED_SECONDS)

    def _started(
        self, kind: type[Phone], number: str, transport: str, registrar: str = "", ringing_seconds: int = 120
    ) -> Phone:
        if number not in self._phones:
            if kind is JssipPhone and not self._browsing():
                JssipPhone.browser = self._stack.enter_context(phone_browser())
            account = self.site.account(number, transport, registrar)
            phone = kind(f"{kind.__name__}-{number}", account, self.site.surroundings, ringing_seconds)
            self._phones[number] = self._stack.enter_context(phone)
            phone.wait_for(Seen.REGISTERED, PATIENCE)
        phone = self._phones[number]
        phone.forget()
        return phone

    def _browsing(self) -> bool:
        return any(isinstance(phone, JssipPhone) for phone in self._phones.values())

    def _proxy(self) -> Kamailio:
        if self._kamailio is None:
            made = Kamailio(self._folder / "kamailio", dict(self.site.surroundings.target), self.site.authority)
            self._kamailio = self._stack.enter_context(made)
        return self._kamailio


def rows(scenario: str) -> pytest.MarkDecorator:
    """Run a scenario for every row; what a phone cannot do is said to be so."""
    cells = []
    for row in ROWS:
        marks = [pytest.mark.peer(*row.programs), pytest.mark.cell(row.name, scenario)]
        if scenario in row.kind.unable:
            marks.append(pytest.mark.skip(reason=f"n.a.: {row.kind.unable[scenario]}"))
        cells.append(pytest.param(row, marks=marks, id=row.name.replace(", ", "-").replace(" ", "-")))
    return pytest.mark.parametrize("row", cells)


def pairs(rows_of_pairs: tuple[Row, ...]) -> pytest.MarkDecorator:
    """Run a test for every two different rows of these, as caller and callee."""
    cells = []
    for caller in rows_of_pairs:
        for callee in rows_of_pairs:
            if caller is callee:
                continue
            marks = [
                pytest.mark.peer(*caller.programs, *callee.programs),
                pytest.mark.cell(caller.name, callee.name, "pairs"),
            ]
            name = f"{caller.name}-to-{callee.name}".replace(", ", "-").replace(" ", "-")
            cells.append(pytest.param(caller, callee, marks=marks, id=name))
    return pytest.mark.parametrize(("caller_row", "callee_row"), cells)


def partner_of(row: Row) -> type[Phone]:
    """Who can talk with a phone: browsers encrypt their audio and talk with browsers."""
    return JssipPhone if row.kind is JssipPhone else BaresipPhone
