"""The API's description as OpenAPI 3.1: what Powertools makes of the routes, with our problems in every operation."""

from functools import cache
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

from cloud.api.chalicelib.authorizer import SCHEME
from cloud.api.chalicelib.operation import new_router
from cloud.api.chalicelib.problem import CONTENT_TYPE, ProblemBody

TITLE: Final = "Tandem"
VERSION: Final = "1"
"""Of the API, not of the software behind it."""

_TEXTS: Final = {
    "400": "The request cannot be read",
    "401": "Not logged in, or no longer",
    "403": "Not for this role",
    "404": "There is no such thing, or it is another tenant's",
    "409": "It contradicts something that exists",
    "410": "It was there, and its time is over",
    "412": "It was changed since the version in If-Match",
    "413": "The body is larger than 1 MiB",
    "415": "The body is not application/json",
    "422": "Some fields are wrong; each is named",
    "429": "Too often; see Retry-After",
    "500": "Something went wrong here",
    "502": "The edge could not answer",
    "503": "The database does not answer (see Retry-After), or the edge is not connected",
    "504": "The edge did not answer in time",
}
_ALWAYS: Final = ("500",)
_ASKED_OF_EDGES: Final = (
    "/ladder",
    "/ladder.pcap",
    "/figures",
    "/dhcp",
    "/live-calls",
    "/conferences",
    "/orders",
    "/conference-recordings",
    "/{recording_id}",
    "/queues",
    "/queues/{queue_id}",
    "/attend",
)
_UNUSED: Final = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


def describe(api: APIGatewayRestResolver) -> dict[str, Any]:
    """The OpenAPI 3.1 document, as JSON data."""
    document = api.get_openapi_schema(
        title=TITLE,
        version=VERSION,
        description="The control plane's REST API. Errors are application/problem+json (RFC 9457).",
        security_schemes={SCHEME: HTTPBearer(bearerFormat="JWT", description="An access token of POST /sessions")},
    ).model_dump(by_alias=True, exclude_none=True, mode="json")
    schemas = document["components"]["schemas"]
    for name in _UNUSED:
        schemas.pop(name, None)
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    document["components"]["responses"] = {
        f"Problem{status}": {"description": text, "content": content} for status, text in _TEXTS.items()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _finish(path, method, operation)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["paths"] = dict(sorted(document["paths"].items()))
    return document


def _finish(path: str, method: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    success = next(iter(responses))
    if success == "204":
        responses["204"] = {"description": "Done"}
    else:
        headers = {"ETag": {"description": "For If-None-Match and If-Match", "schema": {"type": "string"}}}
        responses[success] = {"description": "Success", "headers": headers, **_content(path, responses[success])}
    if method == "get" and path != "/health":
        responses["304"] = {"description": "What If-None-Match names is still so"}
    for status in _problems(path, method, operation):
        responses[status] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = dict(sorted(responses.items()))
    operation.setdefault("security", [])


def _content(path: str, response: dict[str, Any]) -> dict[str, Any]:
    if path == "/ca.pem":
        return {"content": {"application/x-pem-file": {"schema": {"type": "string"}}}}
    if path.endswith(".pcap"):
        return {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    return {"content": response["content"]}


def _problems(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    found = [*_ALWAYS] if path in {"/health", "/ca.pem"} else [*_ALWAYS, "503"]
    if operation.get("security"):
        found += ["401", "403"]
    if "{" in path:
        found += ["404"]
    if operation.get("requestBody"):
        found += ["400", "409", "413", "415", "422"]
    elif operation.get("parameters"):
        found += ["422"]
    if method in {"patch", "delete"} and "{" in path:
        found += ["409", "412"]
    if path.startswith("/sessions"):
        found += ["401", "429"]
    if path.startswith("/listening"):
        found += ["401"]
    if path.endswith(_ASKED_OF_EDGES):
        found += ["502", "504"]
    if path == "/enrollments":
        found += ["403", "404", "410"]
    return sorted(set(found))


def describe_itself(api: APIGatewayRestResolver) -> None:
    """Serve the document at /openapi.json; it is made at the first request."""
    document = cache(lambda: describe(api))
    router = new_router()

    @router.get("/openapi.json", include_in_schema=False, operation_id="getOpenapi")
    def get_openapi() -> dict[str, Any]:
        return document()

    api.include_router(router)
