"""Calling features carried out by a whole edge whose cloud is away, with real phones: pickup, intercom, speed dials,
caller ID, unwanted callers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from cloud.local.baresip import Baresip, PhoneError
from cloud.pbx.default_dial_plan import default_dial_plan
from contract.pin import hashed
from contract.snapshot import DialPattern, Gateway, Line, OutsideRule, PhonebookEntry, PickupGroup, Site, Snapshot, User
from contract.sync.events import CallEnded
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.sync.state_store import StateStore
from edge_agent.tokens import SystemTokens
from tests.support.phones.baresip import BaresipPhone
from tests.support.phones.phone import Phone, Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import DOMAIN, PeerSite
from tests.support.phones.talking import connect, hang_up, hear, talk
from tests.support.raw_callee import RawCallee
from tests.support.raw_sip import RawPhone
from tests.support.waiting import eventually

NUMBERS: Final = ("200", "201", "202", "203")
SITE_ID: Final = "6f2c1f6e-54a5-4d6c-9a35-0c53a4a2f7a1"

PERMISSIONS: Final = {"202": ("CallPickup", "Intercom", "LocalDialing"), "203": ("HotDesking",)}
OUT: Final = OutsideRule(
    rule_id="out",
    name="Out",
    category="local",
    patterns=(DialPattern(prefix="0"),),
    gateways=("pri",),
    permissions=("LocalDialing",),
)
PIN: Final = "2580"

SDP: Final = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)

pytestmark = [pytest.mark.peer("baresip", "pjsua2"), pytest.mark.timeout(120)]


def snapshot(gateway_port: int = 5099) -> Snapshot:
    """The dial plan that every site begins with; 202 picks up everybody's calls, 203 those of 201."""
    plan = default_dial_plan(UUID(SITE_ID))
    group = PickupGroup(group_id="front", name="Front", members=("user-201", "user-203"))
    return Snapshot(
        version=1,
        site=Site(site_id=SITE_ID, tenant_id="tenant-1", name="Features", domain=DOMAIN, realm="realm-1"),
        users=tuple(
            User(
                user_id=f"user-{number}",
                username=number,
                display_name=f"Desk {number}",
                extension=number,
                permissions=PERMISSIONS.get(number, ()),
            )
            for number in NUMBERS
        ),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1")
            for n in NUMBERS
        ),
        phonebook=(PhonebookEntry(entry_id="e-1", name="Plumber", numbers=("+41791112233",)),),
        dial_plan=plan.model_copy(
            update={
                "rules": (*plan.rules, OUT),
                "pickup_groups": (group,),
                "gateways": (Gateway(gateway_id="pri", name="PRI", host="127.0.0.1", port=gateway_port),),
            }
        ),
    )


class Office:
    """A running edge and phones."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.outside = stack.enter_context(RawPhone(("127.0.0.1", 0), "0791112233", "", "", timeout=10))
        """Somebody who calls by the gateway."""
        self.site = PeerSite(folder, NUMBERS, snapshot(self.outside.port))
        stack.callback(self.site.stop)
        self.outside.target = ("127.0.0.1", self.site.ports["sip_udp"])

    def keep(self, key: str, value: str) -> None:
        """Write a user's setting, as a phone or the portal does; the edge has to be started again."""
        store = StateStore.open(self.site.state_dir / "state.db", "edge-1", SystemClock())
        store.write(key, value)
        store.close()

    def phone(self, number: str, kind: type[Phone] = BaresipPhone) -> Phone:
        """A real phone, registered."""
        phone = kind(f"{kind.__name__}-{number}", self.site.account(number, "udp"), self.site.surroundings)
        self._stack.enter_context(phone).wait_for(Seen.REGISTERED)
        phone.forget()
        return phone

    def baresip(self, number: str) -> Baresip:
        """A baresip whose events tell more than a `Phone`'s."""
        phone = self._stack.enter_context(Baresip(self.folder / f"own-{number}", self.site.account(number, "udp")))
        phone.registered()
        return phone

    def dial(self, phone: Baresip, code: str) -> None:
        """Dial a code that a tone answers."""
        phone.dial(f"sip:{code}@{DOMAIN}")
        phone.wait_for("CALL_ESTABLISHED")
        phone.wait_for("CALL_CLOSED")

    def refused(self, phone: Baresip, number: str) -> str:
        """Dial a number that does not take the call; what the phone says of its end."""
        phone.dial(f"sip:{number}@{DOMAIN}")
        return str(phone.wait_for("CALL_CLOSED")["param"])

    def records(self, count: int) -> list[CallEnded]:
        """So many records of calls."""
        found: list[CallEnded] = []

        def ended() -> bool:
            outbox = Outbox.open(self.site.state_dir / "outbox.db", SystemClock(), SystemTokens())
            try:
                found[:] = [event.body.what for event in outbox.read(0, 100) if isinstance(event.body.what, CallEnded)]
            finally:
                outbox.close()
            return len(found) >= count

        eventually(ended, 10, "the calls' records on the edge's disk")
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


@pytest.mark.parametrize(("picker", "code"), [("202", "*78201"), ("203", "*79")])
def test_a_ringing_call_is_picked_up_from_another_phone_and_both_hear_each_other(
    office: Office, picker: str, code: str
) -> None:
    caller, callee, third = office.phone("200", PjsuaPhone), office.phone("201"), office.phone(picker)
    caller.call("201")
    callee.wait_for(Seen.INCOMING)
    caller.wait_for(Seen.RINGING)
    third.call(code)
    third.wait_for(Seen.ANSWERED)
    callee.wait_for(Seen.CLOSED)
    hear(caller, third)
    hang_up(third, caller)
    (record,) = office.records(1)
    assert (record.caller, record.callee, record.callee_user_id) == ("200", "201", f"user-{picker}")
    assert record.disposition == "answered"
    assert record.reasons[-1] == f"picked_up: {picker} took the call"


def test_a_caller_whose_phone_knows_no_replaces_comes_to_the_phone_of_who_picks_up(office: Office) -> None:
    """baresip 1.0 is such a phone; pjsua answers by itself what asks for that."""
    caller, callee, third = office.phone("200"), office.phone("201"), office.phone("202", PjsuaPhone)
    caller.call("201")
    callee.wait_for(Seen.INCOMING)
    third.call("*78201")
    caller.wait_for(Seen.ANSWERED)
    callee.wait_for(Seen.CLOSED)
    hear(caller, third)
    hang_up(caller, third)
    record = office.records(1)[0]
    assert (record.caller, record.callee_user_id, record.disposition) == ("200", "user-202", "answered")


def test_an_intercom_call_is_answered_by_the_phone_itself(office: Office) -> None:
    caller, callee = office.phone("202"), office.phone("201", PjsuaPhone)
    caller.call("*76201")
    caller.wait_for(Seen.ANSWERED)
    hear(caller, callee)
    hang_up(caller, callee)
    assert [reason.partition(":")[0] for reason in office.records(1)[0].reasons] == ["feature", "intercom"]


def test_an_intercom_call_needs_permission_and_consent(office: Office) -> None:
    caller, colleague = office.baresip("202"), office.baresip("201")
    assert "403" in office.refused(colleague, "*76202")
    office.dial(colleague, "*56")
    assert "403" in office.refused(caller, "*76201")


def test_a_speed_dial_that_a_phone_kept_outlives_the_edges_death(office: Office) -> None:
    phone, callee = office.baresip("200"), office.baresip("201")
    office.dial(phone, "*507*201")
    office.site.restart()
    phone.dial(f"sip:*07@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == f"sip:200@{DOMAIN}"


def test_a_caller_hides_and_the_phone_shows_nobody(office: Office) -> None:
    phone, callee = office.baresip("200"), office.baresip("201")
    phone.dial(f"sip:*67201@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == "sip:anonymous@anonymous.invalid"
    callee.command("accept")
    phone.wait_for("CALL_ESTABLISHED")
    phone.hang_up()
    callee.wait_for("CALL_CLOSED")


def test_who_called_last_is_called_back_blocked_and_taken_again(office: Office) -> None:
    caller, callee = office.baresip("200"), office.baresip("201")
    caller.dial(f"sip:201@{DOMAIN}")
    callee.wait_for("CALL_INCOMING")
    caller.hang_up()
    callee.wait_for("CALL_CLOSED")
    callee.dial(f"sip:*69@{DOMAIN}")
    assert caller.wait_for("CALL_INCOMING")["peeruri"] == f"sip:201@{DOMAIN}"
    callee.hang_up()
    caller.wait_for("CALL_CLOSED")
    office.dial(callee, "*64")
    assert "603" in office.refused(caller, "201")
    office.dial(callee, "*63200")
    caller.dial(f"sip:201@{DOMAIN}")
    callee.wait_for("CALL_INCOMING")


def test_who_wants_no_nameless_caller_and_no_second_call_gets_none(office: Office) -> None:
    caller, callee, other = office.baresip("200"), office.baresip("201"), office.baresip("203")
    office.dial(callee, "*51")
    assert "433" in office.refused(caller, "*67201")
    office.dial(callee, "*54")
    caller.dial(f"sip:201@{DOMAIN}")
    callee.accept()
    caller.wait_for("CALL_ESTABLISHED")
    assert "486" in office.refused(other, "201")


def test_somebody_logs_in_at_anothers_phone_by_its_keys_and_is_there_until_he_logs_out(office: Office) -> None:
    """Extension by dialling, PIN by the keys; it outlives the death of the edge, and all of it without the cloud."""
    office.keep("voicemail_pin/user-203", hashed(PIN, "0" * 32))
    office.site.restart()
    host, callee = office.baresip("200"), office.baresip("201")
    host.dial(f"sip:*11203@{DOMAIN}")
    host.wait_for("CALL_ESTABLISHED")
    for key in f"{PIN}#":
        host.command("sndcode", key)
    host.wait_for("CALL_CLOSED", within=20.0)
    office.site.restart()
    host.dial(f"sip:201@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == f"sip:203@{DOMAIN}"
    host.hang_up()
    callee.wait_for("CALL_CLOSED")
    callee.dial(f"sip:203@{DOMAIN}")
    host.wait_for("CALL_INCOMING")
    callee.hang_up()
    host.wait_for("CALL_CLOSED")
    office.dial(host, "*12")
    host.dial(f"sip:201@{DOMAIN}")
    assert callee.wait_for("CALL_INCOMING")["peeruri"] == f"sip:200@{DOMAIN}"


def test_a_caller_from_outside_is_shown_by_his_name_in_the_phonebook(office: Office) -> None:
    callee = office.baresip("201")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(office.outside.invite, "201", SDP)
        arrived = callee.wait_for("CALL_INCOMING")
        assert (arrived["peerdisplayname"], arrived["peeruri"]) == ("Plumber", f"sip:0791112233@{DOMAIN}")
        callee.command("accept")
        assert office.outside.hang_up(answer.result(timeout=10)).status == 200
    callee.wait_for("CALL_CLOSED")


def test_a_caller_from_outside_is_blocked_by_the_number_that_he_shows(office: Office) -> None:
    callee = office.baresip("201")
    office.dial(callee, "*62+41791112233")
    assert office.outside.invite("201", SDP).status == 603


def test_a_phone_that_is_sent_to_the_outside_goes_there_by_the_permission_of_who_sent_it(office: Office) -> None:
    referrer, sent = office.phone("202", PjsuaPhone), office.phone("200", PjsuaPhone)
    connect(referrer, sent)
    with RawCallee(office.outside, (180, 200), registers=False) as network:
        referrer.transfer("0441234567")
        assert network.ringing.wait(10)
    records = {(one.caller, one.callee) for one in office.records(1)}
    assert ("202", "200") in records


def test_a_phone_is_not_sent_where_who_sends_it_may_not_call(office: Office) -> None:
    referrer, sent = office.phone("200", PjsuaPhone), office.phone("202", PjsuaPhone)
    connect(referrer, sent)
    with RawCallee(office.outside, (180, 200), registers=False) as network:
        referrer.transfer("0441234567")
        talk()
        assert not network.ringing.is_set()
    hang_up(referrer, sent)


def _baresips(office: Office) -> tuple[Baresip, Baresip, Baresip]:
    """200, who calls; 201, who talks with 202."""
    caller, busy, other = (office.baresip(number) for number in ("200", "201", "202"))
    other.dial(f"sip:201@{DOMAIN}")
    busy.accept()
    other.wait_for("CALL_ESTABLISHED")
    return caller, busy, other


def test_who_found_somebody_busy_is_called_back_when_he_is_free_also_after_the_edge_was_killed(office: Office) -> None:
    caller, busy, other = _baresips(office)
    office.dial(caller, "*66201")
    office.site.restart()
    other.hang_up()
    caller.take_events(), busy.take_events()
    ringing = caller.wait_for("CALL_INCOMING", within=40)
    assert "201" in str(ringing["peeruri"])
    caller.command("accept")
    busy.accept(within=20)
    busy.wait_for("CALL_ESTABLISHED")
    asked = [one for one in office.records(1) if one.callee == "*66201"]
    assert any("200 is called when 201 is free" in reason for reason in asked[0].reasons)


def test_a_call_back_that_was_cancelled_rings_nobody_and_one_that_is_not_taken_rings_once(office: Office) -> None:
    caller, _, other = _baresips(office)
    office.dial(caller, "*66201")
    office.dial(caller, "*57201")
    office.dial(caller, "*66203")
    guest = office.baresip("203")
    assert "203" in str(caller.wait_for("CALL_INCOMING", within=20)["peeruri"])
    other.hang_up()
    caller.hang_up()
    caller.wait_for("CALL_CLOSED")
    with pytest.raises(PhoneError):
        caller.wait_for("CALL_INCOMING", within=8)
    assert [one for one in guest.take_events() if one["type"] == "CALL_INCOMING"] == []
