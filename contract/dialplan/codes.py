"""Which code does what at a site: what phones are told, so that their keys dial what the dial plan knows."""

from contract.snapshot import DialPlan


def feature_codes(plan: DialPlan) -> dict[str, str]:
    """The code of each feature and service that the plan has one for; of two rules the first wins, as for a call.

    Every kind of rule with a code counts, by the name of what it leads to, so that a new feature reaches the phones
    whose plug-ins know it without a change here.
    """
    codes: dict[str, str] = {}
    for rule in plan.rules:
        code = getattr(rule, "code", "")
        if rule.enabled and code:
            codes.setdefault(getattr(rule, "feature", "") or getattr(rule, "service", "") or rule.kind, code)
    return codes
