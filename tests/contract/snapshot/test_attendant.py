"""An attendant's record leads somewhere, or is refused with what is wrong named."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from contract.snapshot import Attendant, DialPlan, InternalRule, VoicemailRule, VoiceService, parse_snapshot
from tests.contract.snapshot.test_snapshot import as_json
from tests.support.example_site import small_site

_services: TypeAdapter[Any] = TypeAdapter(VoiceService)
DIGEST = "cd" * 32


def record(*menus: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """As the portal sends it."""
    return {
        "kind": "attendant",
        "service_id": "front",
        "name": "Front desk",
        "extension": "400",
        "menus": menus or ({"menu_id": "main", "name": "Main"},),
        "first_menu": "main",
        **changes,
    }


def main(**changes: Any) -> dict[str, Any]:
    return {"menu_id": "main", "name": "Main", **changes}


def other(**changes: Any) -> dict[str, Any]:
    return {"menu_id": "other", "name": "Other", **changes}


def key(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"key": name, "action": {"kind": kind, **more}}


def then(kind: str, **more: Any) -> dict[str, Any]:
    return {"then": {"kind": kind, **more}}


def test_every_action_of_a_key_is_taken() -> None:
    actions: tuple[tuple[str, dict[str, Any]], ...] = (
        ("dial", {"destination": "200"}),
        ("extension", {}),
        ("name", {}),
        ("menu", {"menu_id": "other"}),
        ("voicemail", {"mailbox": "201"}),
        ("operator", {}),
        ("announcement", {"greeting": {"kind": "spoken", "text": "We are at Main Street 1."}}),
        ("repeat", {}),
        ("back", {}),
        ("hang_up", {}),
    )
    keys = [key(name, kind, **more) for name, (kind, more) in zip("0123456789", actions, strict=True)]
    made = _services.validate_python(record(main(keys=keys), other(), operator="200"))
    assert isinstance(made, Attendant)
    assert [one.action.kind for one in made.menus[0].keys] == [kind for kind, _ in actions]


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (record(first_menu="gone"), "first_menu names menu gone, which is not there"),
        (record(main(keys=[key("1", "menu", menu_id="gone")])), "menu Main, key 1 names menu gone"),
        (record(special_menu="gone"), "special_menu names menu gone"),
        (record(special_mode=True), "special_mode is on, and no special_menu is named"),
        (
            record(by_time=[{"during": {"schedule_id": "s", "periods": ["holiday"]}, "menu_id": "gone"}]),
            "by_time names menu gone",
        ),
        (record(main(), main()), "menu_id main stands there twice"),
        (record(main(keys=[key("1", "back"), key("1", "repeat")])), "menu Main: key 1 stands there twice"),
        (
            record(main(keys=[key("0", "operator")])),
            "key 0 leads to the operator, and the attendant has none",
        ),
        (record(main(invalid=then("operator"))), "menu Main, invalid leads to the operator"),
        (
            record(main(no_input=then("menu", menu_id="main"))),
            "menu Main: without a key that is right, no_input goes round for ever: main → main",
        ),
        (
            record(
                main(invalid=then("menu", menu_id="other")),
                other(invalid=then("menu", menu_id="main")),
            ),
            "menu Other: without a key that is right, invalid goes round for ever: other → main → other",
        ),
        (record(main(keys=[key("1", "fly")])), "action"),
        (record(main(keys=[key("A", "back")])), "key"),
        (record(main(greeting={"kind": "spoken", "text": ""})), "text"),
        (record(main(greeting={"kind": "uploaded", "digest": "short"})), "digest"),
        (record(main(no_input={"times": 10})), "times"),
        (record(main(first_key_seconds=0)), "first_key_seconds"),
        (record(*[main(menu_id=f"m{n}") for n in range(51)], first_menu="m0"), "at most 50"),
        (record(main(keys=[key("1", "announcement", greeting={"kind": "recorded"})])), "greeting"),
    ],
)
def test_what_leads_nowhere_or_round_for_ever_is_named(made: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        _services.validate_python(made)


def test_menus_may_lead_to_each_other_by_keys() -> None:
    menus = (main(keys=[key("1", "menu", menu_id="other")]), other(keys=[key("1", "menu", menu_id="main")]))
    assert _services.validate_python(record(*menus)).menus[1].menu_id == "other"


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (record(permissions=["Fly"]), "attendant Front desk has the unknown permission 'Fly'"),
        (
            record(by_time=[{"during": {"schedule_id": "gone", "periods": ["holiday"]}, "menu_id": "main"}]),
            "attendant Front desk goes by schedule gone, which is not in the snapshot",
        ),
        (
            record(main(keys=[key("1", "voicemail", mailbox="200")])),
            "attendant Front desk leads to a mailbox, and no voicemail rule that is switched on has a prefix",
        ),
        (
            record(main(greeting={"kind": "uploaded", "digest": DIGEST})),
            f"attendant Front desk names blob {DIGEST}, which is not in the snapshot",
        ),
        (record(extension="200"), "'200' is used more than once"),
    ],
)
def test_what_the_rest_of_the_snapshot_does_not_have_is_named(made: dict[str, Any], problem: str) -> None:
    attendant = _services.validate_python(made)
    with pytest.raises(ValueError, match=problem):
        small_site(dial_plan=DialPlan(rules=(InternalRule(rule_id="i"),), voice_services=(attendant,)))


def test_an_attendant_comes_back_from_json_as_it_went() -> None:
    attendant = _services.validate_python(record(main(keys=[key("1", "voicemail", mailbox="200")])))
    plan = DialPlan(rules=(VoicemailRule(rule_id="v", prefix="*98"),), voice_services=(attendant,))
    site = small_site(dial_plan=plan)
    assert parse_snapshot(as_json(site)) == site
