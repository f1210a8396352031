"""/health: whether this API can do its work; for load balancers and `make run`."""

from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from aws_lambda_powertools.event_handler import Response

from cloud.api.chalicelib.fields import Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Visitor
from cloud.pbx.readiness import database_answers

router = new_router()


class Health(Shown):
    """How the API is."""

    status: Literal["ready", "database_unreachable"]
    version: str


@router.get("/health", **operation("getHealth", "health", "Whether the API is ready (503 while it is not)", None))
def get_health(visit: Visitor) -> Response[Health]:
    reachable = database_answers(visit.services.database)
    health = Health(status="ready" if reachable else "database_unreachable", version=running_version())
    return Response(200 if reachable else 503, "application/json", health)


def running_version() -> str:
    """The installed version of the cloud."""
    try:
        return version("tandem")
    except PackageNotFoundError:
        return "unknown"
