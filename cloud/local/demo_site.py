"""The demo site: made through the REST API as an MSP would, and remembered, so that a second start finds it again."""

import json
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cloud.errors import CloudError
from cloud.local.api_client import ApiClient

DOMAIN: Final = "demo.tandem.test"
MSP, TENANT, SITE = "Demo provider", "Demo customer", "Main office"


class DemoNotApplied(CloudError):
    """The edge did not take the demo site's configuration in time; the text says what it said."""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A user with one phone."""

    name: str
    mac: str
    model: str
    file: str
    username: str
    auth_username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoSite:
    """What was made."""

    tenant_id: str
    site_id: str
    edge_id: str
    phones: tuple[DemoAccount, ...]
    domain: str = DOMAIN


_PHONES: Final = (
    ("200", "Reception", "805ec0000200", "yealink/t54w", "805ec0000200.cfg"),
    ("201", "Workshop", "020000000201", "generic/sip", "020000000201.conf"),
)


def ensure(api: ApiClient, remembered: Path, edge_settings: dict[str, Any] | None = None) -> DemoSite:
    """The demo site; made when `remembered` does not name one that is still there.

    Args:
        api: logged in as a platform administrator.
        remembered: the file that keeps ids and the phones' passwords, which the API shows only once.
        edge_settings: settings of every device, such as the provisioning server.
    """
    if remembered.exists():
        content = json.loads(remembered.read_text(encoding="utf-8"))
        known = {site["id"] for site in api.items("/sites")}
        if content["site_id"] in known:
            phones = tuple(DemoAccount(**phone) for phone in content.pop("phones"))
            return DemoSite(**content, phones=phones)
    site = _make(api, edge_settings or {})
    new = remembered.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(asdict(site), indent=1), encoding="utf-8")
    new.replace(remembered)
    return site


def _make(api: ApiClient, settings: dict[str, Any]) -> DemoSite:
    msp = api.post("/msps", {"name": MSP})
    tenant = api.post("/tenants", {"msp_id": msp["id"], "name": TENANT, "domain": DOMAIN})
    site = api.post("/sites", {"tenant_id": tenant["id"], "name": SITE, "time_zone": "Europe/Berlin"})
    edge = api.post("/edges", {"site_id": site["id"], "name": "Edge of the main office"})
    phones = []
    users = []
    for extension, role, mac, model, file in _PHONES:
        user = api.post(
            "/users",
            {"site_id": site["id"], "username": extension, "extension": extension, "display_name": role},
        )
        users.append(user["id"])
        device = api.post(
            "/devices",
            {
                "site_id": site["id"],
                "mac": mac,
                "model": model,
                "name": f"{role} phone",
                "user_id": user["id"],
                "settings": settings,
            },
        )
        line = device["lines"][0]
        phones.append(DemoAccount(role, mac, model, file, extension, line["auth_username"], line["password"]))
    _plan_calls(api, f"/sites/{site['id']}/dial-plan", users)
    return DemoSite(tenant["id"], site["id"], edge["id"], tuple(phones))


def _plan_calls(api: ApiClient, path: str, members: list[str]) -> None:
    """A dial plan to look at: 300 rings everybody at once, and there are office hours to make rules by."""
    document = api.get(path)["document"]
    document["hunt_groups"] = [
        {"group_id": "everybody", "name": "Everybody", "extension": "300", "members": members, "ring_seconds": 30}
    ]
    document["schedules"] = [
        {
            "schedule_id": "office-hours",
            "name": "Office hours",
            "hours": [{"days": [1, 2, 3, 4, 5], "start": 8 * 60, "end": 18 * 60}],
        }
    ]
    api.put(path, {"document": document})


def enrollment_code(api: ApiClient, site: DemoSite) -> str:
    """A new one-time code for the demo site's edge."""
    code: str = api.post(f"/edges/{site.edge_id}/enrollment-code")["code"]
    return code


def wait_applied(api: ApiClient, site: DemoSite, within: float) -> None:
    """Until the edge runs the newest published version.

    Raises:
        DemoNotApplied: it does not, `within` seconds.
    """
    pause = threading.Event()
    state: dict[str, Any] = {}
    for _ in range(int(within / 0.1)):
        state = api.get(f"/sites/{site.site_id}")
        applied = [edge["applied_version"] for edge in state["edges"] if edge["online"]]
        if state["wanted_version"] is not None and applied == [state["wanted_version"]]:
            return
        pause.wait(0.1)
    raise DemoNotApplied(f"wanted version {state.get('wanted_version')}, edges: {state.get('edges')}")
