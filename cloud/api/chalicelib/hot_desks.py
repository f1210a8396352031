"""/sites/{id}/hot-desks: who is logged in at whose phone."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from cloud.api.chalicelib.fields import PathId, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import hot_desks

router = new_router()


class HotDesk(Shown):
    """Somebody who is logged in at another's phone."""

    line_id: UUID = Field(description="The line of the phone")
    user_id: UUID
    username: str
    host_id: UUID = Field(description="Whose line it is")
    host: str
    until: datetime | None = Field(description="When that ends; null: when he logs out")


class HotDesks(Shown):
    """Everybody who is, as far as the cloud knows: a log-in at a phone arrives with its edge."""

    items: list[HotDesk]


@router.get(
    "/sites/<site_id>/hot-desks",
    **operation("getHotDesks", "users", "List who is logged in at others' phones", "tenant_admin"),
)
def list_hot_desks(work: Current, site_id: PathId) -> HotDesks:
    found = hot_desks.list_hot_desks(work.session, site_id, work.services.clock.now())
    return HotDesks(items=[HotDesk.model_validate(one) for one in found])


@router.delete(
    "/sites/<site_id>/hot-desks/<line_id>",
    **operation("logOutHotDesk", "users", "Log somebody out of another's phone", "tenant_admin", 204),
)
def log_out(work: Current, site_id: PathId, line_id: PathId) -> None:
    hot_desks.log_out(work.desk, site_id, line_id)
