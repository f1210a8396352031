"""Call forwarding, find-me/follow-me and hunt groups."""

from dataclasses import replace
from typing import Any

import pytest

from contract.dialplan import Call, Confirmation, Reject, Ring, SiteState, decide
from contract.snapshot import FindMe, Forwarding
from tests.contract.dialplan.office import AFTER_WORK, AT_WORK, MORNING, OFFICE, USERS, forwards, office, user, way


@pytest.mark.parametrize(
    ("forwarding", "answers", "expected"),
    [
        ({}, (), "203 480"),
        ({}, (486,), "203 486"),
        ({}, (603,), "203 603"),
        ({"always": "201"}, (), "201 480"),
        ({"always": "201"}, (486,), "201 486"),
        ({"always": "999"}, (), "404"),
        ({"always": "300"}, (), "200+201/30 480"),  # 203 is a member, and has sent the call on itself
        ({"busy": "201"}, (486,), "203 201 480"),
        ({"busy": "201"}, (600,), "203 201 480"),
        ({"busy": "201"}, (480,), "203 480"),
        ({"busy": "201"}, (603,), "203 603"),
        ({"no_answer": "201"}, (408,), "203/20 201 480"),
        ({"no_answer": "201"}, (480,), "203/20 201 480"),
        ({"no_answer": "201"}, (486,), "203/20 486"),
        ({"no_answer": "201"}, (603,), "203/20 603"),
        ({"no_answer": "201", "ring_seconds": 7}, (408,), "203/7 201 480"),
        ({"no_answer": "201", "busy": "205"}, (486,), "203/20 205 480"),
        ({"unregistered": "205", "no_answer": "201"}, (480,), "203/20 201 480"),
        ({"no_answer": "203"}, (408,), "203/20 482"),
        ({"always": "203"}, (), "482"),
        ({"busy": "202"}, (486,), "203 404"),
    ],
)
def test_a_call_is_forwarded_as_the_user_wishes(
    forwarding: dict[str, Any], answers: tuple[int, ...], expected: str
) -> None:
    assert way("203", answers=answers, state=forwards(**forwarding)) == expected
    # What the snapshot says is the same until the user says something else at the site.
    users = tuple(replace_user(one, forwarding) if one.user_id == "u203" else one for one in USERS)
    assert way("203", answers=answers, plan=office(users=users)) == expected


def replace_user(one: Any, forwarding: dict[str, Any]) -> Any:
    return one.model_copy(update={"forwarding": Forwarding(**forwarding)})


@pytest.mark.parametrize(
    ("forwarding", "expected"),
    [
        ({}, "203 480"),
        ({"unregistered": "205"}, "203 205 480"),
        ({"unregistered": "205", "no_answer": "201"}, "203/20 205 480"),
        ({"no_answer": "201"}, "203/20 201 480"),
        ({"busy": "201"}, "203 480"),
    ],
)
def test_a_user_without_a_registered_phone_is_forwarded_as_unregistered_or_else_as_not_answering(
    forwarding: dict[str, Any], expected: str
) -> None:
    assert way("203", state=forwards(**forwarding), unreached=True) == expected


def test_do_not_disturb_is_busy_and_is_forwarded_as_busy() -> None:
    quiet = SiteState(do_not_disturb=frozenset({"u203"}))
    assert way("203", state=quiet) == "486"
    assert way("203", state=replace(forwards(busy="201"), do_not_disturb=frozenset({"u203"}))) == "201 480"
    assert way("203", state=replace(forwards(always="201"), do_not_disturb=frozenset({"u203"}))) == "201 480"


@pytest.mark.parametrize(
    ("target", "who", "expected"),
    [
        ("00441234567", "203", "403"),
        ("00441234567", "200", "pri:0441234567 480"),
        ("00791234567", "201", "403"),
        ("00791234567", "200", "cell:90791234567 480"),
        ("112", "203", "404"),
    ],
)
def test_a_forward_to_the_outside_needs_the_permission_of_who_forwards(target: str, who: str, expected: str) -> None:
    for caller in ("u205", "u200", None):
        assert way(who, caller, state=forwards(who, always=target)) == expected


def test_two_who_forward_to_each_other_end_in_a_loop_that_is_named() -> None:
    state = SiteState(forwarding={"u201": Forwarding(always="203"), "u203": Forwarding(always="201")})
    assert way("203", state=state) == "482"


def test_a_chain_of_forwards_is_followed_to_its_end() -> None:
    chain = tuple(
        user(f"4{n:02}", forwarding=Forwarding(always=f"4{n + 1:02}") if n < 9 else Forwarding()) for n in range(10)
    )
    assert way("400", "u401", plan=office(users=(*USERS, *chain))) == "409 480"


def test_a_chain_longer_than_ten_is_taken_for_a_loop() -> None:
    chain = tuple(user(f"4{n:02}", forwarding=Forwarding(always=f"4{n + 1:02}")) for n in range(20))
    assert way("400", "u401", plan=office(users=(*USERS, *chain, user("420")))) == "482"


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ((FindMe(destination="201"),), "203/20 201/20 480"),
        ((FindMe(destination="201", seconds=9),), "203/20 201/9 480"),
        ((FindMe(destination="201", order="at_the_same_time"),), "203+201 480"),
        ((FindMe(destination="201", enabled=False),), "203 480"),
        ((FindMe(destination="202"),), "203/20 480"),
        ((FindMe(destination="203"),), "203/20 480"),
        ((FindMe(destination="999"),), "203/20 480"),
        ((FindMe(destination="00791234567"),), "203/20 480"),  # 203 may not call mobiles
        ((FindMe(destination="201", during=AT_WORK),), "203/20 201/20 480"),
        ((FindMe(destination="201", during=AFTER_WORK),), "203 480"),
        ((FindMe(destination="201", order="at_the_same_time"), FindMe(destination="205")), "203+201/20 205/20 480"),
        ((FindMe(destination="201"), FindMe(destination="205", order="at_the_same_time")), "203/20 201+205/20 480"),
        ((FindMe(destination="201"), FindMe(destination="205")), "203/20 201/20 205/20 480"),
    ],
)
def test_find_me_rings_further_places_together_or_one_after_the_other(
    places: tuple[FindMe, ...], expected: str
) -> None:
    assert way("203", state=forwards(find_me=places)) == expected


def test_find_me_rings_numbers_beyond_the_site_beside_the_phones() -> None:
    places = (
        FindMe(destination="00791234567", order="at_the_same_time"),
        FindMe(destination="00441234567", seconds=15),
    )
    assert way("200", state=forwards("200", find_me=places)) == "200+cell:90791234567/20 pri:0441234567/15 480"
    assert way("200", answers=(603,), state=forwards("200", find_me=places)) == "200+cell:90791234567/20 603"


def test_a_place_that_has_to_confirm_gets_time_for_that_and_says_whose_call_it_is() -> None:
    places = (
        FindMe(destination="00791234567", order="at_the_same_time", confirm=True),
        FindMe(destination="00441234567", seconds=15, confirm=True),
        FindMe(destination="201", seconds=9, confirm=True),
    )
    state = forwards("200", find_me=places)
    assert way("200", state=state) == "200+cell:90791234567/40 pri:0441234567/35 201/9 480"
    step = decide(OFFICE, state, Call("u201", "200"), (), MORNING).step
    assert isinstance(step, Ring)
    assert step.numbers[0].confirmed == Confirmation("u200", "00791234567", 20)


def test_what_asks_for_the_key_reaches_the_place_as_the_user_would_and_nothing_else() -> None:
    asked = Call("u200", "00791234567", phones="find_me")
    step = decide(OFFICE, SiteState(), asked, (), MORNING).step
    assert isinstance(step, Ring)
    assert [(one.gateway_id, one.number, one.confirmed) for one in step.numbers] == [("cell", "90791234567", None)]
    assert [(one.name, one.reason) for one in step.diversions] == [("200", "follow-me")]
    for nobody in (Call(None, "00791234567", phones="find_me"), Call("u203", "00791234567", phones="find_me")):
        assert decide(OFFICE, SiteState(), nobody, (), MORNING).step == Reject(403, "Forbidden")
    assert decide(OFFICE, SiteState(), Call("u200", "201", phones="find_me"), (), MORNING).step == Reject(
        403, "Forbidden"
    )


def test_after_find_me_the_call_is_forwarded_as_not_answered() -> None:
    state = forwards(find_me=(FindMe(destination="201"),), no_answer="205")
    assert way("203", state=state) == "203/20 201/20 205 480"


@pytest.mark.parametrize(
    ("group", "state", "answers", "expected"),
    [
        ("300", SiteState(), (), "200+201+203/30 480"),
        ("300", SiteState(do_not_disturb=frozenset({"u201"})), (), "200+203/30 480"),
        ("300", SiteState(do_not_disturb=frozenset({"u200", "u201", "u203"})), (), "480"),
        ("300", SiteState(), (486,), "200+201+203/30 486"),
        ("301", SiteState(), (486, 486, 486), "203/30 200/30 205 486"),
        ("301", SiteState(), (603, 603), "203/30 200/30 205 480"),
        ("301", SiteState(do_not_disturb=frozenset({"u200", "u203"})), (), "205 480"),
        ("302", SiteState(), (), "200/30 201/30 203/30 480"),
        ("302", SiteState(rotation={"robin": 1}), (), "201/30 203/30 200/30 480"),
        ("302", SiteState(rotation={"robin": 2}), (), "203/30 200/30 201/30 480"),
        ("302", SiteState(rotation={"robin": 3}), (), "200/30 201/30 203/30 480"),
        ("302", SiteState(rotation={"robin": 7}), (), "201/30 203/30 200/30 480"),
        ("303", SiteState(), (), "200/30 201/30 203/30 480"),
        ("303", SiteState(last_call_ended={"u200": 50.0}), (), "201/30 203/30 200/30 480"),
        ("303", SiteState(last_call_ended={"u200": 5.0, "u201": 9.0, "u203": 1.0}), (), "203/30 200/30 201/30 480"),
        ("304", SiteState(), (), "480"),
        ("305", SiteState(), (), "404"),
        ("306", SiteState(), (), "203 480"),
        ("306", forwards(always="205"), (), "205 480"),
        ("306", forwards(no_answer="205"), (408,), "203/20 205 480"),
        ("306", forwards(always="306"), (), "482"),
        ("307", SiteState(), (), "203/30 482"),
        ("300", forwards(always="205"), (), "200+201+203/30 480"),  # the group's members, not their forwarding
    ],
)
def test_a_hunt_group_rings_its_members_by_its_strategy(
    group: str, state: SiteState, answers: tuple[int, ...], expected: str
) -> None:
    assert way(group, answers=answers, state=state) == expected
    assert way(group, None, answers=answers, state=state) == expected


def test_a_group_may_fall_back_on_a_number_beyond_the_site_for_callers_from_outside_too() -> None:
    from tests.contract.dialplan.office import GROUPS

    duty = (GROUPS[0].model_copy(update={"fallback": "00791234567"}),)
    assert way("300", None, plan=office(hunt_groups=duty)) == "200+201+203/30 cell:90791234567 480"
