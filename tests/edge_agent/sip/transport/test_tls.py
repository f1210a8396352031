"""TLS on loopback: versions, certificates, reload, time-outs (RFC 3261 §26.3.1, RFC 5922)."""

import asyncio
import asyncio.sslproto
import socket
import ssl
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.sip.message import DropReason, Flow, Limits
from edge_agent.sip.transport import (
    CertificateUnusable,
    GivenCertificate,
    NoCertificate,
    SipTransport,
    TlsIdentity,
    spare_tls_memory,
)
from edge_agent.sip.transport.own_certificate import OWN_CERTIFICATE, OWN_KEY, keep_own_certificate
from edge_agent.sip.transport.peer import VerifiedPeer
from edge_agent.sip.transport.proofs import Proof
from edge_agent.sip.transport.tls import TLS_BUFFER_BYTES
from tests.support.certificates import Authority
from tests.support.transport_listener import MESSAGE, listening
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"


def encrypted(identity: TlsIdentity, limits: Limits | None = None) -> SipTransport:
    return SipTransport(
        SystemClock(),
        tls=(LOOPBACK, 0),
        server_tls=identity.server,
        client_tls=identity.client,
        client_tls_by=identity.client_by,
        limits=limits or Limits(),
    )


def trusting(file: Path, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(file))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture
def identity(tmp_path: Path) -> TlsIdentity:
    return made_by_itself(tmp_path)


def made_by_itself(folder: Path) -> TlsIdentity:
    assert keep_own_certificate(folder, (LOOPBACK,), SystemClock().now())
    return TlsIdentity(folder / OWN_CERTIFICATE, folder / OWN_KEY)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_messages_are_cut_and_answered_on_tls_1_2_and_1_3_without_a_server_name(
    identity: TlsIdentity, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    context = trusting(tmp_path / OWN_CERTIFICATE, version)
    transport = encrypted(identity)
    async with listening(transport, answers=True) as listener:
        # An address is no server name: none is sent.
        reader, writer = await asyncio.open_connection(*transport.local["tls"], ssl=context)
        writer.write(MESSAGE[:7])
        await writer.drain()
        writer.write(MESSAGE[7:] + b"\r\n\r\n" + MESSAGE)
        answers = await reader.readexactly(2 * len(b"answer to " + MESSAGE) + 2)
        assert answers.count(b"answer to ") == 2
        flow = listener.heard[0][1]
        assert (flow.transport, flow.reliable, transport.is_open(flow)) == ("tls", True, True)
        assert transport.peer(flow) is None
        writer.close()
        await eventually_async(lambda: flow in listener.failed)


async def test_tls_1_1_is_refused_and_counted(identity: TlsIdentity, tmp_path: Path) -> None:
    context = trusting(tmp_path / OWN_CERTIFICATE)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    transport = encrypted(identity)
    async with listening(transport) as listener:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await asyncio.open_connection(*transport.local["tls"], ssl=context)
        await eventually_async(lambda: listener.drops == {DropReason.HANDSHAKE_FAILED: 1})
        assert len(transport.streams.admission) == 0


async def test_a_handshake_that_does_not_come_is_ended_after_its_time(identity: TlsIdentity) -> None:
    transport = encrypted(identity, Limits(handshake_seconds=0.2))
    async with listening(transport) as listener:
        reader, writer = await asyncio.open_connection(*transport.local["tls"])
        with suppress(ConnectionResetError):
            assert await reader.read(1) == b""
        await eventually_async(lambda: listener.drops == {DropReason.HANDSHAKE_FAILED: 1})
        assert (len(transport.streams.admission), transport.streams.admission.half_open) == (0, 0)
        writer.close()


async def test_a_new_certificate_counts_for_new_connections_and_ends_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(LOOPBACK, "shown")
    identity, context = TlsIdentity(certificate, key), trusting(authority.file)
    transport = encrypted(identity)
    async with listening(transport, answers=True):
        before = await asyncio.open_connection(*transport.local["tls"], ssl=context)
        assert not identity.reload_if_changed()
        authority.issue(LOOPBACK, "shown")
        assert identity.reload_if_changed()
        after = await asyncio.open_connection(*transport.local["tls"], ssl=context)
        serials = {writer.get_extra_info("peercert")["serialNumber"] for _, writer in (before, after)}
        assert len(serials) == 2
        for reader, writer in (before, after):
            writer.write(MESSAGE)
            assert await reader.readexactly(len(b"answer to " + MESSAGE))
            writer.close()


def test_files_that_do_not_fit_leave_the_old_certificate_in_use(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(LOOPBACK)
    identity = TlsIdentity(certificate, key)
    shown = identity.server()
    key.write_text("half")
    with pytest.raises(CertificateUnusable, match=r"peer\.key"):
        identity.reload_if_changed()
    key.unlink()
    with pytest.raises(CertificateUnusable, match="No such file"):
        identity.reload_if_changed()
    assert identity.server() is shown
    with pytest.raises(CertificateUnusable, match="authorities"):
        TlsIdentity(*authority.issue(LOOPBACK, "other"), tmp_path / "authorities")


async def test_a_peer_with_a_client_certificate_is_known_by_its_names_and_one_without_is_welcome(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    trunk = Authority(tmp_path, "trunks")
    stranger = Authority(tmp_path, "strangers")
    identity = TlsIdentity(*authority.issue(LOOPBACK, "shown"), trunk.file)
    transport = encrypted(identity)
    async with listening(transport, answers=True) as listener:
        writers = []
        for client in (trunk.issue("sip.trunk.test", "trunk"), None):
            context = trusting(authority.file)
            if client is not None:
                context.load_cert_chain(*client)
            reader, writer = await asyncio.open_connection(*transport.local["tls"], ssl=context)
            writer.write(MESSAGE)
            await reader.readexactly(len(b"answer to " + MESSAGE))
            writers.append(writer)
        known = transport.peer(listener.heard[0][1])
        assert known == VerifiedPeer("client_authorities", frozenset({"sip.trunk.test"}), frozenset())
        # Read once, at the handshake: who asks again gets the same.
        assert transport.peer(listener.heard[0][1]) is known
        assert transport.peer(listener.heard[1][1]) is None
        context = trusting(authority.file)
        context.load_cert_chain(*stranger.issue("sip.trunk.test", "stranger"))
        with suppress(ssl.SSLError, ConnectionResetError):
            reader, writer = await asyncio.open_connection(*transport.local["tls"], ssl=context)
            writers.append(writer)
            writer.write(MESSAGE)
            await reader.read(1)
        await eventually_async(lambda: listener.drops == {DropReason.HANDSHAKE_FAILED: 1})
        assert len(listener.heard) == 2
        for writer in writers:
            writer.close()


async def test_phones_are_asked_for_a_certificate_and_browsers_are_not(tmp_path: Path) -> None:
    """RFC 7118 §5; a browser that is asked shows its user a choice of certificates, or gives the connection up."""
    made_by_itself(tmp_path)
    identity = TlsIdentity(tmp_path / OWN_CERTIFICATE, tmp_path / OWN_KEY, Authority(tmp_path).file)
    transport = SipTransport(
        SystemClock(), tls=(LOOPBACK, 0), wss=(LOOPBACK, 0), server_tls=identity.server, web_tls=identity.web
    )
    async with listening(transport):
        asked = {}
        for kind in ("tls", "wss"):
            host, port = transport.local[kind]
            command = ("openssl", "s_client", "-connect", f"{host}:{port}")
            shown = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            output, _ = await asyncio.wait_for(shown.communicate(), 20)
            asked[kind] = b"Requested Signature Algorithms" in output
    assert asked == {"tls": True, "wss": False}


async def test_a_connection_that_we_open_needs_a_certificate_for_the_address_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = TlsIdentity(*authority.issue(LOOPBACK, "ours"), authority.file)
    right = TlsIdentity(*authority.issue(LOOPBACK, "right"))
    wrong = TlsIdentity(*authority.issue("127.0.0.9", "wrong"))
    from_us, to_right, to_wrong = encrypted(ours), encrypted(right), encrypted(wrong)
    async with listening(from_us) as us, listening(to_right) as heard, listening(to_wrong) as nothing:
        flows = [Flow("tls", *other.local["tls"]) for other in (to_right, to_wrong)]
        for flow in flows:
            from_us.send(MESSAGE, flow)
        await eventually_async(lambda: us.failed == [flows[1]] and len(heard.heard) == 1)
        assert not nothing.heard
        assert us.drops == {DropReason.CERTIFICATE_OF_ANOTHER: 1}


async def test_a_certificate_of_an_unknown_authority_is_told_apart_from_a_peer_that_is_away(tmp_path: Path) -> None:
    for name in ("known", "unknown"):
        (tmp_path / name).mkdir()
    known, unknown = Authority(tmp_path / "known"), Authority(tmp_path / "unknown")
    from_us = encrypted(TlsIdentity(*known.issue(LOOPBACK, "ours"), known.file))
    to_other = encrypted(TlsIdentity(*unknown.issue(LOOPBACK, "other")))
    async with listening(from_us) as us, listening(to_other):
        other = Flow("tls", *to_other.local["tls"])
        from_us.send(MESSAGE, other)
        await eventually_async(lambda: us.failed == [other])
        assert us.drops == {DropReason.CERTIFICATE_UNTRUSTED: 1}
        with socket.create_server((LOOPBACK, 0)) as silent:
            away = silent.getsockname()[1]
        from_us.send(MESSAGE, Flow("tls", LOOPBACK, away))
        await eventually_async(lambda: len(us.failed) == 2)
        assert us.drops == {DropReason.CERTIFICATE_UNTRUSTED: 1}


async def test_a_peer_with_authorities_of_its_own_is_known_by_these_and_no_others(tmp_path: Path) -> None:
    for name in ("machine", "provider"):
        (tmp_path / name).mkdir()
    machine, provider = Authority(tmp_path / "machine"), Authority(tmp_path / "provider")
    pem = provider.file.read_text()
    from_us = encrypted(TlsIdentity(*machine.issue(LOOPBACK, "ours"), machine.file))
    by_machine = encrypted(TlsIdentity(*machine.issue(LOOPBACK, "peer")))
    by_provider = encrypted(TlsIdentity(*provider.issue("sip.provider.test", "peer")))
    from_us.streams.prove({LOOPBACK: Proof(pem, frozenset({"sip.provider.test"}))})
    async with listening(from_us) as us, listening(by_machine) as nothing, listening(by_provider) as heard:
        machines, providers = (Flow("tls", *other.local["tls"]) for other in (by_machine, by_provider))
        from_us.send(MESSAGE, machines)
        await eventually_async(lambda: us.failed == [machines])
        said = from_us.streams.proofs.complaint(LOOPBACK)
        assert said.startswith("its certificate cannot be trusted: unable to get local issuer")
        from_us.send(MESSAGE, providers)
        await eventually_async(lambda: len(heard.heard) == 1)
        assert not nothing.heard
        assert from_us.streams.proofs.complaint(LOOPBACK) == ""
        # Something else is asked of it now, so the connection does not serve any more.
        from_us.streams.prove({LOOPBACK: Proof(pem)})
        await eventually_async(lambda: not from_us.streams.open_streams)
        from_us.send(MESSAGE, providers)
        await eventually_async(lambda: us.failed.count(providers) == 2)
        said = from_us.streams.proofs.complaint(LOOPBACK)
        assert said == f"its certificate is for sip.provider.test, not for {LOOPBACK}"


async def test_a_connection_by_anothers_word_is_not_used_for_a_peer_with_authorities_of_its_own(
    tmp_path: Path,
) -> None:
    for name in ("machine", "provider"):
        (tmp_path / name).mkdir()
    machine, provider = Authority(tmp_path / "machine"), Authority(tmp_path / "provider")
    from_us = encrypted(TlsIdentity(*machine.issue(LOOPBACK, "ours"), machine.file))
    names = ["a.test", "b.test"]
    there = encrypted(TlsIdentity(*machine.issue("a.test", "peer", names)))
    async with listening(from_us) as us, listening(there) as heard:
        host, port = there.local["tls"]
        from_us.send(MESSAGE, Flow("tls", host, port, 0, "a.test"))
        await eventually_async(lambda: len(heard.heard) == 1)
        from_us.streams.prove({"b.test": Proof(provider.file.read_text())})
        other = Flow("tls", host, port, 0, "b.test")
        from_us.send(MESSAGE, other)
        await eventually_async(lambda: us.failed == [other])
        assert len(heard.heard) == 1


def test_authorities_that_are_no_certificates_are_refused(identity: TlsIdentity) -> None:
    with pytest.raises(CertificateUnusable, match="the authorities of a peer"):
        identity.client_by("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n")


async def test_encryption_without_a_certificate_is_refused_at_the_start() -> None:
    for kind in ("tls", "wss"):
        addresses = {kind: (LOOPBACK, 0)}
        with pytest.raises(NoCertificate):
            await SipTransport(SystemClock(), **addresses).open()  # type: ignore[arg-type]


async def test_a_tls_connection_costs_one_record_of_buffer_where_python_allows(
    identity: TlsIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio.sslproto.SSLProtocol, "max_size", 262_144)
    assert spare_tls_memory()
    assert asyncio.sslproto.SSLProtocol.max_size == TLS_BUFFER_BYTES
    transport = encrypted(identity)
    body = b"x" * 50_000
    long = b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 50000\r\n\r\n" + body
    async with listening(transport, answers=True):
        context = trusting(tmp_path / OWN_CERTIFICATE)
        reader, writer = await asyncio.open_connection(*transport.local["tls"], ssl=context)
        writer.write(long)
        assert await reader.readexactly(len(long) + 10) == b"answer to " + long
        writer.close()
    monkeypatch.delattr(asyncio.sslproto.SSLProtocol, "max_size")
    assert not spare_tls_memory()


def test_the_edges_own_certificate_is_kept_until_it_is_damaged_nearly_over_or_for_other_hosts(tmp_path: Path) -> None:
    now = SystemClock().now()
    made_by_itself(tmp_path)
    assert not keep_own_certificate(tmp_path, (LOOPBACK, LOOPBACK, ""), now)
    assert keep_own_certificate(tmp_path, (LOOPBACK, "edge.site.test"), now)
    assert keep_own_certificate(tmp_path, (LOOPBACK,), now)
    assert not keep_own_certificate(tmp_path, (LOOPBACK,), now + timedelta(days=3580))
    assert keep_own_certificate(tmp_path, (LOOPBACK,), now + timedelta(days=3600))
    for name, content in ((OWN_KEY, b""), (OWN_CERTIFICATE, b"half"), ("sip-tls.json", b"[1]")):
        (tmp_path / name).write_bytes(content)
        assert keep_own_certificate(tmp_path, (LOOPBACK,), now)
        assert not keep_own_certificate(tmp_path, (LOOPBACK,), now)


async def test_a_flood_of_handshakes_from_one_address_is_refused_beyond_its_share(identity: TlsIdentity) -> None:
    transport = encrypted(identity, Limits(half_open_per_host=3))
    async with listening(transport) as listener:
        streams = [await asyncio.open_connection(*transport.local["tls"]) for _ in range(5)]
        await eventually_async(lambda: listener.drops[DropReason.TOO_MANY_HALF_OPEN] == 2)
        assert transport.streams.admission.half_open == 3
        for _, writer in streams:
            writer.close()
        await eventually_async(partial(lambda admission: not len(admission), transport.streams.admission))


async def test_a_certificate_that_comes_with_the_configuration_is_shown_from_memory_and_the_files_again_without_it(
    identity: TlsIdentity, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    given = GivenCertificate(*(path.read_bytes() for path in authority.issue(LOOPBACK, "given")))
    other = GivenCertificate(given.chain, authority.issue(LOOPBACK, "other")[1].read_bytes())
    assert repr(given.key) not in repr(given)
    transport = encrypted(identity)
    async with listening(transport, answers=True):
        own, theirs = trusting(tmp_path / OWN_CERTIFICATE), trusting(authority.file)
        before = await asyncio.open_connection(*transport.local["tls"], ssl=own)
        identity.check(given)
        assert identity.give(given)
        assert not identity.give(given)
        for step in (identity.check, identity.give):
            with pytest.raises(CertificateUnusable, match="the site's certificate"):
                step(other)
        after = await asyncio.open_connection(*transport.local["tls"], ssl=theirs)
        with pytest.raises(ssl.SSLError):
            await asyncio.open_connection(*transport.local["tls"], ssl=own)
        for reader, writer in (before, after):
            writer.write(MESSAGE)
            assert await reader.readexactly(len(b"answer to " + MESSAGE))
            writer.close()
        assert identity.give(None)
        _, writer = await asyncio.open_connection(*transport.local["tls"], ssl=own)
        writer.close()


async def test_our_certificate_is_shown_to_those_that_we_connect_to(tmp_path: Path) -> None:
    authority, trunks = Authority(tmp_path), Authority(tmp_path, "trunks")
    ours = TlsIdentity(*authority.issue("edge.test", "ours"), trunks.file)
    theirs = TlsIdentity(*trunks.issue(LOOPBACK, "theirs"), authority.file)
    from_us, to_trunk = encrypted(ours), encrypted(theirs)
    async with listening(from_us) as us, listening(to_trunk, answers=True) as trunk:
        from_us.send(MESSAGE, Flow("tls", *to_trunk.local["tls"]))
        await eventually_async(lambda: len(us.heard) == 1)
        shown = to_trunk.peer(trunk.heard[0][1])
        assert shown == VerifiedPeer("client_authorities", frozenset({"edge.test"}), frozenset())
        # And the trunk is known to us by what it proved when we connected.
        known = from_us.peer(us.heard[0][1])
        assert known == VerifiedPeer("any_authorities", frozenset(), frozenset({LOOPBACK}))
