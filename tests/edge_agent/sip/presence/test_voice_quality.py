"""What phones report of their calls (RFC 6035): read, matched to the call, refused where it is none of theirs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.sync.quality import CallQuality
from edge_agent.sip.message import BadMessage, Message
from edge_agent.sip.presence.voice_quality_report import SessionReport, read
from tests.support.memory_site import MemorySite, uri, with_limits
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, sip_config

METRICS = """LocalMetrics:\r
Timestamps:START=2026-11-26T18:23:43Z STOP=2026-11-26T18:26:02Z\r
SessionDesc:PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=2 PPS=50 FMTP="annexb=no" PLC=3 SSUP=on\r
JitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120\r
PacketLoss:NLR=5.0 JDR=2.0\r
BurstGapLoss:BLD=0 BD=0 GLD=2.0 GD=500 GMIN=16\r
Delay:RTD=200 ESD=140 SOWD=200 IAJ=2 MAJ=10\r
Signal:SL=-18 NL=-50 RERL=55\r
QualityEst:RLQ=90 RCQ=85 EXTRI=90 MOSLQ=4.2 MOSCQ=3.5\r
RemoteMetrics:\r
PacketLoss:NLR=50.0 JDR=20.0\r
QualityEst:MOSLQ=1.2 MOSCQ=1.1\r
"""


def report(call_id: str, metrics: str = METRICS, kind: str = "VQSessionReport: CallTerm") -> str:
    """A report as the RFC's example has it (§4.6.2)."""
    ids = "LocalID:Alice <sip:200@demo.tandem.test>\r\nRemoteID:<sip:201@demo.tandem.test>\r\n"
    return f"{kind}\r\nCallID:{call_id}\r\n{ids}{metrics}"


def publish(phone: SipPhone, body: str, headers: str = "Content-Type: application/vq-rtcpxr\r\n") -> Message:
    """Report; the final response."""
    phone.authenticated("PUBLISH", uri("collector"), headers=f"Event: vq-rtcpxr\r\n{headers}", body=body)
    return phone.responses[-1]


def called(site: MemorySite, *, ends: bool = True) -> tuple[str, SipPhone, SipPhone]:
    """A call from 200 to 201: its Call-ID, and both phones."""
    caller, callee = site.phone("200"), site.phone("201", 180, 200)
    invite = caller.authenticated("INVITE", uri("201"))
    answer = caller.responses[-1]
    caller.in_dialog("ACK", invite, answer)
    site.network.run()
    if ends:
        caller.in_dialog("BYE", invite, answer)
        site.network.run()
    return invite.call_id.decode(), caller, callee


def told(site: MemorySite) -> list[CallQuality]:
    """What the cloud is told."""
    return [one for one in site.log.reports if isinstance(one, CallQuality)]


def test_both_phones_of_a_call_tell_how_they_heard_each_other(site: MemorySite) -> None:
    call_id, caller, callee = called(site)
    answer = publish(caller, report(call_id))
    assert (answer.status, answer.get(b"expires"), answer.has(b"sip-etag")) == (200, b"0", True)
    assert publish(callee, report(call_id, METRICS.replace("MOSCQ=3.5", ""))).status == 200
    first, second = told(site)
    assert (first.sip_call_id, first.source, first.user_id) == (site.record.sip_call_id, "phone", "user-200")
    assert (first.heard, first.codec, first.lost_percent, first.late_percent) == ("callee", "G729", 5.0, 2.0)
    assert (first.jitter_ms, first.round_trip_ms, first.mos, first.packets) == (2.0, 200.0, 3.5, None)
    assert (second.heard, second.user_id, second.mos) == ("caller", "user-201", 4.2)


def test_a_report_that_comes_before_the_call_is_over_counts_too(site: MemorySite) -> None:
    call_id, caller, _ = called(site, ends=False)
    assert publish(caller, report(call_id)).status == 200
    assert [one.heard for one in told(site)] == ["callee"]


def test_nobody_reports_of_others_calls_nor_learns_that_there_are_any(site: MemorySite) -> None:
    call_id, caller, _ = called(site)
    stranger = site.phone("202")
    answers = [publish(stranger, report(call_id)), publish(caller, report("nobody@nowhere"))]
    assert [(one.status, one.reason) for one in answers] == [(404, b"No Such Call")] * 2
    assert told(site) == []


def test_of_one_call_only_so_many_reports_are_taken(site: MemorySite) -> None:
    call_id, caller, _ = called(site)
    statuses = [publish(caller, report(call_id)).status for _ in range(6)]
    assert statuses == [200] * 4 + [403] * 2
    assert len(told(site)) == 4


def test_reports_of_intervals_and_alerts_are_answered_and_do_not_count(site: MemorySite) -> None:
    call_id, caller, _ = called(site, ends=False)
    for kind in ("VQIntervalReport", "VQAlertReport: Type=NLR Severity=Critical Dir=local"):
        assert publish(caller, report(call_id, kind=kind)).status == 200
    assert told(site) == []


def test_what_is_no_report_is_refused_with_the_reason(site: MemorySite) -> None:
    call_id, caller, _ = called(site)
    kind = "Content-Type: application/vq-rtcpxr\r\n"
    refused = [
        publish(caller, report(call_id), "Content-Type: text/plain\r\n"),
        publish(caller, report(call_id), kind + "SIP-If-Match: abc\r\n"),
        publish(caller, ""),
        publish(caller, report("")),
        publish(caller, report(call_id) + "X\r\n" * 300),
    ]
    assert [one.status for one in refused] == [415, 412, 400, 400, 400]
    assert refused[0].get(b"accept") == b"application/vq-rtcpxr"
    assert refused[3].reason == b"Report Without CallID"
    site.configure(with_limits(sip_config(), publication_bytes=100))
    assert publish(caller, report(call_id)).status == 413
    assert told(site) == []


def test_a_report_without_credentials_is_challenged(site: MemorySite) -> None:
    _, caller, _ = called(site)
    caller.request("PUBLISH", f"sip:collector@{DOMAIN}", headers="Event: vq-rtcpxr\r\n", body=report("x"))
    site.network.run()
    assert caller.responses[-1].status == 407


def test_values_that_make_no_sense_are_as_if_they_were_not_said() -> None:
    odd = "LocalMetrics:\nPacketLoss:NLR=nan JDR=200\nDelay:RTD=-1 IAJ=1e999\nQualityEst:MOSCQ=127 MOSLQ=x\n"
    assert read(report("a@b", odd).encode()) == SessionReport("a@b", "", None, None, None, None, None)


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: f"VQSessionReport\nCallID:a\n{text}".encode()))
def test_whatever_comes_is_a_report_or_nothing_or_our_error(body: bytes) -> None:
    try:
        found = read(body)
    except BadMessage:
        return
    if found is not None:
        CallQuality(sip_call_id="a", source="phone", codec=found.codec, mos=found.mos, jitter_ms=found.jitter_ms)


@pytest.mark.parametrize("cut", [0, 1, 20, 60, 200, 400])
def test_a_report_that_is_cut_short_is_read_as_far_as_it_goes_or_refused(cut: int) -> None:
    whole = report("a@b").encode()
    try:
        found = read(whole[:cut])
    except BadMessage:
        return
    whole_report = read(whole)
    assert found is not None
    assert whole_report is not None
    assert replace(whole_report, codec="").call_id.startswith(found.call_id)
