"""What every operation of the OpenAPI document says about itself, in one line per operation."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from cloud.api.chalicelib.authorizer import least
from cloud.api.chalicelib.tokens import Role


def operation(operation_id: str, tag: str, summary: str, role: Role | None, status: int = 200) -> dict[str, Any]:
    """Keyword arguments for a Powertools route.

    Args:
        operation_id: the name of the function in generated clients.
        tag: the resource.
        role: the lowest role that may use it; None: anyone, without logging in.
        status: HTTP status of success.
    """
    return {
        "operation_id": operation_id,
        "tags": [tag],
        "summary": summary,
        "security": least(role) if role else None,
        "status_code": status,
    }


def new_router() -> Router:
    """The operations of one resource, to be included by the composition root."""
    return Router()  # type: ignore[no-untyped-call]
