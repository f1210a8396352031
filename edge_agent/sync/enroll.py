"""Enrollment: a one-time code makes this machine an edge of one site.

The code carries the fingerprint of the cloud's own CA, so that nothing else needs to be trusted: the CA certificate is
fetched unverified, compared with the fingerprint, and only then is the token sent, over TLS that trusts that CA alone.
"""

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.values import Id
from edge_agent.sync.errors import IdentityUnreadable, NotEnrolled, SyncError
from edge_agent.sync.identity import EdgeKeys, HubAddress, Identity, load_identity, save_identity

log = logging.getLogger(__name__)

CODE_PREFIX: Final = "TDM1-"
MAX_CODE_LENGTH: Final = 4096
MAX_ANSWER_BYTES: Final = 64 * 1024
_TIMEOUT_SECONDS: Final = 10.0


class EnrollmentFailed(SyncError):
    """This machine did not become an edge; the text says why and what helps."""


class CodeUnreadable(EnrollmentFailed):
    """What was given is no enrollment code."""


class AlreadyEnrolled(SyncError):
    """This machine is an edge already.

    Args:
        identity: which.
    """

    def __init__(self, identity: Identity) -> None:
        super().__init__(f"this machine is enrolled already, as edge {identity.edge_id}; nothing was done")
        self.identity = identity


@dataclass(frozen=True, slots=True)
class EnrollmentCode:
    """What a code says.

    Args:
        host: where to enroll.
        port: its TCP port.
        fingerprint: SHA-256 of the cloud's CA certificate in DER, hexadecimal.
        token: the one-time right.
    """

    host: str
    port: int
    fingerprint: str
    token: str = field(repr=False)


class _CodeFields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    u: str = Field(pattern=r"^https://[^\s/?#@]{1,260}/?$")
    f: str = Field(pattern=r"^[0-9a-f]{64}$")
    t: str = Field(pattern=r"^[\x21-\x7e]{1,512}$")


class _Enrolled(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    edge_id: Id
    site_id: Id
    hub: HubAddress
    ca_pem: str = Field(max_length=MAX_ANSWER_BYTES)


class _Problem(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str = Field(default="", max_length=1000)
    detail: str = Field(default="", max_length=4000)


def parse_code(text: str) -> EnrollmentCode:
    """The code in `text`, as copied from the portal.

    Raises:
        CodeUnreadable: what is wrong with it.
    """
    text = "".join(text.split())
    if not text.startswith(CODE_PREFIX):
        raise CodeUnreadable(f"an enrollment code begins with {CODE_PREFIX}; copy the whole code from the portal")
    if len(text) > MAX_CODE_LENGTH:
        raise CodeUnreadable("this is longer than an enrollment code can be")
    body = text[len(CODE_PREFIX) :]
    try:
        content = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        fields = _CodeFields.model_validate_json(content)
        url = urlsplit(fields.u)
        port = url.port or 443
    except (binascii.Error, ValueError):
        raise CodeUnreadable("the enrollment code is cut off or changed; copy the whole code from the portal") from None
    if not url.hostname:
        raise CodeUnreadable("the enrollment code names no host; copy the whole code from the portal")
    return EnrollmentCode(url.hostname, port, fields.f, fields.t)


def enroll(code_text: str, state_dir: Path, agent_version: str, *, force: bool = False) -> Identity:
    """Make this machine an edge, and write its identity. Blocks while it asks the cloud.

    Args:
        code_text: the code.
        state_dir: where the identity goes.
        agent_version: told to the cloud.
        force: enroll although this machine is enrolled; its old identity is replaced.

    Raises:
        AlreadyEnrolled: and `force` is not set; nothing was done.
        CodeUnreadable: the code is none.
        EnrollmentFailed: the cloud was not reached, is not the one of the code, or refuses; its text is in the error.
    """
    try:
        existing = load_identity(state_dir)
    except NotEnrolled:
        pass
    except IdentityUnreadable as error:
        if not force:
            raise EnrollmentFailed(f"{error}; enroll with --force to replace it") from error
    else:
        if not force:
            raise AlreadyEnrolled(existing)
    code = parse_code(code_text)
    ca_pem = _fetch_ca(code)
    keys = EdgeKeys.generate()
    answer = _redeem(code, ca_pem, keys, agent_version)
    identity = Identity(answer.edge_id, answer.site_id, answer.hub, ca_pem, keys)
    try:
        save_identity(state_dir, identity)
    except OSError as error:
        raise EnrollmentFailed(f"the identity cannot be written to {state_dir}: {error.strerror}") from error
    log.info("enrolled", extra={"edge_id": identity.edge_id, "site_id": identity.site_id})
    return identity


def _fetch_ca(code: EnrollmentCode) -> str:
    """The cloud's CA certificate, proved by the code's fingerprint."""
    untrusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    untrusting.check_hostname = False
    untrusting.verify_mode = ssl.CERT_NONE
    status, content = _ask(code, untrusting, "GET", "/ca.pem")
    if status != http.client.OK:
        raise EnrollmentFailed(f"{code.host} does not give its certificate (HTTP {status})")
    try:
        ca_pem = content.decode("ascii")
        certificate = ssl.PEM_cert_to_DER_cert(ca_pem.strip())
    except ValueError:
        raise EnrollmentFailed(f"{code.host} gave no certificate") from None
    if not hmac.compare_digest(hashlib.sha256(certificate).hexdigest(), code.fingerprint):
        raise EnrollmentFailed(
            f"the certificate of {code.host} is not the one of the enrollment code; "
            "somebody may be listening in, or the cloud was set up anew: create a new code"
        )
    return ssl.DER_cert_to_PEM_cert(certificate)


def _redeem(code: EnrollmentCode, ca_pem: str, keys: EdgeKeys, agent_version: str) -> _Enrolled:
    """Hand in the token; from here on only the proved CA is trusted."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(cadata=ca_pem)
    request = {
        "token": code.token,
        "identity_key": base64.b64encode(keys.identity_public).decode(),
        "sealing_key": base64.b64encode(keys.sealing_public).decode(),
        "agent_version": agent_version,
        "proof": base64.b64encode(keys.prove_enrollment(code.token)).decode(),
    }
    status, content = _ask(code, trusting, "POST", "/enrollments", json.dumps(request).encode())
    if status != http.client.CREATED:
        raise EnrollmentFailed(_refusal(status, content))
    try:
        return _Enrolled.model_validate_json(content)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, e["loc"])) or "the whole" for e in error.errors(include_input=False))
        raise EnrollmentFailed(f"the cloud's answer cannot be understood; wrong: {places}") from None


def _refusal(status: int, content: bytes) -> str:
    try:
        problem = _Problem.model_validate_json(content)
    except ValidationError:
        problem = _Problem()
    text = problem.detail or problem.title or "it gave no reason"
    printable = "".join(character for character in text if character.isprintable())
    return f"the cloud refused: {printable} (HTTP {status})"


def _ask(
    code: EnrollmentCode, context: ssl.SSLContext, method: str, path: str, body: bytes | None = None
) -> tuple[int, bytes]:
    """One request; at most `MAX_ANSWER_BYTES` are read.

    Raises:
        EnrollmentFailed: no connection, no TLS, no answer, or one that is too long.
    """
    connection = http.client.HTTPSConnection(code.host, code.port, timeout=_TIMEOUT_SECONDS, context=context)
    headers = {"Accept": "application/json, application/x-pem-file", "Connection": "close"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read(MAX_ANSWER_BYTES + 1)
    except ssl.SSLCertVerificationError as error:
        raise EnrollmentFailed(f"{code.host} does not prove who it is: {error.verify_message}") from error
    except (OSError, http.client.HTTPException) as error:
        raise EnrollmentFailed(f"{code.host} port {code.port} does not answer: {error}") from error
    finally:
        connection.close()
    if len(content) > MAX_ANSWER_BYTES:
        raise EnrollmentFailed(f"{code.host} answered with more than an enrollment needs")
    return response.status, content
