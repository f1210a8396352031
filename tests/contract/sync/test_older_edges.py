"""An edge that knows less is sent what it knows, and both sides agree on the digest of that."""

import hashlib
import json
from typing import Any

from hypothesis import given

from contract.snapshot import DialPlan, FeatureRule, Snapshot, canonical_json, snapshot_digest
from contract.sync.older_edges import digest_of, for_features
from contract.sync.versions import BLOBS, CALL_BACK, FEATURES, OTHER_SITES
from tests.support.example_site import small_site, snapshots, with_other_site

OLDER = FEATURES - {BLOBS, OTHER_SITES, CALL_BACK}
SECTIONS_BEFORE = ("site", "users", "lines", "devices", "device_plugins", "phonebook", "device_levels", "dial_plan")


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(snapshot.model_dump_json())
    return data


@given(snapshots())
def test_an_edge_of_today_gets_everything(snapshot: Snapshot) -> None:
    content = as_json(snapshot)
    assert for_features(content, FEATURES) == content
    assert digest_of(content) == snapshot_digest(snapshot)


@given(snapshots())
def test_an_edge_from_before_firmware_gets_the_sections_and_fields_that_it_knows(snapshot: Snapshot) -> None:
    content = as_json(snapshot)
    older = for_features(content, OLDER)
    assert set(older) == {"schema_version", "version", *SECTIONS_BEFORE}
    assert all("firmware" not in device for device in older["devices"])
    assert "firmware_hours" not in older["site"]["provisioning"]
    assert "authority" not in older["site"]
    assert content == as_json(snapshot), "what was given has been changed"
    sections = {name: hashlib.sha256(canonical_json(older[name])).hexdigest() for name in SECTIONS_BEFORE}
    whole = hashlib.sha256(canonical_json({"schema_version": 1, "sections": sections})).hexdigest()
    assert digest_of(older) == whole


def test_an_edge_that_knows_no_other_sites_is_told_of_none_and_of_no_rule_that_leads_there() -> None:
    content = as_json(small_site(**with_other_site()))
    older = for_features(content, FEATURES - {OTHER_SITES})
    assert [rule["kind"] for rule in content["dial_plan"]["rules"]] == ["internal", "service", "site_to_site"]
    assert [rule["kind"] for rule in older["dial_plan"]["rules"]] == ["internal", "service"]
    assert "other_sites" not in older
    assert "authority" not in older["site"]
    assert "blobs" in older


def test_an_edge_that_calls_nobody_back_is_told_of_no_code_for_that() -> None:
    rules = tuple(
        FeatureRule(rule_id=feature, name=feature, code=code, feature=feature)
        for code, feature in (("*57", "call_back_off"), ("*66", "call_back"), ("*69", "call_return"))
    )
    content = as_json(small_site(dial_plan=DialPlan(rules=rules, call_back_minutes=60)))
    older = for_features(content, FEATURES - {CALL_BACK})
    assert [rule["code"] for rule in older["dial_plan"]["rules"]] == ["*69"]
    assert "call_back_minutes" not in older["dial_plan"]
    assert for_features(content, FEATURES)["dial_plan"]["call_back_minutes"] == 60
