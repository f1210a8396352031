"""The certificate authority: made once, kept for its owner alone, trusted by edges for our servers only."""

import hashlib
import ipaddress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from cloud.pbx.authority import Authority, AuthorityUnreadable, FileAuthorityStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(FileAuthorityStore(tmp_path / "ca" / "authority.pem"), NOW)


def test_the_authority_is_made_once_and_kept_for_its_owner_alone(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "ca" / "authority.pem"
    again = Authority.open(FileAuthorityStore(path), NOW)
    assert again.fingerprint == authority.fingerprint
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["authority.pem"]


def test_the_fingerprint_is_the_digest_of_the_certificate(authority: Authority) -> None:
    certificate = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    assert hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest() == authority.fingerprint
    assert "PRIVATE" not in authority.certificate_pem


@pytest.mark.parametrize("name", ["cloud.example", "127.0.0.1", "::1"])
def test_a_server_certificate_is_trusted_by_whoever_trusts_the_authority(authority: Authority, name: str) -> None:
    leaf = authority.issue(["cloud.example", "127.0.0.1", "::1"], NOW)
    store = Store([x509.load_pem_x509_certificate(authority.certificate_pem.encode())])
    try:
        subject: x509.DNSName | x509.IPAddress = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        subject = x509.DNSName(name)
    verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(subject)
    assert len(verifier.verify(x509.load_pem_x509_certificate(leaf.certificate_pem), [])) == 2
    assert "PRIVATE" not in repr(leaf)


def test_a_certificate_of_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = Authority.open(FileAuthorityStore(tmp_path / "other.pem"), NOW)
    store = Store([x509.load_pem_x509_certificate(authority.certificate_pem.encode())])
    leaf = x509.load_pem_x509_certificate(other.issue(["cloud.example"], NOW).certificate_pem)
    verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(x509.DNSName("cloud.example"))
    with pytest.raises(VerificationError):
        verifier.verify(leaf, [])


def test_a_file_that_is_no_authority_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("half a")
    with pytest.raises(AuthorityUnreadable):
        Authority.open(FileAuthorityStore(tmp_path / "authority.pem"), NOW)
