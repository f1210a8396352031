"""The certificate that a site's edge shows to SIP phones, trunks and its other edge.

Either the tenant's own authority signs it (made when it is first needed; its key is a secret of the tenant), or
somebody brings one with its key. The key travels to the edge as every secret does and is never shown. What the
tenant's authority signed is signed anew before it ends.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr
from sqlalchemy.orm import Session

from cloud.models import Site, Tenant
from cloud.pbx.authority import Authority
from cloud.pbx.certificate_checks import checked_certificate, is_host_name
from cloud.pbx.checks import Problems, get_for_change, get_or_refuse, invalid
from cloud.pbx.desk import Desk
from cloud.pbx.errors import Conflict, NotFound
from cloud.pbx.other_sites import is_linked, site_name
from cloud.pbx.outbox import request_job
from cloud.pbx.secrets import SecretVersion, reveal_secret
from contract.snapshot import SITE_NAMES

VALID_DAYS: Final = 397
MAX_NAMES: Final = 16
LINKED: Final = (
    "Other sites know this one by the certificate of the tenant's authority; take `sip_host` from its edges first"
)
RENEW_CERTIFICATE: Final = "renew_certificate"
RENEW_BEFORE: Final = timedelta(days=45)
"""How long before its end a certificate is signed anew: a fortnight before the edge would raise its alarm, and an edge
that is away has all that time to come back."""


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A site's certificate as it is shown; never its key."""

    site_id: UUID
    issued: bool
    names: Sequence[str]
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    chain: str
    authority: str | None


def get_certificate(session: Session, site_id: UUID) -> CertificateView:
    """What the site's edge shows.

    Raises:
        NotFound: there is no such site, or its edge signs its own.
    """
    site = get_or_refuse(session, Site, site_id)
    return _view(session, site)


def bring_certificate(desk: Desk, site_id: UUID, chain: str, key: SecretStr) -> CertificateView:
    """Have the site's edge show a certificate of somebody's own.

    Args:
        chain: PEM, the certificate first, then what leads to its authority.
        key: its private key, PEM without a password.

    Raises:
        Invalid: naming every problem of chain and key.
    """
    site = get_for_change(desk.session, Site, site_id)
    if is_linked(desk.session, site.id):
        raise Conflict(LINKED)
    tenant = desk.session.get_one(Tenant, site.tenant_id)
    problems = Problems()
    good = checked_certificate(problems, chain, key, tenant.domain, desk.clock.now())
    if good is None or problems:
        raise problems.invalid()
    return _show(desk, site, good.chain, good.key, issued=False)


def issue_certificate(desk: Desk, site_id: UUID, names: Sequence[str] = ()) -> CertificateView:
    """Have the tenant's authority sign a new certificate for the site, also in the place of one that ends soon.

    Args:
        names: host names and addresses of the edge besides the tenant's domain.

    Raises:
        Invalid: one of the names is none.
    """
    site = get_for_change(desk.session, Site, site_id)
    problems = Problems()
    own = site_name(site.tenant_id, site.id)
    for name in names:
        if not is_host_name(name):
            problems.add("names", f"{name[:64]!r} is neither a host name nor an address")
        elif name.lower().endswith(SITE_NAMES) and name.lower() != own:
            problems.add("names", f"{name[:64]!r} is the name of another site")
    problems.check()
    authority = _authority(desk, site.tenant_id)
    domain = desk.session.get_one(Tenant, site.tenant_id).domain
    linked = [own] if is_linked(desk.session, site.id) else []
    wanted = tuple(dict.fromkeys([domain, *(name.lower() for name in names), *linked]))
    leaf = authority.issue(wanted, desk.clock.now(), VALID_DAYS, client=True)
    chain = leaf.certificate_pem.decode() + authority.certificate_pem
    return _show(desk, site, chain, SecretStr(leaf.key_pem.decode()), issued=True)


def prove_to_other_sites(desk: Desk, site_id: UUID) -> None:
    """See that the site's certificate has the name by which other sites know it.

    Raises:
        Invalid: somebody brought the site's certificate, and the tenant's authority did not sign it.
    """
    site = get_for_change(desk.session, Site, site_id)
    names: list[str] = []
    if site.sip_certificate is not None:
        if not site.sip_certificate_issued:
            raise invalid("sip_host", "The site's certificate was brought; let the tenant's authority sign one first")
        names = [str(name.value) for name in _names(_leaf(site.sip_certificate))][1:]
        if site_name(site.tenant_id, site.id) in names:
            return
    issue_certificate(desk, site_id, names)


def renew_certificate(desk: Desk, site_id: UUID) -> datetime | None:
    """Sign the certificate of a site anew, for the same names, if it ends within `RENEW_BEFORE`.

    Returns:
        When the new one ends; None: nothing was due, because there is no such site any more, somebody brought its
        certificate, or it was signed anew meanwhile (then its own renewal is asked for).
    """
    site = desk.session.get(Site, site_id, with_for_update=True)
    if site is None or site.sip_certificate is None or not site.sip_certificate_issued:
        return None
    leaf = _leaf(site.sip_certificate)
    if leaf.not_valid_after_utc - RENEW_BEFORE > desk.clock.now():
        _request_renewal(desk, site)
        return None
    # The first is the tenant's domain, which may be another one by now.
    return issue_certificate(desk, site_id, [str(name.value) for name in _names(leaf)][1:]).not_after


def _request_renewal(desk: Desk, site: Site) -> None:
    ends = _leaf(site.sip_certificate or "").not_valid_after_utc
    request_job(
        desk.session,
        desk.tokens,
        tenant_id=site.tenant_id,
        kind=RENEW_CERTIFICATE,
        key=str(site.id),
        payload={"site_id": str(site.id)},
        run_at=ends - RENEW_BEFORE,
    )


def remove_certificate(desk: Desk, site_id: UUID) -> None:
    """Have the site's edge sign its own again."""
    site = get_for_change(desk.session, Site, site_id)
    if site.sip_certificate is None:
        raise NotFound
    if is_linked(desk.session, site.id):
        raise Conflict(LINKED)
    site.sip_certificate, site.sip_certificate_issued = None, False
    site.sip_key_id = site.sip_key_version = None
    desk.flush()
    desk.record("site.sip_certificate_removed", "site", site.id, {}, site.tenant_id)
    desk.publish(site.id, f"The SIP certificate of {site.name} was taken away")


def _show(desk: Desk, site: Site, chain: str, key: SecretStr, *, issued: bool) -> CertificateView:
    version = desk.keep_secret(site.tenant_id, key, site.sip_key_id)
    before = _fingerprint(_leaf(site.sip_certificate)) if site.sip_certificate else None
    site.sip_certificate, site.sip_certificate_issued = chain, issued
    site.sip_key_id, site.sip_key_version = version.secret_id, version.version
    desk.flush()
    view = _view(desk.session, site)
    desk.record(
        "site.sip_certificate_changed", "site", site.id, {"fingerprint": [before, view.fingerprint]}, site.tenant_id
    )
    desk.publish(site.id, f"Site {site.name} got a SIP certificate")
    if issued:
        _request_renewal(desk, site)
    return view


def _authority(desk: Desk, tenant_id: UUID) -> Authority:
    """The tenant's authority, made when there is none."""
    tenant = get_for_change(desk.session, Tenant, tenant_id)
    if tenant.sip_authority and tenant.sip_authority_key_id and tenant.sip_authority_key_version:
        kept = SecretVersion(tenant.sip_authority_key_id, tenant.sip_authority_key_version)
        key = reveal_secret(desk.session, desk.keys, kept)
        return Authority.from_pem(key.get_secret_value().encode(), tenant.sip_authority.encode())
    authority = Authority.new(f"SIP authority of {tenant.domain}", desk.clock.now())
    version = desk.keep_secret(tenant.id, SecretStr(authority.key_pem.decode()))
    tenant.sip_authority = authority.certificate_pem
    tenant.sip_authority_key_id, tenant.sip_authority_key_version = version.secret_id, version.version
    desk.flush()
    desk.record(
        "tenant.sip_authority_made", "tenant", tenant.id, {"fingerprint": [None, authority.fingerprint]}, tenant.id
    )
    return authority


def _view(session: Session, site: Site) -> CertificateView:
    if site.sip_certificate is None:
        raise NotFound
    leaf = _leaf(site.sip_certificate)
    tenant = session.get(Tenant, site.tenant_id) if site.sip_certificate_issued else None
    return CertificateView(
        site_id=site.id,
        issued=site.sip_certificate_issued,
        names=[str(name.value) for name in _names(leaf)],
        issuer=leaf.issuer.rfc4514_string(),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        fingerprint=_fingerprint(leaf),
        chain=site.sip_certificate,
        authority=tenant.sip_authority if tenant is not None else None,
    )


def _leaf(chain: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(chain.encode())


def _names(leaf: x509.Certificate) -> x509.SubjectAlternativeName:
    return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _fingerprint(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
