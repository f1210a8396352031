"""Authorization codes at a whole edge whose cloud is away, by the keys of a real phone."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.authorization_state import key_of, salt_of
from contract.pin import hashed
from contract.snapshot import Authorization, AuthorizationCode, DialPattern, Gateway, OutsideRule
from contract.sync.events import CallEnded
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.sync.state_store import StateStore
from edge_agent.tokens import SystemTokens
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.raw_callee import RawCallee
from tests.support.raw_sip import RawPhone
from tests.support.waiting import eventually
from tests.system.test_call_park import NUMBERS, snapshot

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(180)]


def test_a_code_lets_a_phone_call_out_that_may_not_and_the_record_names_it_and_not_its_digits(tmp_path: Path) -> None:
    gate = Authorization(
        service_id="far",
        name="Far",
        extension="770",
        permissions=("LocalDialing",),
        codes=(AuthorizationCode(code_id="anna", name="Anna"),),
    )
    out = OutsideRule(
        rule_id="out",
        name="Out",
        category="local",
        patterns=(DialPattern(prefix="0"),),
        gateways=("pri",),
        permissions=("LocalDialing",),
    )
    with ExitStack() as stack:
        outside = stack.enter_context(RawPhone(("127.0.0.1", 0), "0791112233", "", "", timeout=10))
        before = snapshot()
        plan = before.dial_plan.model_copy(
            update={
                "rules": (*before.dial_plan.rules, out),
                "gateways": (Gateway(gateway_id="pri", name="PRI", host="127.0.0.1", port=outside.port),),
                "voice_services": (gate,),
            }
        )
        site = PeerSite(tmp_path, NUMBERS, before.model_copy(update={"dial_plan": plan}))
        stack.callback(site.stop)
        site.edge.kill()
        store = StateStore.open(site.state_dir / "state.db", "edge-1", SystemClock())
        store.write(key_of("far", "anna"), hashed("2580", salt_of("far")))
        store.close()
        site.restart()
        outside.target = ("127.0.0.1", site.ports["sip_udp"])
        phone = stack.enter_context(PjsuaPhone("phone-200", site.account("200", "udp"), site.surroundings))
        phone.wait_for(Seen.REGISTERED)
        phone.call("0441234567")
        assert phone.closed() == 403
        network = stack.enter_context(RawCallee(outside, (180,), registers=False))
        phone.call("770")
        phone.wait_for(Seen.ANSWERED)
        phone.wait_for(Seen.HEARD)
        phone.press("2580#")
        phone.press("0441234567#")
        assert network.ringing.wait(60)
        phone.hang_up()
        phone.hang_up()  # also the call of the code, which it is back in; both are one record

        def told() -> list[str]:
            outbox = Outbox.open(site.state_dir / "outbox.db", SystemClock(), SystemTokens())
            try:
                ended = [event.body.what for event in outbox.read(0, 100) if isinstance(event.body.what, CallEnded)]
            finally:
                outbox.close()
            return [reason for one in ended for reason in one.reasons]

        eventually(
            lambda: any("Far, code of Anna" in one for one in told()), within=40, what="the record names the code"
        )
        assert not any("2580" in one for one in told())
