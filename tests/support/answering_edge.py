"""An edge that answers what the cloud asks of it, without a channel: its hub's part is done in a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from cloud.clock import Clock
from cloud.pbx.commands import finish_command, take_commands
from cloud.pbx.edges import KnownEdge, take_lease
from contract.sync.ladder import Ladder
from contract.sync.messages import Command, CommandResult
from edge_agent.sip.message import Flow
from edge_agent.sip.observation.ladder import WallTime, ladder_of
from edge_agent.sip.observation.tape import Tape, TapeRules
from tests.support.postgres import Databases
from tests.support.sip_traces import CALLEE, CALLER, LOCAL, SDP, request, response

Reply = tuple[bool, str] | None
"""Whether it worked, and the answer; None: silence."""


@contextmanager
def answering_edge(
    databases: Databases, edge: KnownEdge, clock: Clock, reply: Callable[[Command], Reply]
) -> Iterator[list[Command]]:
    """The edge is connected, and answers each command with what `reply` says; the commands that came."""
    asked: list[Command] = []
    over = threading.Event()
    with databases.hub.session(edge.scope) as session:
        take_lease(session, edge, hub="hub-1", now=clock.now(), seconds=3600, transport="quic", agent_version="0.1.0")

    def serve() -> None:
        while not over.is_set():
            with databases.hub.session(edge.scope) as session:
                for command in take_commands(session, edge, clock.now()):
                    asked.append(command)
                    if (answer := reply(command)) is not None:
                        ok, content = answer
                        result = CommandResult(command_id=command.command_id, ok=ok, content=content)
                        finish_command(session, edge, result, clock.now())
            over.wait(0.02)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield asked
    finally:
        over.set()
        thread.join()


def small_ladder() -> Ladder:
    """A call that is challenged, rings, is repeated once, answered and ended, as an edge draws it."""
    tape = Tape(TapeRules())
    offer = request("INVITE", headers="Content-Type: application/sdp\r\n", body=SDP)
    digest = 'Digest username="200", realm="r", nonce="n", uri="sip:201@demo", response="0123456789abcdef"'
    proven = request("INVITE", headers=f"Proxy-Authorization: {digest}\r\nContent-Type: application/sdp\r\n", body=SDP)
    there = "sip:201@192.0.2.11:5062"
    said: list[tuple[float, bool, Flow, bytes]] = [
        (0.0, False, CALLER, offer),
        (0.001, True, CALLER, response(407, "Proxy Authentication Required")),
        (0.012, False, CALLER, request("ACK")),
        (0.021, False, CALLER, proven),
        (0.022, True, CALLER, response(100, "Trying")),
        (0.023, True, CALLEE, proven),
        (0.525, True, CALLEE, proven),
        (0.561, False, CALLEE, response(180, "Ringing")),
        (0.562, True, CALLER, response(180, "Ringing")),
        (4.2, False, CALLEE, response(200, "OK")),
        (4.201, True, CALLER, response(200, "OK")),
        (4.232, False, CALLER, request("ACK", uri=there)),
        (4.233, True, CALLEE, request("ACK", uri=there)),
        (31.5, False, CALLEE, request("BYE", number=2)),
        (31.501, True, CALLER, request("BYE", number=2)),
        (31.53, False, CALLER, response(200, "OK", "BYE", number=2)),
        (31.531, True, CALLEE, response(200, "OK", "BYE", number=2)),
    ]
    tape.fresh += said
    recording = tape.recording(b"call-1", 40.0)
    assert recording is not None
    return ladder_of(b"call-1", recording, LOCAL, WallTime(datetime(2026, 1, 1, 12, tzinfo=UTC), 40.0))
