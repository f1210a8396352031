"""With the cloud cut: every way of asking, plug-ins of the tenant's own, refusals, and what phones are told.

The whole agent runs on what is on its disk; its cloud does not answer. What needs the cloud (redirect services, uploads
of new plug-ins) is not here; DHCP without a cloud is in `tests/edge_agent/provisioning/dhcp/test_real_clients.py`.
"""

import hashlib
import json
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.devices.archive import pack, unpack
from contract.snapshot import Device, DevicePlugin, Line, ProvisioningPolicy
from contract.sync.events import PhoneFetched, PhoneRefused, PhoneResync, PhoneUploaded, UnknownPhoneSeen
from tests.support.device_archives import GOOD, packed
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.plug_and_play_phone import subscribe
from tests.support.raw_sip import RawPhone
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.support.waiting import eventually
from tests.system.test_edge_agent_alone import events

pytestmark = [pytest.mark.peer("curl"), pytest.mark.peer("atftp")]
MAC, FILE = "001565000001", "001565000001.cfg"
OWN = "02acac000001"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A site with a phone of the tenant's own plug-in beside two others, and a network that may not have passwords."""
    snapshot = small_snapshot(3)
    content = pack(unpack(packed(GOOD), "acme"))
    plugin = DevicePlugin(vendor="acme", digest=hashlib.sha256(content).hexdigest(), content=content)
    own = Device(device_id="device-3", mac=OWN, model="acme/one", name="Of our own")
    line = Line(line_id="line-3", user_id="user-2", device_id="device-3", auth_username="auth202", password="s-2:1")
    folder = tmp_path / "state"
    prepared = snapshot.model_copy(
        update={
            "devices": (*snapshot.devices, own),
            "lines": (*snapshot.lines, line),
            "device_plugins": (plugin,),
            "site": snapshot.site.model_copy(update={"provisioning": ProvisioningPolicy(approved_only=True)}),
        }
    )
    prepare_state(folder, prepared, SMALL_SECRETS)
    return folder


def settings() -> dict[str, str]:
    """FTP as well, and an HTTP port that phones can be told before it is bound."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return {"TANDEM_EDGE_PROVISIONING_FTP_PORT": "0", "TANDEM_EDGE_PROVISIONING_HTTP_PORT": str(port)}


@pytest.fixture
def edge(state_dir: Path) -> Iterator[EdgeProcess]:
    running = EdgeProcess(state_dir, settings())
    assert running.ready()["version"] == 3
    assert running.status()["online"] is False
    yield running
    running.stop()


def curl(*command: str) -> bytes | None:
    """What curl got; None when it was refused."""
    done = subprocess.run(["curl", "-sSf", *command], capture_output=True, timeout=30, check=False)
    return done.stdout if done.returncode == 0 else None


def url(edge: EdgeProcess, way: str, name: str = FILE) -> str:
    return f"{way}://127.0.0.1:{edge.ports()[way]}/{name}"


def test_a_phone_fetches_by_every_way_and_each_gives_the_same(edge: EdgeProcess, tmp_path: Path) -> None:
    by_http = curl(url(edge, "http"))
    assert by_http is not None
    assert SMALL_SECRETS["s-1:1"].encode() in by_http
    assert curl(url(edge, "tftp")) == by_http
    assert curl(url(edge, "ftp")) == by_http
    assert curl("-k", url(edge, "https")) == by_http
    read = re.search(rb"auto_provision\.server\.password = (\S+)", by_http)
    assert read is not None
    assert curl("-k", "--digest", "-u", f"{MAC}:{read[1].decode()}", url(edge, "https")) == by_http
    target = ("127.0.0.1", str(edge.ports()["tftp"]))
    got = tmp_path / "windowed"
    options = ("--option", "windowsize 8", "--option", "blksize 512", "-g", "-r", FILE, "-l", str(got))
    subprocess.run(["atftp", *options, *target], check=True, timeout=30, capture_output=True)
    assert got.read_bytes() == by_http
    fetched = eventually(lambda: [one for one in events(edge.state_dir) if isinstance(one, PhoneFetched)], 5)
    assert fetched[0].device_id == "device-1"


def test_a_phone_of_the_tenants_own_plug_in_reads_its_file(edge: EdgeProcess) -> None:
    text = curl(url(edge, "http", f"{OWN}.cfg"))
    assert text is not None
    assert b"user = auth202\n" in text
    assert SMALL_SECRETS["s-2:1"].encode() in text


def test_a_phone_asks_the_network_is_told_and_registers_with_what_it_reads(edge: EdgeProcess) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        asking.bind(("127.0.0.1", 0))
        asking.settimeout(5)
        at = ("127.0.0.1", asking.getsockname()[1])
        asking.sendto(subscribe(MAC, "Yealink", "T54W", "96.86", at), ("224.0.1.75", edge.ports()["plug_and_play"]))
        told = [asking.recv(4096) for _ in range(2)][1].partition(b"\r\n\r\n")[2].decode()
    assert told == f"http://127.0.0.1:{edge.ports()['http']}/"
    text = (curl(told + FILE) or b"").decode()

    def read(key: str) -> str:
        found = re.search(rf"(?m)^account\.1\.{re.escape(key)} = (.*)$", text)
        assert found is not None, key
        return found[1]

    server = (read("outbound_proxy.1.address"), int(read("outbound_proxy.1.port")))
    with RawPhone(
        server, read("user_name"), read("auth_name"), read("password"), read("sip_server.1.address")
    ) as phone:
        assert phone.register().status == 200


def test_a_strangers_visit_a_refusal_and_what_a_phone_sent_wait_for_the_cloud(edge: EdgeProcess) -> None:
    assert curl(url(edge, "http", "805ec0999999.cfg")) is None
    log = Path(edge.state_dir.with_name("boot.log"))
    log.write_text("it booted\n")
    assert curl("-T", str(log), url(edge, "http", f"{MAC}-boot.log")) is not None
    assert curl(url(edge, "http", f"{MAC}-boot.log")) == b"it booted\n"

    def waiting() -> bool:
        found = events(edge.state_dir)
        return {UnknownPhoneSeen, PhoneRefused, PhoneUploaded} <= {type(one) for one in found}

    eventually(waiting, 5, "all three are in the outbox")
    (stranger,) = [one for one in events(edge.state_dir) if isinstance(one, UnknownPhoneSeen)]
    (refused,) = [one for one in events(edge.state_dir) if isinstance(one, PhoneRefused)]
    assert (stranger.mac, stranger.vendor) == ("805ec0999999", "yealink")
    assert (refused.reason, refused.mac) == ("not_approved", "805ec0999999")


def test_a_change_that_a_phone_was_not_told_of_is_told_after_a_kill(state_dir: Path) -> None:
    first = EdgeProcess(state_dir, settings())
    with RawPhone(("127.0.0.1", first.ports()["sip_udp"]), "200", "auth200", SMALL_SECRETS["s-1:1"]) as phone:
        assert phone.register().status == 200
        ports = first.ports()
        first.kill()
        kept = state_dir / "provisioning" / "handed-files.json"
        kept.write_text(json.dumps({**json.loads(kept.read_text()), "device-1": "the digest of older files"}))
        fixed = {"TANDEM_EDGE_SIP_UDP_PORT": str(ports["sip_udp"]), "TANDEM_EDGE_SIP_TCP_PORT": str(ports["sip_tcp"])}
        second = EdgeProcess(state_dir, {**settings(), **fixed})
        try:
            phone._socket.settimeout(20)
            notify, source = phone._socket.recvfrom(65_535)
            head = notify.decode().split("\r\n")
            assert head[0].startswith("NOTIFY ")
            assert "Event: check-sync;reboot=false" in head
            names = ("via:", "from:", "to:", "call-id:", "cseq:")
            echoed = [line for line in head if line.lower().startswith(names)]
            answer = "\r\n".join(["SIP/2.0 200 OK", *echoed, "Content-Length: 0", "", ""])
            phone._socket.sendto(answer.encode(), source)

            def states() -> list[str]:
                return [one.state for one in events(state_dir) if isinstance(one, PhoneResync)]

            eventually(lambda: states() == ["asked"], 10)
            assert curl(url(second, "http")) is not None
            eventually(lambda: states() == ["asked", "fetched"], 10)
        finally:
            second.stop()
