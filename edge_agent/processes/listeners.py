"""Who hears a page by multicast: those with a phone that the site's configuration tells to listen."""

from collections import defaultdict
from collections.abc import Mapping

from contract.devices import Plugin, PluginProblems, load_plugin, multicast_places, shipped_plugin
from contract.devices.archive import unpack
from contract.snapshot import Snapshot, listened


class Listeners:
    """Knows device plug-ins as far as somebody has to listen; each is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Mapping[str, int]] = {}
        """By vendor and digest (of the site's own plug-ins): at how many addresses each model listens."""

    def listening(self, snapshot: Snapshot) -> Mapping[str, frozenset[str]]:
        """The ids of the users who hear each paging group by its stream, by the group's id.

        A phone is told of so many groups as its model takes, the most important first; for the others, and on phones
        that cannot listen, its user is called.
        """
        lines = [(line.device_id, line.user_id) for line in snapshot.lines]
        heard = listened(snapshot.dial_plan.voice_services, lines)
        models = {device.device_id: device.model for device in snapshot.devices if device.device_id in heard}
        users: dict[str, set[str]] = defaultdict(set)
        for device_id, user_id in lines:
            if device_id in models:
                for group in heard[device_id][: self._places(models[device_id], snapshot)]:
                    if user_id in group.members:
                        users[group.service_id].add(user_id)
        return {group_id: frozenset(those) for group_id, those in users.items()}

    def _places(self, model: str, snapshot: Snapshot) -> int:
        vendor, _, name = model.partition("/")
        own = next((one for one in snapshot.device_plugins if one.vendor == vendor), None)
        key = (vendor, own.digest if own is not None else "")
        if key not in self._known:
            try:
                plugin: Plugin | None = (
                    load_plugin(vendor, unpack(own.content, vendor)) if own is not None else shipped_plugin(vendor)
                )
            except PluginProblems:  # provisioning refuses the configuration, and says why
                plugin = None
            models = plugin.models if plugin is not None else {}
            self._known[key] = {one: multicast_places(described) for one, described in models.items()}
        return self._known[key].get(name, 0)
