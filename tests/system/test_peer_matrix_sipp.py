"""sipp calls and is called through a real edge by its scripts; baresip is at the other end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.phones.baresip import BaresipPhone
from tests.support.phones.phone import Phone, Seen
from tests.support.phones.sipp_phone import RunningSipp, sipp
from tests.support.phones.sipp_script import Script
from tests.support.phones.site import PeerSite

PARTNER, THIRD = "300", "301"
USERS = tuple(str(200 + at) for at in range(40))
"""One for each sipp: none of them ever takes its registration back, so that the next would be one of two phones."""
TRANSPORTS = ("udp", "tcp")


class Bench:
    """The edge, two baresips, and sipp as often as it is asked for."""

    def __init__(self, site: PeerSite, folder: Path, partner: Phone, third: Phone) -> None:
        self._site, self._folder = site, folder
        self.partner, self.third = partner, third
        self._users = iter(USERS)

    @contextmanager
    def calling(self, transport: str, script: Script) -> Iterator[RunningSipp]:
        """sipp calls the partner."""
        for phone in (self.partner, self.third):
            phone.forget()
        with sipp(self._folder, self._site.account(next(self._users), transport), script, PARTNER) as running:
            yield running

    @contextmanager
    def called(self, transport: str, script: Script) -> Iterator[RunningSipp]:
        """sipp is registered, and answers calls by the script; the partner calls it."""
        self.partner.forget()
        stays = Script().register().wait(60_000)
        user = next(self._users)
        with sipp(self._folder, self._site.account(user, transport), stays, incoming=script) as running:
            running.receives("SIP/2.0 200 OK")
            self.partner.call(user)
            yield running


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One for all tests here."""
    folder = tmp_path_factory.mktemp("sipp")
    site = PeerSite(folder, [*USERS, PARTNER, THIRD])
    try:
        with (
            BaresipPhone("partner", site.account(PARTNER, "udp"), site.surroundings) as partner,
            BaresipPhone("third", site.account(THIRD, "udp"), site.surroundings) as third,
        ):
            for phone in (partner, third):
                phone.wait_for(Seen.REGISTERED)
            yield Bench(site, folder, partner, third)
    finally:
        site.stop()


def cells(scenario: str) -> pytest.MarkDecorator:
    """Run for each transport that sipp has."""
    found = [pytest.param(name, marks=pytest.mark.cell(f"sipp, {name}", scenario)) for name in TRANSPORTS]
    reason = "n.a.: Debian builds sipp without TLS"
    marks = [pytest.mark.cell("sipp, tls", scenario), pytest.mark.skip(reason=reason)]
    return pytest.mark.parametrize("transport", [*found, pytest.param("tls", marks=marks)])


pytestmark = [pytest.mark.peer("sipp", "baresip"), pytest.mark.timeout(60)]


@cells("register")
def test_sipp_registers(bench: Bench, transport: str) -> None:
    with bench.calling(transport, Script().register()) as running:
        running.succeeds()


@cells("calls")
def test_sipp_calls_and_hangs_up(bench: Bench, transport: str) -> None:
    script = Script().invite().expect(180).expect_answer().wait(300).hang_up()
    with bench.calling(transport, script) as running:
        bench.partner.wait_for(Seen.INCOMING)
        bench.partner.answer()
        bench.partner.wait_for(Seen.ANSWERED)
        bench.partner.closed()
        running.succeeds()


@cells("is called")
def test_sipp_is_called_and_told_of_the_end(bench: Bench, transport: str) -> None:
    script = Script().hear("INVITE").reply("180 Ringing").wait(300).reply("200 OK", direction="sendrecv").hear("ACK")
    with bench.called(transport, script.hear("BYE").reply_within("200 OK")) as running:
        bench.partner.wait_for(Seen.RINGING)
        bench.partner.wait_for(Seen.ANSWERED)
        bench.partner.hang_up()
        bench.partner.closed()
        running.receives("BYE sip:")


@cells("cancel")
def test_sipp_takes_a_call_back(bench: Bench, transport: str) -> None:
    script = Script().invite().expect(180).cancel().expect_cancelled()
    with bench.calling(transport, script) as running:
        bench.partner.wait_for(Seen.INCOMING)
        bench.partner.closed()
        running.succeeds()
    script = Script().hear("INVITE").reply("180 Ringing").hear("CANCEL").reply_cancelled().hear("ACK")
    with bench.called(transport, script) as running:
        bench.partner.wait_for(Seen.RINGING)
        bench.partner.hang_up()
        bench.partner.closed()
        running.receives("CANCEL sip:")


@cells("busy")
def test_sipp_hears_busy_and_says_busy(bench: Bench, transport: str) -> None:
    script = Script().invite().expect(180).expect_refusal(486)
    with bench.calling(transport, script) as running:
        bench.partner.wait_for(Seen.INCOMING)
        bench.partner.decline()
        running.succeeds()
    with bench.called(transport, Script().hear("INVITE").reply("486 Busy Here").hear("ACK")):
        assert bench.partner.closed() == 486


@cells("no answer")
def test_sipp_does_not_answer_and_says_so(bench: Bench, transport: str) -> None:
    script = Script().hear("INVITE").reply("180 Ringing").wait(500).reply("480 Temporarily Unavailable").hear("ACK")
    with bench.called(transport, script):
        bench.partner.wait_for(Seen.RINGING)
        assert bench.partner.closed() == 480


@cells("hold")
def test_sipp_holds_and_takes_off_hold(bench: Bench, transport: str) -> None:
    script = Script().invite().expect(180).expect_answer()
    for direction in ("sendonly", "sendrecv"):
        script.wait(300).ask("INVITE", within=True, direction=direction).expect_answer()
    with bench.calling(transport, script.wait(300).hang_up()) as running:
        bench.partner.wait_for(Seen.INCOMING)
        bench.partner.answer()
        bench.partner.wait_for(Seen.HELD)
        bench.partner.wait_for(Seen.RESUMED)
        bench.partner.closed()
        running.succeeds()


@cells("blind transfer")
def test_sipp_sends_the_other_end_to_a_third(bench: Bench, transport: str) -> None:
    script = Script().invite().expect(180).expect_answer().wait(300)
    script.ask("REFER", f"Refer-To: <sip:{THIRD}@[field3]>", within=True).expect(202)
    for _ in range(2):
        script.hear("NOTIFY").reply_within("200 OK")
    with bench.calling(transport, script.hang_up()) as running:
        bench.partner.wait_for(Seen.INCOMING)
        bench.partner.answer()
        bench.third.wait_for(Seen.INCOMING)
        bench.third.answer()
        bench.third.wait_for(Seen.ANSWERED)
        bench.partner.closed()
        running.succeeds()
        bench.third.hang_up()
        bench.third.closed()
        bench.partner.closed()
