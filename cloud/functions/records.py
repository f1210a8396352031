"""Work as it travels: jobs and waiting events to SQS records and back.

In AWS a relay puts these bodies on queues and Lambda hands the handlers SQS events; on one machine the local loop
makes the same events itself.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from pydantic import BaseModel, ConfigDict

from cloud.pbx.database import Database
from cloud.pbx.ingest import waiting_edges
from cloud.pbx.outbox import CLAIM_SECONDS, ClaimedJob, claim_jobs
from cloud.pbx.presence import presence_changes

Event = dict[str, Any]
"""What Lambda hands a handler."""
MAX_RECORDS = 10
"""How many records an SQS event has at most."""


class JobBody(BaseModel):
    """A claimed job of the outbox in a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: UUID
    tenant_id: UUID
    kind: str
    key: str
    payload: dict[str, Any]
    attempt: int

    def claimed(self) -> ClaimedJob:
        """As `cloud.pbx.outbox` knows it."""
        return ClaimedJob(self.job_id, self.tenant_id, self.kind, self.key, self.payload, self.attempt)


class EdgeBody(BaseModel):
    """An edge whose events wait, or that came or went, in a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant_id: UUID
    edge_id: UUID
    what: Literal["events", "presence"]


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What Powertools wants to know of an invocation, where there is no Lambda."""

    function_name: str
    aws_request_id: str
    memory_limit_in_mb: int = 256
    remaining_ms: int = 60_000

    @property
    def invoked_function_arn(self) -> str:
        """A name in the form of Lambda's."""
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may still take."""
        return self.remaining_ms


def claim_records(
    database: Database, kinds: Sequence[str], now: datetime, how_many: int = MAX_RECORDS, lease: int = CLAIM_SECONDS
) -> list[str]:
    """Claim jobs that are due; the bodies of their messages."""
    with database.session() as session:
        jobs = claim_jobs(session, kinds, how_many, now, lease)
    return [
        JobBody(
            job_id=job.job_id,
            tenant_id=job.tenant_id,
            kind=job.kind,
            key=job.key,
            payload=job.payload,
            attempt=job.attempt,
        ).model_dump_json()
        for job in jobs
    ]


def inbox_records(database: Database, now: datetime, how_many: int = MAX_RECORDS) -> list[str]:
    """Edges with waiting events and edges that came or went; the bodies of their messages."""
    with database.session() as session:
        bodies = [
            EdgeBody(tenant_id=edge.tenant_id, edge_id=edge.edge_id, what="events")
            for edge in waiting_edges(session, how_many)
        ]
        bodies += [
            EdgeBody(tenant_id=edge.tenant_id, edge_id=edge.edge_id, what="presence")
            for edge in presence_changes(session, now)
        ]
    return [body.model_dump_json() for body in bodies[:how_many]]


def sqs_event(queue: str, bodies: Iterable[str]) -> Event:
    """The event that Lambda would hand a handler for these messages; ids follow from the bodies."""
    return {"Records": [_record(queue, body, number) for number, body in enumerate(bodies)]}


def _record(queue: str, body: str, number: int) -> dict[str, Any]:
    name = f"{number}-{hashlib.sha256(body.encode()).hexdigest()[:32]}"
    return {
        "messageId": name,
        "receiptHandle": name,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "0",
            "SenderId": "local",
            "ApproximateFirstReceiveTimestamp": "0",
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:local:000000000000:{queue}",
        "awsRegion": "local",
    }


def failures(response: PartialItemFailureResponse) -> list[str]:
    """Ids of the messages that SQS would deliver again."""
    return [str(item["itemIdentifier"]) for item in response["batchItemFailures"]]
