"""Where tenants want to be told what happens, and how each telling went; messages are sent by webhooks.py."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Tenant, WebhookDelivery, WebhookEndpoint
from cloud.pbx import webhooks
from cloud.pbx.checks import Problems, apply_changes, check_version, get_for_change, get_or_refuse, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.pages import Page, PageRequest, newest_first, oldest_first

BY_HAND = "Disabled by hand"
SECRET_PREFIX = "whsec_"  # noqa: S105  (the Standard Webhooks' prefix, not a secret)


@dataclass(frozen=True, slots=True)
class EndpointFields:
    """What a new endpoint is made of."""

    url: str
    description: str
    event_types: list[str]
    enabled: bool


@dataclass(frozen=True, slots=True)
class EndpointMade:
    """An endpoint with its new secret."""

    endpoint: WebhookEndpoint
    secret: SecretStr


def list_endpoints(session: Session, request: PageRequest, tenant_id: UUID | None = None) -> Page[WebhookEndpoint]:
    """Endpoints, the oldest first."""
    query = select(WebhookEndpoint)
    if tenant_id is not None:
        query = query.where(WebhookEndpoint.tenant_id == tenant_id)
    return oldest_first(session, query, WebhookEndpoint.id, request)


def get_endpoint(session: Session, endpoint_id: UUID) -> WebhookEndpoint:
    """One endpoint."""
    return get_or_refuse(session, WebhookEndpoint, endpoint_id)


def create_endpoint(
    desk: Desk, tenant_id: UUID | None, fields: EndpointFields, *, insecure_allowed: bool = False
) -> EndpointMade:
    """A new endpoint with a secret of its own."""
    problems = Problems()
    problems.extend(webhooks.url_problems(fields.url, insecure_allowed=insecure_allowed))
    problems.extend(webhooks.event_type_problems(fields.event_types))
    if tenant_id is None:
        problems.add("tenant_id", "Say which tenant the endpoint belongs to")
    elif desk.session.get(Tenant, tenant_id) is None:
        problems.add("tenant_id", unknown("tenant"))
    if tenant_id is None or problems:
        raise problems.invalid()
    endpoint, secret = webhooks.create_endpoint(
        desk.session,
        desk.keys,
        desk.tokens,
        tenant_id,
        url=fields.url,
        event_types=fields.event_types,
        description=fields.description,
        insecure_allowed=insecure_allowed,
    )
    if not fields.enabled:
        endpoint.enabled, endpoint.disabled_at, endpoint.disabled_reason = False, desk.clock.now(), BY_HAND
    desk.flush()
    shown: dict[str, list[Any]] = {"url": [None, fields.url], "event_types": [None, endpoint.event_types]}
    desk.record("webhook_endpoint.created", "webhook_endpoint", endpoint.id, shown, tenant_id)
    return EndpointMade(endpoint, secret)


def change_endpoint(
    desk: Desk,
    endpoint_id: UUID,
    changes: Mapping[str, Any],
    expected: int | None,
    *,
    insecure_allowed: bool = False,
) -> WebhookEndpoint:
    """Change an endpoint; enabling it forgets why it was disabled."""
    endpoint = get_for_change(desk.session, WebhookEndpoint, endpoint_id)
    check_version(endpoint, expected)
    problems = Problems()
    if "url" in changes:
        problems.extend(webhooks.url_problems(changes["url"], insecure_allowed=insecure_allowed))
    problems.extend(webhooks.event_type_problems(changes.get("event_types", ())))
    problems.check()
    if changed := apply_changes(endpoint, changes):
        if "enabled" in changed:
            endpoint.disabled_at = None if endpoint.enabled else desk.clock.now()
            endpoint.disabled_reason = "" if endpoint.enabled else BY_HAND
        desk.flush()
        desk.record("webhook_endpoint.changed", "webhook_endpoint", endpoint.id, changed, endpoint.tenant_id)
    return endpoint


def delete_endpoint(desk: Desk, endpoint_id: UUID, expected: int | None) -> None:
    """Delete an endpoint with its deliveries."""
    endpoint = get_for_change(desk.session, WebhookEndpoint, endpoint_id)
    check_version(endpoint, expected)
    shown = {"url": [endpoint.url, None]}
    desk.record("webhook_endpoint.deleted", "webhook_endpoint", endpoint.id, shown, endpoint.tenant_id)
    desk.session.delete(endpoint)
    desk.flush()


def rotate_secret(desk: Desk, endpoint_id: UUID) -> EndpointMade:
    """Give an endpoint a new secret; what is sent from now on is signed with it."""
    endpoint = get_for_change(desk.session, WebhookEndpoint, endpoint_id)
    value = _new_secret(desk)
    endpoint.secret_version = desk.keep_secret(endpoint.tenant_id, value, endpoint.secret_id).version
    desk.flush()
    desk.record("webhook_endpoint.secret_changed", "webhook_endpoint", endpoint.id, {}, endpoint.tenant_id)
    return EndpointMade(endpoint, value)


def list_deliveries(
    session: Session, request: PageRequest, endpoint_id: UUID | None = None, state: str | None = None
) -> Page[WebhookDelivery]:
    """Deliveries, the latest first."""
    query = select(WebhookDelivery)
    if endpoint_id is not None:
        query = query.where(WebhookDelivery.endpoint_id == endpoint_id)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    return newest_first(session, query, WebhookDelivery.created_at, WebhookDelivery.id, request)


def get_delivery(session: Session, delivery_id: UUID) -> WebhookDelivery:
    """One delivery."""
    return get_or_refuse(session, WebhookDelivery, delivery_id)


def replay(desk: Desk, delivery_id: UUID) -> WebhookDelivery:
    """Deliver a message again, now, whatever came of it before.

    Raises:
        Conflict: it is still on its way, or its endpoint is disabled.
    """
    delivery = webhooks.replay_delivery(desk.session, desk.tokens, delivery_id, desk.clock.now())
    desk.record("webhook_delivery.replayed", "webhook_delivery", delivery.id, {}, delivery.tenant_id)
    return delivery


def _new_secret(desk: Desk) -> SecretStr:
    return SecretStr(SECRET_PREFIX + base64.b64encode(desk.tokens.secret(32)).decode())
