"""Every vendor's phone is told of its firmware in its own words, and finds the file there by every protocol."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.devices import load_catalogue, takes_firmware
from contract.sync.events import PhoneFirmware
from edge_agent.clock import SystemClock
from edge_agent.provisioning.access import Access, Refusal
from edge_agent.provisioning.config import DeviceConfig, ProvisioningConfig
from edge_agent.provisioning.firmware import Image, StoredFile
from edge_agent.provisioning.render import RenderedFile
from edge_agent.provisioning.serve.desk import Question
from edge_agent.provisioning.serve.tftp.listener import Begin
from edge_agent.provisioning.serve.tftp.transfer import Send
from edge_agent.provisioning.server import Keeping, ProvisioningAddresses, ProvisioningServer
from tests.support.site_phones import RecordedReporter, phone
from tests.support.waiting import eventually_async

CATALOGUE = load_catalogue()
MAC = "0a0000000001"
CONTENT = hashlib.sha256(b"firmware").digest() * 40_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
URL = f"http://192.0.2.10:8090/firmware/{MAC}/fw-1"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

SAID = {
    "yealink/t54w": ("T54W-96.86.0.70.rom", f"static.firmware.url = {URL}/T54W-96.86.0.70.rom"),
    "polycom/vvx250": ("sip.ld", f'APP_FILE_PATH="{URL}/sip.ld"'),
    "grandstream/gxp2140": ("gxp2140fw.bin", f"<P192>{URL.removeprefix('http://')}</P192>"),
    "snom/d717": ("snomD717-10.1.bin", f'<firmware perm="R">{URL}/snomD717-10.1.bin</firmware>'),
    "snom/m900": ("m900.fwu", f"<firmware>{URL}/m900.fwu</firmware>"),
    "cisco/cp8841": ("sip8845_65.12-0-1.loads", f'<Upgrade_Rule ua="na">{URL}/sip8845_65.12-0-1.loads</Upgrade_Rule>'),
    "cisco/cp7965": ("SIP45.9-4-2SR3-1S.loads", "<loadInformation>SIP45.9-4-2SR3-1S</loadInformation>"),
    "fanvil/x3u": ("x3u.z", f"<UpgradeServer1>{URL}</UpgradeServer1>"),
    "htek/uc903": ("fw903.rom", f"<P192>{URL}</P192>"),
    "mitel/6863i": ("6863i.st", f"firmware server: {URL}"),
    "panasonic/kx_hdv130": ("hdv130.fw", f'FIRM_FILE_PATH="{URL}/hdv130.fw"'),
    "gigaset/n870": ("n870.bin", f'<file version="10.1.2" url="{URL}/n870.bin"/>'),
    "audiocodes/405hd": ("405HD.img", f"provisioning/firmware/url={URL}/405HD.img"),
    "audiocodes/mp118": ("mp118.cmp", f"CmpFileURL = '{URL}/mp118.cmp'"),
    "avaya/j179": ("J100_SIP-R4.img", 'SET APPNAME "J100_SIP-R4.img"'),
    "algo/8301": ("algo-8301.bin", f"prov.download.fwpath = {URL}"),
    "generic/sip": ("phone.bin", f"firmware_url = {URL}/phone.bin"),
}
"""By model: the file that is uploaded, and what the phone's own file says of it."""


def config(device: DeviceConfig, *names: str, **more: object) -> ProvisioningConfig:
    wanted = replace(device, firmware=("fw-1", LONG_AGO))
    image = Image("10.1.2", tuple((name, DIGEST) for name in names))
    return ProvisioningConfig(
        1,
        devices=(wanted,),
        server_url="http://192.0.2.10:8090",
        firmware={"fw-1": image},
        **more,  # type: ignore[arg-type]
    )


class World:
    """A server with firmware, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs"
        self.blobs.mkdir()
        self.reporter = RecordedReporter()
        keeping = Keeping(blobs=self.blobs, told_firmware=folder / "told.json")
        addresses = ProvisioningAddresses("127.0.0.1", tftp_port=0, http_port=0, ftp_port=0)
        self.server = ProvisioningServer(addresses, CATALOGUE, self.reporter, SystemClock(), keeping=keeping)
        self.changes = 0

    def fetch(self) -> None:
        (self.blobs / DIGEST).write_bytes(CONTENT)

    async def serve(self, config: ProvisioningConfig) -> None:
        await self.server.prepare(config)
        self.server.commit()
        if not self.server.ports:
            await self.server.start()
        assert self.server.firmware is not None
        self.server.firmware.start(self._changed)

    async def _changed(self, quiet: frozenset[str]) -> None:
        await self.server.tell_firmware()
        self.changes += 1

    def own_files(self) -> str:
        """Everything in the device's own files."""
        library = self.server.desk.library
        names = next(iter(library.own_files().values()))
        found = [library.find(name) for name in names]
        return "\n".join(file.body.decode() for file in found if file is not None)

    def ask(self, name: str, address: str = "192.0.2.77", **more: object) -> RenderedFile | StoredFile | Refusal:
        return self.server.desk.ask(Question(name, address, "tftp", **more))  # type: ignore[arg-type]

    def steps(self) -> list[str]:
        return [one.state for one in self.reporter.reports if isinstance(one, PhoneFirmware)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    await world.server.stop()


def test_every_model_whose_files_can_name_firmware_is_of_a_vendor_that_is_tested() -> None:
    vendors = {model.vendor for model in CATALOGUE.models if takes_firmware(model)}
    assert vendors == {key.partition("/")[0] for key in SAID}


@pytest.mark.parametrize("model", SAID)
async def test_a_phone_is_told_in_its_own_words_once_the_file_is_on_the_disk(world: World, model: str) -> None:
    name, said = SAID[model]
    device = phone(model, MAC)
    assert CATALOGUE.find(model) is not None
    await world.serve(config(device, name))
    before = world.own_files()
    assert said not in before
    world.fetch()
    assert world.server.firmware is not None
    world.server.firmware.wake()
    await eventually_async(lambda: world.changes)
    assert said in world.own_files()
    assert world.steps() == ["told"]
    found = re.search(r"(?:http://)?192\.0\.2\.10:8090/(firmware/[^\"'<\s]*)", said)
    asked = name if found is None else found[1] if found[1].endswith(name) else f"{found[1]}/{name}"
    answer = world.ask(asked)
    assert isinstance(answer, StoredFile)
    assert answer.path.read_bytes() == CONTENT


async def test_a_model_without_a_setting_for_firmware_fails_with_the_reason(world: World) -> None:
    world.fetch()
    await world.serve(config(phone("patton/sn4112", MAC), "patton.bin"))
    await eventually_async(world.steps)
    report = world.reporter.reports[-1]
    assert isinstance(report, PhoneFirmware)
    assert (report.state, report.text) == ("failed", "the files of this model have no setting for firmware")


async def test_a_file_whose_name_the_phones_file_cannot_hold_fails_with_the_reason_and_stops_nobody(
    world: World,
) -> None:
    world.fetch()
    await world.serve(config(phone("cisco/cp7965", MAC), "a+b.loads"))
    await eventually_async(world.steps)
    report = world.reporter.reports[-1]
    assert isinstance(report, PhoneFirmware)
    assert report.state == "failed"
    assert "enterprise/load" in report.text


async def told(world: World, *names: str, model: str = "yealink/t54w") -> None:
    """Serve a phone that has been told of firmware with these files."""
    world.fetch()
    await world.serve(config(phone(model, MAC), *names))
    await eventually_async(lambda: world.changes)


async def curl(port: int | None, path: str, *options: str) -> tuple[str, bytes]:
    """Status and body."""
    url = f"http://127.0.0.1:{port}/{path}"
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "-g", "--path-as-is", "-w", "%{stderr}%{http_code}", *options, url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    body, status = await process.communicate()
    return status.decode(), body


async def test_curl_fetches_it_whole_in_parts_and_not_again(world: World) -> None:
    await told(world, "t54w.rom")
    path, port = f"firmware/{MAC}/fw-1/t54w.rom", world.server.http_port
    assert await curl(port, path) == ("200", CONTENT)
    await eventually_async(lambda: world.steps() == ["told", "fetched"])
    assert await curl(port, path, "-r", "1000-1999") == ("206", CONTENT[1000:2000])
    assert await curl(port, path, "-r", "1000000-") == ("206", CONTENT[1_000_000:])
    assert (await curl(port, path, "-r", f"{len(CONTENT)}-"))[0] == "416"
    assert (await curl(port, path, "-H", f'If-None-Match: "{DIGEST}"'))[0] == "304"
    status, head = await curl(port, path, "-I")
    assert status == "200"
    assert f"content-length: {len(CONTENT)}\r\n".encode() in head.lower()
    both = await curl(port, path, "--next", "-sS", f"http://127.0.0.1:{port}/{path}")
    assert both[1] == CONTENT * 2, "the connection goes on"


async def test_only_who_got_the_last_byte_has_fetched_it(world: World) -> None:
    await told(world, "t54w.rom")
    path, port = f"firmware/{MAC}/fw-1/t54w.rom", world.server.http_port
    await curl(port, path, "-r", "0-99")
    await curl(port, path, "-I")
    assert world.steps() == ["told"]
    await curl(port, path, "-r", "100-")
    await eventually_async(lambda: world.steps() == ["told", "fetched"])


async def test_tftp_sends_it(world: World, tmp_path: Path) -> None:
    await told(world, "t54w.rom")
    process = await asyncio.create_subprocess_exec(
        "tftp", "-m", "octet", "127.0.0.1", str(world.server.tftp_port),
        "-c", "get", f"firmware/{MAC}/fw-1/t54w.rom", str(tmp_path / "got"),
    )  # fmt: skip
    await process.wait()
    assert (tmp_path / "got").read_bytes() == CONTENT
    await eventually_async(lambda: world.steps() == ["told", "fetched"])


async def test_asked_for_as_text_by_tftp_it_is_octets_all_the_same(world: World) -> None:
    await told(world, "t54w.rom")
    request = f"\0\1firmware/{MAC}/fw-1/t54w.rom\0netascii\0".encode()
    begun = world.server.listener.receive(request, ("192.0.2.77", 2000))
    assert isinstance(begun, Begin)
    (first,) = begun.transfer.start(0.0)
    assert isinstance(first, Send)
    assert first.data == b"\0\3\0\1" + CONTENT[:512]


async def test_ftp_sends_it(world: World) -> None:
    await told(world, "t54w.rom")
    url = f"ftp://127.0.0.1:{world.server.ports['ftp']}/firmware/{MAC}/fw-1/t54w.rom"
    process = await asyncio.create_subprocess_exec("curl", "-sS", url, stdout=asyncio.subprocess.PIPE)
    body, _ = await process.communicate()
    assert body == CONTENT
    await eventually_async(lambda: world.steps() == ["told", "fetched"])


@pytest.mark.parametrize(
    "path",
    [
        f"firmware/{MAC}/fw-1/../../../../etc/passwd",
        f"firmware/{MAC}/fw-1/%2e%2e/%2e%2e/told.json",
        f"firmware/{MAC}/../{DIGEST}",
        f"firmware/{MAC}/fw-1/{DIGEST}",
        f"firmware/{MAC}/fw-2/t54w.rom",
        f"firmware/{MAC}/fw-1/",
        f"firmware/{MAC}/fw-1",
        "firmware/0a0000000002/fw-1/t54w.rom",
        f"blobs/{DIGEST}",
        DIGEST,
        "t54w.rom",
        f"firmware/{MAC}/fw-1/t54w.rom%00",
        f"firmware/{MAC}/{'x' * 400}/t54w.rom",
    ],
)
async def test_no_trick_with_a_path_finds_anything(world: World, path: str) -> None:
    await told(world, "t54w.rom")
    status, body = await curl(world.server.http_port, path)
    assert status == "404"
    assert CONTENT[:16] not in body


async def test_where_only_approved_phones_are_served_strangers_get_no_firmware(world: World) -> None:
    world.fetch()
    await world.serve(config(phone("avaya/j179", MAC), "J100.img", access=Access(approved_only=True)))
    await eventually_async(lambda: world.changes)
    stranger = {"user_agent": "AVAYA/J179-4.0 (MAC:0a0000000009)"}
    assert world.ask("J100.img", **stranger) == Refusal.NOT_APPROVED
    assert world.ask("J100.img") == Refusal.NOT_APPROVED
    assert isinstance(world.ask("J100.img", user_agent=f"AVAYA/J179-4.0 (MAC:{MAC})"), StoredFile)


async def test_a_network_that_is_not_served_gets_no_firmware(world: World) -> None:
    world.fetch()
    access = Access(served=())
    await world.serve(config(phone("yealink/t54w", MAC), "t54w.rom", access=access))
    assert isinstance(world.ask(f"firmware/{MAC}/fw-1/t54w.rom"), StoredFile)
    elsewhere = replace(access, served=(*Access().clear_text[1:],))
    await world.serve(config(phone("yealink/t54w", MAC), "t54w.rom", access=elsewhere))
    assert world.ask(f"firmware/{MAC}/fw-1/t54w.rom") == Refusal.NETWORK_NOT_SERVED


async def test_bare_names_lead_only_phones_that_are_told_and_ask_beside_their_configuration_to_firmware(
    world: World,
) -> None:
    world.fetch()
    await world.serve(config(phone("grandstream/gxp2140", MAC), "gxp2140fw.bin"))
    await eventually_async(lambda: world.changes)
    assert world.ask("gxp2140fw.bin") == Refusal.NO_SUCH_FILE
    await world.serve(config(phone("cisco/cp7965", MAC), "SIP45.loads", "jar45sip.sbn"))
    assert isinstance(world.ask("SIP45.loads"), StoredFile)
    assert isinstance(world.ask("jar45sip.sbn"), StoredFile)


async def test_a_phone_that_shows_the_version_when_it_fetches_its_file_runs_it(world: World) -> None:
    await told(world, "t54w.rom", model="yealink/t54w")
    assert world.server.firmware is not None
    world.server.desk.on_fetched = world.server.firmware.shows
    await curl(world.server.http_port, f"{MAC}.cfg", "-A", "Yealink SIP-T54W 10.1.2 0a:00:00:00:00:01")
    await eventually_async(lambda: world.steps() == ["told", "running"])


async def test_a_phone_that_fetches_by_tftp_alone_shows_its_version_when_it_registers(world: World) -> None:
    await told(world, "SIP45.9-4-2.loads", model="cisco/cp8841")
    device_id = phone("cisco/cp8841", MAC).device_id
    world.server.phone_showed("another", f"Cisco-CP-8841-3PCC/10.1.2 ({MAC})")
    world.server.phone_showed(device_id, "of nobody known")
    world.server.phone_showed(device_id, f"Cisco-CP-8841-3PCC/10.1.2 ({MAC})")
    await eventually_async(lambda: world.steps() == ["told", "running"])


async def test_who_was_told_is_on_the_disk_before_a_kill(world: World) -> None:
    await told(world, "t54w.rom")
    await eventually_async((world.folder / "told.json").exists)
    assert b'"fw-1", "told"' in (world.folder / "told.json").read_bytes()
