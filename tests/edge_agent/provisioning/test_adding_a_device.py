"""docs/adding-a-device.md, followed to the letter: a phone of a new model fetches its file."""

import asyncio
import re
import urllib.request
from pathlib import Path

import pytest

from cloud.pbx.device_plugins import check_package
from contract.devices import load_catalogue
from edge_agent.clock import SystemClock
from edge_agent.provisioning.server import ProvisioningAddresses, ProvisioningServer
from tests.support.device_archives import packed
from tests.support.site_phones import RecordedReporter, phone, site

PAGE = (Path(__file__).parents[3] / "docs" / "adding-a-device.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`(acme/[^`]+)`\n\n```\w+\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE))
EXPECTED = re.findall(r"^```text\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)[-1]
MAC = "02acac000001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    return tmp_path


def test_the_page_shows_every_file_of_the_folder() -> None:
    assert FILES.keys() == {"acme/plugin.toml", "acme/settings.xml", "acme/templates/phone.cfg.j2"}


async def test_a_phone_of_the_new_model_fetches_the_file_that_the_page_shows(folder: Path) -> None:
    catalogue = load_catalogue(also=folder)
    addresses = ProvisioningAddresses("127.0.0.1", tftp_port=None, http_port=0)
    server = ProvisioningServer(addresses, catalogue, RecordedReporter(), SystemClock())
    device = phone("acme/a100", MAC, {"line_key/2/type": "blf", "line_key/2/value": "201"})
    await server.prepare(site(device))
    server.commit()
    await server.start()
    try:
        url = f"http://127.0.0.1:{server.http_port}/acme-{MAC}.cfg"
        request = urllib.request.Request(url, headers={"User-Agent": f"Acme A100/1.0 {MAC}"})
        answer = await asyncio.to_thread(_fetched, request)
    finally:
        await server.stop()
    assert answer == EXPECTED


def _fetched(request: urllib.request.Request) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return str(answer.read().decode())


def test_the_folder_can_be_uploaded_as_it_is(folder: Path) -> None:
    files = {name.partition("/")[2]: content.encode() for name, content in FILES.items()}
    plugin = check_package("acme", packed(files, "acme/")).plugin
    assert {name: model.lines for name, model in plugin.models.items()} == {"a100": 2, "a50": 1}
    assert "screen/brightness" in plugin.models["a100"].settings
    assert "screen/brightness" not in plugin.models["a50"].settings
