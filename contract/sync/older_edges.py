"""Snapshots as edges take them that know less than this version: what they do not know is left out.

An edge refuses fields that it does not know, so a hub asks here before it sends. What is left out can wait: an edge
without `blobs` hands out no firmware, one without `other_sites` calls nobody there, one without `call_back` calls
nobody back, one without `shared_lines` lets phones of one line call without seeing each other, one without
`number_writings` knows a number in one writing, one without `find_me_confirmed` connects find-me places at once, one
without `messages` sends no recordings, one without `voicemail_lists` has lists of its users' own only, one without
`trunk_security` trusts its machine's authorities only, one without `queue_call_backs` has callers of queues wait, one
without `own_music` plays its own, one without `place_music` plays in conferences what comes with it and in an orbit the
music of its park, one without `multicast` calls each who is paged, one without `recording` records no calls, one
without `recording_on_demand` none that a user wants recorded, one without `call_recordings` keeps its recordings of
calls to itself, one without `voice.` and a kind answers no service of that kind, and everything else of its
configuration runs.
"""

import hashlib
from collections.abc import Collection
from typing import Any

from contract.snapshot import canonical_json
from contract.snapshot.snapshot import SECTIONS
from contract.sync.versions import (
    BLOBS,
    CALL_BACK,
    CALL_RECORDINGS,
    FIND_ME_CONFIRMED,
    MESSAGES,
    MULTICAST,
    NUMBER_WRITINGS,
    OTHER_SITES,
    OWN_MUSIC,
    PLACE_MUSIC,
    QUEUE_CALL_BACKS,
    RECORDING,
    RECORDING_GROUPS,
    RECORDING_ON_DEMAND,
    SHARED_LINES,
    TRUNK_SECURITY,
    VOICE,
    VOICEMAIL_LISTS,
)
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
    if MESSAGES not in features:
        content = _without_policy(content, "voicemail", "recordings_leave")
    if SHARED_LINES not in features:
        content = _without_shared_lines(content)
    if NUMBER_WRITINGS not in features:
        content = _without_writings(content)
    if FIND_ME_CONFIRMED not in features:
        content = _without_confirmation(content)
    if VOICEMAIL_LISTS not in features:
        content = _without_policy(content, "voicemail", "lists")
    if TRUNK_SECURITY not in features:
        content = _without_trunk_security(content)
    if QUEUE_CALL_BACKS not in features:
        content = _without_in_services(content, "queue", "call_back")
    if PLACE_MUSIC not in features:
        for kind, field in (("conference", "music"), ("user_conferences", "music"), ("park", "orbit_music")):
            content = _without_in_services(content, kind, field)
    if OWN_MUSIC not in features:
        content = _without_music(content)
    if RECORDING_GROUPS not in features:
        content = _with_simple_recording_rules(content)
    if RECORDING_ON_DEMAND not in features:
        content = _without_policy(_without_permission(content, "RecordCalls"), "recording", "on_demand")
    if MULTICAST not in features:
        content = _without_in_services(content, "paging", "multicast")
    if CALL_RECORDINGS not in features:
        content = _without_policy(content, "recording", "upload")
    if RECORDING not in features:
        site = {name: value for name, value in content["site"].items() if name != "recording"}
        content = content | {"site": site}
    return _with_voice_services(content, {name.removeprefix(VOICE) for name in features if name.startswith(VOICE)})


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


def _without_policy(content: dict[str, Any], policy: str, field: str) -> dict[str, Any]:
    kept = {name: value for name, value in content["site"][policy].items() if name != field}
    return content | {"site": {**content["site"], policy: kept}}


def _with_simple_recording_rules(content: dict[str, Any]) -> dict[str, Any]:
    """It would record everybody's calls by a rule for groups, and those of trunks by one for calls inside."""
    policy = content["site"]["recording"]
    rules = [
        {name: value for name, value in rule.items() if name not in ("calls", "group_ids")}
        for rule in policy["rules"]
        if rule["calls"] != "inside" and not rule["group_ids"]
    ]
    return content | {"site": {**content["site"], "recording": {**policy, "rules": rules}}}


def _without_permission(content: dict[str, Any], unknown: str) -> dict[str, Any]:
    users = [
        {**user, "permissions": [one for one in user["permissions"] if one != unknown]} for user in content["users"]
    ]
    return content | {"users": users}


def _without_shared_lines(content: dict[str, Any]) -> dict[str, Any]:
    users = [{name: value for name, value in user.items() if name != "appearances"} for user in content["users"]]
    return content | {"users": users}


def _without_writings(content: dict[str, Any]) -> dict[str, Any]:
    plan = content["dial_plan"]
    numbers = [{name: value for name, value in one.items() if name != "also"} for one in plan["numbers"]]
    return content | {"dial_plan": {**plan, "numbers": numbers}}


def _without_confirmation(content: dict[str, Any]) -> dict[str, Any]:
    users = []
    for user in content["users"]:
        forwarding = user["forwarding"]
        places = [
            {name: value for name, value in place.items() if name != "confirm"} for place in forwarding["find_me"]
        ]
        users.append({**user, "forwarding": {**forwarding, "find_me": places}})
    return content | {"users": users}


def _without_trunk_security(content: dict[str, Any]) -> dict[str, Any]:
    """It trusts the machine's authorities then: where a trunk's own were needed, it does not connect."""
    plan = content["dial_plan"]
    left = "certificate_authorities"
    trunks = [{name: value for name, value in trunk.items() if name != left} for trunk in plan["trunks"]]
    return content | {"dial_plan": {**plan, "trunks": trunks}}


def _without_in_services(content: dict[str, Any], kind: str, field: str) -> dict[str, Any]:
    plan = content["dial_plan"]
    services = [
        {name: value for name, value in one.items() if name != field} if one["kind"] == kind else one
        for one in plan["voice_services"]
    ]
    return content | {"dial_plan": {**plan, "voice_services": services}}


def _without_music(content: dict[str, Any]) -> dict[str, Any]:
    def silent(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: value for name, value in record.items() if name != "music"} for record in records]

    (plan,) = silent([content["dial_plan"]])
    plan |= {name: silent(plan[name]) for name in ("hunt_groups", "voice_services")}
    return content | {"users": silent(content["users"]), "dial_plan": plan}


def _with_voice_services(content: dict[str, Any], kinds: Collection[str]) -> dict[str, Any]:
    plan = dict(content["dial_plan"])
    if "park" not in kinds:
        plan["rules"] = [rule for rule in plan["rules"] if rule.get("feature") != "park_retrieve"]
    if "queue" not in kinds:
        plan["rules"] = [rule for rule in plan["rules"] if not str(rule.get("feature")).startswith("queue_")]
    services = [service for service in plan.pop("voice_services") if service["kind"] in kinds]
    return content | {"dial_plan": plan | ({"voice_services": services} if kinds else {})}


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
