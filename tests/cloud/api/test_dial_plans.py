"""Dial plans over the API: saved as a whole, warned about, simulated, and held to what the tenant expects."""

from typing import Any

import pytest

from cloud.pbx.default_dial_plan import FEATURE_CODES
from cloud.pbx.dial_plan_templates import COUNTRIES
from cloud.pbx.publishing import latest_snapshot, publish_site
from tests.support.api_world import Answer, ApiWorld

GATEWAY = {"gateway_id": "pri", "name": "PRI", "host": "192.0.2.10", "caller_id": "+41441112200"}
SCHEDULE = {
    "schedule_id": "hours",
    "name": "Office hours",
    "hours": [{"days": [1, 2, 3, 4, 5], "start": 480, "end": 1080}],
}


def path(world: ApiWorld, rest: str = "dial-plan") -> str:
    return f"/sites/{world.ours.site_id}/{rest}"


def plan(world: ApiWorld) -> dict[str, Any]:
    document: dict[str, Any] = world.admin.get(path(world)).json["document"]
    return document


def user(world: ApiWorld, username: str, **more: Any) -> dict[str, Any]:
    content = {"site_id": str(world.ours.site_id), "username": username, "extension": username, **more}
    answer = world.admin.post("/users", content)
    assert answer.status == 201, answer.body
    return dict(answer.json)


def save(world: ApiWorld, document: dict[str, Any], if_match: str = "") -> Answer:
    headers = {"if-match": if_match} if if_match else None
    return world.admin.call("PUT", path(world), {"document": document}, headers)


def furnished(world: ApiWorld, country: str = "CH") -> dict[str, Any]:
    """A plan with a gateway and the rules of a country, saved."""
    assert save(world, {**plan(world), "gateways": [GATEWAY], "schedules": [SCHEDULE]}).status == 200
    filled = world.admin.post(path(world, "dial-plan/template"), {"country": country}).json["document"]
    answer = save(world, filled)
    assert answer.status == 200, answer.body
    return dict(answer.json)


def simulated(world: ApiWorld, document: dict[str, Any] | None = None, **call: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"call": call} if document is None else {"call": call, "document": document}
    answer = world.admin.post(path(world, "simulate"), body)
    assert answer.status == 200, answer.body
    return dict(answer.json)


def publish(world: ApiWorld) -> tuple[str, ...]:
    return publish_site(world.databases.worker, world.ours.scope, world.ours.site_id, "test").refused


def test_a_site_begins_with_the_default_plan_and_counts_its_changes(world: ApiWorld) -> None:
    first = world.admin.get(path(world)).json
    kinds = [rule["kind"] for rule in first["document"]["rules"]]
    assert (first["version"], kinds) == (
        0,
        ["service", "service", *["feature"] * len(FEATURE_CODES), "voicemail", "internal"],
    )
    changed = save(world, {**first["document"], "gateways": [GATEWAY]}, if_match='"0.ab"')
    assert (changed.status, changed.json["version"]) == (200, 1)
    assert save(world, first["document"], if_match='"0.ab"').status == 412
    assert save(world, first["document"], if_match='"1.ab"').json["version"] == 2
    audit = world.admin.get("/audit?limit=50").json["items"]
    assert any(entry["action"] == "dial_plan.changed" for entry in audit)


def test_a_saved_plan_is_part_of_the_next_snapshot(world: ApiWorld) -> None:
    furnished(world)
    assert publish(world) == ()
    with world.databases.worker.session(world.ours.scope) as session:
        snapshot = latest_snapshot(session, world.ours.site_id)
    assert snapshot is not None
    assert [gateway.name for gateway in snapshot.dial_plan.gateways] == ["PRI"]


def test_what_is_wrong_with_a_plan_is_named_and_nothing_is_saved(world: ApiWorld) -> None:
    document = plan(world)
    document["rules"].append(
        {
            "kind": "outside",
            "rule_id": "out",
            "name": "Out",
            "patterns": [{"prefix": "0"}],
            "gateways": ["none"],
            "permissions": ["Flying"],
            "during": {"schedule_id": "gone", "periods": ["holiday"]},
        }
    )
    document["hunt_groups"] = [{"group_id": "g", "name": "G", "extension": "300", "members": ["nobody"]}]
    answer = save(world, document)
    assert answer.status == 422
    told = " ".join(problem["message"] for problem in answer.json["problems"])
    assert all(word in told for word in ("gateway none", "'Flying'", "schedule gone", "member nobody"))
    assert world.admin.get(path(world)).json["version"] == 0


@pytest.mark.parametrize("bad", [{"rules": [{"kind": "flying"}]}, {"rules": 7}, {"colour": "red"}])
def test_a_document_that_is_no_plan_is_refused(world: ApiWorld, bad: dict[str, Any]) -> None:
    assert save(world, {**plan(world), **bad}).status == 422


def test_whoever_saves_is_told_of_rules_that_lead_nowhere(world: ApiWorld) -> None:
    document = plan(world)
    document["rules"].append({"kind": "outside", "rule_id": "out", "name": "Out", "patterns": [{"prefix": "0"}]})
    answer = save(world, document)
    assert (answer.status, answer.json["warnings"]) == (
        200,
        ["Out leads nowhere: it has no gateway that is switched on"],
    )


def test_a_number_for_help_that_leads_nowhere_is_a_warning(world: ApiWorld) -> None:
    site = f"/sites/{world.ours.site_id}"
    assert world.admin.patch(site, {"sip": {"country": "DE"}}).status == 200
    assert world.admin.get(path(world)).json["warnings"] == [
        f"{number} is a number for help at this site, but no emergency rule names it: "
        "there is no gateway that it could go out by"
        for number in ("112", "110")
    ]
    assert furnished(world, "DE")["warnings"] == []


def test_a_hunt_groups_number_is_nobody_elses_and_a_member_who_goes_leaves_it(world: ApiWorld) -> None:
    member = user(world, "210")
    document = plan(world)
    document["hunt_groups"] = [{"group_id": "g", "name": "G", "extension": "300", "members": [member["id"]]}]
    assert save(world, document).status == 200
    refused = world.admin.post("/users", {"site_id": str(world.ours.site_id), "username": "300"})
    assert (refused.status, refused.json["problems"][0]["field"]) == (422, "username")
    document["hunt_groups"][0]["extension"] = "210"
    assert save(world, document).status == 422
    assert world.admin.delete(f"/users/{member['id']}").status == 204
    assert plan(world)["hunt_groups"][0]["members"] == []
    assert publish(world) == ()


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_the_template_of_every_country_is_a_sound_plan(world: ApiWorld, country: str) -> None:
    assert save(world, {**plan(world), "gateways": [GATEWAY]}).status == 200
    body = {"country": country, "area_code": "212" if country == "US" else "2"}
    answer = world.admin.post(path(world, "dial-plan/template"), body)
    assert (answer.status, answer.json["warnings"]) == (200, [])
    assert save(world, answer.json["document"]).json["warnings"] == []


@pytest.mark.parametrize(
    ("country", "dialled", "called"),
    [
        ("US", "912125550100", "+12125550100"),
        ("US", "92125550100", "+12125550100"),
        ("US", "918005550100", "+18005550100"),
        ("US", "901141441112233", "+41441112233"),
        ("US", "911", "911"),
        ("US", "9911", "911"),
        ("GB", "902079460000", "+442079460000"),
        ("GB", "907700900123", "+447700900123"),
        ("DE", "0030123456", "+4930123456"),
        ("DE", "0004144111", "+4144111"),
        ("DE", "0112", "112"),
        ("FR", "00145678901", "+33145678901"),
        ("FR", "017", "17"),
        ("CH", "00441112233", "+41441112233"),
        ("CH", "00791112233", "+41791112233"),
        ("CH", "+4930123456", "+4930123456"),
        ("AU", "0000", "000"),
        ("AU", "00412345678", "+61412345678"),
        ("AU", "0001144201234", "+44201234"),
        ("generic", "004930123456", "+4930123456"),
    ],
)
def test_a_template_understands_how_a_country_dials(world: ApiWorld, country: str, dialled: str, called: str) -> None:
    everything = ["LocalDialing", "LongDistanceDialing", "InternationalDialing", "Mobile", "TollFree", "900Dialing"]
    user(world, "210", permissions=everything)
    furnished(world, country)
    steps = simulated(world, caller="210", dialled=dialled)["steps"]
    assert [number["number"] for number in steps[0]["numbers"]] == [called], steps


def test_a_call_is_simulated_with_who_rings_by_which_rule_and_why(world: ApiWorld) -> None:
    callee = user(world, "210", display_name="Reception")
    user(world, "211")
    handling = f"/users/{callee['id']}/call-handling"
    assert world.admin.patch(handling, {"no_answer": "211", "ring_seconds": 12}).status == 200
    first, second, mailbox, end = simulated(world, caller="211", dialled="210", unregistered=["211"])["steps"]
    assert [(one["username"], one["display_name"]) for one in first["users"]] == [("210", "Reception")]
    assert (first["seconds"], [reason["code"] for reason in first["reasons"]]) == (12, ["internal", "ring"])
    assert [one["username"] for one in second["users"]] == ["211"]
    assert second["reasons"][0]["code"] == "forward_no_answer"
    assert (mailbox["service"], mailbox["arguments"]["mailbox"]) == ("voicemail", "211")
    assert end["status"] == 480


def test_features_are_simulated_with_who_is_asked_about_and_why(world: ApiWorld) -> None:
    may = ["CallPickup", "Intercom", "Voicemail"]
    callee = user(world, "210", permissions=may)
    user(world, "211", permissions=may)
    furnished(world)

    def first(dialled: str, **asked: Any) -> dict[str, Any]:
        found: dict[str, Any] = simulated(world, **{"caller": "211", **asked}, dialled=dialled)["steps"][0]
        return found

    assert [one["username"] for one in first("*78210")["picked_up"]] == ["210"]
    intercom = first("*76210")
    assert ([one["username"] for one in intercom["users"]], intercom["answered_at_once"]) == (["210"], True)
    assert first("*97")["arguments"] == {"action": "retrieve", "mailbox": "211"}
    assert [one["username"] for one in first("*69", last_caller="210")["users"]] == ["210"]
    handling = f"/users/{callee['id']}/call-handling"
    wishes = {"blocked": ["0791112233"], "reject_anonymous": True, "call_waiting": False}
    assert world.admin.patch(handling, wishes).status == 200
    outside = {"caller": None, "gateway": "PRI"}
    assert first("210", **outside, number="+41791112233")["status"] == 603
    assert first("210", **outside, anonymous=True)["status"] == 433
    assert "in_call" in [one["code"] for one in first("210", busy=["210"])["reasons"]]
    assert "blocked" in [one["code"] for one in first("210", **outside, number="0791112233")["reasons"]]


def test_a_plan_that_is_not_saved_is_simulated_too(world: ApiWorld) -> None:
    user(world, "210", permissions=["LocalDialing"])
    document = {
        **plan(world),
        "gateways": [GATEWAY],
        "rules": [
            {
                "kind": "outside",
                "rule_id": "out",
                "name": "Out",
                "patterns": [{"prefix": "0"}],
                "gateways": ["pri"],
                "permissions": ["LocalDialing"],
            }
        ],
    }
    steps = simulated(world, document, caller="210", dialled="0441112233")["steps"]
    assert steps[0]["numbers"][0] == {
        "gateway": "PRI",
        "number": "0441112233",
        "caller_id": "+41441112200",
        "anonymous": False,
        "emergency": False,
    }
    assert simulated(world, caller="210", dialled="0441112233")["steps"][0]["status"] == 404


def test_what_fails_is_part_of_the_question(world: ApiWorld) -> None:
    user(world, "210", permissions=["LocalDialing"])
    user(world, "211")
    furnished(world)
    asked: dict[str, Any] = {"caller": "210", "dialled": "00441112233"}
    assert simulated(world, **asked)["steps"][0]["numbers"][0]["gateway"] == "PRI"
    down = simulated(world, **asked, gateways_down=["PRI"])["steps"]
    assert down[0]["numbers"][0]["gateway"] == "PRI"
    assert down[-1]["status"] == 503
    assert simulated(world, **asked, cloud_down=True)["steps"] == simulated(world, **asked)["steps"]
    (end,) = simulated(world, **asked, edge_down=True)["steps"]
    assert (end["status"], end["reasons"][0]["code"]) == (503, "edge_down")
    assert simulated(world, caller="210", dialled="211", busy=["211"])["steps"][-1]["status"] == 486


def test_a_question_about_what_is_not_there_is_refused(world: ApiWorld) -> None:
    body = {"call": {"dialled": "1", "caller": "nobody", "gateways_down": ["none"]}}
    answer = world.admin.post(path(world, "simulate"), body)
    assert answer.status == 422
    assert {problem["field"] for problem in answer.json["problems"]} == {"caller", "gateways_down.0"}


def expect(world: ApiWorld, outcome: str, target: str = "", **call: Any) -> Answer:
    content = {"call": call, "outcome": outcome, "target": target}
    return world.admin.post(path(world, "call-assertions"), {"name": f"{outcome} {target}", "content": content})


def test_a_plan_by_which_calls_go_elsewhere_than_expected_is_refused_with_the_explanation(world: ApiWorld) -> None:
    user(world, "210", permissions=["LocalDialing"])
    furnished(world)
    assert expect(world, "leaves_by", "PRI", caller="210", dialled="112").status == 201
    assert expect(world, "rings", "210", dialled="210", gateway="pri").status == 201
    assert publish(world) == ()
    document = plan(world)
    document["rules"] = [rule for rule in document["rules"] if rule["kind"] != "emergency"]
    answer = save(world, document)
    assert answer.status == 422
    assert answer.json["problems"] == [
        {
            "field": "document",
            "message": "leaves_by PRI: 112 dialled by 210 leaves by PRI, but no dialing rule matches 112",
        }
    ]


def test_a_configuration_that_breaks_an_expectation_is_not_published_until_it_is_mended(world: ApiWorld) -> None:
    made = user(world, "210")
    assert publish(world) == ()
    assertion = expect(world, "rings", "210", caller="210", dialled="210").json
    assert world.admin.patch(f"/users/{made['id']}", {"enabled": False}).status == 200
    (why,) = publish(world)
    assert "210 is disabled" in why
    assert world.admin.get(path(world)).json["refused"]["problems"] == [why]
    target = path(world, f"call-assertions/{assertion['id']}")
    renamed = {"name": "Refused", "content": {**assertion["content"], "outcome": "refused"}}
    assert world.admin.patch(target, renamed).status == 200
    assert publish(world) == ()
    assert world.admin.get(path(world)).json["refused"] is None
    assert world.admin.delete(target).status == 204
    assert world.admin.get(path(world, "call-assertions")).json["items"] == []


def test_users_change_where_their_own_calls_go_and_nobody_elses(world: ApiWorld) -> None:
    own = f"/users/{world.user_id}/call-handling"
    changes = {"do_not_disturb": True, "busy": "201", "find_me": [{"destination": "+41791112233"}]}
    assert world.user.patch(own, changes).status == 200
    shown = world.user.get(own).json
    assert (shown["do_not_disturb"], shown["forwarding"]["busy"]) == (True, "201")
    assert shown["forwarding"]["find_me"][0]["destination"] == "+41791112233"
    assert world.user.patch(own, {"busy": None, "find_me": None, "do_not_disturb": False}).json == {
        **shown,
        "do_not_disturb": False,
        "forwarding": {**shown["forwarding"], "busy": None, "find_me": []},
    }
    other = f"/users/{user(world, '219')['id']}/call-handling"
    assert world.user.get(other).status == 404
    assert world.user.patch(other, {"busy": "201"}).status == 404
    assert world.stranger.get(own).status == 404


def test_nobody_is_forwarded_to_himself(world: ApiWorld) -> None:
    made = user(world, "210", aliases=["front"])
    answer = world.admin.patch(
        f"/users/{made['id']}/call-handling", {"always": "front", "find_me": [{"destination": "210"}]}
    )
    assert answer.status == 422
    assert {problem["field"] for problem in answer.json["problems"]} == {"always", "find_me.0.destination"}


def test_assertions_are_tried_by_the_saved_plan_and_by_one_that_is_not_saved(world: ApiWorld) -> None:
    user(world, "210", permissions=["LocalDialing"])
    furnished(world)
    assert expect(world, "leaves_by", "PRI", caller="210", dialled="112").status == 201
    (verdict,) = world.admin.post(path(world, "call-assertions/run"), {}).json["items"]
    assert (verdict["holds"], verdict["name"]) == (True, "leaves_by PRI")
    document = plan(world)
    document["rules"] = [rule for rule in document["rules"] if rule["kind"] != "emergency"]
    answer = world.admin.post(path(world, "call-assertions/run"), {"document": document})
    (verdict,) = answer.json["items"]
    assert verdict["holds"] is False
    assert verdict["text"] == "112 dialled by 210 leaves by PRI, but no dialing rule matches 112"
    assert plan(world)["rules"] != document["rules"]


def test_assertions_are_run_by_administrators_of_the_tenant_only(world: ApiWorld) -> None:
    target = path(world, "call-assertions/run")
    assert world.msp.post(target, {}).status == 200
    assert world.user.post(target, {}).status == 403
    assert world.stranger.post(target, {}).status == 404
    assert world.anyone.post(target, {}).status == 401
