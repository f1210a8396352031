"""Sound files of the demo: music and announcements by name, some of them used at the main office."""

from typing import Any, Final

from tests.support.api_things import bring
from tests.support.api_world import Client
from tests.support.left_messages import sound
from tests.support.portal_demo_plan import saved

_FILES: Final = (
    ("Bakery waltz.wav", 184.0),
    ("Christmas.mp3", 212.0),
    ("Quiet piano, for the support queue.mp3", 305.0),
    ("Workshop radio.wav", 96.0),
)


def make_sounds(client: Client, tenant: Any, site_id: str, users: dict[str, str]) -> None:
    """Keep the files, and choose music for the site, a queue and a user.

    Args:
        client: a provider's administrator.
        tenant: as it was made.
        site_id: of the main office.
        users: ids by extension.
    """
    kept = {}
    for name, seconds in _FILES:
        digest = bring(client, sound(seconds), tenant["id"])
        saved(client.post("/sounds", {"tenant_id": tenant["id"], "digest": digest, "name": name}))
        kept[name] = {"digest": digest, "name": name}
    waltz, _, piano, radio = kept.values()
    path = f"/sites/{site_id}/dial-plan"
    document = client.get(path).json["document"]
    for service in document["voice_services"]:
        if service["service_id"] == "support":
            service["music"] = piano
    saved(client.put(path, {"document": document | {"music": waltz}}))
    saved(client.patch(f"/users/{users['201']}", {"music": radio}))
