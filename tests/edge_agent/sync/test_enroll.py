"""Enrollment against a cloud that is the code's, or is not, or refuses."""

import base64
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from cloud.pbx.enrollment import code_text, proof_text
from edge_agent.sync.enroll import (
    MAX_ANSWER_BYTES,
    AlreadyEnrolled,
    CodeUnreadable,
    EnrollmentCode,
    EnrollmentFailed,
    enroll,
    parse_code,
)
from edge_agent.sync.identity import load_identity
from tests.support.enrollment_server import EnrollmentServer, enrollment_server
from tests.support.real_hub import new_authority

ANSWER = {
    "edge_id": "edge-1",
    "site_id": "site-1",
    "hub": {"host": "127.0.0.1", "quic_port": 8444, "websocket_url": "wss://127.0.0.1:8444/channel"},
    "ca_pem": "-----BEGIN CERTIFICATE-----\n",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EnrollmentServer]:
    with enrollment_server(new_authority(tmp_path / "cloud"), tmp_path / "tls") as served:
        served.answer = ANSWER
        yield served


def test_a_code_is_what_the_cloud_writes() -> None:
    text = code_text("https://cloud.tandem.test:8443", "a" * 64, "token")
    assert parse_code(f"  {text[:20]}\n{text[20:]} ") == EnrollmentCode("cloud.tandem.test", 8443, "a" * 64, "token")
    assert "token" not in repr(parse_code(text))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "begins with TDM1-"),
        ("hello", "begins with TDM1-"),
        ("TDM1-", "cut off or changed"),
        ("TDM1-!!!!", "cut off or changed"),
        ("TDM1-" + "A" * 5000, "longer"),
        (code_text("http://cloud.tandem.test", "a" * 64, "t"), "cut off or changed"),
        (code_text("https://cloud.tandem.test:99999", "a" * 64, "t"), "cut off or changed"),
        (code_text("https://cloud.tandem.test", "a" * 63, "t"), "cut off or changed"),
        (code_text("https://:8443", "a" * 64, "t"), "names no host"),
    ],
)
def test_what_is_no_code_is_refused_with_what_to_do(text: str, problem: str) -> None:
    with pytest.raises(CodeUnreadable, match=problem):
        parse_code(text)


@given(st.one_of(st.text(max_size=200), st.text(max_size=100).map(lambda text: "TDM1-" + text)))
def test_any_text_is_a_code_or_gives_the_one_error(text: str) -> None:
    try:
        parse_code(text)
    except CodeUnreadable:
        return


@given(st.binary(max_size=300))
def test_any_bytes_in_a_code_are_a_code_or_give_the_one_error(content: bytes) -> None:
    try:
        parse_code("TDM1-" + base64.urlsafe_b64encode(content).decode())
    except CodeUnreadable:
        return


def test_enrolling_proves_the_identity_key_and_writes_the_identity(server: EnrollmentServer, tmp_path: Path) -> None:
    identity = enroll(server.code("the-token"), tmp_path / "state", "1.2.3")
    (request,) = server.requests
    assert (request["path"], request["token"], request["agent_version"]) == ("/enrollments", "the-token", "1.2.3")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(request["identity_key"]))
    public.verify(base64.b64decode(request["proof"]), proof_text("the-token"))
    assert base64.b64decode(request["sealing_key"]) == identity.keys.sealing_public
    kept = load_identity(tmp_path / "state")
    assert (kept.edge_id, kept.site_id, kept.keys.raw()) == ("edge-1", "site-1", identity.keys.raw())
    # What was proved by the fingerprint is trusted, not what the answer says.
    assert kept.ca_pem.split() == server.authority.certificate_pem.split()
    assert stat.S_IMODE((tmp_path / "state" / "identity.json").stat().st_mode) == 0o600


def test_enrolling_again_does_nothing_unless_forced(server: EnrollmentServer, tmp_path: Path) -> None:
    first = enroll(server.code(), tmp_path, "1")
    with pytest.raises(AlreadyEnrolled, match="edge-1"):
        enroll(server.code(), tmp_path, "1")
    assert len(server.requests) == 1
    assert enroll(server.code(), tmp_path, "1", force=True).keys.raw() != first.keys.raw()


def test_an_unreadable_identity_is_not_overwritten_unless_forced(server: EnrollmentServer, tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text("{")
    with pytest.raises(EnrollmentFailed, match="--force"):
        enroll(server.code(), tmp_path, "1")
    enroll(server.code(), tmp_path, "1", force=True)


def test_a_cloud_with_another_certificate_never_sees_the_token(server: EnrollmentServer, tmp_path: Path) -> None:
    other = new_authority(tmp_path / "other")
    code = code_text(f"https://127.0.0.1:{server.port}", other.fingerprint, "token")
    with pytest.raises(EnrollmentFailed, match="not the one of the enrollment code"):
        enroll(code, tmp_path / "state", "1")
    assert server.requests == []


def test_a_listener_that_shows_the_genuine_certificate_without_its_key_never_sees_the_token(
    server: EnrollmentServer, tmp_path: Path
) -> None:
    genuine = new_authority(tmp_path / "genuine")
    server.ca_pem = genuine.certificate_pem.encode()
    code = code_text(f"https://127.0.0.1:{server.port}", genuine.fingerprint, "token")
    with pytest.raises(EnrollmentFailed, match="does not prove who it is"):
        enroll(code, tmp_path / "state", "1")
    assert server.requests == []


@pytest.mark.parametrize("status", [403, 404, 409, 410])
def test_a_refusal_is_told_in_the_clouds_words(server: EnrollmentServer, tmp_path: Path, status: int) -> None:
    server.status = status
    server.answer = {"title": "refused", "detail": "This enrollment code was already used.\x1b[31m"}
    with pytest.raises(EnrollmentFailed, match="already used") as caught:
        enroll(server.code(), tmp_path, "1")
    assert "\x1b" not in str(caught.value)
    assert not (tmp_path / "identity.json").exists()


@pytest.mark.parametrize("answer", [b"", b"<html>", b"x" * (MAX_ANSWER_BYTES + 10), b'{"edge_id": 1}'])
@pytest.mark.parametrize("status", [201, 500])
def test_an_answer_that_is_none_is_named(server: EnrollmentServer, tmp_path: Path, answer: bytes, status: int) -> None:
    server.status, server.answer = status, answer
    with pytest.raises(EnrollmentFailed):
        enroll(server.code(), tmp_path, "1")
    assert not (tmp_path / "identity.json").exists()


def test_a_cloud_that_is_not_there_is_named(tmp_path: Path) -> None:
    with enrollment_server(new_authority(tmp_path / "cloud"), tmp_path / "tls") as served:
        code = served.code()
    with pytest.raises(EnrollmentFailed, match="does not answer"):
        enroll(code, tmp_path, "1")


@pytest.mark.parametrize("ca_pem", [b"", b"no certificate", b"\xff" * 50])
def test_a_certificate_that_is_none_is_named(server: EnrollmentServer, tmp_path: Path, ca_pem: bytes) -> None:
    server.ca_pem = ca_pem
    with pytest.raises(EnrollmentFailed, match="gave no certificate"):
        enroll(server.code(), tmp_path, "1")
