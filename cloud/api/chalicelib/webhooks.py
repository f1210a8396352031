"""/webhook-endpoints and /webhook-deliveries: where a tenant wants to be told, and how the telling went."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Label, Patch, PathId, Sent, Shown, Stored, TenantFilter, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import webhook_endpoints

router = new_router()

EventType = Literal[
    "alarm.cleared",
    "alarm.raised",
    "call.ended",
    "edge.offline",
    "edge.online",
    "emergency.called",
    "phone.firmware",
    "phone.registered",
    "phone.unregistered",
    "queue.abandoned",
    "queue.answered",
    "queue.called_back",
    "queue.overflowed",
    "voicemail.deleted",
    "voicemail.gone",
    "voicemail.heard",
    "voicemail.left",
    "voicemail.moved",
    "voicemail.undeleted",
]
Url = Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://[^\s\x00-\x1f]+$")]
EventTypes = Annotated[list[EventType], Field(max_length=32, description="Which it wants; empty: all")]


class WebhookEndpoint(Stored):
    """A URL that receives signed messages."""

    tenant_id: UUID
    url: str
    description: str
    event_types: list[str]
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: str


class WebhookEndpointPage(Shown):
    """Some of the endpoints."""

    items: list[WebhookEndpoint]
    next: str | None = None


class WebhookEndpointMade(WebhookEndpoint):
    """A new endpoint, with the secret that is shown this once."""

    secret: str = Field(description="`whsec_…`, as the Standard Webhooks libraries take it")


class NewWebhookEndpoint(Sent):
    """An endpoint to be."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    url: Url
    description: Label = ""
    event_types: EventTypes = Field(default=[])
    enabled: bool = True


class WebhookEndpointPatch(Patch):
    """What changes at an endpoint."""

    url: Url = absent()
    description: Label = absent()
    event_types: EventTypes = absent()
    enabled: bool = absent()


class WebhookDelivery(Shown):
    """One message to one endpoint, and how its delivery goes."""

    id: UUID
    tenant_id: UUID
    endpoint_id: UUID
    message_id: str
    event_type: str
    body: str
    state: str = Field(description="pending, delivered, failed or cancelled")
    attempts: int
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    response_status: int | None
    response_text: str
    error: str
    delivered_at: datetime | None
    created_at: datetime


class WebhookDeliveryPage(Shown):
    """Some of the deliveries, the latest first."""

    items: list[WebhookDelivery]
    next: str | None = None


@router.get(
    "/webhook-endpoints", **operation("listWebhookEndpoints", "webhooks", "List webhook endpoints", "tenant_admin")
)
def list_webhook_endpoints(
    work: Current, limit: Limit = 50, cursor: Cursor = None, tenant_id: TenantFilter = None
) -> WebhookEndpointPage:
    page = webhook_endpoints.list_endpoints(work.session, page_request(limit, cursor), tenant_id=tenant_id)
    return WebhookEndpointPage(
        items=[WebhookEndpoint.model_validate(row) for row in page.items], next=encode_cursor(page.next)
    )


@router.post(
    "/webhook-endpoints",
    **operation(
        "createWebhookEndpoint", "webhooks", "Create an endpoint; its secret is shown once", "tenant_admin", 201
    ),
)
def create_webhook_endpoint(work: Current, body: NewWebhookEndpoint) -> WebhookEndpointMade:
    made = webhook_endpoints.create_endpoint(
        work.desk,
        body.tenant_id or work.claims.tenant_id,
        webhook_endpoints.EndpointFields(body.url, body.description, list(body.event_types), body.enabled),
        insecure_allowed=work.services.insecure_webhooks,
    )
    return _with_secret(made)


@router.get(
    "/webhook-endpoints/<endpoint_id>",
    **operation("getWebhookEndpoint", "webhooks", "Get a webhook endpoint", "tenant_admin"),
)
def get_webhook_endpoint(work: Current, endpoint_id: PathId) -> WebhookEndpoint:
    return WebhookEndpoint.model_validate(webhook_endpoints.get_endpoint(work.session, endpoint_id))


@router.patch(
    "/webhook-endpoints/<endpoint_id>",
    **operation("changeWebhookEndpoint", "webhooks", "Change, enable or disable an endpoint", "tenant_admin"),
)
def change_webhook_endpoint(
    work: Current, endpoint_id: PathId, body: WebhookEndpointPatch, if_match: IfMatch = None
) -> WebhookEndpoint:
    row = webhook_endpoints.change_endpoint(
        work.desk,
        endpoint_id,
        body.changes(),
        expected_version(if_match),
        insecure_allowed=work.services.insecure_webhooks,
    )
    return WebhookEndpoint.model_validate(row)


@router.delete(
    "/webhook-endpoints/<endpoint_id>",
    **operation("deleteWebhookEndpoint", "webhooks", "Delete an endpoint with its deliveries", "tenant_admin", 204),
)
def delete_webhook_endpoint(work: Current, endpoint_id: PathId, if_match: IfMatch = None) -> None:
    webhook_endpoints.delete_endpoint(work.desk, endpoint_id, expected_version(if_match))


@router.post(
    "/webhook-endpoints/<endpoint_id>/secret",
    **operation("rotateWebhookSecret", "webhooks", "Give an endpoint a new secret, shown this once", "tenant_admin"),
)
def rotate_webhook_secret(work: Current, endpoint_id: PathId) -> WebhookEndpointMade:
    return _with_secret(webhook_endpoints.rotate_secret(work.desk, endpoint_id))


@router.get(
    "/webhook-deliveries",
    **operation("listWebhookDeliveries", "webhooks", "List deliveries, the latest first", "tenant_admin"),
)
def list_webhook_deliveries(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    endpoint_id: Annotated[UUID | None, Query(description="Only to this endpoint")] = None,
    state: Annotated[Literal["pending", "delivered", "failed", "cancelled"] | None, Query()] = None,
) -> WebhookDeliveryPage:
    page = webhook_endpoints.list_deliveries(
        work.session, page_request(limit, cursor), endpoint_id=endpoint_id, state=state
    )
    return WebhookDeliveryPage(
        items=[WebhookDelivery.model_validate(row) for row in page.items], next=encode_cursor(page.next)
    )


@router.get(
    "/webhook-deliveries/<delivery_id>",
    **operation("getWebhookDelivery", "webhooks", "Get a delivery", "tenant_admin"),
)
def get_webhook_delivery(work: Current, delivery_id: PathId) -> WebhookDelivery:
    return WebhookDelivery.model_validate(webhook_endpoints.get_delivery(work.session, delivery_id))


@router.post(
    "/webhook-deliveries/<delivery_id>/replay",
    **operation("replayWebhookDelivery", "webhooks", "Deliver a message again, now", "tenant_admin", 202),
)
def replay_webhook_delivery(work: Current, delivery_id: PathId) -> WebhookDelivery:
    return WebhookDelivery.model_validate(webhook_endpoints.replay(work.desk, delivery_id))


def _with_secret(made: webhook_endpoints.EndpointMade) -> WebhookEndpointMade:
    shown = WebhookEndpoint.model_validate(made.endpoint).model_dump()
    return WebhookEndpointMade(**shown, secret=made.secret.get_secret_value())
