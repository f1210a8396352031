"""A transfer over a network that loses, repeats and swaps packets ends with the right bytes, windowed or not."""

from pathlib import Path

import pytest

from edge_agent.provisioning.server import ProvisioningServer
from tests.edge_agent.provisioning.test_server import body_of, run
from tests.support.lossy_relay import LossyRelay
from tests.support.waiting import eventually_async

FILE = "805ec0000200.cfg"


@pytest.mark.peer("atftp")
@pytest.mark.parametrize(
    "options",
    [(), ("--option", "windowsize 8"), ("--option", "windowsize 16", "--option", "blksize 128")],
    ids=["block by block", "windowed", "small blocks in large windows"],
)
async def test_atftp_gets_the_right_bytes_through_a_bad_network(
    server: ProvisioningServer, tmp_path: Path, options: tuple[str, ...]
) -> None:
    async with LossyRelay(server.tftp_port or 0, lose=(3, 9), lose_back=(5,), repeat=(4, 12), swap=(7,)) as relay:
        command = (
            "atftp",
            "--option",
            "timeout 1",
            *options,
            "-g",
            "-r",
            FILE,
            "-l",
            "got",
            "127.0.0.1",
            str(relay.port),
        )
        status, output = await run(*command, folder=tmp_path)
        assert status == 0, output
        assert (tmp_path / "got").read_bytes() == body_of(server)
        assert relay.from_server > 12
    await eventually_async(lambda: server.listener.transfers == 0)


@pytest.mark.peer("curl")
async def test_curl_gets_the_right_bytes_through_a_bad_network(server: ProvisioningServer) -> None:
    async with LossyRelay(server.tftp_port or 0, lose=(5,), repeat=(3,)) as relay:
        url = f"tftp://127.0.0.1:{relay.port}/{FILE}"
        assert await run("curl", "-sS", "-m", "60", url) == (0, body_of(server))


@pytest.mark.peer("tftp")
async def test_tftp_hpa_gets_the_right_bytes_through_a_bad_network(server: ProvisioningServer, tmp_path: Path) -> None:
    async with LossyRelay(server.tftp_port or 0, lose=(2, 9), lose_back=(6,), repeat=(5, 11)) as relay:
        command = ("tftp", "-4", "-m", "binary", "127.0.0.1", str(relay.port), "-c", "get", FILE)
        status, output = await run(*command, folder=tmp_path)
        assert status == 0, output
        assert (tmp_path / FILE).read_bytes() == body_of(server)
