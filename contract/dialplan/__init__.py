"""What the snapshot means for a call: one pure evaluator, for routing at the edge and for simulating in the cloud."""

from contract.dialplan.codes import feature_codes
from contract.dialplan.compiled import CompiledPlan, compile_plan
from contract.dialplan.decide import Walk, decide
from contract.dialplan.steps import (
    Call,
    Change,
    Decision,
    Diversion,
    Outcome,
    Outward,
    Pickup,
    Reason,
    Reject,
    Ring,
    Service,
    SiteState,
    Step,
)

__all__ = [
    "Call",
    "Change",
    "CompiledPlan",
    "Decision",
    "Diversion",
    "Outcome",
    "Outward",
    "Pickup",
    "Reason",
    "Reject",
    "Ring",
    "Service",
    "SiteState",
    "Step",
    "Walk",
    "compile_plan",
    "decide",
    "feature_codes",
]
