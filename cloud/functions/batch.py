"""What every handler does around its work: log, trace, count, and report which messages failed."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cloud.functions.records import Event

Handler = Callable[[Event, Any], PartialItemFailureResponse]


class Instruments:
    """The logger, tracer and metrics of one function."""

    def __init__(self, function: str) -> None:
        self.logger = Logger(service=function)
        self.tracer = Tracer(service=function)
        # Not shared between instances, as Metrics is: on one machine several handlers run in one process.
        self.metrics = EphemeralMetrics(namespace="Tandem", service=function)


def batch_handler(instruments: Instruments, work: Callable[[str, Any], None]) -> Handler:
    """A Lambda handler for SQS events.

    Args:
        work: does what one message's body asks for, given the invocation's context; when it raises, SQS delivers
            that message again, and puts it on the dead letter queue in the end.
    """

    def handle(event: Event, context: Any) -> PartialItemFailureResponse:
        def one(record: SQSRecord) -> None:
            work(record.body, context)

        # A processor keeps the state of one batch, so each invocation has its own.
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        response: PartialItemFailureResponse = {"batchItemFailures": []}
        if event["Records"]:
            response = process_partial_response(event=event, record_handler=one, processor=processor, context=context)
        failed = len(response["batchItemFailures"])
        instruments.metrics.add_metric(
            name="MessagesHandled", unit=MetricUnit.Count, value=len(event["Records"]) - failed
        )
        instruments.metrics.add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=failed)
        for kind, _, _ in processor.exceptions:
            instruments.logger.error("message_failed", error=kind.__name__ if kind is not None else "")
        return response

    logged: Handler = instruments.logger.inject_lambda_context(handle)
    traced: Handler = instruments.tracer.capture_lambda_handler(logged, capture_response=False)
    metered: Handler = instruments.metrics.log_metrics(traced)
    return metered
