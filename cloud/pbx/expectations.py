"""Whether calls go where a tenant expects them to; asked before anything is saved or published."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import CallAssertion
from cloud.pbx.errors import Invalid
from cloud.pbx.simulation import CallQuestion, Walked, walk
from contract import snapshot as contract


class Expectation(BaseModel):
    """One call, and what has to become of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call: CallQuestion
    outcome: Literal["rings", "leaves_by", "service", "refused"]
    target: Annotated[str, Field(max_length=255)] = ""
    """Whom it rings (user name, extension), the name of the gateway or of the service; nothing for `refused`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the call of one assertion.

    Args:
        assertion_id: whose call it was.
        name: of the assertion.
        holds: whether the call went where it is expected to go.
        text: what is expected, and why the call went where it did.
    """

    assertion_id: UUID
    name: str
    holds: bool
    text: str


def verdicts(session: Session, site_id: UUID, snapshot: contract.Snapshot) -> list[Verdict]:
    """What a configuration makes of every call that the tenant expects something of, the oldest first.

    Args:
        snapshot: what is to be published. Calls for which no moment is said are made now.
    """
    rows = session.scalars(
        select(CallAssertion).where(CallAssertion.site_id == site_id).order_by(CallAssertion.id)
    ).all()
    if not rows:
        return []
    now = session.execute(select(func.now())).scalar_one()
    found = []
    for row in rows:
        expectation = Expectation.model_validate(row.content)
        try:
            walked = walk(snapshot, (), expectation.call, now)
        except Invalid as error:
            found.append(Verdict(row.id, row.name, False, "; ".join(problem.message for problem in error.problems)))
            continue
        kept = holds(expectation, walked, snapshot)
        told = f"{_wanted(expectation, snapshot)}{':' if kept else ', but'} {walked.story}"
        found.append(Verdict(row.id, row.name, kept, told))
    return found


def failures(session: Session, site_id: UUID, snapshot: contract.Snapshot) -> list[str]:
    """Why a configuration is not what the tenant expects; empty when it is."""
    return [f"{one.name}: {one.text}" for one in verdicts(session, site_id, snapshot) if not one.holds]


def holds(expectation: Expectation, walked: Walked, snapshot: contract.Snapshot) -> bool:
    """Whether a call went where it is expected to go."""
    target = expectation.target
    match expectation.outcome:
        case "refused":
            return len(walked.steps) == 1
        case "service":
            return any(step.service == target for step in walked.steps)
        case "leaves_by":
            return any(number.gateway == target for step in walked.steps for number in step.numbers)
        case "rings":
            names = {
                user.user_id
                for user in snapshot.users
                if target in (user.user_id, user.username, user.extension, *user.aliases)
            }
            return any(ringing.user_id in names for step in walked.steps for ringing in step.users)


def _wanted(expectation: Expectation, snapshot: contract.Snapshot) -> str:
    call, target = expectation.call, expectation.target
    caller = next((user.username for user in snapshot.users if user.user_id == call.caller), call.caller)
    who = caller or "a caller from outside"
    what = {
        "rings": f"rings {target}",
        "leaves_by": f"leaves by {target}",
        "service": f"reaches {target}",
        "refused": "is refused",
    }
    return f"{call.dialled} dialled by {who} {what[expectation.outcome]}"
