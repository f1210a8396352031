"""Trunks of a site: described in the dial plan, their passwords apart from it and never shown."""

from typing import Any

from pydantic import SecretStr
from sqlalchemy import select

from cloud.models import AuditEntry
from cloud.pbx.publishing import latest_snapshot, publish_site
from cloud.pbx.secrets import SecretVersion, reveal_secret
from cloud.pbx.trunk_templates import TEMPLATES
from contract.snapshot import Snapshot, Trunk
from tests.support.api_world import ApiWorld

PASSWORD = "the provider's own password"
TRUNK = {
    "gateway_id": "provider",
    "name": "Provider",
    "host": "sip.example.test",
    "username": "office",
    "register_seconds": 600,
}


def plan_path(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}/dial-plan"


def path(world: ApiWorld, trunk: str = "provider") -> str:
    return f"/sites/{world.ours.site_id}/trunks/{trunk}/password"


def with_trunks(world: ApiWorld, *trunks: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = world.admin.get(plan_path(world)).json["document"]
    return {**document, "trunks": list(trunks)}


def published(world: ApiWorld) -> Snapshot:
    publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test")
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    return snapshot


def test_a_trunks_password_reaches_the_edge_and_nobody_else(world: ApiWorld) -> None:
    saved = world.admin.put(plan_path(world), {"document": with_trunks(world, TRUNK)})
    assert saved.status == 200, saved.body
    assert published(world).dial_plan.trunks[0].password_ref is None
    shown = {"gateway_id": "provider", "name": "Provider", "enabled": True, "registers": True}
    listing = f"/sites/{world.ours.site_id}/trunks"
    assert world.admin.get(listing).json == {"items": [{**shown, "has_password": False}]}
    answer = world.admin.put(path(world), {"password": PASSWORD})
    assert (answer.status, answer.json) == (200, {**shown, "has_password": True})
    assert world.admin.get(listing).json == {"items": [{**shown, "has_password": True}]}
    snapshot = published(world)
    (ref,) = (trunk.password_ref for trunk in snapshot.dial_plan.trunks)
    assert ref is not None
    assert ref in snapshot.secret_refs()
    with world.databases.api.session(world.ours.scope) as session:
        kept = reveal_secret(session, world.services.keys, SecretVersion.parse(ref))
        audit = " ".join(str(entry.changes) for entry in session.scalars(select(AuditEntry)))
    assert kept == SecretStr(PASSWORD)
    for text in (audit, snapshot.model_dump_json(), str(world.admin.get(plan_path(world)).json)):
        assert PASSWORD not in text


def test_a_dial_plan_cannot_name_a_secret_and_keeps_the_one_that_is_set(world: ApiWorld) -> None:
    """What is sent back as it was shown changes nothing, and another's secret is not taken."""
    world.admin.put(plan_path(world), {"document": with_trunks(world, TRUNK)})
    world.admin.put(path(world), {"password": PASSWORD})
    shown = world.admin.get(plan_path(world)).json
    ref = shown["document"]["trunks"][0]["password_ref"]
    same = world.admin.put(
        plan_path(world), {"document": shown["document"]}, headers={"If-Match": f'"{shown["version"]}"'}
    )
    assert (same.status, same.json["version"]) == (200, shown["version"])
    foreign = with_trunks(world, {**TRUNK, "password_ref": "11111111-1111-1111-1111-111111111111:1"})
    assert world.admin.put(plan_path(world), {"document": foreign}).status == 200
    assert published(world).dial_plan.trunks[0].password_ref == ref


def test_a_new_password_is_a_new_version_and_one_that_is_taken_away_is_gone(world: ApiWorld) -> None:
    world.admin.put(plan_path(world), {"document": with_trunks(world, TRUNK)})
    refs = []
    for password in ("first", "second"):
        assert world.admin.put(path(world), {"password": password}).status == 200
        refs.append(published(world).dial_plan.trunks[0].password_ref)
    first, second = (SecretVersion.parse(ref or "") for ref in refs)
    assert (first.secret_id, first.version, second.version) == (second.secret_id, 1, 2)
    assert world.admin.delete(path(world)).status == 204
    assert published(world).dial_plan.trunks[0].password_ref is None
    assert world.admin.delete(path(world)).status == 404


def test_a_password_that_is_none_and_a_trunk_that_is_not_there_are_refused(world: ApiWorld) -> None:
    world.admin.put(plan_path(world), {"document": with_trunks(world, TRUNK)})
    assert world.admin.put(path(world, "other"), {"password": "x"}).status == 404
    refused = world.admin.put(path(world), {"password": "two\nlines"})
    assert refused.status == 422
    assert refused.json["problems"][0]["field"] == "password"
    assert world.admin.put(path(world), {"password": ""}).status == 422


def test_rules_name_trunks_as_they_name_gateways_and_both_share_their_names(world: ApiWorld) -> None:
    document = with_trunks(world, TRUNK)
    rule = {"kind": "outside", "rule_id": "out", "name": "Out", "patterns": [{"prefix": "0"}], "gateways": ["provider"]}
    document["rules"] = [*document["rules"], rule]
    assert world.admin.put(plan_path(world), {"document": document}).status == 200
    document["gateways"] = [{"gateway_id": "provider", "name": "Twice", "host": "192.0.2.1"}]
    refused = world.admin.put(plan_path(world), {"document": document})
    assert refused.status == 422
    assert "provider" in refused.json["problems"][0]["message"]
    nameless = {name: value for name, value in TRUNK.items() if name != "username"}
    refused = world.admin.put(plan_path(world), {"document": with_trunks(world, nameless)})
    assert refused.status == 422
    assert "needs a username" in str(refused.json)


def test_a_template_becomes_a_trunk_by_what_it_asks_for(world: ApiWorld) -> None:
    shown = world.admin.get("/trunk-templates").json["items"]
    assert [one["key"] for one in shown] == [one.key for one in TEMPLATES]
    given = {"host": "example.pstn.twilio.com", "username": "office", "networks": ["192.0.2.0/24"]}
    for template in shown:
        own = {name: given[name] for name in template["asks_for"] if name != "password"}
        trunk = Trunk.model_validate({"gateway_id": template["key"], "name": "P", **template["settings"], **own})
        assert trunk.host
        assert set(template["settings"]).isdisjoint(template["asks_for"])
