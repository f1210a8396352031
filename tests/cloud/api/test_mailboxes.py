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


def with_group(world: ApiWorld, *owners: str) -> None:
    """A mailbox of the site that these users own, and one of the user."""
    path = f"/sites/{world.ours.site_id}/dial-plan"
    saved = world.admin.get(path).json
    group = {"kind": "mailbox", "service_id": "support", "name": "Support", "extension": "300", "owners": owners}
    assert world.admin.patch(f"/users/{world.user_id}", {"permissions": ["Voicemail"]}).status == 200
    changed = world.admin.put(path, {"document": saved["document"] | {"voice_services": [group]}})
    assert changed.status == 200, changed.body


def test_a_user_keeps_lists_of_the_mailboxes_of_the_site(world: ApiWorld) -> None:
    with_group(world, str(world.user_id))
    path = f"{own(world)}/lists"
    shown = world.user.get(path).json
    assert shown["items"] == []
    ids = {one["name"]: one["id"] for one in shown["mailboxes"]}
    assert ids["Support"] == "support"
    members = [str(world.user_id), "support"]
    changed = world.user.put(f"{path}/3", {"members": [*members, "support"]})
    assert changed.status == 200, changed.body
    assert changed.json["items"] == [{"digit": "3", "members": members}]
    with world.databases.api.session(world.ours.scope) as session:
        kept = {one.key: one.value for one in site_records(session, world.ours.site_id)}
        assert kept[f"voicemail_list/{world.user_id}/3"] == " ".join(members)
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.mailbox_changed"))
        assert [entry.changes for entry in entries] == [{"list 3": [[], members]}]
    # Who is gone is on no list any more, and a list of nobody is none.
    with_group(world)
    plan = world.admin.get(f"/sites/{world.ours.site_id}/dial-plan").json["document"] | {"voice_services": []}
    assert world.admin.put(f"/sites/{world.ours.site_id}/dial-plan", {"document": plan}).status == 200
    assert world.user.get(path).json["items"] == [{"digit": "3", "members": [str(world.user_id)]}]
    assert world.user.put(f"{path}/3", {"members": []}).json["items"] == []


def test_a_list_of_what_is_no_mailbox_is_refused_and_so_is_one_of_too_many(world: ApiWorld) -> None:
    with_group(world)
    path = f"{own(world)}/lists"
    refused = world.user.put(f"{path}/3", {"members": [str(world.user_id), "nobody"]})
    assert refused.status == 422
    assert refused.json["problems"][0]["field"] == "members.1"
    assert world.user.put(f"{path}/3", {"members": ["x"] * 51}).status == 422
    assert world.user.put(f"{path}/33", {"members": []}).status in (404, 422)
    assert world.user.put(f"{path}/a", {"members": []}).status in (404, 422)
    assert world.user.get(path).json["items"] == []
