"""The SIP process: bound at its start, serving from its first commit, told of site state, asked to report."""

import asyncio
import re
import shutil
import socket
from asyncio.subprocess import DEVNULL, PIPE, Process
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.snapshot import SipCertificate
from contract.sync.events import RegistrationChanged
from contract.sync.ladder import Ladder
from contract.sync.live_calls import CallsInProgress
from contract.sync.state import Stamp, StateRecord
from edge_agent.clock import SystemClock
from edge_agent.ports import NoticeOutcome, NoticeRefused
from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder
from edge_agent.processes.keys import KEY_BYTES, edge_key
from edge_agent.processes.link import Ports, Prepare, Start
from edge_agent.processes.sip import AddressChanged, NotStarted, SipSubsystem
from edge_agent.settings import Settings, SipSettings
from edge_agent.sip.transport.own_certificate import OWN_CERTIFICATE, OWN_KEY
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.certificates import Authority
from tests.support.raw_sip import RawPhone
from tests.support.snapshots import SMALL_SECRETS, small_snapshot
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"


def message(version: int = 1, **changes: object) -> Prepare:
    return Prepare(
        version=version,
        snapshot=small_snapshot(version),
        secrets={ref: SecretStr(value) for ref, value in SMALL_SECRETS.items()},
        sip_host=LOOPBACK,
    ).model_copy(update=changes)


def settings(folder: Path) -> Settings:
    return Settings(
        state_dir=folder, sip=SipSettings(address=LOOPBACK, udp_port=0, tcp_port=0, tls_port=0, sites_port=0)
    )


def disturb(user: str, value: bool | None, at: int) -> StateRecord:
    return StateRecord(key=f"do_not_disturb/{user}", value=value, stamp=Stamp(wall_ms=at, node="edge-1"))


@pytest.fixture
async def sip(tmp_path: Path) -> AsyncIterator[SipSubsystem]:
    subsystem = SipSubsystem(Bell())
    yield subsystem
    await subsystem.stop()


async def started(sip: SipSubsystem, folder: Path) -> Ports:
    return await sip.start(Start(settings=settings(folder)))


async def register(ports: Ports) -> int:
    with RawPhone((LOOPBACK, ports["sip_udp"]), "200", "auth200", SMALL_SECRETS["s-1:1"]) as phone:
        return (await asyncio.to_thread(phone.register)).status


async def test_ports_are_known_at_the_start_and_the_same_for_the_next_run(sip: SipSubsystem, tmp_path: Path) -> None:
    ports = await started(sip, tmp_path)
    assert set(ports) == {"sip_udp", "sip_tcp", "sip_tls", "sip_sites"}
    await sip.stop()
    again = SipSubsystem(Bell())
    assert await again.start(Start(settings=settings(tmp_path), ports=ports)) == ports
    await again.stop()


async def test_phones_register_after_the_first_commit_and_are_reported_when_asked(
    sip: SipSubsystem, tmp_path: Path
) -> None:
    ports = await started(sip, tmp_path)
    assert await sip.order("report_registrations", {}) == "0 registrations: not configured yet"
    await sip.prepare(message())
    await sip.commit()
    assert await register(ports) == 200
    assert sip.figures()["registrations"] == 1
    assert await sip.order("report_registrations", {}) == "1 registrations"
    outbox = Outbox.open(tmp_path / "outbox.db", SystemClock(), SystemTokens())
    reports = [event.body.what for event in outbox.read(0, 10)]
    outbox.close()
    assert len(reports) == 2
    assert all(isinstance(report, RegistrationChanged) and report.state == "registered" for report in reports)


async def test_the_messages_of_a_call_are_shown_as_ladder_and_as_capture_file(
    sip: SipSubsystem, tmp_path: Path
) -> None:
    ports = await started(sip, tmp_path)
    await sip.prepare(message())
    await sip.commit()
    with RawPhone((LOOPBACK, ports["sip_udp"]), "200", "auth200", SMALL_SECRETS["s-1:1"]) as phone:
        assert (await asyncio.to_thread(phone.register)).status == 200
        asked = {"sip_call_id": phone.call_id}
    ladder = Ladder.model_validate_json(await sip.order("call_ladder", asked))
    assert [(arrow.source, arrow.method, arrow.status) for arrow in ladder.arrows] == [
        (1, "REGISTER", 0),
        (0, "REGISTER", 401),
        (1, "REGISTER", 0),
        (0, "REGISTER", 200),
    ]
    assert 'response="xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"' in ladder.arrows[2].text
    assert b64decode(await sip.order("call_pcap", asked)).startswith(b"\xd4\xc3\xb2\xa1")
    assert await sip.order("call_ladder", {"sip_call_id": "another"}) == ""
    assert CallsInProgress.model_validate_json(await sip.order("live_calls", {})) == CallsInProgress()


async def test_no_message_is_remembered_when_no_memory_is_given(sip: SipSubsystem, tmp_path: Path) -> None:
    off = settings(tmp_path).sip.model_copy(update={"recorded_bytes": 0})
    ports = await sip.start(Start(settings=Settings(state_dir=tmp_path, sip=off)))
    await sip.prepare(message())
    await sip.commit()
    with RawPhone((LOOPBACK, ports["sip_udp"]), "200", "auth200", SMALL_SECRETS["s-1:1"]) as phone:
        await asyncio.to_thread(phone.register)
        assert await sip.order("call_ladder", {"sip_call_id": phone.call_id}) == ""


async def test_messages_are_copied_to_the_homer_server_that_the_settings_name(
    sip: SipSubsystem, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("secret\n")
    with socket.socket(type=socket.SOCK_DGRAM) as homer:
        homer.bind((LOOPBACK, 0))
        homer.setblocking(False)
        told = {"hep_target": f"{LOOPBACK}:{homer.getsockname()[1]}", "hep_password_file": str(tmp_path / "password")}
        told_settings = settings(tmp_path).sip.model_copy(update=told)
        ports = await sip.start(Start(settings=Settings(state_dir=tmp_path, sip=told_settings)))
        await sip.prepare(message())
        await sip.commit()
        assert await register(ports) == 200
        copy = await asyncio.get_running_loop().sock_recv(homer, 65_535)
        assert copy.startswith(b"HEP3")
        assert b"\x00\x0e\x00\x0csecret" in copy
        assert b"REGISTER sip:" in copy


async def test_the_process_makes_a_certificate_of_its_own_once_and_takes_up_a_changed_one(
    sip: SipSubsystem, tmp_path: Path
) -> None:
    await started(sip, tmp_path)
    shown, key = tmp_path / OWN_CERTIFICATE, tmp_path / OWN_KEY
    first = shown.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    again = SipSubsystem(Bell())
    await started(again, tmp_path)
    assert shown.read_bytes() == first
    await again.prepare(message())
    key.write_bytes(b"half")
    await again.commit()  # goes on with the certificate that it has
    await again.stop()
    third = SipSubsystem(Bell())
    await started(third, tmp_path)
    assert shown.read_bytes() != first
    await third.stop()


async def test_transports_that_are_off_are_not_listened_for(sip: SipSubsystem, tmp_path: Path) -> None:
    off = SipSettings(address=LOOPBACK, udp_port=0, tcp_port=0, tls_port="off", sites_port="off", ws_port=0)
    ports = await sip.start(Start(settings=Settings(state_dir=tmp_path, sip=off)))
    assert set(ports) == {"sip_udp", "sip_tcp", "sip_ws"}
    assert not (tmp_path / OWN_KEY).exists()


async def test_another_configuration_takes_the_place_of_the_first(sip: SipSubsystem, tmp_path: Path) -> None:
    ports = await started(sip, tmp_path)
    await sip.prepare(message())
    await sip.commit()
    users = tuple(user.model_copy(update={"enabled": False}) for user in small_snapshot().users)
    await sip.prepare(message(2, snapshot=small_snapshot(2).model_copy(update={"users": users})))
    assert await register(ports) == 200
    await sip.commit()
    assert await register(ports) == 403


async def test_site_state_is_merged_and_outlives_a_new_configuration(sip: SipSubsystem, tmp_path: Path) -> None:
    await started(sip, tmp_path)
    await sip.prepare(message())
    await sip.commit()
    await sip.set_state((disturb("user-1", True, 5),))
    await sip.set_state((disturb("user-1", None, 4),))  # older: it loses
    assert sip.site_state().do_not_disturb == {"user-1"}
    await sip.prepare(message(2, state=(disturb("user-1", True, 5), disturb("user-2", True, 6))))
    await sip.set_state((disturb("user-1", None, 7),))
    await sip.commit()
    assert sip.site_state().do_not_disturb == {"user-2"}


async def test_a_registered_phone_is_told_what_it_did_not_subscribe_to(tmp_path: Path) -> None:
    told: list[NoticeOutcome] = []
    bell = Bell()
    bell.told = told.append  # type: ignore[method-assign,assignment]
    sip = SipSubsystem(bell)
    ports = await started(sip, tmp_path)
    with pytest.raises(NoticeRefused):
        await sip.order("notify", {"notice_id": "n1", "event": "check-sync", "line_id": "line-1"})
    await sip.prepare(message())
    await sip.commit()
    with RawPhone((LOOPBACK, ports["sip_udp"]), "200", "auth200", SMALL_SECRETS["s-1:1"]) as phone:
        assert (await asyncio.to_thread(phone.register)).status == 200
        (line,) = {one.line_id for one in message().snapshot.lines if one.auth_username == "auth200"}
        await sip.order("notify", {"notice_id": "n1", "event": "check-sync", "line_id": line})
        notify = await asyncio.to_thread(phone.receive)
        assert notify.text.startswith("NOTIFY ")
        assert notify.header("Event") == "check-sync"
        copied = "".join(f"{name}: {notify.header(name)}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
        phone.send(f"SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n")
        await eventually_async(lambda: bool(told))
    assert (told[0].notice_id, told[0].state, told[0].status) == ("n1", "accepted", 200)
    with pytest.raises(NoticeRefused, match="a notice has notice_id"):
        await sip.order("notify", {"to": "everybody"})
    await sip.stop()


async def test_an_address_that_changed_asks_for_a_new_process(sip: SipSubsystem, tmp_path: Path) -> None:
    await started(sip, tmp_path)
    await sip.prepare(message(sip_host="192.0.2.1"))
    with pytest.raises(AddressChanged):
        await sip.commit()


async def test_what_comes_before_its_time_is_an_error_with_a_name(sip: SipSubsystem) -> None:
    with pytest.raises(NotStarted):
        await sip.commit()
    with pytest.raises(UnknownOrder):
        await sip.order("dance", {})


async def test_a_configuration_that_sip_cannot_run_is_refused(sip: SipSubsystem, tmp_path: Path) -> None:
    await started(sip, tmp_path)
    site = small_snapshot().site.model_copy(update={"digest_algorithms": ()})
    with pytest.raises(ConfigurationRefused, match="no digest algorithm"):
        await sip.prepare(message(snapshot=small_snapshot().model_copy(update={"site": site})))


def test_the_key_is_the_same_after_a_restart_and_new_when_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "sip.key"
    key = edge_key(path, SystemTokens())
    assert len(key) == KEY_BYTES
    assert edge_key(path, SystemTokens()) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("half")
    assert edge_key(path, SystemTokens()) != key


KEY = "s-certificate:1"
OPTIONS = (
    "OPTIONS sip:demo.tandem.test SIP/2.0\r\nVia: SIP/2.0/TLS client.invalid;branch=z9hG4bK{0};rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:a@demo.tandem.test>;tag=1\r\nTo: <sip:demo.tandem.test>\r\nCall-ID: {0}\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


def with_certificate(version: int, certificate: Path, key: Path, **changes: object) -> Prepare:
    """A configuration that brings a certificate."""
    plain = message(version)
    shown = SipCertificate(chain=certificate.read_text(), key=KEY)
    site = plain.snapshot.site.model_copy(update={"sip_certificate": shown})
    secrets = {**plain.secrets, KEY: SecretStr(key.read_text())}
    snapshot = plain.snapshot.model_copy(update={"site": site})
    return plain.model_copy(update={"snapshot": snapshot, "secrets": secrets, **changes})


async def s_client(port: int) -> Process:
    """openssl's client; what it prints begins with the certificate that it was shown."""
    openssl = shutil.which("openssl") or "openssl"
    arguments = ("s_client", "-connect", f"{LOOPBACK}:{port}", "-showcerts", "-nocommands")
    return await asyncio.create_subprocess_exec(openssl, *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)


async def shown_to(client: Process) -> str:
    """The first certificate that openssl prints, on one line."""
    assert client.stdout is not None
    text = await asyncio.wait_for(client.stdout.readuntil(b"-----END CERTIFICATE-----"), 10)
    return re.sub(r"\s", "", text.decode().partition("-----BEGIN CERTIFICATE-----")[2])


async def is_answered(client: Process, name: str) -> None:
    """The connection carries SIP."""
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(OPTIONS.format(name).encode())
    await asyncio.wait_for(client.stdout.readuntil(f"Call-ID: {name}".encode()), 10)


def holding(folder: Path, content: bytes) -> set[Path]:
    """The files with this in them."""
    return {path for path in folder.rglob("*") if path.is_file() and content in path.read_bytes()}


def on_one_line(certificate: Path) -> str:
    return re.sub(r"\s", "", certificate.read_text().partition("-----BEGIN CERTIFICATE-----")[2])


@pytest.mark.peer("openssl")
async def test_openssl_keeps_its_connection_when_the_site_gets_a_new_certificate_and_the_next_client_sees_it(
    sip: SipSubsystem, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    ports = await started(sip, tmp_path)
    clients = []
    for version in (1, 2):
        files = authority.issue("demo.tandem.test", f"version-{version}")
        await sip.prepare(with_certificate(version, *files))
        await sip.commit()
        client = await s_client(ports["sip_tls"])
        clients.append(client)
        assert await shown_to(client) == on_one_line(files[0])
    for number, client in enumerate(clients):
        await is_answered(client, f"after-{number}")
        client.kill()
        await client.communicate()
    # No key of a site's is on the disk but where the test put it.
    assert holding(tmp_path, (tmp_path / "version-2.key").read_bytes()[40:100]) == {tmp_path / "version-2.key"}


async def test_a_certificate_whose_key_does_not_fit_is_refused_and_what_runs_goes_on(
    sip: SipSubsystem, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    await started(sip, tmp_path)
    await sip.prepare(message())
    await sip.commit()
    certificate, key = authority.issue("demo.tandem.test")[0], authority.issue("demo.tandem.test", "other")[1]
    with pytest.raises(ConfigurationRefused) as refused:
        await sip.prepare(with_certificate(2, certificate, key))
    assert "the site's certificate" in str(refused.value)
    assert "PRIVATE" not in str(refused.value)


@pytest.mark.peer("openssl")
async def test_without_its_key_or_with_one_in_this_machines_settings_the_sites_certificate_is_not_shown(
    sip: SipSubsystem, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    given, files = authority.issue("demo.tandem.test", "given"), authority.issue("demo.tandem.test", "files")
    ports = await started(sip, tmp_path)
    await sip.prepare(with_certificate(1, *given, secrets=message().secrets))
    await sip.commit()
    client = await s_client(ports["sip_tls"])
    assert await shown_to(client) == on_one_line(tmp_path / OWN_CERTIFICATE)
    client.kill()
    await client.communicate()
    await sip.stop()
    again = SipSubsystem(Bell())
    named = settings(tmp_path).sip.model_copy(update={"tls_certificate": str(files[0]), "tls_key": str(files[1])})
    ports = await again.start(Start(settings=settings(tmp_path).model_copy(update={"sip": named})))
    await again.prepare(with_certificate(1, *given))
    await again.commit()
    client = await s_client(ports["sip_tls"])
    assert await shown_to(client) == on_one_line(files[0])
    client.kill()
    await client.communicate()
    await again.stop()
