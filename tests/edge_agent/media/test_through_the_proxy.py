"""The echo test as phones reach it: `*99` through the site's proxy, with digest and Record-Route."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.media.embedded.engine import EngineSettings
from edge_agent.processes.media import MediaProcessSettings, build_media_process
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.transport import SipTransport
from edge_agent.tokens import SystemTokens
from tests.support.sip_site import KEY, MemoryStore, SiteLog, password_of, sip_config
from tests.support.sipp import Sipp, SippAccount
from tests.support.waiting import eventually_async

CALLS = 20


@pytest.mark.peer("sipp")
async def test_calls_to_star_99_reach_the_echo_test_and_end_in_records(tmp_path: Path) -> None:
    media = await build_media_process(MediaProcessSettings(engine=EngineSettings("127.0.0.1", 20_000, 39_999)))
    at = ("127.0.0.1", media.sip_port)
    config = replace(sip_config(), services={"echo_test": f"sip:echo@{at[0]}:{at[1]}"}, trusted=frozenset({at}))
    log, transport = SiteLog(), SipTransport(SystemClock(), udp=("127.0.0.1", 0))
    await transport.open()
    endpoint = Endpoint(
        config,
        clock=SystemClock(),
        tokens=SystemTokens(),
        reporter=log,
        journal=log,
        store=MemoryStore(),
        transport=transport,
        key=KEY,
    )
    endpoint.start()
    target = "{}:{}".format(*transport.local["udp"])
    caller = SippAccount("200", "auth200", password_of("200"))
    with Sipp(tmp_path, "call", target, (caller.row("*99"),), calls=CALLS, rate=20, talk_ms=300) as sipp:
        await eventually_async(lambda: sipp.status is not None, within=60, what="sipp ends")
        sipp.finish(1)
    await eventually_async(lambda: media.server.calls == 0)
    assert [record.disposition for record in log.records] == ["answered"] * CALLS
    assert {record.callee for record in log.records} == {"*99"}
    assert not media.user_agent.drops
    endpoint.stop()
    await transport.close()
    await media.close()
