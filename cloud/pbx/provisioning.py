"""A site's rules for its phones: only what differs from the defaults is kept, so that a better default reaches all."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from cloud.models import Site
from cloud.pbx.checks import Problems
from contract.snapshot import ProvisioningPolicy


def policy_of(site: Site) -> ProvisioningPolicy:
    """The rules as they are in force."""
    return _policy(site.provisioning)


def changed_policy(problems: Problems, site: Site, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be kept after a change; null takes a rule back to its default.

    Args:
        problems: is told what is wrong, field by field.
    """
    wanted = {name: value for name, value in {**site.provisioning, **changes}.items() if value is not None}
    try:
        return _policy(wanted).model_dump(mode="json", exclude_defaults=True)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            place = ".".join(map(str, ("provisioning", *each["loc"])))
            problems.add(place, each["msg"].removeprefix("Value error, "))
        return site.provisioning


def _policy(kept: Mapping[str, Any]) -> ProvisioningPolicy:
    return ProvisioningPolicy.model_validate(dict(kept), strict=False)
