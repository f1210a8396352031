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
    assert world.admin.get(where(world)).json["voicemail"] == VoicemailPolicy().model_dump()
    changed = world.admin.patch(where(world), {"voicemail": {"language": "de", "kept_days": 90, "operator": "100"}})
    assert changed.status == 200, changed.body
    assert compiled(world) == VoicemailPolicy(language="de", kept_days=90, operator="100")
    assert changed.json["voicemail"] == compiled(world).model_dump()
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
