"""Prepare, commit, serve: real sockets, and real clients where they are installed."""

import asyncio
import socket
from pathlib import Path

import pytest

from contract.devices import load_catalogue
from contract.sync.events import UnknownPhoneSeen
from edge_agent.clock import SystemClock
from edge_agent.provisioning.config import DeviceConfig
from edge_agent.provisioning.errors import ConfigRefused, NothingPrepared
from edge_agent.provisioning.render import RenderedFile
from edge_agent.provisioning.serve.desk import Question
from edge_agent.provisioning.serve.http import HttpLimits
from edge_agent.provisioning.serve.http.quick import Closed
from edge_agent.provisioning.serve.tftp import packet
from edge_agent.provisioning.serve.tftp.listener import DropReason
from edge_agent.provisioning.server import ProvisioningAddresses, ProvisioningServer
from tests.support.site_phones import RecordedReporter, account, generic, site, yealink
from tests.support.waiting import eventually_async


def body_of(server: ProvisioningServer, name: str = "805ec0000200.cfg") -> bytes:
    answer = server.desk.ask(Question(name, "192.0.2.1", "http"))
    assert isinstance(answer, RenderedFile)
    return answer.body


async def run(*command: str, folder: Path | None = None) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output


async def test_what_is_prepared_is_served_only_after_commit(server: ProvisioningServer) -> None:
    old = body_of(server)
    await server.prepare(site(yealink(accounts=(account(name="Front"),)), version=2))
    assert body_of(server) == old
    assert server.version == 1
    assert server.commit() == 2
    assert b"account.1.display_name = Front\n" in body_of(server)
    assert not isinstance(server.desk.ask(Question("020000000201.conf", "192.0.2.1", "http")), RenderedFile)


async def test_a_configuration_that_is_refused_leaves_what_is_served(server: ProvisioningServer) -> None:
    old = body_of(server)
    with pytest.raises(ConfigRefused, match="no device plug-in describes the model 'acme/x'"):
        await server.prepare(site(DeviceConfig("d", "020000000001", "acme/x"), version=2))
    with pytest.raises(NothingPrepared):
        server.commit()
    assert body_of(server) == old
    assert server.version == 1


async def test_a_port_in_use_is_an_error_and_leaves_no_other_port_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        addresses = ProvisioningAddresses("127.0.0.1", 0, taken.getsockname()[1])
        server = ProvisioningServer(addresses, load_catalogue(), RecordedReporter(), SystemClock())
        with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
            await server.start()
        assert server.tftp_port is None


async def test_a_protocol_without_a_port_is_not_served() -> None:
    addresses = ProvisioningAddresses("127.0.0.1", None, None)
    server = ProvisioningServer(addresses, load_catalogue(), RecordedReporter(), SystemClock())
    await server.start()
    assert (server.tftp_port, server.http_port) == (None, None)
    await server.stop()
    await server.stop()


@pytest.mark.peer("tftp")
@pytest.mark.parametrize("mode", ["binary", "ascii"])
@pytest.mark.parametrize("name", ["805ec0000200.cfg", "805EC0000200.cfg", "805ec0000200.boot", "020000000201.conf"])
async def test_tftp_hpa_fetches_a_phones_file(server: ProvisioningServer, tmp_path: Path, mode: str, name: str) -> None:
    port = str(server.tftp_port)
    status, output = await run("tftp", "-4", "-m", mode, "127.0.0.1", port, "-c", "get", name, folder=tmp_path)
    assert status == 0, output
    assert (tmp_path / name).read_bytes() == body_of(server, name)
    await eventually_async(lambda: server.tftp.ended == {"complete": 1})
    assert server.listener.transfers == 0


@pytest.mark.peer("tftp")
async def test_tftp_hpa_gets_no_file_for_an_unknown_phone_and_can_put_none(
    server: ProvisioningServer, reporter: RecordedReporter, tmp_path: Path
) -> None:
    (tmp_path / "805ec0000200-local.cfg").write_text("x")
    port = str(server.tftp_port)
    _, got = await run("tftp", "-4", "127.0.0.1", port, "-c", "get", "805ec0999999.cfg", folder=tmp_path)
    _, put = await run("tftp", "-4", "127.0.0.1", port, "-c", "put", "805ec0000200-local.cfg", folder=tmp_path)
    assert b"Error code 1: File not found" in got
    assert b"Error code 2: This server takes no files" in put
    (report,) = reporter.reports
    assert isinstance(report, UnknownPhoneSeen)
    assert (report.mac, report.protocol, report.address) == ("805ec0999999", "tftp", "127.0.0.1")


@pytest.mark.peer("curl")
@pytest.mark.parametrize(
    "options", [(), ("--tftp-blksize", "8"), ("--tftp-blksize", "1400"), ("--tftp-blksize", "65464")]
)
async def test_curl_fetches_a_phones_file_by_tftp_with_any_block_size(
    server: ProvisioningServer, options: tuple[str, ...]
) -> None:
    url = f"tftp://127.0.0.1:{server.tftp_port}/805ec0000200.cfg"
    assert await run("curl", "-sS", *options, url) == (0, body_of(server))


@pytest.mark.peer("curl")
async def test_curl_fetches_a_phones_file_by_tftp_without_options(server: ProvisioningServer) -> None:
    url = f"tftp://127.0.0.1:{server.tftp_port}/805ec0000200.cfg"
    assert await run("curl", "-sS", "--tftp-no-options", url) == (0, body_of(server))


@pytest.mark.peer("curl")
async def test_curl_fetches_by_http_and_does_not_fetch_again_what_it_has(
    server: ProvisioningServer, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{server.http_port}/805EC0000200.cfg"
    tag, saved = str(tmp_path / "tag"), tmp_path / "file"
    first = await run("curl", "-sS", "-o", str(saved), "-w", "%{http_code}", "--etag-save", tag, url)
    assert first == (0, b"200")
    assert saved.read_bytes() == body_of(server)
    again = await run("curl", "-sS", "-w", "%{http_code}", "--etag-compare", tag, url)
    assert again == (0, b"304")


@pytest.mark.peer("curl")
async def test_curl_fetches_a_part_of_a_file_and_only_its_head(server: ProvisioningServer) -> None:
    url = f"http://127.0.0.1:{server.http_port}/020000000201.conf"
    assert await run("curl", "-sS", "-r", "2-9", url) == (0, body_of(server, "020000000201.conf")[2:10])
    status, head = await run("curl", "-sSI", url)
    assert status == 0
    assert f"content-length: {len(body_of(server, '020000000201.conf'))}".encode() in head


@pytest.mark.peer("curl")
async def test_curl_gets_404_for_an_unknown_phone_which_is_reported_and_405_for_an_upload(
    server: ProvisioningServer, reporter: RecordedReporter
) -> None:
    url = f"http://127.0.0.1:{server.http_port}/805ec0999999.cfg"
    agent = "Yealink SIP-T54W 96.86.0.70 80:5e:c0:99:99:99"
    assert (await run("curl", "-sS", "-w", " %{http_code}", "-A", agent, url)) == (0, b"Not Found\n 404")
    (report,) = reporter.reports
    assert isinstance(report, UnknownPhoneSeen)
    assert (report.mac, report.model, report.protocol) == ("805ec0999999", "T54W", "http")
    _, output = await run("curl", "-sS", "-w", " %{http_code}", "-X", "PUT", "-d", "x" * 100, url)
    assert output.endswith(b" 405")


async def test_a_lost_data_packet_is_sent_again(server: ProvisioningServer) -> None:
    """A client that keeps silent at first gets the same block a second time."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.bind(("127.0.0.1", 0))
        request = packet.request("805ec0000200.cfg", "octet", {"timeout": "1"})
        client.sendto(request, ("127.0.0.1", server.tftp_port or 0))
        first = await asyncio.wait_for(loop.sock_recvfrom(client, 2000), 10)
        second = await asyncio.wait_for(loop.sock_recvfrom(client, 2000), 10)
        assert first == second
        assert packet.parse(first[0]) == packet.OptionAcknowledgement({"timeout": "1"})
        client.sendto(packet.error_packet(packet.ErrorCode.NOT_DEFINED, "stop"), first[1])
        await eventually_async(lambda: server.tftp.ended == {"peer_error": 1})


async def test_a_datagram_of_no_transfer_is_told_so_unless_it_is_a_last_word(server: ProvisioningServer) -> None:
    loop = asyncio.get_running_loop()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        for each in (client, stranger):
            each.setblocking(False)
            each.bind(("127.0.0.1", 0))
        client.sendto(packet.request("805ec0000200.cfg", "octet"), ("127.0.0.1", server.tftp_port or 0))
        first, port = await asyncio.wait_for(loop.sock_recvfrom(client, 2000), 10)
        stranger.sendto(packet.acknowledgement(1), port)
        stranger.sendto(packet.data_packet(1, b"x"), port)
        told, _ = await asyncio.wait_for(loop.sock_recvfrom(stranger, 2000), 10)
        assert packet.parse(told) == packet.ErrorPacket(packet.ErrorCode.UNKNOWN_TRANSFER, "unknown transfer")
        assert server.listener.dropped[DropReason.OVER] == 1
        client.sendto(packet.acknowledgement(1), port)
        second, again = await asyncio.wait_for(loop.sock_recvfrom(client, 2000), 10)
        assert (packet.parse(first), again) == (packet.Data(1, body_of(server)[:512]), port)
        assert packet.parse(second) == packet.Data(2, body_of(server)[512:1024])


async def test_stopping_ends_transfers_under_way(server: ProvisioningServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.sendto(packet.request("805ec0000200.cfg", "octet"), ("127.0.0.1", server.tftp_port or 0))
        await eventually_async(lambda: server.listener.transfers == 1)
        await server.stop()
    assert server.listener.transfers == 0


async def test_more_phones_at_once_than_there_is_room_for_each_get_their_own_file(reporter: RecordedReporter) -> None:
    phones = [generic(f"0200000003{n:02x}", (account(1, str(300 + n), f"Room {n}"),)) for n in range(60)]
    addresses = ProvisioningAddresses("127.0.0.1", None, 0)
    limits = HttpLimits(connections=5, connections_per_address=60)
    server = ProvisioningServer(addresses, load_catalogue(), reporter, SystemClock(), limits)
    await server.prepare(site(*phones))
    server.commit()
    await server.start()

    async def fetch(mac: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        writer.write(f"GET /{mac}.conf HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    answers = await asyncio.gather(*(fetch(phone.mac) for phone in phones))
    for phone, answer in zip(phones, answers, strict=True):
        assert answer.endswith(body_of(server, f"{phone.mac}.conf"))
    assert server.http.closed == {Closed.DONE: 60}
    await server.stop()
