"""What a call queue dials to call somebody back, by the same evaluator that will decide that call. Pure."""

from __future__ import annotations

from datetime import datetime

from contract.dialplan.compiled import CompiledPlan
from contract.dialplan.decide import Walk
from contract.dialplan.steps import Call, Ring, SiteState


def call_back_number(plan: CompiledPlan, queue_id: str, shown: str, at: datetime) -> str | None:
    """What to dial to call somebody back; None: the queue may not, or nothing leads there.

    Args:
        plan: of the site.
        queue_id: who calls.
        shown: a number as its caller shows or keys it in, or a user name.
        at: the moment, for schedules.
    """
    dialled = plan.as_dialled(shown)
    if not dialled:
        return None
    asked = Call(None, dialled, phones="call_back", service=queue_id)
    # The phones of a user who wants no calls now may ring later.
    user = plan.dialled.get(dialled)
    rings = user.enabled if user is not None else isinstance(Walk(plan, SiteState(), asked, at).decision.step, Ring)
    return dialled if rings else None
