"""/sites/{id}/sip-certificate: what a site's edge shows to those who connect to it by TLS."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, SecretStr

from cloud.api.chalicelib.fields import PathId, Sent, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import sip_certificates
from contract.snapshot import MAX_CHAIN_CHARACTERS

router = new_router()


class SipCertificate(Shown):
    """A certificate; its key is never shown."""

    site_id: UUID
    issued: bool = Field(description="Whether the tenant's own authority signed it; else somebody brought it")
    names: list[str]
    issuer: str
    not_before: datetime
    not_after: datetime = Field(
        description="If issued, it is replaced 45 days before; 30 days before, the edge raises certificate_expiry"
    )
    fingerprint: str = Field(description="SHA-256")
    chain: str = Field(description="PEM, the site's own first")
    authority: str | None = Field(description="PEM; what phones have to trust when the tenant's authority signed")


class BroughtCertificate(Sent):
    """A certificate of somebody's own."""

    certificate: Annotated[
        str,
        Field(max_length=MAX_CHAIN_CHARACTERS, description="PEM: the site's own, then what leads to its authority"),
    ]
    key: Annotated[SecretStr, Field(max_length=8192, description="Its private key, PEM without a password")]


class WantedCertificate(Sent):
    """What the tenant's authority shall sign."""

    names: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=253)]],
        Field(max_length=sip_certificates.MAX_NAMES, description="Of the edge, besides the tenant's domain"),
    ] = Field(default=[])


@router.get(
    "/sites/<site_id>/sip-certificate",
    **operation("getSipCertificate", "sites", "Get the certificate that a site's edge shows", "tenant_admin"),
)
def get_sip_certificate(work: Current, site_id: PathId) -> SipCertificate:
    return SipCertificate.model_validate(sip_certificates.get_certificate(work.session, site_id))


@router.put(
    "/sites/<site_id>/sip-certificate",
    **operation("bringSipCertificate", "sites", "Have a site's edge show a certificate of your own", "tenant_admin"),
)
def bring_sip_certificate(work: Current, site_id: PathId, body: BroughtCertificate) -> SipCertificate:
    brought = sip_certificates.bring_certificate(work.desk, site_id, body.certificate, body.key)
    return SipCertificate.model_validate(brought)


@router.post(
    "/sites/<site_id>/sip-certificate",
    **operation(
        "issueSipCertificate", "sites", "Have the tenant's authority sign a new certificate", "tenant_admin", 201
    ),
)
def issue_sip_certificate(work: Current, site_id: PathId, body: WantedCertificate) -> SipCertificate:
    issued = sip_certificates.issue_certificate(work.desk, site_id, body.names)
    return SipCertificate.model_validate(issued)


@router.delete(
    "/sites/<site_id>/sip-certificate",
    **operation("removeSipCertificate", "sites", "Have a site's edge sign its own certificate", "tenant_admin", 204),
)
def remove_sip_certificate(work: Current, site_id: PathId) -> None:
    sip_certificates.remove_certificate(work.desk, site_id)
