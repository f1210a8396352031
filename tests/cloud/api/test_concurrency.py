"""Changes at the same moment: one after the other, or one of them is told."""

from concurrent.futures import ThreadPoolExecutor

from tests.support.api_world import ApiWorld


def test_changes_of_one_row_at_once_all_happen_when_nobody_says_what_they_are_based_on(world: ApiWorld) -> None:
    path = f"/users/{world.user_id}"
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: world.admin.patch(path, {"display_name": f"Desk {n}"}).status, range(12)))
    assert answers == [200] * 12
    assert world.admin.get(path).json["version"] == 13


def test_of_changes_based_on_one_version_exactly_one_happens(world: ApiWorld) -> None:
    path = f"/users/{world.user_id}"
    held = {"If-Match": world.admin.get(path).headers["etag"]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda n: world.admin.patch(path, {"display_name": f"Desk {n}"}, held).status, range(8))
        )
    assert sorted(answers) == [200, *[412] * 7]


def test_of_users_that_take_one_name_at_once_exactly_one_is_made(world: ApiWorld) -> None:
    wanted = {"site_id": str(world.ours.site_id), "username": "300"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _n: world.admin.post("/users", wanted).status, range(6)))
    assert answers.count(201) == 1
    assert set(answers) <= {201, 409, 422}


def test_a_refresh_token_used_twice_at_once_carries_one_log_in_on_at_most(world: ApiWorld) -> None:
    login = {"email": "admin@tandem.test", "password": "correct horse battery"}
    token = {"refresh_token": world.anyone.post("/sessions", login).json["refresh_token"]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _n: world.anyone.post("/sessions/refresh", token).status, range(4)))
    assert sorted(answers) == [201, 401, 401, 401]
