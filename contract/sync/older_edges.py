"""Snapshots as edges take them that know less than this version: what they do not know is left out.

An edge refuses fields that it does not know, so a hub asks here before it sends. What is left out can wait: an edge
without `blobs` hands out no firmware, one without `other_sites` calls nobody there, one without
`call_back` calls nobody back, and everything else of its
configuration runs.
"""

import hashlib
from collections.abc import Collection
from typing import Any

from contract.snapshot import canonical_json
from contract.snapshot.snapshot import SECTIONS
from contract.sync.versions import BLOBS, CALL_BACK, OTHER_SITES
from contract.values import Digest


def for_features(content: dict[str, Any], features: Collection[str]) -> dict[str, Any]:
    """A snapshot as an edge with these features takes it.

    Args:
        content: a whole snapshot as JSON data; it is not changed.
        features: what the edge's Hello listed.
    """
    if BLOBS not in features:
        content = _without_blobs(content)
    if OTHER_SITES not in features:
        content = _without_other_sites(content)
    if CALL_BACK not in features:
        content = _without_call_back(content)
    return content


def _without_blobs(content: dict[str, Any]) -> dict[str, Any]:
    policy = {name: value for name, value in content["site"]["provisioning"].items() if name != "firmware_hours"}
    devices = [{name: value for name, value in device.items() if name != "firmware"} for device in content["devices"]]
    kept = {name: value for name, value in content.items() if name not in ("firmware", "blobs")}
    return kept | {"site": {**content["site"], "provisioning": policy}, "devices": devices}


def _without_other_sites(content: dict[str, Any]) -> dict[str, Any]:
    site = {name: value for name, value in content["site"].items() if name != "authority"}
    plan = content["dial_plan"]
    rules = [rule for rule in plan["rules"] if rule["kind"] != "site_to_site"]
    kept = {name: value for name, value in content.items() if name != "other_sites"}
    return kept | {"site": site, "dial_plan": {**plan, "rules": rules}}


def _without_call_back(content: dict[str, Any]) -> dict[str, Any]:
    plan = {name: value for name, value in content["dial_plan"].items() if name != "call_back_minutes"}
    rules = [rule for rule in plan["rules"] if rule.get("feature") not in ("call_back", "call_back_off")]
    return content | {"dial_plan": {**plan, "rules": rules}}


def digest_of(content: dict[str, Any]) -> Digest:
    """The digest that an edge which took this content has of it (`contract.snapshot.snapshot_digest`).

    Args:
        content: what `for_features` gave.
    """
    sections = {
        section: hashlib.sha256(canonical_json(content[section])).hexdigest()
        for section in SECTIONS
        if section in content
    }
    return hashlib.sha256(
        canonical_json({"schema_version": content["schema_version"], "sections": sections})
    ).hexdigest()
