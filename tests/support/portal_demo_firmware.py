"""Firmware of the demo: two versions of one vendor's, the newer one on its way to the phones ring after ring."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from cloud.models import FirmwareProgress
from cloud.pbx.database import Database, Scope
from tests.support.api_things import bring
from tests.support.api_world import Client
from tests.support.customers import HandClock

OLD: Final = "96.86.0.60"
NEW: Final = "96.86.0.100"
_PHONES: Final = 12
_PILOT: Final = 4
_STATES: Final = (
    ("running", NEW, ""),
    ("running", NEW, ""),
    ("fetched", OLD, ""),
    ("failed", OLD, f"an hour after it was told it shows {OLD}"),
)


def make_firmware(client: Client, worker: Database, clock: HandClock, tenant: Any, site: Any) -> None:
    """Phones of a site, their firmware, and how far each is.

    Args:
        client: a provider's administrator.
        worker: writes what edges tell.
        tenant: as the API showed it.
        site: likewise.
    """
    phones = [
        _made(
            client,
            "/devices",
            {
                "site_id": site["id"],
                "mac": f"805ec00010{n:02x}",
                "model": "yealink/t54w",
                "name": f"Class room {n + 1}",
            },
        )["id"]
        for n in range(_PHONES)
    ]
    group = {"tenant_id": tenant["id"], "name": "First phones", "device_ids": phones[:_PILOT]}
    pilot = _made(client, "/device-groups", group)["id"]
    made = {
        version: _made(
            client,
            "/firmware",
            {
                "tenant_id": tenant["id"],
                "vendor": "yealink",
                "models": ["t54w"],
                "firmware_version": version,
                "notes": notes,
                "files": [{"name": f"T54W-{version}.rom", "digest": bring(client, content, tenant["id"])}],
            },
        )
        for version, notes, content in (
            (OLD, "What all phones had at first", b"old firmware" * 20_000),
            (NEW, "Mends the clock in summer", b"new firmware" * 30_000),
        )
    }
    now = clock.now()
    everybody = {"name": "Everybody", "starts_at": (now - timedelta(days=40)).isoformat()}
    _made(client, "/firmware-rollouts", {"firmware_id": made[OLD]["id"], "rings": [everybody]})
    rings = [
        {"name": "First phones", "starts_at": (now - timedelta(hours=3)).isoformat(), "group_ids": [pilot]},
        {"name": "Everybody", "starts_at": (now + timedelta(hours=21)).isoformat()},
    ]
    _made(client, "/firmware-rollouts", {"firmware_id": made[NEW]["id"], "rings": rings})
    with worker.session(Scope(tenant_id=UUID(tenant["id"]))) as session:
        for device_id, (state, version, text) in zip(phones[:_PILOT], _STATES, strict=True):
            session.add(
                FirmwareProgress(
                    tenant_id=UUID(tenant["id"]),
                    device_id=UUID(device_id),
                    firmware_id=UUID(made[NEW]["id"]),
                    state=state,
                    running_version=version,
                    text=text,
                    changed_at=now - timedelta(minutes=40),
                )
            )


def _made(client: Client, path: str, body: Any) -> Any:
    answer = client.post(path, body)
    assert answer.status == 201, answer.body
    return answer.json
