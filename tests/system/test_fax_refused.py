"""A fax mailbox at a whole edge whose engine has no fax, its cloud reached or cut: the caller is told why not."""

from pathlib import Path

import pytest

from contract.snapshot import DialPlan, Fax, InternalRule, Line, Site, Snapshot, User
from contract.sync.events import AlarmChanged, EngineTold, Happening
from edge_agent.clock import SystemClock
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.phones.site import DOMAIN, PeerSite
from tests.support.raw_sip import RawPhone
from tests.support.reachable_cloud import ReachableCloud
from tests.support.waiting import eventually

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
)

pytestmark = pytest.mark.timeout(120)


def snapshot() -> Snapshot:
    """One user, and his fax mailbox."""
    fax = Fax(service_id="own-fax", name="Own fax", extension="390", owners=("user-200",))
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Fax", domain=DOMAIN, realm="realm-1"),
        users=(User(user_id="user-200", username="200", display_name="Desk 200", extension="200"),),
        lines=(Line(line_id="line-200", user_id="user-200", auth_username="auth200", password="s-200:1"),),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="rule-1"),), voice_services=(fax,)),
    )


def test_the_embedded_engine_refuses_a_fax_with_the_reason_and_raises_an_alarm(tmp_path: Path, cloud: str) -> None:
    made = ReachableCloud(tmp_path / "cloud", snapshot(), cloud)
    site = PeerSite(tmp_path, ("200",), snapshot(), made, {"TANDEM_EDGE_MEDIA_ENGINE": "embedded"})
    try:
        made.is_known_to(site.edge)
        account = site.account("200", "udp")
        target = ("127.0.0.1", site.ports["sip_udp"])
        with RawPhone(target, "200", account.auth_username, account.password, timeout=10) as phone:
            answer = phone.invite("390", SDP)
        assert answer.status == 488
        assert answer.header("Warning") == '399 tandem "this site\'s engine cannot receive fax"'

        def told() -> list[Happening]:
            outbox = Outbox.open(site.state_dir / "outbox.db", SystemClock(), SystemTokens())
            try:
                waiting = [event.body.what for event in outbox.read(0, 500)]
            finally:
                outbox.close()
            return [*made.told(), *waiting]

        def said() -> bool:
            alarms = {one.alarm for one in told() if isinstance(one, AlarmChanged) and one.active}
            return "fax_not_possible" in alarms and EngineTold(engine="embedded", receives_fax=False) in told()

        eventually(said, 30, "the cloud is told, or will be")
    finally:
        site.stop()
        made.close()
