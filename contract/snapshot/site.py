"""The site itself: its names, and how its phones authenticate."""

from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.provisioning import ProvisioningPolicy
from contract.snapshot.recording import RecordingPolicy
from contract.snapshot.sip_certificate import Certificates, SipCertificate
from contract.snapshot.sip_policy import SipPolicy
from contract.snapshot.voicemail import VoicemailPolicy
from contract.values import Frozen, HostName, Id, Text

DigestAlgorithm = Literal["MD5", "SHA-256"]
"""RFC 8760 §2.2; the order in `Site.digest_algorithms` is the order of the challenges."""


class Site(Frozen):
    """One customer location, served by one edge (two, once high availability is built)."""

    site_id: Id
    tenant_id: Id
    name: Text
    domain: HostName
    """The tenant's SIP domain: the host of every address of record."""
    former_domains: Annotated[tuple[HostName, ...], Field(max_length=16)] = ()
    """What the domain was before, newest first: phones that have not fetched their file since go on by it."""
    realm: Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]{1,128}$")]
    """The digest realm: random, never changed, so that renaming the domain breaks no phone."""
    digest_algorithms: Annotated[tuple[DigestAlgorithm, ...], Field(min_length=1, max_length=2)] = ("MD5",)
    time_zone: Annotated[str, Field(pattern=r"^[0-9A-Za-z_+/-]{1,64}$")] = "UTC"
    """An IANA time zone name."""
    provisioning: ProvisioningPolicy = ProvisioningPolicy()
    sip: SipPolicy = SipPolicy()
    voicemail: VoicemailPolicy = VoicemailPolicy()
    recording: RecordingPolicy = RecordingPolicy()
    sip_certificate: SipCertificate | None = None
    """None: the edge signs its own."""
    authority: Certificates | None = None
    """The tenant's own, PEM: edges of its other sites prove themselves by it. None: there is none."""
