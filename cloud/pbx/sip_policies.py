"""What a site decides about its SIP: only what differs from the defaults is kept."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from cloud.models import Site
from cloud.pbx.checks import Problems
from contract.snapshot import SipPolicy


def sip_policy_of(site: Site) -> SipPolicy:
    """The policy as it is in force."""
    return SipPolicy.model_validate(dict(site.sip), strict=False)


def changed_sip_policy(problems: Problems, site: Site, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be kept after a change; null takes a part of it back to its default.

    Args:
        problems: is told what is wrong, field by field.
    """
    wanted = {name: value for name, value in {**site.sip, **changes}.items() if value is not None}
    try:
        policy = SipPolicy.model_validate(wanted, strict=False)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            problems.add(".".join(map(str, ("sip", *each["loc"]))), each["msg"].removeprefix("Value error, "))
        return site.sip
    return policy.model_dump(mode="json", exclude_defaults=True)
