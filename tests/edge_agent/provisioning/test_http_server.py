"""HTTP connections: bounded in size, number and time, whatever a client sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.devices import load_catalogue
from edge_agent.clock import SystemClock
from edge_agent.provisioning.identify import Identifier
from edge_agent.provisioning.serve.desk import Desk
from edge_agent.provisioning.serve.http import HttpLimits, HttpServer, Service
from edge_agent.provisioning.serve.http.quick import Closed
from edge_agent.provisioning.server import ProvisioningServer
from tests.support.site_phones import RecordedReporter
from tests.support.waiting import eventually_async

GET = b"GET /805ec0000200.cfg HTTP/1.1\r\nHost: edge\r\n\r\n"
IDENTIFIER = Identifier(load_catalogue())


async def talk(port: int | None, data: bytes, *, end: bool = False) -> bytes:
    """Everything that the server says to these bytes, and to their end if asked, until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        if end:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_connection_serves_several_requests_one_after_the_other_and_then_ends(
    server: ProvisioningServer,
) -> None:
    answer = await talk(server.http_port, GET * 5)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answer.count(b"connection: close\r\n") == 1


async def test_an_old_client_is_served_and_its_connection_ends(server: ProvisioningServer) -> None:
    answer = await talk(server.http_port, b"GET /805ec0000200.cfg HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nX : y\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_400_and_the_connection_ends(server: ProvisioningServer, data: bytes) -> None:
    answer = await talk(server.http_port, data)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"connection: close\r\n" in answer
    await eventually_async(lambda: server.http.closed == {Closed.BAD_REQUEST: 1})


async def test_a_head_that_is_too_large_is_431(server: ProvisioningServer) -> None:
    answer = await talk(server.http_port, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000)
    assert answer.startswith(b"HTTP/1.1 431 ") or answer == b""
    await eventually_async(lambda: server.http.closed == {Closed.HEAD_TOO_LARGE: 1})


async def test_a_request_with_a_body_is_answered_and_the_body_is_never_read_as_a_request(
    server: ProvisioningServer,
) -> None:
    data = b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + GET
    answer = await talk(server.http_port, data)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_client_that_is_too_slow_loses_its_connection(server: ProvisioningServer, data: bytes) -> None:
    assert await talk(server.http_port, data) == b""
    assert server.http.closed == {Closed.TOO_SLOW: 1}


async def test_one_address_has_so_many_connections_and_no_more(server: ProvisioningServer) -> None:
    writers = [(await asyncio.open_connection("127.0.0.1", server.http_port))[1] for _ in range(5)]
    await eventually_async(lambda: server.http.closed[Closed.TOO_MANY_CONNECTIONS] == 1)
    for writer in writers:
        writer.close()
    await eventually_async(lambda: server.http.closed.total() == 5)
    assert (await talk(server.http_port, GET * 3)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_stopping_closes_connections_under_way(server: ProvisioningServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    writer.write(GET)
    await reader.readuntil(b"\r\n\r\n")
    await server.stop()
    await asyncio.wait_for(reader.read(), 10)
    writer.close()


@asynccontextmanager
async def empty_server() -> AsyncIterator[tuple[HttpServer, int]]:
    server = HttpServer(Service(Desk(IDENTIFIER, RecordedReporter(), SystemClock())), SystemClock(), HttpLimits())
    yield server, await server.start("127.0.0.1", 0)
    await server.stop()


_lines = st.lists(
    st.sampled_from([b"GET / HTTP/1.1", b"Host: x", b"Content-Length: 3", b"Transfer-Encoding: chunked", b"", b"0"])
    | st.binary(max_size=20),
    max_size=8,
).map(b"\r\n".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=100) | _lines)
def test_any_bytes_get_an_answer_or_a_closed_connection_and_the_server_goes_on(data: bytes) -> None:
    async def scenario() -> None:
        async with empty_server() as (server, port):
            answer = await talk(port, data, end=True)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
            await eventually_async(lambda: server.closed.total() == 1)
            assert b" 404 " in await talk(port, GET, end=True)

    asyncio.run(scenario())
