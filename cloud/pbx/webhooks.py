"""Webhooks: which endpoints hear of what, and how each delivery goes on (Standard Webhooks 1.0.0).

A message is written, with its delivery job, in the transaction of what it tells; sending is a function's work.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from cloud.models import WebhookDelivery, WebhookEndpoint
from cloud.pbx.errors import Conflict, FieldProblem, Invalid, NotFound
from cloud.pbx.outbox import ClaimedJob, fail_job, finish_job, is_claimed, postpone_job, request_job
from cloud.pbx.secrets import KeyService, SecretVersion, keep_secret, reveal_secret
from cloud.tokens import Tokens

EVENT_TYPES: Final = (
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
)
"""What a tenant can be told."""
DELIVER_WEBHOOK: Final = "webhook"
RETRY_SECONDS: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
"""Pauses after each failed attempt; after the last the delivery has failed."""
MAX_RETRY_AFTER_SECONDS: Final = 86400.0
MAX_ENDPOINTS: Final = 100
MAX_URL_LENGTH: Final = 2048
RESPONSE_LENGTH: Final = 1000
"""How much of an answer is kept."""
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One attempt, ready to be signed and sent."""

    delivery_id: UUID
    url: str
    message_id: str
    body: str
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt led to; `status` is None when no answer came, and `error` says why."""

    status: int | None
    text: str = field(default="", repr=False)
    error: str = ""
    retry_after_seconds: float | None = None

    @property
    def delivered(self) -> bool:
        """2xx alone means that the receiver has it; a redirection is a failure."""
        return self.status is not None and 200 <= self.status < 300


def url_problems(url: str, *, insecure_allowed: bool = False) -> list[FieldProblem]:
    """What is wrong with an endpoint's URL; the addresses behind its name are checked at each delivery.

    Args:
        insecure_allowed: http is accepted too (tests and labs).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return [FieldProblem("url", "is not a URL")]
    problems = []
    if len(url) > MAX_URL_LENGTH:
        problems.append(f"has more than {MAX_URL_LENGTH} characters")
    if not url.isascii() or any(character <= " " for character in url):
        problems.append("may contain printable ASCII characters only")
    if parts.scheme != "https" and not (insecure_allowed and parts.scheme == "http"):
        problems.append("must begin with https://")
    if not parts.hostname or port == 0:
        problems.append("must name a host")
    if parts.username is not None or parts.fragment:
        problems.append("must contain neither user name nor fragment")
    return [FieldProblem("url", problem) for problem in problems]


def create_endpoint(
    session: Session,
    keys: KeyService,
    tokens: Tokens,
    tenant_id: UUID,
    *,
    url: str,
    event_types: Sequence[str] = (),
    description: str = "",
    insecure_allowed: bool = False,
) -> tuple[WebhookEndpoint, SecretStr]:
    """A new endpoint and its signing secret, which is shown this once.

    Args:
        event_types: what it wants to hear of; none means everything.

    Raises:
        Invalid: the URL or an event type cannot be accepted.
        Conflict: the tenant has too many endpoints.
    """
    problems = url_problems(url, insecure_allowed=insecure_allowed)
    problems += event_type_problems(event_types)
    if problems:
        raise Invalid(problems=problems)
    taken = session.execute(select(WebhookEndpoint.id).where(WebhookEndpoint.tenant_id == tenant_id)).all()
    if len(taken) >= MAX_ENDPOINTS:
        raise Conflict(f"A tenant can have at most {MAX_ENDPOINTS} webhook endpoints.")
    shown = SecretStr("whsec_" + base64.b64encode(tokens.secret(_SECRET_BYTES)).decode())
    secret = keep_secret(session, keys, tokens, tenant_id, shown)
    endpoint = WebhookEndpoint(
        id=tokens.id(),
        tenant_id=tenant_id,
        url=url,
        description=description,
        event_types=sorted(set(event_types)),
        secret_id=secret.secret_id,
        secret_version=secret.version,
    )
    session.add(endpoint)
    session.flush()
    return endpoint, shown


def event_type_problems(event_types: Sequence[str]) -> list[FieldProblem]:
    """Which of the event types do not exist."""
    return [
        FieldProblem(f"event_types.{place}", f"is not an event type; these are: {', '.join(EVENT_TYPES)}")
        for place, event_type in enumerate(event_types)
        if event_type not in EVENT_TYPES
    ]


def announce(
    session: Session, tokens: Tokens, tenant_id: UUID, event_type: str, at: datetime, data: Mapping[str, Any]
) -> int:
    """Write a message to every endpoint of the tenant that wants to hear of this; how many there are.

    Args:
        at: when it happened, in UTC.
        data: JSON values; thin, and never a secret.
    """
    endpoints = session.execute(
        select(WebhookEndpoint.id).where(
            WebhookEndpoint.tenant_id == tenant_id,
            WebhookEndpoint.enabled,
            or_(WebhookEndpoint.event_types == [], WebhookEndpoint.event_types.contains([event_type])),
        )
    ).scalars()
    timestamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = json.dumps({"type": event_type, "timestamp": timestamp, "data": dict(data)}, separators=(",", ":"))
    message_id = f"msg_{tokens.id().hex}"
    count = 0
    for count, endpoint_id in enumerate(endpoints, start=1):  # noqa: B007  (the count is the result)
        delivery = WebhookDelivery(
            id=tokens.id(),
            tenant_id=tenant_id,
            endpoint_id=endpoint_id,
            message_id=message_id,
            event_type=event_type,
            body=body,
        )
        session.add(delivery)
        session.flush()
        _request(session, tokens, delivery)
    return count


def replay_delivery(session: Session, tokens: Tokens, delivery_id: UUID, now: datetime) -> WebhookDelivery:
    """Deliver a message again, under its own id, as if it were new.

    Raises:
        NotFound: there is no such delivery in this scope.
        Conflict: it is still on its way, or its endpoint is disabled.
    """
    delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if delivery is None:
        raise NotFound
    if delivery.state == "pending":
        raise Conflict("This message is still on its way.")
    if not session.get_one(WebhookEndpoint, delivery.endpoint_id).enabled:
        raise Conflict("The endpoint of this message is disabled.")
    delivery.state, delivery.attempts, delivery.delivered_at, delivery.next_attempt_at = "pending", 0, None, now
    session.flush()
    _request(session, tokens, delivery)
    return delivery


def begin_attempt(session: Session, keys: KeyService, job: ClaimedJob, now: datetime) -> Outgoing | None:
    """What a delivery job is to send now; None when there is nothing to send any more, and the job is finished."""
    if not is_claimed(session, job):
        return None
    delivery = session.get(WebhookDelivery, UUID(job.payload["delivery_id"]), with_for_update=True)
    if delivery is None or delivery.state != "pending":
        finish_job(session, job, now)
        return None
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
    if not endpoint.enabled:
        delivery.state, delivery.next_attempt_at = "cancelled", None
        finish_job(session, job, now)
        return None
    secret = reveal_secret(session, keys, SecretVersion(endpoint.secret_id, endpoint.secret_version))
    return Outgoing(delivery.id, endpoint.url, delivery.message_id, delivery.body, secret)


def end_attempt(
    session: Session,
    job: ClaimedJob,
    outcome: Outcome,
    now: datetime,
    fraction: float,
    schedule: Sequence[float] = RETRY_SECONDS,
) -> None:
    """Keep what an attempt led to: delivered, again later, given up, or the endpoint is gone (410).

    Args:
        fraction: in [0, 1), spreads retries.
        schedule: seconds after each failed attempt.
    """
    if not is_claimed(session, job):
        return  # the claim ran out meanwhile: whoever has it now keeps what happens
    delivery = session.get(WebhookDelivery, UUID(job.payload["delivery_id"]), with_for_update=True)
    if delivery is None:
        finish_job(session, job, now)
        return
    delivery.attempts += 1
    delivery.last_attempt_at, delivery.next_attempt_at = now, None
    delivery.response_status, delivery.error = outcome.status, outcome.error
    delivery.response_text = outcome.text[:RESPONSE_LENGTH].replace("\0", "\N{REPLACEMENT CHARACTER}")
    if outcome.delivered:
        delivery.state, delivery.delivered_at = "delivered", now
        finish_job(session, job, now)
    elif outcome.status == 410:
        delivery.state = "failed"
        finish_job(session, job, now)
        _disable(session, delivery.endpoint_id, now, "It answered 410 Gone.")
    else:
        reason = outcome.error or f"answered {outcome.status}"
        run_at = fail_job(session, job, now, reason, fraction, schedule)
        if run_at is None:
            delivery.state = "failed"
        elif outcome.retry_after_seconds is not None:
            wished = now + timedelta(seconds=min(outcome.retry_after_seconds, MAX_RETRY_AFTER_SECONDS))
            if wished > run_at:
                run_at = wished
                postpone_job(session, job, run_at, reason)
        delivery.next_attempt_at = run_at
    session.flush()


def _disable(session: Session, endpoint_id: UUID, now: datetime, reason: str) -> None:
    endpoint = session.get_one(WebhookEndpoint, endpoint_id, with_for_update=True)
    endpoint.enabled, endpoint.disabled_at, endpoint.disabled_reason = False, now, reason
    session.flush()
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == "pending")
        .values(state="cancelled", next_attempt_at=None)
    )


def _request(session: Session, tokens: Tokens, delivery: WebhookDelivery) -> None:
    request_job(
        session,
        tokens,
        tenant_id=delivery.tenant_id,
        kind=DELIVER_WEBHOOK,
        key=str(delivery.id),
        payload={"delivery_id": str(delivery.id)},
    )
