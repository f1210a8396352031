"""A real peer: sipp subscribes to the endpoint's events, and is called by the user agent, on loopback."""

from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.sip.message import Flow, Uri
from edge_agent.sip.transport import SipTransport
from edge_agent.sip.user_agent import UserAgent, UserAgentSettings
from edge_agent.tokens import SystemTokens
from tests.edge_agent.sip.test_sipp import account, running
from tests.support.call_partner import OFFER, RecordingListener
from tests.support.media_plane import RecordingPlane
from tests.support.sip_site import SiteLog
from tests.support.sipp import Sipp
from tests.support.waiting import eventually_async


@pytest.mark.peer("sipp")
@pytest.mark.parametrize("event", ["reg", "presence"])
async def test_sipp_subscribes_is_notified_and_unsubscribes(tmp_path: Path, event: str) -> None:
    """RFC 6665 §4.1, §4.2."""
    async with running(tmp_path, SiteLog()) as (endpoint, transport):
        host, port = transport.local["udp"]
        with Sipp(tmp_path, "subscribe", f"{host}:{port}", (account("200").row(event),), calls=5, rate=5) as sipp:
            await eventually_async(lambda: sipp.status is not None, 30)
            sipp.finish(1)
        await eventually_async(lambda: len(endpoint.events.subscriptions) == 0)
        assert not endpoint.drops


@pytest.mark.peer("sipp")
async def test_sipp_is_called_answers_and_is_hung_up_on(tmp_path: Path) -> None:
    """RFC 3261 §13.2, §15.1."""
    clock, listener = SystemClock(), RecordingListener()
    transport = SipTransport(clock, udp=("127.0.0.1", 0))
    await transport.open()
    host, port = transport.local["udp"]
    agent = UserAgent(UserAgentSettings(host, port), transport.send, RecordingPlane(), clock, SystemTokens())
    transport.attach(agent)
    try:
        with Sipp(tmp_path, "answer") as sipp:
            to, local = Uri.parse(f"sip:201@127.0.0.1:{sipp.port}".encode()), Uri.parse(b"sip:900@demo.tandem.test")
            leg = agent.place(to, local, listener, OFFER, flow=Flow("udp", "127.0.0.1", sipp.port))
            await eventually_async(lambda: any(one[0] == "answered" for one in listener.heard), 10)
            leg.hang_up()
            await eventually_async(lambda: sipp.status is not None, 20)
            sipp.finish(1)
    finally:
        await transport.close()
    assert [one[0] for one in listener.heard if one[0] != "progressed"] == ["answered", "ended"]
    assert agent.calls == 0
