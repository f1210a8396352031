"""What every contract model has of its base."""

from typing import Any

from contract.snapshot import User
from contract.values import Frozen


def user(**more: Any) -> User:
    return User.model_validate({"user_id": "user-1", "username": "200", "display_name": "Desk", **more})


def test_which_fields_were_given_is_not_kept_and_a_changed_copy_leaves_the_others_alone() -> None:
    first, second = user(extension="200"), user()
    assert first.model_fields_set == second.model_fields_set == set()
    changed = first.model_copy(update={"extension": "300"})
    assert (changed.extension, first.extension) == ("300", "200")
    assert first.model_fields_set == second.model_fields_set == set()
    assert changed.model_copy(deep=True) == changed


def test_what_was_given_is_written_and_read_back_all_the_same() -> None:
    one = user(extension="200", forwarding={"busy": "201"})
    assert User.model_validate_json(one.model_dump_json()) == one
    assert one.model_dump(exclude_defaults=True) == {
        "user_id": "user-1",
        "username": "200",
        "display_name": "Desk",
        "extension": "200",
        "forwarding": {"busy": "201"},
    }
    assert isinstance(one, Frozen)


def test_users_who_forward_nothing_share_one_object() -> None:
    nothing = user().forwarding.model_dump()
    assert user(forwarding=nothing).forwarding is user().forwarding
