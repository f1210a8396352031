"""/users/{id}/call-handling: forwarding, find-me and do not disturb; users change their own."""

from typing import Annotated

from pydantic import Field

from cloud.api.chalicelib.fields import Patch, PathId, Shown, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import forwarding
from contract import snapshot as contract
from contract.dialplan.site_state import MAX_BLOCKED, MAX_SPEED_DIALS
from contract.snapshot.forwarding import RingSeconds
from contract.values import SipUser

router = new_router()


class CallHandling(Shown):
    """Where a user's calls go, as far as the cloud knows: a change at the user's phone arrives with its edge."""

    do_not_disturb: bool
    forwarding: contract.Forwarding
    call_waiting: bool = Field(description="Whether a second call rings while the user is in one")
    reject_anonymous: bool = Field(description="Whether callers are turned away who are not named")
    intercom: bool = Field(description="Whether the user's phones answer intercom calls by themselves")
    blocked: list[str] = Field(description="Whose calls are turned away: numbers without plus and leading zeros")
    speed_dials: list[contract.SpeedDial]


class CallHandlingPatch(Patch):
    """What changes. It is site state: the later change of each field counts, whether made here or at a phone."""

    do_not_disturb: bool = absent()
    always: SipUser | None = absent()
    busy: SipUser | None = absent()
    no_answer: SipUser | None = absent()
    unregistered: SipUser | None = absent()
    ring_seconds: RingSeconds | None = absent()
    call_waiting: bool = absent()
    reject_anonymous: bool = absent()
    intercom: bool = absent()
    blocked: Annotated[list[SipUser], Field(max_length=MAX_BLOCKED)] | None = absent()
    speed_dials: Annotated[list[contract.SpeedDial], Field(max_length=MAX_SPEED_DIALS)] | None = absent()
    find_me: Annotated[list[contract.FindMe], Field(max_length=20)] | None = absent()


@router.get(
    "/users/<user_id>/call-handling",
    **operation("getCallHandling", "users", "Get where a user's calls go", "user"),
)
def get_call_handling(work: Current, user_id: PathId) -> CallHandling:
    return CallHandling.model_validate(forwarding.get_handling(work.session, user_id, only=work.only_user))


@router.patch(
    "/users/<user_id>/call-handling",
    **operation("changeCallHandling", "users", "Change where a user's calls go", "user"),
)
def change_call_handling(work: Current, user_id: PathId, body: CallHandlingPatch) -> CallHandling:
    changed = forwarding.change_handling(work.desk, user_id, body.changes(), only=work.only_user)
    return CallHandling.model_validate(changed)
