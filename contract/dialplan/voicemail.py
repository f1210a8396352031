"""Which mailbox a number leads to, and what the voicemail is told of the call."""

from typing import Final

from contract.dialplan.compiled import CompiledPlan
from contract.dialplan.steps import Diversion, DiversionReason, Service
from contract.snapshot import User, VoicemailRule

HAS_MAILBOX: Final = "Voicemail"
"""The permission of users who have one."""
_CAUSES: Final[dict[DiversionReason, str]] = {
    "unconditional": "302",
    "user-busy": "486",
    "do-not-disturb": "486",
    "no-answer": "408",
    "unavailable": "503",
    "follow-me": "408",
}
"""RFC 4458 §3.2."""


def mailbox_of(
    rule: VoicemailRule, plan: CompiledPlan, dialled: str, payer: User | None, is_own: bool
) -> tuple[str, User | None] | None:
    """What is to be done, and whose mailbox it is; None: the rule is about something else.

    Args:
        rule: with code and prefix.
        plan: whose users may be dialled.
        dialled: in this step of the call.
        payer: who dialled it, or whose forwarding did.
        is_own: whether the caller dialled it himself.
    """
    if rule.code and dialled == rule.code:
        # A user's forwarding leads into his own mailbox, whoever called him.
        return ("retrieve" if is_own else "deposit"), payer
    if not rule.prefix or not dialled.startswith(rule.prefix):
        return None
    owner = plan.dialled.get(dialled[len(rule.prefix) :])
    return ("deposit", owner) if owner is not None else None


def voicemail(action: str, owner: User, diversions: tuple[Diversion, ...]) -> Service:
    """The step to a mailbox, which says why the call comes there."""
    arguments = [("action", action), ("mailbox", owner.username)]
    if diversions:
        arguments.append(("cause", _CAUSES[diversions[-1].reason]))
    return Service("voicemail", tuple(arguments), diversions)
