"""Certificates that the tenant's authority signed are signed anew before they end; those that were brought are not."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from pydantic import SecretStr
from sqlalchemy import select

from cloud.functions.records import claim_records, failures, sqs_event
from cloud.functions.renew_certificates import handler as renew_certificates
from cloud.models import AuditEntry, Job
from cloud.pbx.audit import Actor
from cloud.pbx.authority import Authority
from cloud.pbx.desk import Desk
from cloud.pbx.publishing import newest_version
from cloud.pbx.secrets import FileKeyService
from cloud.pbx.sip_certificates import (
    RENEW_BEFORE,
    RENEW_CERTIFICATE,
    VALID_DAYS,
    CertificateView,
    bring_certificate,
    get_certificate,
    issue_certificate,
    remove_certificate,
)
from tests.cloud.functions.conftest import Functions
from tests.support.customers import TOKENS, Customer, HandClock, key_service
from tests.support.postgres import Databases

DUE = timedelta(days=VALID_DAYS) - RENEW_BEFORE


@dataclass
class Renewals:
    """A customer's site; `run` does what is due at the clock's time and tells how many jobs that were."""

    databases: Databases
    customer: Customer
    clock: HandClock
    keys: FileKeyService
    failed: list[str] = field(default_factory=list)

    def change(self, what: Any) -> Any:
        with self.databases.api.session(self.customer.scope) as session:
            return what(Desk(session, Actor("test"), self.clock, TOKENS, self.keys))

    def run(self, keys: FileKeyService | None = None) -> int:
        handle = renew_certificates.compose(self.databases.worker, keys or self.keys, self.clock, TOKENS)
        bodies = [
            body
            for body in claim_records(self.databases.worker, [RENEW_CERTIFICATE], self.clock.now(), 100)
            if str(self.customer.site_id) in body
        ]
        context = Functions.context("renew_certificates")
        assert failures(handle(sqs_event("renew_certificates", bodies), context)) == []
        return len(bodies)

    def shown(self) -> CertificateView:
        with self.databases.api.session(self.customer.scope) as session:
            return get_certificate(session, self.customer.site_id)

    def issue(self, *names: str) -> CertificateView:
        made: CertificateView = self.change(lambda desk: issue_certificate(desk, self.customer.site_id, names))
        return made

    def waiting(self) -> list[Job]:
        with self.databases.worker.session(self.customer.scope) as session:
            found = session.execute(select(Job).where(Job.kind == RENEW_CERTIFICATE, Job.state == "pending"))
            return list(found.scalars())


@pytest.fixture
def renewals(databases: Databases, customer: Customer, clock: HandClock, keys: FileKeyService) -> Renewals:
    return Renewals(databases, customer, clock, keys)


def test_a_certificate_is_signed_anew_for_the_same_names_before_it_ends_and_so_is_the_next(
    renewals: Renewals, functions: Functions
) -> None:
    first = renewals.issue("edge.example.test", "192.0.2.10")
    renewals.clock.advance((DUE - timedelta(minutes=5)).total_seconds())
    assert renewals.run() == 0
    renewals.clock.advance((timedelta(minutes=10)).total_seconds())
    assert renewals.run() == 1
    second = renewals.shown()
    assert (second.names, second.authority) == (first.names, first.authority)
    assert second.fingerprint != first.fingerprint
    assert second.not_after > first.not_after
    with renewals.databases.worker.session(renewals.customer.scope) as session:
        entry = session.execute(
            select(AuditEntry).where(AuditEntry.actor == "renew_certificates", AuditEntry.resource == "site")
        ).scalar_one()
        assert entry.changes["fingerprint"] == [first.fingerprint, second.fingerprint]
    # The edge gets it with the next version of its configuration.
    functions.publish()
    with renewals.databases.worker.session(renewals.customer.scope) as session:
        assert newest_version(session, renewals.customer.site_id) is not None
    renewals.clock.advance((DUE + timedelta(minutes=10)).total_seconds())
    assert renewals.run() == 1
    assert renewals.shown().fingerprint != second.fingerprint


def test_a_certificate_that_was_signed_anew_by_hand_waits_for_its_own_time(renewals: Renewals) -> None:
    renewals.issue()
    renewals.clock.advance((timedelta(days=100)).total_seconds())
    by_hand = renewals.issue()
    renewals.clock.advance((DUE - timedelta(days=99)).total_seconds())
    assert renewals.run() == 1
    assert renewals.shown() == by_hand
    renewals.clock.advance((timedelta(days=100)).total_seconds())
    assert renewals.run() == 1
    assert renewals.shown().fingerprint != by_hand.fingerprint


def test_a_certificate_that_was_brought_or_taken_away_stays_so(renewals: Renewals) -> None:
    names = renewals.issue().names
    authority = Authority.new("Another CA", renewals.clock.now())
    leaf = authority.issue(names, renewals.clock.now(), 2_000)
    renewals.change(
        lambda desk: bring_certificate(
            desk, renewals.customer.site_id, leaf.certificate_pem.decode(), SecretStr(leaf.key_pem.decode())
        )
    )
    renewals.clock.advance((DUE + timedelta(days=1)).total_seconds())
    assert renewals.run() == 1
    assert x509.load_pem_x509_certificate(renewals.shown().chain.encode()).issuer.rfc4514_string() == "CN=Another CA"
    assert renewals.waiting() == []
    renewals.issue()
    renewals.change(lambda desk: remove_certificate(desk, renewals.customer.site_id))
    renewals.clock.advance((DUE + timedelta(days=1)).total_seconds())
    assert renewals.run() == 1
    assert renewals.waiting() == []


def test_a_key_that_cannot_be_opened_is_tried_again_and_the_old_certificate_stays(renewals: Renewals) -> None:
    first = renewals.issue()
    renewals.clock.advance((DUE + timedelta(minutes=10)).total_seconds())
    assert renewals.run(key_service()) == 1
    assert renewals.shown() == first
    (job,) = renewals.waiting()
    assert job.error == "SecretUnreadable"
    renewals.clock.advance((timedelta(minutes=2)).total_seconds())
    assert renewals.run() == 1
    assert renewals.shown().fingerprint != first.fingerprint


def test_a_certificate_that_stood_before_renewals_did_is_found_by_its_job(renewals: Renewals) -> None:
    """The migration writes a job that is due at once for each of them."""
    first = renewals.issue()
    with renewals.databases.worker.session(renewals.customer.scope) as session:
        job = session.execute(select(Job).where(Job.kind == RENEW_CERTIFICATE)).scalar_one()
        job.run_at = renewals.clock.now()
    assert renewals.run() == 1
    assert renewals.shown() == first
    (job,) = renewals.waiting()
    assert job.run_at == first.not_after - RENEW_BEFORE
