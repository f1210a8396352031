"""An edge whose cloud is away: a real agent on a folder with a last good snapshot."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cpu import cpu_seconds, descendant_running, descendants
from benchmarks.sip_load import SipServer
from contract.snapshot import Snapshot
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.sipp import SippAccount

SIP_PROCESS = "edge_agent.processes.sip"


def edge_server(name: str, target: str, agent: int, accounts: tuple[SippAccount, SippAccount]) -> SipServer:
    """An edge as a server under load.

    Args:
        agent: the agent's process id.
    """
    sip, tree = [descendant_running(agent, SIP_PROCESS)], descendants(agent)
    spent = {
        "SIP process": lambda: cpu_seconds(sip),
        "all processes of the edge": lambda: cpu_seconds(tree),
    }
    return SipServer.of(name, target, accounts, spent)


@contextmanager
def agent(snapshot: Snapshot, secrets: dict[str, str]) -> Iterator[EdgeProcess]:
    """The agent, ready, with this snapshot."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        state = Path(name) / "edge"
        state.mkdir()
        prepare_state(state, snapshot, secrets)
        edge = EdgeProcess(state)
        try:
            edge.ports()
            yield edge
        finally:
            edge.stop()


@contextmanager
def running(snapshot: Snapshot, secrets: dict[str, str]) -> Iterator[SipServer]:
    """The edge of a site whose first line calls the second."""
    domain = snapshot.site.domain
    users = {user.user_id: user.username for user in snapshot.users}
    caller, callee = (
        SippAccount(users[line.user_id], line.auth_username, secrets[line.password], domain)
        for line in snapshot.lines[:2]
    )
    with agent(snapshot, secrets) as edge:
        target = f"127.0.0.1:{edge.ports()['sip_udp']}"
        yield edge_server("an edge whose cloud is away", target, edge.process.pid, (caller, callee))
