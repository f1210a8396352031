"""A phone of each vendor boots from nothing: asks, reads its file, registers, and fetches again when it is told to.

The SIP and the provisioning process run as they do at a site whose cloud is away; the sockets, curl and sipp are real.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.snapshot import Device, DialPlan, Line, Snapshot, User
from contract.sync.events import PhoneFetched, PhoneResync
from edge_agent.clock import SystemClock
from edge_agent.ports import Notice, NoticeOutcome
from edge_agent.processes.child import Bell
from edge_agent.processes.link import Prepare, Start
from edge_agent.processes.provisioning import ProvisioningSubsystem
from edge_agent.processes.sip import SipSubsystem
from edge_agent.settings import ProvisioningSettings, Settings, SipSettings
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support import sipp
from tests.support.example_site import SITE
from tests.support.plug_and_play_phone import subscribe
from tests.support.scripted_phones import PHONES, ReadAccount, ScriptedPhone
from tests.support.waiting import eventually_async


class WiredBell(Bell):
    """Passes on what the agent would: notices to the SIP process, their outcomes back."""

    def __init__(self) -> None:
        super().__init__()
        self.on_notice: Callable[[Notice], None] = lambda notice: None
        self.on_outcome: Callable[[NoticeOutcome], None] = lambda outcome: None

    def wants(self, notice: Notice) -> None:
        self.on_notice(notice)

    def told(self, outcome: NoticeOutcome) -> None:
        self.on_outcome(outcome)


@dataclass
class Site:
    folder: Path
    sip: SipSubsystem
    provisioning: ProvisioningSubsystem
    ports: dict[str, int]

    def events(self, kind: type) -> list[object]:
        outbox = Outbox.open(self.folder / "outbox.db", SystemClock(), SystemTokens())
        try:
            return [event.body.what for event in outbox.read(0, 500) if isinstance(event.body.what, kind)]
        finally:
            outbox.close()


def snapshot_of(phone: ScriptedPhone) -> Snapshot:
    user = User(user_id="u", username="200", display_name="Reception", extension="200")
    line = Line(line_id="l", user_id="u", device_id="d", auth_username="auth-200", password="s:1")
    device = Device(device_id="d", mac=phone.mac, model=phone.model)
    return Snapshot(version=1, site=SITE, users=(user,), lines=(line,), devices=(device,), dial_plan=DialPlan())


def _free_tcp_port() -> int:
    """A port that nothing holds now; phones are told it before the server listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def site(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    phone: ScriptedPhone = request.getfixturevalue("phone")
    where = ProvisioningSettings(address="127.0.0.1", tftp_port=0, http_port=_free_tcp_port(), https_port="off",
                                 plug_and_play_port=0)  # fmt: skip
    sip_settings = SipSettings(address="127.0.0.1", udp_port=0, tcp_port=0, tls_port="off", sites_port="off")
    start = Start(settings=Settings(state_dir=tmp_path, sip=sip_settings, provisioning=where))
    sip_bell, bell = WiredBell(), WiredBell()
    sip, provisioning = SipSubsystem(sip_bell), ProvisioningSubsystem(bell)
    tasks: set[asyncio.Task[str]] = set()

    def order(subsystem: SipSubsystem | ProvisioningSubsystem, name: str, arguments: dict[str, str]) -> None:
        task = asyncio.get_running_loop().create_task(subsystem.order(name, arguments))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    bell.on_notice = lambda notice: order(sip, "notify", asdict(notice))
    sip_bell.on_outcome = lambda outcome: order(
        provisioning, "notice_told", {name: str(value) for name, value in asdict(outcome).items()}
    )
    ports = {**await sip.start(start), **await provisioning.start(start)}
    message = Prepare(
        version=1,
        snapshot=snapshot_of(phone),
        secrets={"s:1": SecretStr("a-long-password")},
        sip_host="127.0.0.1",
        sip_ports={"udp": ports["sip_udp"], "tcp": ports["sip_tcp"]},
    )
    for subsystem in (sip, provisioning):
        await subsystem.prepare(message)
        ports.update(await subsystem.commit())
    yield Site(tmp_path, sip, provisioning, ports)
    await asyncio.gather(*tasks)
    await provisioning.stop()
    await sip.stop()


async def fetch(site: Site, way: str, phone: ScriptedPhone, name: str) -> bytes | None:
    """A file by curl; None when the server has none."""
    url = f"{way}://127.0.0.1:{site.ports[way]}/{name}"
    process = await asyncio.create_subprocess_exec(
        "curl", "-sSf", "-A", phone.user_agent, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    body, _ = await process.communicate()
    return body if process.returncode == 0 else None


async def boot(site: Site, way: str, phone: ScriptedPhone) -> ReadAccount:
    """Ask for every file in the phone's order; what its own file says."""
    own = b""
    for name in phone.names:
        body = await fetch(site, way, phone, phone.file(name))
        assert body is not None or name in phone.optional, name
        own = body or b"" if name == phone.own else own
    return phone.account(own)


async def url_by_plug_and_play(site: Site, phone: ScriptedPhone) -> str:
    """The URL that the phone is told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        asking.bind(("127.0.0.1", 0))
        asking.setblocking(False)
        at = ("127.0.0.1", asking.getsockname()[1])
        vendor, _, model = phone.model.partition("/")
        asking.sendto(subscribe(phone.mac, vendor, model, "1.0", at), ("224.0.1.75", site.ports["plug_and_play"]))
        for _ in range(2):
            data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(asking, 4096), 5)
        return data.partition(b"\r\n\r\n")[2].decode()


@pytest.mark.peer("curl")
@pytest.mark.peer("sipp")
@pytest.mark.parametrize("phone", PHONES, ids=lambda phone: phone.model.replace("/", "-"))
async def test_a_phone_boots_registers_and_fetches_again_when_told(site: Site, phone: ScriptedPhone) -> None:
    accounts = [await boot(site, way, phone) for way in ("tftp", "http")]
    assert accounts[0] == accounts[1]
    account = accounts[0]
    url = await url_by_plug_and_play(site, phone)
    folder = f"http://127.0.0.1:{site.ports['http']}/"
    assert url.startswith(folder)
    name = url.removeprefix(folder)
    if name:
        assert await fetch(site, "http", phone, name) is not None
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        row = sipp.SippAccount(account.username, account.auth_username, account.password, account.domain)
        rows = (row.row(str(listening.getsockname()[1])),)
        await asyncio.to_thread(sipp.run, site.folder, "register", account.server, rows)
        assert site.sip.figures()["registrations"] == 1
        if not phone.resync:
            await site.provisioning.order("resync_phones", {"job_id": "job-1", "devices_00": "d", "reboot": "false"})
            await eventually_async(lambda: states(site) == ["failed"])
            return
        await site.provisioning.order("resync_phones", {"job_id": "job-1", "devices_00": "d", "reboot": "false"})
        data, source = await asyncio.wait_for(loop.sock_recvfrom(listening, 65_535), 10)
        head = data.decode().split("\r\n")
        assert head[0].startswith("NOTIFY ")
        assert f"Event: {phone.resync}" in head
        listening.sendto(_ok(head), source)
        await eventually_async(lambda: "asked" in states(site))
        assert await fetch(site, "http", phone, phone.file(phone.own)) is not None
        await eventually_async(lambda: states(site)[-1] == "fetched")
    fetched = site.events(PhoneFetched)[-1]
    assert isinstance(fetched, PhoneFetched)
    assert fetched.device_id == "d"


def states(site: Site) -> list[str]:
    return [each.state for each in site.events(PhoneResync) if isinstance(each, PhoneResync)]


def _ok(request: list[str]) -> bytes:
    """200 to a request, from its header lines."""
    kept = [line for line in request if line.lower().startswith(("via:", "from:", "to:", "call-id:", "cseq:"))]
    return "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode()


def test_every_vendor_has_a_phone_that_boots() -> None:
    from contract.devices import load_catalogue

    catalogue = load_catalogue()
    assert {phone.vendor for phone in PHONES} == catalogue.plugins.keys()
    assert len({replace(phone, names=()).mac for phone in PHONES}) == len(PHONES)
    # Every kind of file that a device of its own has, by its template: each family boots.
    booting = {(phone.vendor, spec.template) for phone in PHONES for spec in catalogue.model(phone.model).files}
    assert booting >= {
        (m.vendor, spec.template) for m in catalogue.models for spec in m.files if spec.scope == "device"
    }
