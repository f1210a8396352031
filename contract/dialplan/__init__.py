"""What the snapshot means for a call: one pure evaluator, for routing at the edge and for simulating in the cloud."""

from contract.dialplan.compiled import CompiledPlan, compile_plan
from contract.dialplan.decide import Call, Decision, Outcome, Reason, Reject, Ring, Service, SiteState, Step, decide

__all__ = [
    "Call",
    "CompiledPlan",
    "Decision",
    "Outcome",
    "Reason",
    "Reject",
    "Ring",
    "Service",
    "SiteState",
    "Step",
    "compile_plan",
    "decide",
]
