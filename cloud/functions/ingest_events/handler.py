"""ingest_events: takes edges with waiting events, and edges that came or went, from a queue or by the clock.

Without records (EventBridge's schedule) it looks for itself, so that nothing is left behind when a message is lost.
"""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

from cloud.clock import Clock, SystemClock
from cloud.functions.batch import Handler, Instruments, batch_handler
from cloud.functions.records import EdgeBody, Event, inbox_records, sqs_event
from cloud.functions.settings import FunctionSettings
from cloud.pbx.database import Database, Scope
from cloud.pbx.ingest import BATCH, ingest_events
from cloud.pbx.presence import tell_presence
from cloud.tokens import SystemTokens, Tokens

MAX_BATCHES = 50
"""How many transactions of one edge's events a message may cause; what is left comes with the next message."""


def compose(database: Database, clock: Clock, tokens: Tokens) -> Handler:
    """The handler on given parts: what the local loop and tests call.

    An event is marked in the transaction that takes it in, so it needs no idempotency record.
    """
    instruments = Instruments("ingest_events")

    def work(body: str, context: Any) -> None:
        edge = EdgeBody.model_validate_json(body)
        scope = Scope(tenant_id=edge.tenant_id)
        if edge.what == "presence":
            with database.session(scope) as session:
                tell_presence(session, tokens, edge.edge_id, clock.now())
            return
        for _ in range(MAX_BATCHES):
            with database.session(scope) as session:
                count = ingest_events(session, tokens, edge.edge_id, clock.now())
            if count:
                instruments.logger.info("events_ingested", edge_id=str(edge.edge_id), count=count)
            if count < BATCH:
                return

    handle = batch_handler(instruments, work)

    def handle_or_look(event: Event, context: Any) -> PartialItemFailureResponse:
        if "Records" not in event:
            event = sqs_event("ingest_events", inbox_records(database, clock.now(), how_many=100))
        return handle(event, context)

    return handle_or_look


@cache
def _composed() -> Handler:
    settings = FunctionSettings.from_environment()
    clock = SystemClock()
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    return compose(database, clock, SystemTokens(clock))


def handler(event: Event, context: Any) -> PartialItemFailureResponse:
    """The Lambda entry point."""
    return _composed()(event, context)
