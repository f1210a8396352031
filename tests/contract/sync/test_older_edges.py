"""An edge that knows less is sent what it knows, and both sides agree on the digest of that."""

import hashlib
import json
from typing import Any

from hypothesis import given

from contract.snapshot import (
    VOICE_KINDS,
    Blob,
    CallBackOffer,
    CallQueue,
    Conference,
    DialPlan,
    FeatureRule,
    FindMe,
    Forwarding,
    InwardNumber,
    Multicast,
    Music,
    OrbitMusic,
    OwnMusic,
    Paging,
    Park,
    RecordingPolicy,
    RecordingRule,
    Snapshot,
    Trunk,
    UserConferences,
    canonical_json,
    snapshot_digest,
)
from contract.sync.older_edges import digest_of, for_features
from contract.sync.versions import (
    BLOBS,
    CALL_BACK,
    CALL_RECORDINGS,
    FEATURES,
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
from tests.support.example_site import small_site, snapshots, with_other_site

KINDS = {VOICE + kind for kind in VOICE_KINDS}
OLDER = (
    FEATURES
    - {
        BLOBS,
        OTHER_SITES,
        QUEUE_CALL_BACKS,
        RECORDING,
        RECORDING_GROUPS,
        RECORDING_ON_DEMAND,
        CALL_BACK,
        MESSAGES,
        SHARED_LINES,
        NUMBER_WRITINGS,
        FIND_ME_CONFIRMED,
        TRUNK_SECURITY,
        VOICEMAIL_LISTS,
        OWN_MUSIC,
        PLACE_MUSIC,
        MULTICAST,
    }
    - KINDS
)
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


def test_an_edge_that_sends_no_recordings_is_not_told_that_it_may() -> None:
    content = as_json(small_site())
    assert content["site"]["voicemail"]["recordings_leave"] is False
    older = for_features(content, FEATURES - {MESSAGES})
    assert older["site"]["voicemail"] == {
        name: value for name, value in content["site"]["voicemail"].items() if name != "recordings_leave"
    }


@given(snapshots())
def test_an_edge_that_knows_no_shared_lines_is_told_of_no_appearances(snapshot: Snapshot) -> None:
    content = as_json(snapshot)
    older = for_features(content, FEATURES - {SHARED_LINES})
    for before, after in zip(content["users"], older["users"], strict=True):
        assert after == {name: value for name, value in before.items() if name != "appearances"}


def test_an_edge_that_calls_nobody_back_is_told_of_no_code_for_that() -> None:
    rules = tuple(
        FeatureRule(rule_id=feature, name=feature, code=code, feature=feature)
        for code, feature in (("*57", "call_back_off"), ("*58", "call_back"), ("*69", "call_return"))
    )
    content = as_json(small_site(dial_plan=DialPlan(rules=rules, call_back_minutes=60)))
    older = for_features(content, FEATURES - {CALL_BACK})
    assert [rule["code"] for rule in older["dial_plan"]["rules"]] == ["*69"]
    assert "call_back_minutes" not in older["dial_plan"]
    assert for_features(content, FEATURES)["dial_plan"]["call_back_minutes"] == 60


def test_an_edge_is_told_of_the_kinds_of_voice_services_that_it_knows() -> None:
    plan = DialPlan(voice_services=(Music(service_id="m", name="Music", extension="400"),))
    content = as_json(small_site(dial_plan=plan))
    assert [one["kind"] for one in for_features(content, FEATURES)["dial_plan"]["voice_services"]] == ["music"]
    assert for_features(content, FEATURES - {"voice.music"} | {"voice.other"})["dial_plan"]["voice_services"] == []
    assert "voice_services" not in for_features(content, FEATURES - KINDS)["dial_plan"]


def test_an_edge_without_call_park_knows_no_code_for_it() -> None:
    rules = (FeatureRule(rule_id="r", name="Take up", code="*4", feature="park_retrieve"),)
    content = as_json(small_site(dial_plan=DialPlan(rules=rules)))
    assert len(for_features(content, FEATURES)["dial_plan"]["rules"]) == 1
    assert for_features(content, FEATURES - {"voice.park"})["dial_plan"]["rules"] == []


def test_an_edge_without_call_queues_knows_no_code_for_them() -> None:
    rules = (FeatureRule(rule_id="r", name="Log in", code="*13", feature="queue_log_in"),)
    content = as_json(small_site(dial_plan=DialPlan(rules=rules)))
    assert len(for_features(content, FEATURES)["dial_plan"]["rules"]) == 1
    assert for_features(content, FEATURES - {"voice.queue"})["dial_plan"]["rules"] == []


def test_an_edge_that_knows_one_writing_of_a_number_is_told_that_one() -> None:
    number = InwardNumber(number="+41441112240", also=("0441112240",), destination="200")
    content = as_json(small_site(dial_plan=DialPlan(numbers=(number,))))
    assert for_features(content, FEATURES)["dial_plan"]["numbers"][0]["also"] == ["0441112240"]
    older = for_features(content, FEATURES - {NUMBER_WRITINGS})["dial_plan"]["numbers"]
    assert older == [{"number": "+41441112240", "destination": "200", "name": ""}]


@given(snapshots())
def test_an_edge_from_before_confirmation_by_key_gets_find_me_places_that_ask_for_none(snapshot: Snapshot) -> None:
    place = FindMe(destination="0791112233", confirm=True)
    users = tuple(user.model_copy(update={"forwarding": Forwarding(find_me=(place,))}) for user in snapshot.users)
    content = as_json(snapshot.model_copy(update={"users": users}))
    older = for_features(content, FEATURES - {FIND_ME_CONFIRMED})
    for user in older["users"]:
        assert [one["destination"] for one in user["forwarding"]["find_me"]] == ["0791112233"]
        assert all("confirm" not in one for one in user["forwarding"]["find_me"])
    assert all(user["forwarding"]["find_me"][0]["confirm"] for user in content["users"])


def test_an_edge_that_knows_no_lists_or_group_mailboxes_is_sent_neither() -> None:
    content = as_json(small_site())
    older = for_features(content, FEATURES - {VOICEMAIL_LISTS, "voice.mailbox"})
    assert "lists" not in older["site"]["voicemail"]
    assert older["site"]["voicemail"]["recordings_leave"] is False


def test_an_edge_that_records_no_calls_is_told_of_no_rules_for_it() -> None:
    content = as_json(small_site())
    older = for_features(content, FEATURES - {RECORDING})
    assert set(content["site"]) - set(older["site"]) == {"recording"}


def test_an_edge_that_records_by_rule_only_is_not_told_how_users_record() -> None:
    content = as_json(small_site())
    content["users"][0]["permissions"].append("RecordCalls")
    older = for_features(content, FEATURES - {RECORDING_ON_DEMAND})
    assert older["users"] == as_json(small_site())["users"]
    assert "RecordCalls" in content["users"][0]["permissions"]
    assert set(content["site"]["recording"]) - set(older["site"]["recording"]) == {"on_demand"}


def test_an_edge_that_knows_rules_for_calls_of_trunks_and_for_users_only_is_told_of_no_other() -> None:
    """It would record the calls of everybody by what it does not understand."""
    rules = (
        RecordingRule(name="Plain", user_ids=("user-200",)),
        RecordingRule(name="Group", group_ids=("sales",), user_ids=("user-200",)),
        RecordingRule(name="Inside", calls="inside"),
        RecordingRule(name="All", calls="all"),
    )
    site = small_site()
    site = site.model_copy(update={"site": site.site.model_copy(update={"recording": RecordingPolicy(rules=rules)})})
    content = as_json(site)
    older = for_features(content, FEATURES - {RECORDING_GROUPS})["site"]["recording"]["rules"]
    assert [rule["name"] for rule in older] == ["Plain", "All"]
    assert all(set(content["site"]["recording"]["rules"][0]) - set(rule) == {"calls", "group_ids"} for rule in older)


def test_an_edge_that_brings_no_recordings_of_calls_is_not_told_that_it_may() -> None:
    content = as_json(small_site())
    older = for_features(content, FEATURES - {CALL_RECORDINGS})
    assert content["site"]["recording"]["upload"] is False
    assert set(content["site"]["recording"]) - set(older["site"]["recording"]) == {"upload"}


def test_an_edge_that_knows_no_authorities_of_trunks_is_told_of_none() -> None:
    trunk = Trunk(gateway_id="first", name="First", host="sip.provider.test")
    content = as_json(small_site(dial_plan=DialPlan(trunks=(trunk,))))
    assert for_features(content, FEATURES)["dial_plan"]["trunks"][0]["certificate_authorities"] == ""
    (older,) = for_features(content, FEATURES - {TRUNK_SECURITY})["dial_plan"]["trunks"]
    assert set(content["dial_plan"]["trunks"][0]) - set(older) == {"certificate_authorities"}


def test_an_edge_that_calls_nobody_back_has_callers_of_queues_wait() -> None:
    queue = CallQueue(service_id="q", name="Support", extension="600", call_back=CallBackOffer())
    content = as_json(small_site(dial_plan=DialPlan(voice_services=(queue,))))
    assert for_features(content, FEATURES)["dial_plan"]["voice_services"][0]["call_back"]["key"] == "1"
    (older,) = for_features(content, FEATURES - {QUEUE_CALL_BACKS})["dial_plan"]["voice_services"]
    assert "call_back" not in older
    assert older["extension"] == "600"


def test_an_edge_that_sends_to_no_multicast_address_calls_each_who_is_paged() -> None:
    stream = Multicast(address="239.1.2.3", port=5000)
    hall = Paging(service_id="hall", name="Hall", extension="750", multicast=stream)
    content = as_json(small_site(dial_plan=DialPlan(voice_services=(hall,))))
    assert for_features(content, FEATURES)["dial_plan"]["voice_services"][0]["multicast"]["port"] == 5000
    (older,) = for_features(content, FEATURES - {MULTICAST})["dial_plan"]["voice_services"]
    assert "multicast" not in older
    assert older["extension"] == "750"


def test_an_edge_that_knows_no_music_of_rooms_and_orbits_keeps_that_of_parks() -> None:
    music = OwnMusic(digest="0" * 64)
    orbits = (OrbitMusic(orbit="701", music=music),)
    services = (
        Conference(service_id="c", name="Room", extension="600", music=music),
        UserConferences(service_id="own", name="Own", extension="7", music=music),
        Park(service_id="p", name="Park", extension="700", orbits=("701",), music=music, orbit_music=orbits),
    )
    blobs = (Blob(digest=music.digest, size_bytes=9),)
    content = as_json(small_site(dial_plan=DialPlan(voice_services=services), blobs=blobs))
    room, own, park = for_features(content, FEATURES - {PLACE_MUSIC})["dial_plan"]["voice_services"]
    assert "music" not in room
    assert "music" not in own
    assert "orbit_music" not in park
    assert park["music"]["digest"] == music.digest
    oldest = for_features(content, FEATURES - {PLACE_MUSIC, OWN_MUSIC})["dial_plan"]["voice_services"]
    assert all("music" not in one and "orbit_music" not in one for one in oldest)
