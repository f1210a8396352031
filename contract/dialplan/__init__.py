"""What the snapshot means for a call: one pure evaluator, for routing at the edge and for simulating in the cloud."""

from contract.dialplan.calling_back import call_back_number
from contract.dialplan.codes import feature_codes
from contract.dialplan.compiled import CompiledPlan, compile_plan
from contract.dialplan.decide import Walk, decide
from contract.dialplan.steps import (
    Call,
    Change,
    Confirmation,
    Decision,
    Diversion,
    Outcome,
    Outward,
    PhonesOnly,
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
    "Confirmation",
    "Decision",
    "Diversion",
    "Outcome",
    "Outward",
    "PhonesOnly",
    "Pickup",
    "Reason",
    "Reject",
    "Ring",
    "Service",
    "SiteState",
    "Step",
    "Walk",
    "call_back_number",
    "compile_plan",
    "decide",
    "feature_codes",
]
