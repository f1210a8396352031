"""The provisioning process's own composition with a site's DHCP rules, driven line by line.

`python -m tests.support.dhcp_edge FOLDER RULES` (RULES: JSON of `DhcpService`, or `null`), and `approved_only` behind
it where nobody else is served. Each line on standard input is answered by one of JSON: `status`, `alarms` (those that
are active), `unknown` (phones that were seen), `refused`.
"""

import asyncio
import json
import sys
from pathlib import Path

from pydantic import SecretStr

from contract.snapshot import DhcpService, ProvisioningPolicy
from edge_agent.clock import SystemClock
from edge_agent.processes.child import Bell
from edge_agent.processes.link import Prepare, Start
from edge_agent.processes.provisioning import ProvisioningSubsystem
from edge_agent.settings import ProvisioningSettings, Settings
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.snapshots import SMALL_SECRETS, small_snapshot


async def serve(folder: Path, rules: str, *, approved_only: bool = False) -> None:
    """Run until standard input ends."""
    subsystem = ProvisioningSubsystem(Bell())
    ports = ProvisioningSettings(tftp_port=69, http_port=8090, https_port="off", plug_and_play_port="off")
    await subsystem.start(Start(settings=Settings(state_dir=folder, provisioning=ports)))
    service = None if rules == "null" else DhcpService.model_validate_json(rules)
    snapshot = small_snapshot()
    policy = ProvisioningPolicy(dhcp=service, clear_text_networks=("192.0.2.0/24",), approved_only=approved_only)
    site = snapshot.site.model_copy(update={"provisioning": policy})
    secrets = {ref: SecretStr(value) for ref, value in SMALL_SECRETS.items()}
    prepared = snapshot.model_copy(update={"site": site})
    await subsystem.prepare(
        Prepare(version=1, snapshot=prepared, secrets=secrets, sip_host="192.0.2.1", sip_ports={"udp": 5060})
    )
    await subsystem.commit()
    outbox = Outbox.open(folder / "outbox.db", SystemClock(), SystemTokens())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        assert subsystem._reporting is not None
        subsystem._reporting.settle()
        match line.strip():
            case "status":
                answer = await subsystem.order("dhcp_status", {})
            case "alarms":
                answer = json.dumps(sorted(_alarms(outbox)))
            case "refused":
                answer = json.dumps([one for one in _events(outbox) if one["kind"] == "phone_refused"])
            case _:
                seen = [one for one in _events(outbox) if one["kind"] == "unknown_phone"]
                answer = json.dumps(seen)
        print(answer, flush=True)
    await subsystem.stop()


def _events(outbox: Outbox) -> list[dict[str, object]]:
    return [event.body.what.model_dump(mode="json") for event in outbox.read(0, 1000)]


def _alarms(outbox: Outbox) -> set[str]:
    active: set[str] = set()
    for event in _events(outbox):
        if event["kind"] == "alarm":
            (active.add if event["active"] else active.discard)(str(event["alarm"]))
    return active


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], approved_only="approved_only" in sys.argv[3:]))
