"""/edges, /enrollments and /ca.pem: agents at sites, and how a new one becomes ours."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from pydantic import Base64Bytes, Field, SecretStr

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Name, Patch, PathId, Sent, Shown, SiteFilter, Stored, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current, Visitor, Work
from cloud.pbx import edge_places
from cloud.pbx.enrollment import EnrollmentRequest, code_text, redeem_code
from contract.snapshot.other_site import EdgeHost

router = new_router()


class Edge(Stored):
    """An edge agent's place at a site."""

    tenant_id: UUID
    site_id: UUID
    name: str
    enrolled_at: datetime | None = Field(description="null: its enrollment code was not used yet")
    revoked_at: datetime | None
    sip_host: str | None = Field(
        description="IPv4 address at which the tenant's other sites reach it; null: they do not"
    )
    sip_port: int
    online: bool
    last_seen_at: datetime | None
    connected_at: datetime | None
    transport: str
    address: str
    agent_version: str
    applied_version: int | None
    applied_at: datetime | None
    rejected_version: int | None
    rejected_problems: list[str]
    media_engine: str = Field(description="What its voice services run on; empty: it has not told")
    receives_fax: bool | None = Field(description="null: it has not told")


class EdgePage(Shown):
    """Some of the edges."""

    items: list[Edge]
    next: str | None = None


class EnrollmentCode(Shown):
    """A one-time right to become an edge, shown this once."""

    code: str
    command: str = Field(description="What to run on the machine that shall be the edge")
    expires_at: datetime


class EdgeMade(Edge):
    """A new edge with its enrollment code."""

    enrollment: EnrollmentCode


class NewEdge(Sent):
    """An edge to be."""

    site_id: UUID
    name: Name = "Edge"


class EdgePatch(Patch):
    """What changes at an edge."""

    name: Name = absent()
    sip_host: EdgeHost | None = absent()
    sip_port: Annotated[int, Field(ge=1, le=65535)] = absent()


class Enrollment(Sent):
    """What an agent sends to become an edge."""

    token: Annotated[SecretStr, Field(min_length=1, max_length=200)]
    identity_key: Annotated[Base64Bytes, Field(description="Raw Ed25519 public key", max_length=32)]
    sealing_key: Annotated[Base64Bytes, Field(description="Raw X25519 public key", max_length=32)]
    agent_version: Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
    proof: Annotated[
        Base64Bytes, Field(description="Ed25519 signature over `tandem-enroll-v1`, a NUL and the token", max_length=64)
    ]


class EnrollmentHub(Shown):
    """Where the edge connects."""

    host: str
    quic_port: int
    websocket_url: str


class Enrolled(Shown):
    """What a new edge is, and whom it trusts."""

    edge_id: UUID
    site_id: UUID
    hub: EnrollmentHub
    ca_pem: str


@router.get("/edges", **operation("listEdges", "edges", "List edges with their state", "tenant_admin"))
def list_edges(work: Current, limit: Limit = 50, cursor: Cursor = None, site_id: SiteFilter = None) -> EdgePage:
    now = work.services.clock.now()
    page = edge_places.list_edges(work.session, page_request(limit, cursor), now, site_id=site_id)
    return EdgePage(items=[Edge.model_validate(edge) for edge in page.items], next=encode_cursor(page.next))


@router.post(
    "/edges", **operation("createEdge", "edges", "Create an edge and its one-time enrollment code", "tenant_admin", 201)
)
def create_edge(work: Current, body: NewEdge) -> EdgeMade:
    made = edge_places.create_edge(work.desk, body.site_id, body.name)
    code = _code(work, made.id)
    edge = edge_places.get_edge(work.session, made.id, work.services.clock.now())
    return EdgeMade(**Edge.model_validate(edge).model_dump(), enrollment=code)


@router.get("/edges/<edge_id>", **operation("getEdge", "edges", "Get an edge with its state", "tenant_admin"))
def get_edge(work: Current, edge_id: PathId) -> Edge:
    return Edge.model_validate(edge_places.get_edge(work.session, edge_id, work.services.clock.now()))


@router.patch(
    "/edges/<edge_id>",
    **operation("changeEdge", "edges", "Rename an edge, or say where other sites reach it", "tenant_admin"),
)
def change_edge(work: Current, edge_id: PathId, body: EdgePatch, if_match: IfMatch = None) -> Edge:
    edge_places.change_edge(work.desk, edge_id, body.changes(), expected_version(if_match))
    return Edge.model_validate(edge_places.get_edge(work.session, edge_id, work.services.clock.now()))


@router.delete(
    "/edges/<edge_id>", **operation("deleteEdge", "edges", "Revoke an edge: the hub refuses it", "tenant_admin", 204)
)
def delete_edge(work: Current, edge_id: PathId, if_match: IfMatch = None) -> None:
    edge_places.revoke_edge(work.desk, edge_id, expected_version(if_match))


@router.post(
    "/edges/<edge_id>/enrollment-code",
    **operation("renewEnrollmentCode", "edges", "Make a new enrollment code; older ones end", "tenant_admin", 201),
)
def renew_enrollment_code(work: Current, edge_id: PathId) -> EnrollmentCode:
    return _code(work, edge_id)


@router.post("/enrollments", **operation("enroll", "edges", "Become an edge, by a one-time code", None, 201))
def enroll(visit: Visitor, body: Enrollment) -> Enrolled:
    services = visit.services
    request = EnrollmentRequest(body.token.get_secret_value(), body.identity_key, body.sealing_key, body.proof)
    edge = redeem_code(services.database, request, services.clock.now())
    return Enrolled(
        edge_id=edge.edge_id,
        site_id=edge.site_id,
        hub=EnrollmentHub.model_validate(services.hub),
        ca_pem=services.ca.certificate_pem,
    )


@router.get("/ca.pem", **operation("getCa", "edges", "The cloud's CA certificate", None))
def get_ca(visit: Visitor) -> Response[str]:
    return Response(200, "application/x-pem-file", visit.services.ca.certificate_pem)


def _code(work: Work, edge_id: UUID) -> EnrollmentCode:
    services = work.services
    issued = edge_places.new_enrollment_code(work.desk, edge_id)
    code = code_text(services.enrollment_url, services.ca.fingerprint, issued.token)
    command = f"curl -fsSL {services.installer_url} | sh -s -- --enroll {code}"
    return EnrollmentCode(code=code, command=command, expires_at=issued.expires_at)
