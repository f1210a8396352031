"""The copy for Homer: what Kamailio makes of it, and that telephony never waits for it."""

import asyncio
import socket
import struct
from pathlib import Path
from time import monotonic

import pytest

from edge_agent.clock import SystemClock
from edge_agent.sip.observation.hep import LARGEST_PAYLOAD, hep_packet
from edge_agent.sip.observation.tape import Tape, TapeRules
from edge_agent.sip.transport import SipTransport
from edge_agent.sip.transport.hep_export import HepExport
from tests.support.sip_traces import CALLER, LOCAL, SDP, request, response
from tests.support.transport_listener import listening
from tests.support.waiting import eventually_async

INVITE = request("INVITE", headers="Content-Type: application/sdp\r\n", body=SDP + b"k=base64:c2VjcmV0\r\n")


def chunks(packet: bytes) -> dict[int, bytes]:
    """The chunks by their numbers, read by the specification."""
    assert packet[:4] == b"HEP3"
    assert struct.unpack("!H", packet[4:6])[0] == len(packet)
    found, at = {}, 6
    while at < len(packet):
        vendor, kind, length = struct.unpack("!HHH", packet[at : at + 6])
        assert vendor == 0
        found[kind] = packet[at + 6 : at + length]
        at += length
    return found


def test_a_packet_says_who_sent_what_to_whom_and_when() -> None:
    packet = hep_packet(INVITE, "udp", ("192.0.2.10", 5060), ("192.0.2.1", 5062), 1767268798.25, 2001, b"secret")
    assert chunks(packet) == {
        1: b"\x02",
        2: b"\x11",
        3: bytes((192, 0, 2, 10)),
        4: bytes((192, 0, 2, 1)),
        7: struct.pack("!H", 5060),
        8: struct.pack("!H", 5062),
        9: struct.pack("!I", 1767268798),
        10: struct.pack("!I", 250_000),
        11: b"\x01",
        12: struct.pack("!I", 2001),
        14: b"secret",
        15: INVITE,
    }


def test_without_a_password_there_is_no_chunk_for_it_and_ipv6_has_its_own_chunks() -> None:
    found = chunks(hep_packet(INVITE, "tls", ("2001:db8::a", 1), ("192.0.2.1", 2), 1.0, 1))
    assert 14 not in found
    assert (found[1], found[2]) == (b"\x0a", b"\x06")
    assert found[5] == socket.inet_pton(socket.AF_INET6, "2001:db8::a")
    assert found[6] == socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1")


def test_a_message_too_long_for_a_datagram_is_cut() -> None:
    packet = hep_packet(b"x" * 65_000, "tcp", ("192.0.2.10", 1), ("192.0.2.1", 2), 1.0, 1)
    assert len(packet) < 65_507
    assert len(chunks(packet)[15]) == LARGEST_PAYLOAD


KAMAILIO = """
log_stderror=yes
fork=no
children=1
listen=udp:127.0.0.1:{port}
loadmodule "db_text.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "sipcapture.so"
modparam("sipcapture", "hep_capture_on", 1)
modparam("sipcapture", "db_url", "text://{folder}")
request_route {{ xlog("L_ALERT", "captured $rm of $ci from $si:$sp to $Ri\\n"); exit; }}
onreply_route {{ xlog("L_ALERT", "captured $rs of $ci from $si:$sp to $Ri\\n"); exit; }}
"""


@pytest.mark.peer("kamailio")
async def test_kamailios_capture_server_reads_our_hep(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "kamailio.cfg").write_text(KAMAILIO.format(port=port, folder=tmp_path / "tables"))
    command = ["kamailio", "-f", str(tmp_path / "kamailio.cfg"), "-DD", "-E", "-Y", str(tmp_path)]
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out)
    asked = hep_packet(INVITE, "udp", ("192.0.2.10", 5060), ("192.0.2.1", 5062), 1767268798.25, 2001, b"secret")
    said = response(200, "OK")
    answered = hep_packet(said, "tls", ("2001:db8::1", 5061), ("2001:db8::a", 40000), 1767268798.5, 2001)
    try:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:

            def told() -> bool:
                sender.sendto(asked, ("127.0.0.1", port))
                sender.sendto(answered, ("127.0.0.1", port))
                text = log.read_text()
                return "captured INVITE" in text and "captured 200" in text

            await eventually_async(told, within=15)
    finally:
        server.terminate()
        await server.wait()
    text = log.read_text()
    assert "captured INVITE of call-1 from 192.0.2.10:5060 to 192.0.2.1" in text
    assert "captured 200 of call-1 from 2001:db8::1:5061" in text


async def test_every_message_is_copied_to_homer_with_its_secrets_masked() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as homer:
        homer.bind(("127.0.0.1", 0))
        homer.setblocking(False)
        export = HepExport(homer.getsockname(), 7, b"secret", SystemClock())
        await export.start()
        transport = SipTransport(SystemClock(), udp=("127.0.0.1", 0), tape=Tape(TapeRules(bytes=0), export))
        export.local = lambda: transport.local
        async with listening(transport, answers=True):
            with socket.socket(type=socket.SOCK_DGRAM) as phone:
                phone.bind(("127.0.0.1", 0))
                phone.sendto(INVITE, transport.local["udp"])
                await eventually_async(lambda: export.sent == 2)
                came, went = (chunks(homer.recv(65_535)) for _ in range(2))
                assert came[15] == INVITE.replace(b"k=base64:c2VjcmV0", b"k=" + b"x" * 15)
                assert went[15].startswith(b"answer to INVITE")
                ports = [struct.pack("!H", one) for one in (phone.getsockname()[1], transport.local["udp"][1])]
                assert [came[7], came[8]] == ports == [went[8], went[7]]
        export.close()


async def test_a_homer_that_is_not_there_costs_nothing_but_a_count() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        address = gone.getsockname()
    export = HepExport(address, 7, b"", SystemClock())
    export.local = lambda: LOCAL
    await export.start()
    for _ in range(3):
        export([(monotonic(), False, CALLER, INVITE)])
    assert export.lost >= 1
    export.close()
