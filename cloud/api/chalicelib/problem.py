"""Every error of the API as application/problem+json (RFC 9457), made in one place.

Neighbours may rely on: nothing of what was sent comes back but names of fields, and nothing of how we work inside.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import chalice.app
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from cloud.objects import ObjectsUnavailable
from cloud.pbx.errors import PbxError

_log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
MAX_PROBLEMS: Final = 100
"""Fields named in one answer."""


class WrongField(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="The field's place in the request, such as `lines.0.user_id`; empty: the whole")
    message: str


class ProblemBody(BaseModel):
    """A problem as it is sent."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="`urn:tandem:problem:<slug>`; a program decides by it")
    title: str
    status: int
    detail: str | None = None
    problems: list[WrongField] = Field(default=[], description="Every field that is wrong, all at once")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem before it is sent.

    Args:
        status: HTTP status code.
        slug: the last part of the problem's type, for programs.
        detail: one sentence for people.
        problems: (field, message) of each field that is wrong.
    """

    status: int
    slug: str
    detail: str | None = None
    problems: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> str:
        """The JSON text."""
        body = ProblemBody(
            type=f"urn:tandem:problem:{self.slug}",
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            problems=[WrongField(field=name, message=text) for name, text in self.problems[:MAX_PROBLEMS]],
        )
        return body.model_dump_json(exclude_none=True)


def problem_response(problem: Problem) -> Any:
    """The problem as a Chalice response."""
    headers: dict[str, str | list[str]] = {"Content-Type": CONTENT_TYPE, "X-Content-Type-Options": "nosniff"}
    headers.update(problem.headers)
    return chalice.app.Response(problem.body(), headers, problem.status)


def problem_of_status(status: int) -> Problem:
    """What an answer that Chalice or the gateway made by itself means."""
    match status:
        case 401:
            return Problem(401, "unauthorized", "Log in first", headers={"WWW-Authenticate": "Bearer"})
        case 403:
            return Problem(403, "forbidden", "This is not for your role")
        case 404:
            return Problem(404, "not-found", "There is nothing at this address")
        case 405:
            return Problem(405, "method-not-allowed", "This address does not know that method")
        case 413:
            return Problem(413, "too-large", "The body is larger than 1 MiB")
        case 415:
            return Problem(415, "unsupported-media-type", "Send application/json")
        case 400:
            return Problem(400, "bad-request", "The request cannot be read")
        case _:
            return Problem(status if status >= 500 else 400, "internal-error", "Something went wrong here")


def handle_problems(api: APIGatewayRestResolver) -> None:
    """Let the resolver answer each kind of error with its problem."""
    api.exception_handler(PbxError)(_of_pbx)
    api.exception_handler(RequestValidationError)(_of_validation)
    api.exception_handler(RequestUnsupportedContentType)(lambda _error: _respond(problem_of_status(415)))
    api.exception_handler(OperationalError)(_of_database)
    api.exception_handler(NoConnectionFree)(_of_database)
    api.exception_handler(ObjectsUnavailable)(_of_objects)
    api.exception_handler(NotFoundError)(lambda _error: _respond(problem_of_status(404)))


def _respond(problem: Problem) -> Response[str]:
    return Response(
        status_code=problem.status, content_type=CONTENT_TYPE, body=problem.body(), headers=dict(problem.headers)
    )


def _of_database(error: OperationalError | NoConnectionFree) -> Response[str]:
    cause = error.orig if isinstance(error, OperationalError) else error
    _log.warning("database_unavailable", extra={"error": type(cause).__name__})
    detail = "The database does not answer; try again in a moment"
    return _respond(Problem(503, "unavailable", detail, headers={"Retry-After": "2"}))


def _of_objects(error: ObjectsUnavailable) -> Response[str]:
    _log.warning("objects_unavailable", extra={"error": error.why})
    detail = "The store of large files does not answer; try again in a moment"
    return _respond(Problem(503, "unavailable", detail, headers={"Retry-After": "5"}))


def _of_pbx(error: PbxError) -> Response[str]:
    headers = {"Retry-After": str(retry)} if (retry := getattr(error, "retry_after_seconds", None)) else {}
    problems = tuple((one.field, one.message) for one in error.problems)
    return _respond(Problem(error.status, error.problem, error.detail, problems, headers))


def _of_validation(error: RequestValidationError) -> Response[str]:
    found = error.errors()
    if any(one["loc"] and one["loc"][0] == "path" for one in found):
        return _respond(problem_of_status(404))  # no id of ours looks like this
    problems = tuple((_field_name(one["loc"]), _message(one)) for one in found)
    return _respond(Problem(422, "invalid", "Some fields are wrong", problems))


def _field_name(loc: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in loc[1:])


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return "The body is not JSON"
    return str(error.get("msg", "wrong")).removeprefix("Value error, ")
