"""From an answered API write to the edge: applied, and felt by a phone."""

import time
from typing import Final

import psycopg

from benchmarks.figure import Figure
from cloud.local.api_client import ApiClient
from cloud.local.running import RunningSystem
from tests.support.raw_sip import RawPhone

CHANGES: Final = 50
REFUSALS: Final = 20
_POLL_SECONDS: Final = 0.001
_WITHIN: Final = 30.0


class NotApplied(Exception):
    """A change did not reach the edge in time."""


def measure(running: RunningSystem, api: ApiClient, phone: RawPhone, user_id: str) -> list[Figure]:
    """`PATCH /users/…` until the edge has applied it, and until a REGISTER of a disabled user is refused.

    Args:
        phone: has the account of the user `user_id`.
    """
    url = running.database_urls["hub"].replace("postgresql+psycopg", "postgresql", 1)
    applied = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select set_config('app.platform', 'on', false)")
        original = api.get(f"/users/{user_id}")["display_name"]
        for number in range(CHANGES):
            before = _version(connection, running.edge_id)
            api.patch(f"/users/{user_id}", {"display_name": f"{original} {number}"})
            answered = time.monotonic()
            while _version(connection, running.edge_id) <= before:
                _look_again(answered)
            applied.append(time.monotonic() - answered)
        api.patch(f"/users/{user_id}", {"display_name": original})
    refused = []
    for _ in range(REFUSALS):
        _until(phone, 200, time.monotonic())
        api.patch(f"/users/{user_id}", {"enabled": False})
        answered = time.monotonic()
        _until(phone, 403, answered)
        refused.append(time.monotonic() - answered)
        api.patch(f"/users/{user_id}", {"enabled": True})
    _until(phone, 200, time.monotonic())
    phone.register(expires=0)
    return [
        Figure(
            "API write to applied at the edge",
            "ms",
            tuple(seconds * 1000 for seconds in applied),
            f"{CHANGES} times PATCH /users/ID of a display name, one after the other; wall time from its answer until "
            "the database says that the edge applied a newer version, asked about each millisecond; one edge connected",
            aim=300,
            p99=True,
        ),
        Figure(
            "API write to 403 at the edge",
            "ms",
            tuple(seconds * 1000 for seconds in refused),
            f"{REFUSALS} times PATCH /users/ID enabled: false; wall time from its answer until a REGISTER with digest, "
            "repeated without pause, is answered 403",
            aim=1000,
            p99=True,
        ),
    ]


def _version(connection: psycopg.Connection[tuple[int | None]], edge_id: str) -> int:
    row = connection.execute("select applied_version from edge_leases where edge_id = %s", [edge_id]).fetchone()
    return (row[0] or 0) if row is not None else 0


def _look_again(since: float) -> None:
    if time.monotonic() - since > _WITHIN:
        raise NotApplied(NotApplied.__doc__)
    time.sleep(_POLL_SECONDS)


def _until(phone: RawPhone, status: int, since: float) -> None:
    while phone.register().status != status:
        _look_again(since)
