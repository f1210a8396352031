"""What a site decides about one subject: only what differs from the defaults is kept, so that better ones reach all."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from cloud.pbx.checks import Problems

Policy = TypeVar("Policy", bound=BaseModel)


def in_force(policy: type[Policy], kept: Mapping[str, Any]) -> Policy:
    """The policy as it is in force."""
    return policy.model_validate(dict(kept), strict=False)


def changed_policy(
    problems: Problems, field: str, policy: type[BaseModel], kept: dict[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """What is to be kept after a change; null takes a part of it back to its default.

    Args:
        problems: is told what is wrong, field by field.
        field: what the policy is called where it is sent.
        policy: its shape.
        kept: what was kept before.
        changes: what was sent.
    """
    wanted = {name: value for name, value in {**kept, **changes}.items() if value is not None}
    try:
        return in_force(policy, wanted).model_dump(mode="json", exclude_defaults=True)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            problems.add(".".join(map(str, (field, *each["loc"]))), each["msg"].removeprefix("Value error, "))
        return kept
