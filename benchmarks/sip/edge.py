"""An edge under load: a real agent with its dial plan, events and call records on, whose cloud is away."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.cpu import descendant_running, descendants
from benchmarks.sip.interpreter import PROJECT, Interpreter
from benchmarks.sip.server import SipServer, snapshot, snapshot_secrets
from tests.support.edge_process import EdgeProcess, prepare_state

SIP_PROCESS: Final = "edge_agent.processes.sip"
_READY_SECONDS: Final = 60.0
_ENVIRONMENT: Final = {"TANDEM_EDGE_SUPERVISION_HEARTBEAT_SECONDS": "5"}
"""As in the field; tests have a quicker one."""


@contextmanager
def running(name: str, interpreter: Interpreter, tree: Path = PROJECT) -> Iterator[SipServer]:
    """The edge of the site that all servers serve.

    Args:
        name: for people.
        interpreter: what it runs on.
        tree: the folder that its packages are in.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        state = Path(folder) / "edge"
        state.mkdir()
        prepare_state(state, snapshot(), snapshot_secrets())
        edge = EdgeProcess(state, _ENVIRONMENT, str(interpreter.executable), tree)
        try:
            edge.ready(_READY_SECONDS)
            ports = edge.ports()
            agent = edge.process.pid
            sip = descendant_running(agent, SIP_PROCESS)
            yield SipServer(
                name,
                {transport: ports[f"sip_{transport}"] for transport in ("udp", "tcp", "tls")},
                {"SIP process": lambda: [sip], "all processes of the edge": lambda: descendants(agent)},
            )
        finally:
            edge.stop()
