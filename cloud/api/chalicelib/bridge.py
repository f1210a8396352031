"""Chalice declares the API (routes, authorizer, CORS, packaging); Powertools validates and documents it.

Neighbours may rely on: one resolver serves any number of threads, each seeing only its own request, and every
middleware stack is built before the first request arrives.
"""

import base64
import json
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, cast

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.api_gateway import Route
from chalice.app import Chalice, Request, Response

from cloud.api.chalicelib.problem import Problem, problem_response

_log = logging.getLogger(__name__)

MERGE_PATCH: Final = "application/merge-patch+json"
"""RFC 7396; accepted beside application/json, which means the same here."""
CONTENT_TYPES: Final = ["application/json", MERGE_PATCH]


def _parse_json(text: str) -> Any:
    """JSON as PostgreSQL can keep it; everything else is one kind of error.

    Raises:
        json.JSONDecodeError: not JSON, nested too deeply, or text that no database column takes.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        lowered = text.lower()
        if "\\u0000" in lowered:
            raise ValueError("a NUL character")
        if "\\ud" in lowered:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate has no UTF-8 form
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(f"not acceptable: {type(error).__name__}", "", 0) from None
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _slot(name: str) -> property:
    def get(self: "ThreadSafeResolver") -> Any:
        return self._request.get()[name]

    def put(self: "ThreadSafeResolver", value: Any) -> None:
        request = self._request.get(None)
        if request is None:
            request = {"context": {}, "processed_stack_frames": []}
            self._request.set(request)
        request[name] = value

    return property(get, put)


class ThreadSafeResolver(APIGatewayRestResolver):
    """A resolver that keeps the request per thread or task.

    The stock `resolve` writes the request to attributes of the class, where another thread's request replaces it.
    """

    current_event = _slot("current_event")
    lambda_context = _slot("lambda_context")
    context = _slot("context")
    processed_stack_frames = _slot("processed_stack_frames")

    def __init__(self) -> None:
        self._request: ContextVar[dict[str, Any]] = ContextVar("request")
        super().__init__(enable_validation=True, json_body_deserializer=_parse_json)

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """The response to one API Gateway event; nothing of it stays behind in this thread."""
        token = self._request.set(
            {
                "current_event": self._to_proxy_event(dict(event)),
                "lambda_context": context,
                "context": {},
                "processed_stack_frames": [],
            }
        )
        try:
            return self._build_response(self._resolve())
        finally:
            self._request.reset(token)


def routes(api: APIGatewayRestResolver) -> list[Route]:
    """Every route of the API, those without path parameters first."""
    return [*api._static_routes, *api._dynamic_routes]


Guard = Callable[[Route, Mapping[str, Any]], Problem | None]
"""Whether the caller of an event may use a route at all: None, or what to answer before anything is read."""


def mount(app: Chalice, api: APIGatewayRestResolver, authorizers: Mapping[str, Any], guard: Guard) -> None:
    """Declare every Powertools route as a Chalice route, so that API Gateway and packaging see them all.

    Args:
        authorizers: Chalice authorizers by the name of the OpenAPI security scheme that they stand for.
        guard: asked before a request is validated.
    """
    for route in routes(api):
        # Built now: two first requests at once would each wrap the same stack, and run every middleware twice.
        route._build_middleware_stack(router_middlewares=api._router_middlewares, app=api)
        _ = route.dependant, route.body_field
        _declare(app, api, route, authorizers, guard)


def _declare(
    app: Chalice, api: APIGatewayRestResolver, route: Route, authorizers: Mapping[str, Any], guard: Guard
) -> None:
    def view(**_path: str) -> Any:
        request = cast(Request, app.current_request)
        event = request.to_original_event()
        if (refused := guard(route, event)) is not None:
            return problem_response(refused)
        try:
            out = api.resolve(_with_plain_json_type(event), cast(Any, request.lambda_context))
        except Exception:  # noqa: BLE001  the outermost loop of a request: logged, and told as nothing but a number
            _log.exception("request_failed", extra={"operation": route.operation_id})
            return problem_response(Problem(500, "internal-error", "Something went wrong here"))
        body = base64.b64decode(out["body"]) if out.get("isBase64Encoded") else (out["body"] or "")
        headers = {name: values[0] if len(values) == 1 else values for name, values in out["multiValueHeaders"].items()}
        return Response(body, headers, out["statusCode"])

    view.__name__ = route.operation_id
    options: dict[str, Any] = {}
    scheme = next(iter((route.security or [{}])[0]), None)
    if scheme is not None:
        options["authorizer"] = authorizers[scheme]
    if route.method in {"POST", "PUT", "PATCH"}:
        options["content_types"] = CONTENT_TYPES
    app.route(route.openapi_path, methods=[route.method], name=route.operation_id, **options)(view)


def _with_plain_json_type(event: dict[str, Any]) -> dict[str, Any]:
    """The event with a merge patch labelled as the JSON that it is, for the validation to read it."""
    headers = event.get("headers") or {}
    for name, value in headers.items():
        if name.lower() == "content-type" and value.split(";")[0].strip().lower() == MERGE_PATCH:
            return {**event, "headers": {**headers, name: "application/json"}}
    return event
