"""Find-me with a key at a whole edge whose cloud is away: Kamailio as provider, real phones at the site and beyond."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.snapshot import FindMe, Forwarding
from tests.support import trunk_office
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.heard_tone import heard_hz
from tests.support.kamailio_provider import KamailioProvider
from tests.support.trunk_office import DOMAIN, MOBILE, SECRETS, TONES, snapshot, trunk
from tests.support.waiting import eventually

pytestmark = [pytest.mark.peer("kamailio", "baresip"), pytest.mark.timeout(240)]


class Office(trunk_office.Office):
    """The site of the trunks' tests, where 201 is looked for at a mobile phone, which has to press a key."""

    provider_of_all: KamailioProvider

    def begin_with_find_me(self) -> None:
        """Start provider and edge."""
        self.provider_of_all = self.provider("first")
        place = FindMe(destination=MOBILE, order="at_the_same_time", confirm=True)
        before = snapshot((trunk("first", self.ports["first"]),))
        users = tuple(
            user.model_copy(update={"forwarding": Forwarding(find_me=(place,), ring_seconds=60)})
            if user.username == "201"
            else user
            for user in before.users
        )
        prepare_state(self.state_dir, before.model_copy(update={"users": users}), SECRETS)
        ports = {f"TANDEM_EDGE_SIP_TRUNKS_{kind}_PORT": "0" for kind in ("UDP", "TCP", "TLS")}
        self.edge = EdgeProcess(self.state_dir, ports)
        self.stack.callback(self.edge.stop)
        self.edge_port = self.edge.ports()["sip_udp"]
        provider = self.provider_of_all
        eventually(lambda: 'username="office"' in "".join(provider.requests("REGISTER")), 60, "the trunk registers")

    def hear_each_other(self, one: str, other: str) -> None:
        """Wait until each of two real phones hears the other's tone."""
        for who, whom in ((one, other), (other, one)):
            folder, tone = self.folder / f"baresip-{who}", TONES[whom]
            eventually(lambda folder=folder, tone=tone: heard_hz(folder) == tone, 60, f"{who} hears {whom}")  # type: ignore[misc]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        made = Office(tmp_path, stack)
        made.begin_with_find_me()
        yield made


def test_a_mobile_phone_has_the_call_after_its_key_and_the_desk_phone_rings_until_then(office: Office) -> None:
    caller, desk, mobile = office.phone("200"), office.phone("201"), office.outside(office.provider_of_all)
    caller.dial(f"sip:201@{DOMAIN}")
    desk.wait_for("CALL_INCOMING", within=60)
    mobile.accept(within=60)
    mobile.wait_for("CALL_ESTABLISHED", within=60)
    assert not [one for one in desk.take_events() if one.get("type") == "CALL_CLOSED"], "it rings on"
    assert not [one for one in caller.take_events() if one.get("type") == "CALL_ESTABLISHED"]
    mobile.command("sndcode", "1")
    caller.wait_for("CALL_ESTABLISHED", within=60)
    desk.wait_for("CALL_CLOSED", within=60)
    office.hear_each_other("200", MOBILE)
    caller.hang_up()
    mobile.wait_for("CALL_CLOSED", within=60)


def test_what_answers_at_the_mobile_network_without_a_key_takes_no_call_from_the_desk_phone(office: Office) -> None:
    caller, desk, mobile = office.phone("200"), office.phone("201"), office.outside(office.provider_of_all)
    caller.dial(f"sip:201@{DOMAIN}")
    mobile.accept(within=60)
    mobile.wait_for("CALL_ESTABLISHED", within=60)
    desk.accept(within=60)
    caller.wait_for("CALL_ESTABLISHED", within=60)
    mobile.wait_for("CALL_CLOSED", within=60)
    office.hear_each_other("200", "201")
    caller.hang_up()
    desk.wait_for("CALL_CLOSED", within=60)
