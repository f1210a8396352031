"""One request's work: who asks, the database transaction that answers, and the tools that handlers need.

Neighbours may rely on: the transaction is scoped to the caller's rows, and committed before the response leaves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Depends, Request, Response
from sqlalchemy.orm import Session

from cloud.api.chalicelib import etag
from cloud.api.chalicelib.authorizer import claims_of, required_role, scope_of
from cloud.api.chalicelib.services import Services
from cloud.api.chalicelib.tokens import Claims
from cloud.pbx.audit import Actor
from cloud.pbx.desk import Desk

NextMiddleware = Callable[[APIGatewayRestResolver], Any]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of someone who need not be logged in.

    Args:
        source: IP address of the client.
    """

    services: Services
    source: str


@dataclass(frozen=True, slots=True)
class Work(Visit):
    """A request of someone who is logged in."""

    claims: Claims
    session: Session

    @property
    def desk(self) -> Desk:
        """Where the caller makes a change."""
        actor = Actor(self.claims.email, self.claims.account_id, self.source)
        services = self.services
        return Desk(self.session, actor, services.clock, services.tokens, services.keys)

    @property
    def only_user(self) -> UUID | None:
        """The one user whose things the caller may see; None for those who see all of their tenants."""
        return self.claims.user_id if self.claims.role == "user" else None


def current_work(request: Request) -> Work:
    """The work of this request."""
    work: Work = request.context["work"]
    return work


def current_visit(request: Request) -> Visit:
    """The visit of this request."""
    visit: Visit = request.context["work"]
    return visit


Current = Annotated[Work, Depends(current_work)]
Visitor = Annotated[Visit, Depends(current_visit)]


def work_middleware(services: Services) -> Callable[[APIGatewayRestResolver, NextMiddleware], Any]:
    """The middleware that begins a request's work and ends its transaction."""

    def begin(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Any:
        event = app.current_event
        route = app.context["_route"]
        context: dict[str, Any] = event.raw_event["requestContext"]
        source = str(context.get("identity", {}).get("sourceIp", ""))
        if required_role(route) is None:
            app.context["work"] = Visit(services, source)
            return next_middleware(app)
        claims = claims_of(context["authorizer"])
        with services.database.session(scope_of(claims)) as session:
            app.context["work"] = Work(services, source, claims, session)
            return next_middleware(app)

    return begin


def etag_middleware(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Any:
    """Give every JSON answer its ETag, and answer 304 to those who hold it already."""
    response = next_middleware(app)
    if isinstance(response, Response) and response.status_code < 300 and isinstance(response.body, dict | list):
        tag = etag.etag_of(response.body)
        response.headers["ETag"] = tag
        response.headers.setdefault(
            "Cache-Control", "no-cache" if app.current_event.http_method == "GET" else "no-store"
        )
        if app.current_event.http_method == "GET":
            known = app.current_event.headers.get("if-none-match")
            if etag.is_known(known, tag):
                return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-cache"}, body="")
    return response
