"""Real phones of others call through a real edge: every scenario with every phone over every transport it has.

One edge and one of each phone for all tests here. In each row one phone is tried; who calls it, is called by it and
is brought together with it are phones known to be good: baresip over UDP, or its own kind where the media asks for it
(a browser's) or the other does not know Replaces.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.phones.baresip import BaresipPhone
from tests.support.phones.jssip import JssipPhone, phone_browser
from tests.support.phones.kamailio import Kamailio
from tests.support.phones.linphone import LinphonePhone
from tests.support.phones.phone import Phone, Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite

pytestmark = pytest.mark.timeout(120)

TALK_SECONDS: Final = 0.4
"""Long enough for some packets of audio each way."""


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


PLAIN: Final = ("udp", "tcp", "tls")
ROWS: Final = tuple(
    Row(kind, transport, str(200 + at), proxied)
    for at, (kind, transport, proxied) in enumerate(
        [
            *((kind, name, False) for kind in (BaresipPhone, PjsuaPhone, LinphonePhone) for name in PLAIN),
            (JssipPhone, "wss", False),
            *((BaresipPhone, name, True) for name in ("udp", "tcp")),
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
    """Every phone, started when first asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack, self._folder = stack, folder
        self.site = PeerSite(folder, [*(row.number for row in ROWS), *HELPERS.values()])
        stack.callback(self.site.stop)
        self._phones: dict[str, Phone] = {}
        self._kamailio: Kamailio | None = None
        self._restarted = False

    def phone(self, row: Row) -> Phone:
        """The phone that a row is about."""
        registrar = self._proxy().target[row.transport] if row.proxied else ""
        return self._started(row.kind, row.number, row.transport, registrar)

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
        """Restart the edge, once for all tests."""
        if not self._restarted:
            self._restarted = True
            self.site.restart()

    def _started(self, kind: type[Phone], number: str, transport: str, registrar: str = "") -> Phone:
        if number not in self._phones:
            if kind is JssipPhone and not self._browsing():
                JssipPhone.browser = self._stack.enter_context(phone_browser())
            account = self.site.account(number, transport, registrar)
            phone = kind(f"{kind.__name__}-{number}", account, self.site.surroundings)
            self._phones[number] = self._stack.enter_context(phone)
            phone.wait_for(Seen.REGISTERED)
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


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The edge and the phones of all tests."""
    with ExitStack() as stack:
        yield Fleet(tmp_path_factory.mktemp("fleet"), stack)


def rows(scenario: str) -> pytest.MarkDecorator:
    """Run a scenario for every row; what a phone cannot do is said to be so."""
    cells = []
    for row in ROWS:
        marks = [pytest.mark.peer(row.kind.program), pytest.mark.cell(row.name, scenario)]
        if row.proxied:
            marks.append(pytest.mark.peer(Kamailio.program))
        if scenario in row.kind.unable:
            marks.append(pytest.mark.skip(reason=f"n.a.: {row.kind.unable[scenario]}"))
        cells.append(pytest.param(row, marks=marks, id=row.name.replace(", ", "-").replace(" ", "-")))
    return pytest.mark.parametrize("row", cells)


def partner_of(row: Row) -> type[Phone]:
    """Who can talk with a phone: browsers encrypt their audio and talk with browsers."""
    return JssipPhone if row.kind is JssipPhone else BaresipPhone


def number(phone: Phone) -> str:
    """Its extension."""
    return phone.account.username


def connect(caller: Phone, callee: Phone) -> None:
    """A call that is answered."""
    caller.call(number(callee))
    callee.wait_for(Seen.INCOMING)
    caller.wait_for(Seen.RINGING)
    callee.answer()
    callee.wait_for(Seen.ANSWERED)
    caller.wait_for(Seen.ANSWERED)


def talk() -> None:
    """Let audio flow for a moment."""
    threading.Event().wait(TALK_SECONDS)


def media_lines(description: str) -> list[str]:
    """What a session description says of where audio goes, and how it is coded."""
    return [
        line for line in description.splitlines() if line.startswith(("o=", "c=", "m=", "a=rtpmap", "a=fingerprint"))
    ]


def is_same_at_both_ends(caller: Phone, callee: Phone) -> None:
    """Both session descriptions came through the edge as they were sent, so that audio goes from phone to phone."""
    for what in (Seen.OFFER, Seen.ANSWER):
        ends = [media_lines(phone.wait_for(what).detail) for phone in (caller, callee)]
        assert ends[0] == ends[1]
        assert ends[0]


def hang_up(who: Phone, other: Phone) -> None:
    """End a call, seen at both ends."""
    who.hang_up()
    other.closed()
    who.closed()


@rows("register")
def test_a_phone_registers_and_renews_its_registration(fleet: Fleet, row: Row) -> None:
    phone = fleet.phone(row)
    phone.register()
    phone.wait_for(Seen.REGISTERED)


@rows("calls")
def test_a_phone_calls_and_both_hear_each_other_directly(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    connect(phone, partner)
    partner.wait_for(Seen.HEARD)
    talk()
    is_same_at_both_ends(phone, partner)
    if isinstance(phone, LinphonePhone):
        hang_up(phone, partner)  # it tells what it received when the call is over
        phone.wait_for(Seen.HEARD)
    else:
        phone.wait_for(Seen.HEARD)
        hang_up(phone, partner)


@rows("is called")
def test_a_phone_is_called_and_both_hear_each_other_directly(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    connect(partner, phone)
    partner.wait_for(Seen.HEARD)
    talk()
    is_same_at_both_ends(partner, phone)
    if isinstance(phone, LinphonePhone):
        hang_up(partner, phone)
        phone.wait_for(Seen.HEARD)
    else:
        phone.wait_for(Seen.HEARD)
        hang_up(partner, phone)


@rows("cancel")
def test_a_call_is_taken_back_by_and_from_a_phone(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    for caller, callee in ((phone, partner), (partner, phone)):
        caller.call(number(callee))
        callee.wait_for(Seen.INCOMING)
        caller.wait_for(Seen.RINGING)
        hang_up(caller, callee)


@rows("busy")
def test_a_phone_hears_busy_and_says_busy(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    for caller, callee in ((phone, partner), (partner, phone)):
        caller.call(number(callee))
        callee.wait_for(Seen.INCOMING)
        caller.wait_for(Seen.RINGING)
        callee.decline()
        assert caller.closed() == callee.busy_status
        callee.closed()


@rows("no answer")
def test_a_phone_that_nobody_answers_ends_the_callers_call(fleet: Fleet, row: Row) -> None:
    phone, partner = fleet.phone(row), fleet.helper("partner", partner_of(row))
    partner.call(number(phone))
    phone.wait_for(Seen.INCOMING)
    partner.wait_for(Seen.RINGING)
    phone.let_it_ring()
    assert partner.closed() == phone.no_answer_status
    phone.closed()
