"""Whose lamps are on the phones of each user: what the keys of his devices say, for resource lists (RFC 4662)."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from contract.dialplan import CompiledPlan
from contract.snapshot import SettingValue, Snapshot

_LAMP: Final = re.compile(r"(line_key/(\d{1,4})/value|busy_lamp/(\d{1,4})/number)")
"""Settings of device models that name whom a lamp is for; a line key's `type` says whether it is one."""


def lamp_lists(snapshot: Snapshot, plan: CompiledPlan) -> dict[str, tuple[str, ...]]:
    """Ids of the users whose lamps are on any phone of each user, in the order of the keys, by the user's id.

    Keys that watch something else than a user of the site are left out.
    """
    devices = {device.device_id: device for device in snapshot.devices}
    levels = snapshot.device_levels
    groups = sorted(levels.groups, key=lambda group: (group.weight, group.group_id))
    lists: dict[str, dict[str, None]] = defaultdict(dict)
    for line in sorted(snapshot.lines, key=lambda one: (one.device_id or "", one.position)):
        device = devices.get(line.device_id or "")
        if device is None:
            continue
        mine = (group.settings for group in groups if group.group_id in device.groups)
        settings: dict[str, SettingValue] = {}
        for level in (levels.tenant, levels.site, *mine):
            for scope in ("*", device.model.partition("/")[0], device.model):
                settings.update(level.get(scope, {}))
        settings.update(device.settings)
        for watched in _watched(settings):
            user = plan.dialled.get(watched)
            if user is not None:
                lists[line.user_id][user.user_id] = None
    return {user_id: tuple(members) for user_id, members in lists.items()}


def _watched(settings: Mapping[str, SettingValue]) -> list[str]:
    """What the lamps watch, in the order of the keys."""
    found: list[tuple[int, str]] = []
    for path, value in settings.items():
        match = _LAMP.fullmatch(path)
        if match is None or (match[2] is not None and settings.get(f"line_key/{match[2]}/type") != "blf"):
            continue
        found.append((int(match[2] or match[3]), str(value).partition("@")[0]))
    return [value for _, value in sorted(found)]
