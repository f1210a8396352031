"""Conference rooms in a snapshot and in the dial plan."""

from typing import Any

import pytest
from pydantic import ValidationError

from contract.dialplan import Call, Reject, Service, SiteState, compile_plan, decide
from contract.dialplan.review import review
from contract.snapshot import Conference, DialPlan, InternalRule, Snapshot, UserConferences
from tests.contract.dialplan.office import MORNING
from tests.support.example_site import small_site

ROOM = Conference(service_id="team", name="Team", extension="800")
PERSONAL = UserConferences(service_id="mine", name="Rooms", extension="7")
SITE = small_site()
USER = next(user for user in SITE.users if user.extension)


def site(*services: Any, **changes: Any) -> Snapshot:
    plan = DialPlan(rules=(InternalRule(rule_id="rule-1"),), voice_services=services)
    return Snapshot.model_validate({**dict(SITE), "dial_plan": plan, **changes})


@pytest.mark.parametrize(
    ("services", "problem"),
    [
        ((ROOM.model_copy(update={"owner": "nobody"}),), "Team has the unknown owner nobody"),
        (
            (ROOM.model_copy(update={"service_id": USER.user_id}),),
            f"{USER.user_id} is the id of a user, and cannot be that of Team",
        ),
        (
            (PERSONAL, PERSONAL.model_copy(update={"service_id": "more", "name": "More", "extension": "6"})),
            "More is a second set of users' rooms; a user has one room",
        ),
        (
            (PERSONAL, ROOM.model_copy(update={"extension": f"7{USER.extension}"})),
            f"7{USER.extension} would be the conference of {USER.username}, but is used already",
        ),
        ((ROOM.model_copy(update={"extension": USER.extension}),), f"'{USER.extension}' is used more than once"),
    ],
)
def test_rooms_that_cannot_be_are_refused_and_why(services: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        site(*services)


@pytest.mark.parametrize("wrong", [{"most_members": 1}, {"most_members": 101}, {"announced": "loudly"}, {"pin": "1"}])
def test_a_room_has_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Conference.model_validate({**dict(ROOM), **wrong})


@pytest.mark.parametrize("wish", ["waits_for_moderator", "locked", "ends_with_moderator"])
def test_whoever_makes_a_room_that_needs_a_moderator_and_can_have_none_is_told(wish: str) -> None:
    def warnings(**changes: Any) -> list[str]:
        plan = DialPlan(voice_services=(ROOM.model_copy(update={wish: True, **changes}),))
        return review(plan, SITE.users)

    (warning,) = warnings()
    assert warning.endswith("but nobody is one: it has no owner and asks for no PIN")
    assert warnings(asks_pin=True) == warnings(owner=USER.user_id) == []


def test_a_room_and_the_rooms_of_users_are_dialled() -> None:
    plan = compile_plan(site(ROOM, PERSONAL))

    def dialled(number: str) -> object:
        return decide(plan, SiteState(), Call(USER.user_id, number), (), MORNING).step

    assert dialled("800") == Service("conference", (("service", "team"),))
    assert dialled("7") == Service("user_conferences", (("service", "mine"),))
    room = Service("user_conferences", (("service", "mine"), ("room", USER.user_id)))
    assert dialled(f"7{USER.extension}") == room
    assert dialled("7999") == Reject(404, "Not Found")


def test_rooms_of_users_that_are_switched_off_or_need_a_permission_are_not_for_everybody() -> None:
    number = f"7{USER.extension}"
    off = compile_plan(site(PERSONAL.model_copy(update={"enabled": False})))
    assert decide(off, SiteState(), Call(USER.user_id, number), (), MORNING).step == Reject(404, "Not Found")
    guarded = compile_plan(site(PERSONAL.model_copy(update={"permission": "SuperAdmin"})))
    assert decide(guarded, SiteState(), Call(USER.user_id, number), (), MORNING).step == Reject(403, "Forbidden")
