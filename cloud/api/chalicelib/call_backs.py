"""/users/{id}/call-backs: whom a user is called back for once he is free."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from cloud.api.chalicelib.fields import PathId, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import call_backs

router = new_router()


class CallBack(Shown):
    """Somebody whom the user did not reach."""

    user_id: UUID
    username: str
    display_name: str
    extension: str | None
    until: datetime = Field(description="When it is given up")


class CallBacks(Shown):
    """Everybody whom he waits for, as far as the cloud knows: what is dialled at a phone arrives with its edge."""

    items: list[CallBack]


@router.get(
    "/users/<user_id>/call-backs",
    **operation("getCallBacks", "users", "List whom a user is called back for", "user"),
)
def list_call_backs(work: Current, user_id: PathId) -> CallBacks:
    found = call_backs.list_call_backs(work.session, user_id, work.services.clock.now(), only=work.only_user)
    return CallBacks(items=[CallBack.model_validate(one) for one in found])


@router.delete(
    "/users/<user_id>/call-backs/<other_id>",
    **operation("cancelCallBack", "users", "Call a user back for somebody no more", "user", 204),
)
def cancel_call_back(work: Current, user_id: PathId, other_id: PathId) -> None:
    call_backs.cancel_call_back(work.desk, user_id, other_id, only=work.only_user)
