"""The end of the certificate that SIP phones see is told in time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.health.certificate_expiry import CertificateExpiry
from tests.support.certificates import BEGIN, Authority
from tests.support.hand_clock import HandClock

YEAR = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=36_500)


def at(moment: datetime) -> HandClock:
    """A clock that stands there."""
    return HandClock((moment - YEAR).total_seconds())


def test_the_alarm_begins_thirty_days_before_the_end_and_is_critical_in_the_last_week(tmp_path: Path) -> None:
    shown, _ = Authority(tmp_path).issue("edge.test")
    clock = at(END - timedelta(days=31))
    check = CertificateExpiry(shown, lambda: None, clock)
    assert check.run() is None
    for days, severity in ((29, "warning"), (6, "critical"), (-1, "critical")):
        clock = at(END - timedelta(days=days))
        finding = CertificateExpiry(shown, lambda: None, clock).run()
        assert finding is not None
        assert finding.severity == severity
        assert ("ended on" if days < 0 else "ends on") in finding.text
        assert str(shown) in finding.text


def test_the_sites_own_certificate_goes_before_the_file_and_its_whole_chain_counts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    short, _ = authority.issue("edge.test", days=20_000)
    shown, _ = authority.issue("edge.test", "shown")
    chain = shown.read_bytes() + short.read_bytes()
    clock = at(BEGIN + timedelta(days=19_990))
    assert CertificateExpiry(shown, lambda: None, clock).run() is None
    finding = CertificateExpiry(shown, lambda: chain, clock).run()
    assert finding is not None
    assert "bring a new one at the site" in finding.text


def test_what_is_no_certificate_is_the_business_of_who_loads_it(tmp_path: Path) -> None:
    assert CertificateExpiry(tmp_path / "none.pem", lambda: None, SystemClock()).run() is None
    assert CertificateExpiry(tmp_path / "none.pem", lambda: b"half", SystemClock()).run() is None
