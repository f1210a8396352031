"""Passwords of trunks, apart from the dial plan that describes them: a document holds no secret, and names none.

Where a dial plan is compiled, each of its trunks is told which version of which secret is its password.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import TrunkPassword
from cloud.pbx.secrets import SecretVersion
from contract import snapshot as contract


def with_passwords(session: Session, site_id: UUID, plan: contract.DialPlan) -> contract.DialPlan:
    """A dial plan whose trunks name the secrets that are set for them, whatever they named before."""
    if not plan.trunks:
        return plan
    known = passwords_of(session, site_id)
    trunks = tuple(one.model_copy(update={"password_ref": known.get(one.gateway_id)}) for one in plan.trunks)
    return plan.model_copy(update={"trunks": trunks})


def without_passwords(plan: contract.DialPlan) -> contract.DialPlan:
    """As it is stored."""
    return plan.model_copy(
        update={"trunks": tuple(one.model_copy(update={"password_ref": None}) for one in plan.trunks)}
    )


def passwords_of(session: Session, site_id: UUID) -> Mapping[str, str]:
    """Which version of which secret is the password of each trunk, by its id."""
    rows = session.scalars(select(TrunkPassword).where(TrunkPassword.site_id == site_id))
    return {row.gateway_id: SecretVersion(row.secret_id, row.secret_version).ref for row in rows}
