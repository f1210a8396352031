"""HTTPS with passwords and factory certificates, FTP, and what phones send: real sockets and real clients."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.devices import load_catalogue
from contract.sync.events import PhoneFetched, PhoneRefused, PhoneUploaded
from edge_agent.clock import SystemClock
from edge_agent.provisioning.access import Access, phone_password
from edge_agent.provisioning.serve.http import HttpLimits, PhoneTls
from edge_agent.provisioning.serve.http.quick import Closed
from edge_agent.provisioning.serve.http.tls import CertificateUnusable
from edge_agent.provisioning.server import Keeping, ProvisioningAddresses, ProvisioningServer
from edge_agent.provisioning.uploads import MAX_FILES_PER_DEVICE, MAX_UPLOAD_BYTES, UploadRefused, Uploads, shown
from tests.edge_agent.provisioning.test_server import body_of, run
from tests.support.certificates import Authority
from tests.support.site_phones import RecordedReporter, phone, site, yealink
from tests.support.waiting import eventually_async

KEY, MAC, FILE = b"k" * 32, "805ec0000200", "805ec0000200.cfg"
POLY_MAC = "64167f000001"


@dataclass
class World:
    server: ProvisioningServer
    reporter: RecordedReporter
    folder: Path
    ours: Authority
    vendor: Authority

    async def curl(self, name: str, *options: str, scheme: str = "https") -> tuple[int, bytes]:
        url = f"{scheme}://127.0.0.1:{self.server.ports[scheme]}/{name}"
        return await run("curl", "-sS", "--cacert", str(self.ours.file), "-w", " %{http_code}", *options, url)

    def of(self, kind: type) -> list[object]:
        return [each for each in self.reporter.reports if isinstance(each, kind)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    ours, vendor = Authority(tmp_path, "ours"), Authority(tmp_path, "a vendor")
    authorities = tmp_path / "authorities"
    authorities.mkdir()
    (authorities / "vendor.pem").write_bytes(vendor.file.read_bytes())
    (authorities / "broken.pem").write_text("no certificate")
    reporter = RecordedReporter()
    tls = PhoneTls(*ours.issue("127.0.0.1", "server"), authorities)
    assert len(tls.problems) == 1
    assert tls.problems[0].startswith("broken.pem: ")
    keeping = Keeping(tmp_path / "uploads", KEY, tls)
    addresses = ProvisioningAddresses("127.0.0.1", 0, 0, 0, 0, 0, ("127.0.0.1",))
    limits = HttpLimits(handshake_seconds=2.0, head_seconds=2.0)
    server = ProvisioningServer(addresses, load_catalogue(), reporter, SystemClock(), limits, keeping)
    await server.prepare(site(yealink(), phone("polycom/vvx250", POLY_MAC)))
    server.commit()
    await server.start()
    yield World(server, reporter, tmp_path, ours, vendor)
    await server.stop()


def proof_required(world: World) -> None:
    world.server.desk.access = Access(proof_required=True)


@pytest.mark.peer("curl")
async def test_curl_fetches_by_https_and_sees_the_certificate_of_the_settings(world: World) -> None:
    status, body = await world.curl(FILE)
    assert (status, body) == (0, body_of(world.server) + b" 200")
    assert (await run("curl", "-sS", f"https://127.0.0.1:{world.server.ports['https']}/{FILE}"))[0] != 0


@pytest.mark.peer("curl")
@pytest.mark.parametrize("how", ["--basic", "--digest"])
@pytest.mark.parametrize("right", [True, False])
async def test_curl_shows_a_phones_password(world: World, how: str, right: bool) -> None:
    proof_required(world)
    password = phone_password(KEY, MAC) if right else "wrong"
    _, body = await world.curl(FILE, how, "-u", f"{MAC}:{password}")
    assert body.endswith(b" 200" if right else b" 401")
    if right:
        (fetched,) = world.of(PhoneFetched)
        assert isinstance(fetched, PhoneFetched)
        assert (fetched.proof, fetched.protocol) == ("password", "https")


@pytest.mark.peer("curl")
async def test_a_phone_is_known_by_its_vendors_certificate_and_gets_no_other_phones_file(world: World) -> None:
    proof_required(world)
    certificate, key = world.vendor.issue(MAC, "factory")
    shows = ("--cert", str(certificate), "--key", str(key))
    assert (await world.curl(FILE))[1].endswith(b" 401")
    assert (await world.curl(FILE, *shows))[1].endswith(b" 200")
    assert (await world.curl(f"{POLY_MAC}.cfg", *shows))[1].endswith(b" 404")
    reasons = {each.reason for each in world.of(PhoneRefused) if isinstance(each, PhoneRefused)}
    assert reasons == {"proof_needed", "wrong_certificate"}


@pytest.mark.peer("curl")
async def test_a_certificate_of_an_authority_that_is_not_installed_proves_nothing_and_locks_nobody_out(
    world: World,
) -> None:
    stranger = Authority(world.folder, "a stranger")
    certificate, key = stranger.issue(MAC, "stranger-phone")
    shows = ("--cert", str(certificate), "--key", str(key))
    assert (await world.curl(FILE, *shows))[0] != 0
    assert world.server.https is not None
    await eventually_async(lambda: world.server.https.closed[Closed.UNKNOWN_AUTHORITY] == 1)  # type: ignore[union-attr]
    assert (await world.curl(FILE, *shows))[1].endswith(b" 200")
    proof_required(world)
    assert (await world.curl(FILE, *shows))[1].endswith(b" 401")


async def test_who_speaks_no_tls_or_an_old_one_is_let_go(world: World) -> None:
    assert world.server.https is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.ports["https"])
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.read()
    writer.close()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        await asyncio.open_connection("127.0.0.1", world.server.ports["https"], ssl=old)
    await eventually_async(lambda: world.server.https.closed[Closed.NO_HANDSHAKE] == 2)  # type: ignore[union-attr]


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("nothing")
    with pytest.raises(CertificateUnusable, match=r"c\.pem"):
        PhoneTls(tmp_path / "c.pem", tmp_path / "c.pem")


@pytest.mark.peer("curl")
async def test_a_phone_sends_its_log_and_gets_its_own_settings_back_but_nobody_replaces_ours(world: World) -> None:
    overrides = world.folder / "o.cfg"
    overrides.write_text('<P reg.1.auth.password="hush" up.x="1"/>\n')
    (world.folder / "l.log").write_bytes(b"0101 boot\n" * 2000)
    put = ("-T", str(overrides))
    assert (await world.curl(f"{POLY_MAC}-phone.cfg", *put, scheme="http"))[1].endswith(b" 201")
    assert (await world.curl(f"{POLY_MAC}-phone.cfg", scheme="http"))[1] == overrides.read_bytes() + b" 200"
    assert (await world.curl(f"{POLY_MAC}-app.log", "-T", str(world.folder / "l.log")))[1].endswith(b" 201")
    assert (await world.curl(f"{POLY_MAC}.cfg", *put))[1].endswith(b" 403")
    assert (await world.curl("64167f999999-app.log", *put))[1].endswith(b" 404")
    sent = [each for each in world.of(PhoneUploaded) if isinstance(each, PhoneUploaded)]
    assert [(each.name, each.size) for each in sent] == [(f"{POLY_MAC}-phone.cfg", 41), (f"{POLY_MAC}-app.log", 20_000)]
    assert b"hush" not in sent[0].content
    assert b'up.x="1"' in sent[0].content
    (refused,) = world.of(PhoneRefused)
    assert isinstance(refused, PhoneRefused)
    assert refused.reason == "not_taken"


@pytest.mark.peer("curl")
async def test_an_upload_that_is_too_large_is_refused_before_it_is_read(world: World) -> None:
    large = world.folder / "large.log"
    large.write_bytes(b"x" * (MAX_UPLOAD_BYTES + 1))
    _, output = await world.curl(f"{POLY_MAC}-app.log", "-T", str(large), scheme="http")
    assert b"413" in output
    assert not world.of(PhoneUploaded)


def test_uploads_are_few_and_small_and_survive_a_restart(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, RecordedReporter())
    for number in range(MAX_FILES_PER_DEVICE + 3):
        uploads.keep("device-1", f"{MAC}-{number}.log", b"x")
    assert len(list((tmp_path / "device-1").iterdir())) == MAX_FILES_PER_DEVICE
    again = Uploads(tmp_path, RecordedReporter())
    assert again.find("device-1", f"{MAC}-{MAX_FILES_PER_DEVICE + 2}.log") == b"x"
    assert again.find("device-1", f"{MAC}-0.log") is None
    assert again.find("device-2", f"{MAC}-5.log") is None
    for name in ("", "..", ".new", "a" * 200, "a\0b", "ü"):
        with pytest.raises(UploadRefused):
            again.keep("device-1", name, b"x")
    with pytest.raises(UploadRefused):
        again.keep("../../etc", "x", b"x")
    again.keep("device-1", "../../up.log", b"x")
    assert (tmp_path / "device-1" / "up.log").exists()


@pytest.mark.parametrize(
    "text",
    [
        b"account.1.password = hush\n",
        b'reg.1.auth.password="hush"',
        b'<user_pass1 perm="">x</user_pass1><user_passwd perm="RW">hush</user_passwd>',
        b"SET SIPUSERPASSWORD: hush\n",
    ],
)
def test_passwords_in_uploads_are_struck_out_before_people_see_them(text: bytes) -> None:
    assert b"hush" not in shown(text)
    assert b"***" in shown(text)


@pytest.mark.peer("curl")
async def test_curl_fetches_by_ftp_and_sees_no_list_and_writes_nothing(world: World) -> None:
    base = f"ftp://127.0.0.1:{world.server.ports['ftp']}"
    assert await run("curl", "-sS", f"{base}/{FILE}") == (0, body_of(world.server))
    assert await run("curl", "-sS", "-u", "PlcmSpIp:PlcmSpIp", f"{base}/{FILE}") == (0, body_of(world.server))
    assert await run("curl", "-sS", "-r", "5-9", f"{base}/{FILE}") == (0, body_of(world.server)[5:10])
    assert await run("curl", "-sS", f"{base}/") == (0, b"")
    assert (await run("curl", "-sS", f"{base}/805ec0999999.cfg"))[0] != 0
    assert (await run("curl", "-sS", f"{base}/../../etc/passwd"))[0] != 0
    (world.folder / "x").write_text("x")
    assert (await run("curl", "-sS", "-T", str(world.folder / "x"), f"{base}/{FILE}"))[0] != 0
    assert await run("curl", "-sS", f"{base}/{FILE}") == (0, body_of(world.server))


@pytest.mark.peer("lftp")
@pytest.mark.parametrize("scheme", ["ftp", "http", "https"])
async def test_lftp_fetches(world: World, scheme: str, tmp_path: Path) -> None:
    port = world.server.ports[scheme]
    script = (
        f"set ssl:ca-file {world.ours.file}; set net:max-retries 1; get {scheme}://127.0.0.1:{port}/{FILE} -o got; quit"
    )
    status, output = await run("lftp", "-c", script, folder=tmp_path)
    assert status == 0, output
    assert (tmp_path / "got").read_bytes() == body_of(world.server)


@pytest.mark.peer("atftp")
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--option", "blksize 1400"),
        ("--option", "windowsize 8"),
        ("--option", "windowsize 64", "--option", "blksize 8"),
    ],
)
async def test_atftp_fetches_with_and_without_options_and_windows(
    world: World, options: tuple[str, ...], tmp_path: Path
) -> None:
    command = ("atftp", *options, "-g", "-r", FILE, "-l", "got", "127.0.0.1", str(world.server.ports["tftp"]))
    status, output = await run(*command, folder=tmp_path)
    assert status == 0, output
    assert (tmp_path / "got").read_bytes() == body_of(world.server)


@pytest.mark.peer("curl")
async def test_nothing_secret_leaves_for_a_network_that_the_site_does_not_allow(world: World) -> None:
    world.server.desk.access = Access(clear_text=())
    ports = world.server.ports
    for scheme in ("http", "ftp", "tftp"):
        status, body = await run("curl", "-sS", "-m", "5", f"{scheme}://127.0.0.1:{ports[scheme]}/{FILE}")
        assert b"account" not in body
        assert status != 0 or body == b"Not Found\n"
    protocols = {each.protocol for each in world.of(PhoneRefused) if isinstance(each, PhoneRefused)}
    assert protocols == {"http"}  # the same reason for the same phone is reported once
