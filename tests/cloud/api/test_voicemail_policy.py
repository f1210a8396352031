"""How a site's mailboxes answer: kept as what differs, checked field by field, shown, and in the snapshot."""

import pytest

from cloud.pbx.compiler import compile_site
from cloud.pbx.database import PLATFORM
from contract.snapshot import VoicemailPolicy
from tests.support.api_world import ApiWorld


def where(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def compiled(world: ApiWorld) -> VoicemailPolicy:
    with world.databases.api.session(PLATFORM) as session:
        return compile_site(session, world.ours.site_id, 1).site.voicemail


def test_what_is_decided_is_shown_and_reaches_the_snapshot_and_null_takes_it_back(world: ApiWorld) -> None:
    assert world.admin.get(where(world)).json["voicemail"] == VoicemailPolicy().model_dump(mode="json")
    changed = world.admin.patch(where(world), {"voicemail": {"language": "de", "kept_days": 90, "operator": "100"}})
    assert changed.status == 200, changed.body
    assert compiled(world) == VoicemailPolicy(language="de", kept_days=90, operator="100")
    assert changed.json["voicemail"] == compiled(world).model_dump(mode="json")
    world.admin.patch(where(world), {"voicemail": {"language": None, "messages": 50}})
    assert compiled(world) == VoicemailPolicy(messages=50, kept_days=90, operator="100")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"language": "Deutsch!"}, "language"),
        ({"longest_seconds": 5}, "longest_seconds"),
        ({"messages": 0}, "messages"),
        ({"operator": "at the desk"}, "operator"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(world: ApiWorld, change: dict[str, object], field: str) -> None:
    refused = world.admin.patch(where(world), {"voicemail": change})
    assert refused.status == 422, refused.body
    assert field in refused.body.decode()
    assert compiled(world) == VoicemailPolicy()


def test_lists_of_the_site_name_its_mailboxes_once_each(world: ApiWorld) -> None:
    path, user = f"/sites/{world.ours.site_id}", str(world.user_id)
    assert world.admin.patch(f"/users/{user}", {"permissions": ["Voicemail"]}).status == 200
    lists = [{"number": "70", "name": "Everybody", "members": [user]}]
    changed = world.admin.patch(path, {"voicemail": {"lists": lists}})
    assert changed.status == 200, changed.body
    assert changed.json["voicemail"]["lists"] == lists
    unknown = [*lists, {"number": "71", "name": "Nobody", "members": [user, "nobody"]}]
    refused = world.admin.patch(path, {"voicemail": {"lists": unknown}})
    assert (refused.status, refused.json["problems"][0]["field"]) == (422, "voicemail.lists.1.members.1")
    twice = world.admin.patch(path, {"voicemail": {"lists": [*lists, *lists]}})
    assert twice.status == 422
    assert "the list 70 is there twice" in twice.json["problems"][0]["message"]
    assert world.admin.patch(path, {"voicemail": {"lists": [{**lists[0], "number": "7"}]}}).status == 422
    # What else changes leaves them as they are; null takes them away.
    assert world.admin.patch(path, {"voicemail": {"messages": 9}}).json["voicemail"]["lists"] == lists
    assert world.admin.patch(path, {"voicemail": {"lists": None}}).json["voicemail"]["lists"] == []
