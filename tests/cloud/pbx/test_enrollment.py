"""Enrollment codes are used once, in time, by whoever holds the key they prove."""

import base64
import json
from dataclasses import replace

import pytest

from cloud.models import Edge, EnrollmentCode
from cloud.pbx.edges import find_edge
from cloud.pbx.enrollment import code_text, issue_code, redeem_code
from cloud.pbx.errors import CodeExpired, CodeUnknown, CodeUsed, EnrollmentRefused, Invalid
from tests.support.customers import TOKENS, Customer, HandClock, enrollment_request, new_edge
from tests.support.postgres import Databases


@pytest.fixture
def token(databases: Databases, customer: Customer, clock: HandClock) -> str:
    edge = new_edge(databases.api, customer, clock.now())
    with databases.api.session(customer.scope) as session:
        return issue_code(session, TOKENS, edge, clock.now(), valid_seconds=60).token


def test_a_code_makes_its_edge_known_by_the_keys_that_were_sent(
    databases: Databases, token: str, clock: HandClock, customer: Customer
) -> None:
    request, _, _ = enrollment_request(token)
    enrolled = redeem_code(databases.api, request, clock.now())
    with databases.hub.session() as session:
        known = find_edge(session, enrolled.edge_id)
    assert known is not None
    assert (known.identity_key, known.sealing_key) == (request.identity_key, request.sealing_key)
    assert (enrolled.tenant_id, enrolled.site_id) == (customer.tenant_id, customer.site_id)


def test_a_used_code_is_refused_and_changes_nothing(databases: Databases, token: str, clock: HandClock) -> None:
    first = redeem_code(databases.api, enrollment_request(token)[0], clock.now())
    with databases.hub.session() as session:
        before = find_edge(session, first.edge_id)
    with pytest.raises(CodeUsed, match="already used"):
        redeem_code(databases.api, enrollment_request(token)[0], clock.now())
    with databases.hub.session() as session:
        assert find_edge(session, first.edge_id) == before


def test_an_expired_code_is_refused(databases: Databases, token: str, clock: HandClock) -> None:
    with pytest.raises(CodeExpired, match="expired"):
        redeem_code(databases.api, enrollment_request(token)[0], clock.advance(61))


def test_an_unknown_code_is_refused(databases: Databases, clock: HandClock) -> None:
    with pytest.raises(CodeUnknown, match="not known"):
        redeem_code(databases.api, enrollment_request("never issued")[0], clock.now())


def test_a_proof_by_another_key_is_refused_and_leaves_the_code_usable(
    databases: Databases, token: str, clock: HandClock
) -> None:
    request, _, _ = enrollment_request(token)
    stranger, _, _ = enrollment_request(token)
    with pytest.raises(EnrollmentRefused, match="proof"):
        redeem_code(databases.api, replace(request, proof=stranger.proof), clock.now())
    redeem_code(databases.api, request, clock.now())


def test_keys_of_a_wrong_length_are_named(databases: Databases, token: str, clock: HandClock) -> None:
    request, _, _ = enrollment_request(token)
    with pytest.raises(Invalid) as refused:
        redeem_code(databases.api, replace(request, identity_key=b"short", sealing_key=b""), clock.now())
    assert [problem.field for problem in refused.value.problems] == ["identity_key", "sealing_key"]


def test_a_revoked_edge_cannot_enroll_again(
    databases: Databases, token: str, clock: HandClock, customer: Customer
) -> None:
    with databases.api.session(customer.scope) as session:
        session.query(Edge).one().revoked_at = clock.now()
    with pytest.raises(EnrollmentRefused, match="revoked"):
        redeem_code(databases.api, enrollment_request(token)[0], clock.now())


def test_the_token_itself_is_kept_nowhere(databases: Databases, token: str, customer: Customer) -> None:
    with databases.api.session(customer.scope) as session:
        row = session.query(EnrollmentCode).one()
        assert token.encode() not in row.token_hash
        assert token not in repr(enrollment_request(token)[0])


def test_a_code_says_where_to_enroll_whom_to_trust_and_with_what() -> None:
    code = code_text("https://cloud.example:8443", "ab" * 32, "secret-token")
    content = code.removeprefix("TDM1-")
    padded = content + "=" * (-len(content) % 4)
    assert json.loads(base64.urlsafe_b64decode(padded)) == {
        "u": "https://cloud.example:8443",
        "f": "ab" * 32,
        "t": "secret-token",
    }
