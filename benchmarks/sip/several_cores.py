"""Would a second process gain? `python -m benchmarks.sip.several_cores` prints what that question hangs on.

- CPU of the SIP process for a connection with and without TLS: what a process that ends TLS would take from it.
- CPU of such a process: a relay between TLS and TCP, for each message of 1,000 bytes there and back.
- How SO_REUSEPORT spreads peers over two workers: the share of the busier one.

What the figures led to is in docs/decisions/one-sip-process.md.
"""

import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Final

from benchmarks.cpu import cpu_seconds, started_on, two_cores, wait_quiet
from benchmarks.sip import edge
from benchmarks.sip.interpreter import Interpreter, system_interpreter
from benchmarks.sip.load.wire import StreamWire, any_server
from benchmarks.sip.server import HOST, SipServer
from edge_agent.sip.transport.making_certificate import make_certificate

CONNECTIONS: Final = 300
MESSAGES: Final = 5_000
ROUNDS: Final = 5
MESSAGE: Final = b"x" * 1_000
TRIALS: Final = 500


def connection_micros(server: SipServer, transport: str) -> float:
    """CPU of the SIP process to accept one connection and see it end, µs."""
    tls = any_server() if transport == "tls" else None
    wait_quiet(server.all_spent)
    before = next(iter(server.spent().values()))
    for _ in range(CONNECTIONS):
        StreamWire(HOST, server.ports[transport], tls).close()
    wait_quiet(server.all_spent)
    return (next(iter(server.spent().values())) - before) / CONNECTIONS * 1e6


def relay_micros(interpreter: Interpreter, core: int) -> float:
    """CPU of a relay on `core` between TLS and TCP for one message there and back, µs."""
    with tempfile.TemporaryDirectory() as name, socket.create_server((HOST, 0)) as behind:
        now = datetime.now(UTC)
        made = make_certificate((HOST,), now, now + timedelta(days=1))
        (Path(name) / "both.pem").write_bytes(made[0] + made[1])
        threading.Thread(target=_echo, args=(behind,), daemon=True).start()
        command = [str(interpreter.executable), "-m", __spec__.name, f"{name}/both.pem", str(behind.getsockname()[1])]
        with started_on(core):
            relay = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        with relay:
            assert relay.stdout is not None
            try:
                with socket.create_connection((HOST, int(relay.stdout.readline()))) as plain:
                    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with any_server().wrap_socket(plain) as talking:
                        before = 0.0
                        for number in range(2 * MESSAGES):
                            if number == MESSAGES:  # the first half warms up
                                before = cpu_seconds([relay.pid])
                            talking.sendall(MESSAGE)
                            left = len(MESSAGE)
                            while left:
                                left -= len(talking.recv(left))
                        return (cpu_seconds([relay.pid]) - before) / MESSAGES * 1e6
            finally:
                relay.kill()


def _echo(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while data := connection.recv(65_536):
                connection.sendall(data)


async def _relay(certificate: str, behind: int) -> None:
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        further, back = await asyncio.open_connection(HOST, behind)
        await asyncio.gather(pass_on(reader, back), pass_on(further, writer))

    server = await asyncio.start_server(accepted, HOST, 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def busier_share(peers: int) -> float:
    """The share of messages that the busier of two workers on one port gets, each of `peers` sending one; mean."""
    shares = []
    for _ in range(TRIALS):
        with contextlib.ExitStack() as stack:
            workers = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(2)]
            port = 0
            for worker in workers:
                worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                worker.setblocking(False)
                worker.bind((HOST, port))
                port = worker.getsockname()[1]
            for _ in range(peers):
                stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)).sendto(b"x", (HOST, port))
            shares.append(max(map(_waiting, workers)) / peers)
    return statistics.mean(shares)


def _waiting(worker: socket.socket) -> int:
    count = 0
    with contextlib.suppress(BlockingIOError):
        while worker.recv(16):
            count += 1
    return count


def main() -> None:
    """Print the figures."""
    interpreter = system_interpreter()
    server_core, load_core = two_cores()
    with started_on(server_core), edge.running("pure Python", interpreter) as server, started_on(load_core):
        for transport in ("tcp", "tls"):
            runs = [connection_micros(server, transport) for _ in range(ROUNDS)]
            print(f"connection over {transport.upper()}: min {min(runs):.0f}, median {statistics.median(runs):.0f} µs")
    with started_on(load_core):
        runs = [relay_micros(interpreter, server_core) for _ in range(ROUNDS)]
    print(f"relay, a message there and back: min {min(runs):.0f}, median {statistics.median(runs):.0f} µs")
    for peers in (1, 4, 20, 100):
        print(f"SO_REUSEPORT, {peers} peers: the busier of two workers gets {busier_share(peers):.0%}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(_relay(sys.argv[1], int(sys.argv[2])))
    else:
        main()
