"""The dial plan's look-up tables, built once per snapshot so that a decision costs a few dictionary reads."""

from dataclasses import dataclass

from contract.snapshot import InternalRule, ServiceRule, Snapshot, User


@dataclass(frozen=True, slots=True)
class CompiledPlan:
    """What `decide` reads.

    Args:
        rules: the enabled rules, in the order in which they are tried.
        users: every user of the site by user id.
        dialled: the user that each user name, extension and alias belongs to.
    """

    rules: tuple[InternalRule | ServiceRule, ...]
    users: dict[str, User]
    dialled: dict[str, User]


def compile_plan(snapshot: Snapshot) -> CompiledPlan:
    """The tables of one snapshot; names in it are unique, which `Snapshot` has checked."""
    dialled: dict[str, User] = {}
    for user in snapshot.users:
        dialled[user.username] = user
        if user.extension:
            dialled[user.extension] = user
        dialled.update(dict.fromkeys(user.aliases, user))
    return CompiledPlan(
        rules=tuple(rule for rule in snapshot.dial_plan.rules if rule.enabled),
        users={user.user_id: user for user in snapshot.users},
        dialled=dialled,
    )
