"""A user's mailbox over the API: the PIN goes in and never comes out, the greeting in use is chosen."""

from typing import Any

import pytest
from sqlalchemy import select

from cloud.models import AuditEntry
from cloud.pbx.state import merge_records, site_records
from contract.pin import is_right
from contract.sync.state import Stamp, StateRecord
from tests.support.api_world import ApiWorld


def own(world: ApiWorld) -> str:
    return f"/users/{world.user_id}/mailbox"


def records(world: ApiWorld) -> dict[str, Any]:
    with world.databases.api.session(world.ours.scope) as session:
        return {one.key.rpartition("/")[0]: one.value for one in site_records(session, world.ours.site_id)}


def test_a_user_sets_a_pin_that_is_kept_as_a_hash_and_never_shown(world: ApiWorld) -> None:
    assert world.user.get(own(world)).json["pin_set"] is False
    changed = world.user.patch(own(world), {"pin": "2580"})
    assert changed.status == 200, changed.body
    assert changed.json["pin_set"] is True
    kept = records(world)["voicemail_pin"]
    assert is_right("2580", kept)
    with world.databases.api.session(world.ours.scope) as session:
        entry = session.execute(select(AuditEntry).where(AuditEntry.action == "user.mailbox_changed")).scalar_one()
        assert entry.changes == {"pin": [None, "changed"]}
    for body in (changed.body, world.user.get(own(world)).body):
        assert b"2580" not in body
        assert b"scrypt" not in body


def test_a_pin_that_everybody_would_try_is_refused_without_being_repeated(world: ApiWorld) -> None:
    for pin in ("1234", "77", "0000", "12345678901234567"):
        refused = world.user.patch(own(world), {"pin": pin})
        assert refused.status == 422
        assert "pin" in refused.body.decode()
        assert f'"{pin}"' not in refused.body.decode()
    assert records(world) == {}


def test_the_greeting_in_use_is_the_one_that_was_chosen_last_here_or_at_the_phone(world: ApiWorld) -> None:
    assert world.user.get(own(world)).json["greeting"] == "standard"
    assert world.user.patch(own(world), {"greeting": "out_of_office"}).json["greeting"] == "out_of_office"
    later = StateRecord(
        key=f"voicemail_greeting/{world.user_id}",
        value="system",
        stamp=Stamp(wall_ms=2**52, node="edge"),
    )
    with world.databases.api.session(world.ours.scope) as session:
        merge_records(session, world.ours.tenant_id, world.ours.site_id, [later], world.clock.now())
    assert world.user.get(own(world)).json["greeting"] == "system"
    assert world.user.patch(own(world), {"greeting": "sung"}).status == 422


@pytest.mark.parametrize("body", [{"pin": None}, {"greeting": None}, {"pin": 2580}])
def test_what_may_not_be_empty_is_refused(world: ApiWorld, body: dict[str, Any]) -> None:
    assert world.user.patch(own(world), body).status == 422


def test_whose_permission_is_missing_has_no_mailbox_and_nobody_sees_anothers(world: ApiWorld) -> None:
    shown = world.admin.get(own(world)).json
    granted = world.admin.patch(f"/users/{world.user_id}", {"permissions": ["Voicemail"]})
    assert granted.status == 200, granted.body
    assert (shown["has_mailbox"], world.user.get(own(world)).json["has_mailbox"]) == (False, True)
