"""/sites: customer locations, each with the state of its edge."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import (
    IfMatch,
    Mac,
    Name,
    Patch,
    PathId,
    Sent,
    Shown,
    Stored,
    TenantFilter,
    TimeZone,
    absent,
)
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import sites

router = new_router()

Algorithms = Annotated[list[Literal["MD5", "SHA-256"]], Field(min_length=1, max_length=2)]


class SiteEdge(Shown):
    """What the site's edge last told."""

    edge_id: UUID
    name: str
    enrolled: bool
    online: bool
    last_seen_at: datetime | None
    transport: str
    address: str
    agent_version: str
    applied_version: int | None = Field(description="The snapshot version that runs at the site")
    applied_at: datetime | None
    rejected_version: int | None = Field(description="The newest version that the edge refused, if one is refused now")
    rejected_problems: list[str]


class DhcpReservation(Shown):
    """An address that is always the same phone's."""

    mac: str
    address: str


class DhcpRange(Shown):
    """The addresses that the edge gives to phones of one network."""

    network: str
    first: str
    last: str
    router: str | None
    name_servers: list[str]
    ntp_servers: list[str]
    lease_seconds: int
    reservations: list[DhcpReservation]


class DhcpService(Shown):
    """How the edge answers DHCP."""

    ranges: list[DhcpRange]
    voice_vlan: int | None = Field(description="Told to phones as option 132")
    known_only: bool = Field(description="Only phones that the site knows get an address")
    proxy_offers: bool = Field(description="Without ranges: phones get an offer without an address")


class Hours(Shown):
    """From `start` until before `end`, in minutes after midnight, on these days."""

    days: list[int] = Field(description="1 is Monday, 7 is Sunday (ISO 8601)")
    start: int
    end: int = Field(description="1440 is midnight at the end of the day")


class PhoneRules(Shown):
    """Who may fetch what at the site."""

    served_networks: list[str] = Field(description="Phones elsewhere get nothing; empty: every network is served")
    clear_text_networks: list[str] = Field(
        description="Where files with passwords go out in clear, and by HTTPS to a phone without proof"
    )
    proof_required: bool = Field(description="Phones show their factory certificate or their password everywhere")
    answer_unknown: bool = Field(description="Plug and play tells unknown phones where to ask, too")
    approved_only: bool = Field(description="Phones that are no devices of the site get nothing at all")
    requests_per_minute_per_address: int
    requests_per_minute_per_phone: int
    dhcp: DhcpService | None
    firmware_hours: list[Hours] = Field(
        description="When phones may be told of new firmware, by the site's clocks; empty: at any time"
    )
    server_name: str | None = Field(description="The name that phones are told to fetch from by HTTPS")


class TrustedPeer(Shown):
    """A trunk, another edge of the site, or another server whose word counts."""

    name: str
    networks: list[str] = Field(description="Addresses that it sends from")
    port: int = Field(description="That its datagrams come from; 0: any")
    certificate_names: list[str] = Field(description="DNS names, one of which its certificate is for")


class MediaException(Shown):
    """A user or a device whose calls' media goes another way than the site's."""

    user_id: str | None
    device_id: str | None
    relay_media: Literal["never", "behind_nat", "always"]


class SipRules(Shown):
    """What the site decides about its SIP."""

    from_policy: Literal["strict", "lenient", "rfc3325"] = Field(description="What From of a phone's request may say")
    foreign_hosts: list[str] = Field(description="Hosts beyond the site that its users may send requests to")
    trusted_peers: list[TrustedPeer]
    country: str | None = Field(description="Whose emergency numbers count, as ISO 3166-1 alpha-2")
    emergency_numbers: list[str] = Field(description="Further numbers for help")
    qualify_phones_seconds: int = Field(
        description="How often phones are asked by OPTIONS whether they are there; 0: never"
    )
    qualify_phones: Literal["behind_nat", "all"] = Field(description="Which phones are asked")
    qualify_gateways_seconds: int = Field(description="How often gateways are asked; 0: never")
    relay_media: Literal["never", "behind_nat", "always"] = Field(
        description="When media of phones' calls goes through the site's edge"
    )
    media_exceptions: list[MediaException] = Field(description="Users and devices whose media goes another way")
    local_networks: list[str] = Field(
        description="The site's own networks, phones elsewhere are remote; empty: every private address is the site's"
    )
    direct_behind_one_nat: bool = Field(description="Whether two phones behind the same NAT send to each other")
    remote_tls_only: bool = Field(description="Whether phones from remote networks may register and call by TLS only")
    numbers_for_help: list[str] = Field(description="The country's emergency numbers and the site's own")


class VoicemailList(Shown):
    """A distribution list of the site."""

    number: str
    name: str
    members: list[str] = Field(description="Mailboxes: ids of users, or of voice services of the kind mailbox")


class VoicemailRules(Shown):
    """How the site's mailboxes answer, and what they keep."""

    language: str = Field(description="Of what is said, as RFC 5646; one that is not shipped is English")
    longest_seconds: int = Field(description="Of one message")
    shortest_seconds: int = Field(description="What is shorter is no message")
    silence_seconds: int = Field(description="A message ends when nobody speaks for so long; 0: never")
    messages: int = Field(description="In one mailbox; beyond it callers are told that it is full")
    deleted_days: int = Field(description="How long deleted messages can be taken back")
    kept_days: int = Field(description="How long all others are kept; 0: until they are deleted")
    recordings_leave: bool = Field(description="Whether recordings may leave the site: for the portal and for mails")
    operator: str = Field(description="What key 0 calls; empty: it does nothing")
    lists: list[VoicemailList] = Field(description="Mailboxes that everybody can send a message to at once")


class RecordingRule(Shown):
    """Calls that are recorded."""

    name: str
    enabled: bool
    direction: Literal["both", "in", "out"] = Field(description="in: calls from the outside; out: calls to it")
    trunk_ids: list[str] = Field(description="By which trunks and gateways; empty: by any")
    calls: Literal["trunk", "inside", "all"] = Field(
        description="trunk: those by trunks, and between a phone and a gateway; inside: from phone to phone of the site"
    )
    user_ids: list[str] = Field(
        description="Of whom, whether they call or answer; without users and groups: of everybody"
    )
    group_ids: list[str] = Field(description="Hunt groups and pickup groups of whose members they are, too")
    announcement: Literal["none", "before"] = Field(description="before: both sides are told at the beginning")


class RecordingOnDemand(Shown):
    """How users with the permission `RecordCalls` have a call recorded."""

    announcement: Literal["none", "before"] = Field(description="before: both sides are told when it begins")
    keys: str | None = Field(description="What begins and ends it, pressed during the call; null: only the record key")


class RecordingRules(Shown):
    """Which calls the site records, and for how long recordings are kept."""

    rules: list[RecordingRule] = Field(description="The first rule that fits a call counts")
    on_demand: RecordingOnDemand
    longest_minutes: int = Field(description="Of one recording; what is said later is not recorded")
    kept_days: int = Field(description="How long recordings are kept")
    disk_mb: int = Field(description="What recordings may take of the edge's disk; beyond it no other begins")
    upload: bool = Field(description="Whether recordings may leave the site: for listening in the portal")


class Site(Stored):
    """A customer location."""

    tenant_id: UUID
    name: str
    time_zone: str
    digest_algorithms: list[str] = Field(description="Of SIP challenges, in their order")
    provisioning: PhoneRules
    sip: SipRules
    voicemail: VoicemailRules
    recording: RecordingRules
    wanted_version: int | None = Field(description="The newest published snapshot version")
    published_at: datetime | None
    edges: list[SiteEdge]


class SitePage(Shown):
    """Some of the sites."""

    items: list[Site]
    next: str | None = None


class NewSite(Sent):
    """A site to be."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    name: Name
    time_zone: TimeZone = "UTC"
    digest_algorithms: Algorithms = Field(default=["MD5"])


Networks = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)]
HostText = Annotated[str, Field(max_length=253)]
Ipv4 = Annotated[str, Field(max_length=15)]


class NewDhcpReservation(Sent):
    """An address for one phone."""

    mac: Mac
    address: Ipv4


class NewDhcpRange(Sent):
    """Addresses for phones of one network."""

    network: Annotated[str, Field(max_length=64)]
    first: Ipv4
    last: Ipv4
    router: Ipv4 | None = None
    name_servers: Annotated[list[Ipv4], Field(max_length=4)] = Field(default=[])
    ntp_servers: Annotated[list[Ipv4], Field(max_length=4)] = Field(default=[])
    lease_seconds: Annotated[int, Field(ge=120, le=604_800)] = 43_200
    reservations: Annotated[list[NewDhcpReservation], Field(max_length=1024)] = Field(default=[])


class NewDhcpService(Sent):
    """How the edge shall answer DHCP."""

    ranges: Annotated[list[NewDhcpRange], Field(max_length=8)] = Field(default=[])
    voice_vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    known_only: bool = False
    proxy_offers: bool = False


class NewHours(Sent):
    """From `start` until before `end`, in minutes after midnight; hours that pass midnight are two entries."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    start: Annotated[int, Field(ge=0, le=1440)] = 0
    end: Annotated[int, Field(ge=0, le=1440)] = 1440


class PhoneRulesPatch(Patch):
    """What changes of the rules; null takes one back to its default."""

    served_networks: Networks | None = absent()
    clear_text_networks: Networks | None = absent()
    proof_required: bool | None = absent()
    answer_unknown: bool | None = absent()
    approved_only: bool | None = absent()
    requests_per_minute_per_address: Annotated[int, Field(ge=10, le=100_000)] | None = absent()
    requests_per_minute_per_phone: Annotated[int, Field(ge=10, le=10_000)] | None = absent()
    dhcp: NewDhcpService | None = absent()
    firmware_hours: Annotated[list[NewHours], Field(max_length=50)] | None = absent()
    server_name: Annotated[str, Field(max_length=253)] | None = absent()

    def changes(self) -> dict[str, Any]:
        """The rules that were sent, as plain values."""
        return self.model_dump(mode="json", include=self.model_fields_set)


class NewTrustedPeer(Sent):
    """A peer to be trusted, known by its address or by its certificate."""

    name: Name
    networks: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=16)] = Field(default=[])
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    certificate_names: Annotated[list[HostText], Field(max_length=16)] = Field(default=[])


class NewMediaException(Sent):
    """A user or a device, one of them, whose media is to go another way."""

    user_id: Annotated[str, Field(max_length=64)] | None = None
    device_id: Annotated[str, Field(max_length=64)] | None = None
    relay_media: Literal["never", "behind_nat", "always"]


class SipRulesPatch(Patch):
    """What changes of the site's SIP; null takes a part of it back to its default."""

    from_policy: Literal["strict", "lenient", "rfc3325"] | None = absent()
    foreign_hosts: Annotated[list[HostText], Field(max_length=64)] | None = absent()
    trusted_peers: Annotated[list[NewTrustedPeer], Field(max_length=32)] | None = absent()
    country: Annotated[str, Field(max_length=2)] | None = absent()
    emergency_numbers: Annotated[list[Annotated[str, Field(max_length=8)]], Field(max_length=16)] | None = absent()
    qualify_phones_seconds: Annotated[int, Field(ge=0, le=3600)] | None = absent()
    qualify_phones: Literal["behind_nat", "all"] | None = absent()
    qualify_gateways_seconds: Annotated[int, Field(ge=0, le=3600)] | None = absent()
    relay_media: Literal["never", "behind_nat", "always"] | None = absent()
    media_exceptions: Annotated[list[NewMediaException], Field(max_length=256)] | None = absent()
    local_networks: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)] | None = absent()
    direct_behind_one_nat: bool | None = absent()
    remote_tls_only: bool | None = absent()

    def changes(self) -> dict[str, Any]:
        """What was sent, as plain values."""
        return self.model_dump(mode="json", include=self.model_fields_set)


class NewVoicemailList(Sent):
    """A list as it is to be."""

    number: Annotated[str, Field(max_length=16, description="Pressed behind a star; two to six digits")]
    name: Name
    members: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=200)] = Field(
        default=[], description="Mailboxes: ids of users, or of voice services of the kind mailbox"
    )


class VoicemailRulesPatch(Patch):
    """What changes of the site's voicemail; null takes a part of it back to its default."""

    language: Annotated[str, Field(max_length=32)] | None = absent()
    longest_seconds: Annotated[int, Field(ge=10, le=3600)] | None = absent()
    shortest_seconds: Annotated[int, Field(ge=1, le=10)] | None = absent()
    silence_seconds: Annotated[int, Field(ge=0, le=60)] | None = absent()
    messages: Annotated[int, Field(ge=1, le=2000)] | None = absent()
    deleted_days: Annotated[int, Field(ge=0, le=365)] | None = absent()
    kept_days: Annotated[int, Field(ge=0, le=3650)] | None = absent()
    recordings_leave: bool | None = absent()
    operator: Annotated[str, Field(max_length=32)] | None = absent()
    lists: Annotated[list[NewVoicemailList], Field(max_length=50)] | None = absent()

    def changes(self) -> dict[str, Any]:
        """What was sent, as plain values."""
        return self.model_dump(mode="json", include=self.model_fields_set)


class NewRecordingRule(Sent):
    """A rule as it is to be."""

    name: Name
    enabled: bool = True
    direction: Literal["both", "in", "out"] = "both"
    trunk_ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=50)] = Field(default=[])
    calls: Literal["trunk", "inside", "all"] = "trunk"
    user_ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=1000)] = Field(default=[])
    group_ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)] = Field(default=[])
    announcement: Literal["none", "before"] = "before"


class NewRecordingOnDemand(Sent):
    """How users have a call recorded, of a site's."""

    announcement: Literal["none", "before"] = "before"
    keys: Annotated[str, Field(pattern=r"^[0-9*#]{2,6}$")] | None = None


class RecordingRulesPatch(Patch):
    """What changes of the site's recording of calls; null takes a part of it back to its default."""

    rules: Annotated[list[NewRecordingRule], Field(max_length=100)] | None = absent()
    on_demand: NewRecordingOnDemand | None = absent()
    longest_minutes: Annotated[int, Field(ge=1, le=480)] | None = absent()
    kept_days: Annotated[int, Field(ge=1, le=3650)] | None = absent()
    disk_mb: Annotated[int, Field(ge=10, le=1_000_000)] | None = absent()
    upload: bool | None = absent()

    def changes(self) -> dict[str, Any]:
        """What was sent, as plain values."""
        return self.model_dump(mode="json", include=self.model_fields_set)


_RULES: Final = (PhoneRulesPatch, SipRulesPatch, VoicemailRulesPatch, RecordingRulesPatch)


class SitePatch(Patch):
    """What changes at a site."""

    name: Name = absent()
    time_zone: TimeZone = absent()
    digest_algorithms: Algorithms = absent()
    provisioning: PhoneRulesPatch = absent()
    sip: SipRulesPatch = absent()
    voicemail: VoicemailRulesPatch = absent()
    recording: RecordingRulesPatch = absent()

    def changes(self) -> dict[str, Any]:
        """The fields that were sent, rules as plain values."""
        return {
            name: value.changes() if isinstance(value, _RULES) else value for name, value in super().changes().items()
        }


@router.get("/sites", **operation("listSites", "sites", "List sites with their edges' state", "tenant_admin"))
def list_sites(work: Current, limit: Limit = 50, cursor: Cursor = None, tenant_id: TenantFilter = None) -> SitePage:
    page = sites.list_sites(work.session, page_request(limit, cursor), work.services.clock.now(), tenant_id=tenant_id)
    return SitePage(items=[Site.model_validate(site) for site in page.items], next=encode_cursor(page.next))


@router.post("/sites", **operation("createSite", "sites", "Create a site", "tenant_admin", 201))
def create_site(work: Current, body: NewSite) -> Site:
    site = sites.create_site(
        work.desk, body.tenant_id or work.claims.tenant_id, body.name, body.time_zone, list(body.digest_algorithms)
    )
    return Site.model_validate(site)


@router.get("/sites/<site_id>", **operation("getSite", "sites", "Get a site with its edges' state", "tenant_admin"))
def get_site(work: Current, site_id: PathId) -> Site:
    return Site.model_validate(sites.get_site(work.session, site_id, work.services.clock.now()))


@router.patch("/sites/<site_id>", **operation("changeSite", "sites", "Change a site", "tenant_admin"))
def change_site(work: Current, site_id: PathId, body: SitePatch, if_match: IfMatch = None) -> Site:
    return Site.model_validate(sites.change_site(work.desk, site_id, body.changes(), expected_version(if_match)))


@router.delete(
    "/sites/<site_id>", **operation("deleteSite", "sites", "Delete a site and all it has", "tenant_admin", 204)
)
def delete_site(work: Current, site_id: PathId, if_match: IfMatch = None) -> None:
    sites.delete_site(work.desk, site_id, expected_version(if_match))


@router.post(
    "/sites/<site_id>/publish",
    **operation("publishSite", "sites", "Compile and publish the site again", "tenant_admin", 202),
)
def publish_site(work: Current, site_id: PathId) -> Site:
    return Site.model_validate(sites.publish_again(work.desk, site_id))
