"""A call as a ladder: who spoke, when, and what; the same as a capture file that Wireshark's programs open."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.sync.ladder import Ladder
from edge_agent.sip.message import Flow
from edge_agent.sip.observation.ladder import ANSWER_BYTES, WallTime, ladder_of
from edge_agent.sip.observation.pcap import pcap_of
from edge_agent.sip.observation.tape import Recording, Tape, TapeRules
from tests.support.sip_traces import CALLEE, CALLER, LOCAL, SDP, request, response

WALL = WallTime(datetime(2026, 1, 1, 12, tzinfo=UTC), 100.0)
KEY = b"c2VjcmV0a2V5c2VjcmV0a2V5c2VjcmV0a2V5c2Vj"
SECRET = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY + b"\r\n"
INVITE = request("INVITE", headers="Content-Type: application/sdp\r\n", body=SDP + SECRET)


def recording(*messages: tuple[float, bool, Flow, bytes], rules: TapeRules | None = None) -> Recording:
    tape = Tape(rules or TapeRules())
    tape.fresh += messages
    found = tape.recording(b"call-1", 100.0)
    assert found is not None
    return found


def small_call() -> Recording:
    return recording(
        (98.0, False, CALLER, INVITE),
        (98.001, True, CALLER, response(100, "Trying")),
        (98.002, True, CALLEE, INVITE.replace(b"sip:201@demo SIP", b"sip:201@192.0.2.11:5062 SIP")),
        (98.5, False, CALLER, INVITE),
        (99.0, False, CALLEE, response(200, "OK")),
        (99.25, True, CALLER, response(200, "OK")),
    )


def ladder(what: Recording) -> Ladder:
    return ladder_of(b"call-1", what, LOCAL, WALL)


def test_a_call_is_a_ladder_of_participants_and_arrows() -> None:
    shown = ladder(small_call())
    assert [(one.name, one.address, one.edge) for one in shown.participants] == [
        ("Edge", "192.0.2.1:5060", True),
        ("200", "192.0.2.10:5060", False),
        ("201", "192.0.2.11:5062", False),
    ]
    assert [(one.source, one.target, one.method, one.status, one.again) for one in shown.arrows] == [
        (1, 0, "INVITE", 0, False),
        (0, 1, "INVITE", 100, False),
        (0, 2, "INVITE", 0, False),
        (1, 0, "INVITE", 0, True),
        (2, 0, "INVITE", 200, False),
        (0, 1, "INVITE", 200, False),
    ]
    assert shown.arrows[0].line == "INVITE sip:201@demo SIP/2.0"
    assert shown.arrows[5].at == datetime(2026, 1, 1, 11, 59, 59, 250_000, tzinfo=UTC)


def test_a_ladder_tells_no_secret() -> None:
    assert KEY.decode() not in ladder(small_call()).model_dump_json()
    assert KEY not in pcap_of(small_call(), LOCAL, WALL)


def test_what_a_hostile_peer_sent_is_shown_as_text() -> None:
    hostile = request("INVITE", headers="X: \x00\x1b[2J\u2028\r\n", uri="sip:\xff\x00@demo")
    shown = ladder(recording((98.0, False, CALLER, hostile)))
    assert "\x00" not in shown.arrows[0].text
    assert "\x1b" not in shown.arrows[0].text
    assert shown.arrows[0].line.isprintable()
    assert Ladder.model_validate_json(shown.model_dump_json()) == shown


def test_a_ladder_fits_through_the_channel_and_says_what_it_leaves_out() -> None:
    many = [(98.0, False, CALLER, request("INFO", number=number, body=b"\0" * 8000)) for number in range(300)]
    shown = ladder(recording((98.0, False, CALLER, INVITE), *many, rules=TapeRules(messages_per_call=400)))
    assert shown.left_out == 301 - len(shown.arrows) > 0
    assert len(shown.model_dump_json()) < ANSWER_BYTES * 3 // 2


@pytest.mark.peer("tshark")
def test_wireshark_reads_the_capture_file(tmp_path: Path) -> None:
    (tmp_path / "call.pcap").write_bytes(pcap_of(small_call(), LOCAL, WALL))
    packets = dissected(tmp_path / "call.pcap", "ip.src", "ip.dst", "sip.Method", "sip.Status-Code", "frame.time_epoch")
    assert packets == [
        ["192.0.2.10", "192.0.2.1", "INVITE", "", "1767268798.000000000"],
        ["192.0.2.1", "192.0.2.10", "", "100", "1767268798.001000000"],
        ["192.0.2.1", "192.0.2.11", "INVITE", "", "1767268798.002000000"],
        ["192.0.2.10", "192.0.2.1", "INVITE", "", "1767268798.500000000"],
        ["192.0.2.11", "192.0.2.1", "", "200", "1767268799.000000000"],
        ["192.0.2.1", "192.0.2.10", "", "200", "1767268799.250000000"],
    ]
    assert unhealthy(tmp_path / "call.pcap") == []


@pytest.mark.peer("tshark")
def test_wireshark_reads_the_capture_file_of_a_call_over_ipv6_and_streams(tmp_path: Path) -> None:
    local = {"udp": ("2001:db8::1", 5060), "tls": ("2001:db8::1", 5061)}
    call = recording(
        (98.0, False, Flow("tls", "2001:db8::a", 40000, 3), INVITE),
        (98.1, True, Flow("udp", "2001:db8::b", 5060), INVITE),
    )
    (tmp_path / "call.pcap").write_bytes(pcap_of(call, local, WALL))
    packets = dissected(tmp_path / "call.pcap", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport", "sip.Method")
    assert packets == [
        ["2001:db8::a", "2001:db8::1", "40000", "5061", "INVITE"],
        ["2001:db8::1", "2001:db8::b", "5060", "5060", "INVITE"],
    ]
    assert unhealthy(tmp_path / "call.pcap") == []


def dissected(file: Path, *fields: str) -> list[list[str]]:
    command = ["tshark", "-r", str(file), "-d", "udp.port==5061,sip", "-T", "json", *(f"-e{name}" for name in fields)]
    out = subprocess.run(command, capture_output=True, check=True, timeout=60)
    layers = [packet["_source"]["layers"] for packet in json.loads(out.stdout)]
    return [[one.get(name, [""])[0] for name in fields] for one in layers]


def unhealthy(file: Path) -> list[str]:
    """Packets whose checksums or lengths are wrong, or that Wireshark calls malformed."""
    command = ["tshark", "-r", str(file), "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    wrong = "_ws.malformed or ip.checksum.status == 0 or udp.checksum.status == 0"
    out = subprocess.run([*command, "-Y", wrong], capture_output=True, check=True, timeout=60)
    return out.stdout.decode().splitlines()
