"""Logging in, staying logged in and logging out."""

from tests.support.api_world import PASSWORD, ApiWorld


def test_a_log_in_says_who_it_is_and_its_token_opens_what_the_role_may_see(world: ApiWorld) -> None:
    answer = world.anyone.post("/sessions", {"email": "ADMIN@tandem.test", "password": PASSWORD})
    assert answer.status == 201
    assert answer.json["account"]["role"] == "tenant_admin"
    assert answer.json["expires_in"] == 900
    me = world.anyone.as_(answer.json["access_token"]).get("/me")
    assert me.json["email"] == "admin@tandem.test"
    assert "password" not in me.body.decode()


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(world: ApiWorld) -> None:
    wrong = world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": "not the password"})
    unknown = world.anyone.post("/sessions", {"email": "nobody@tandem.test", "password": "not the password"})
    assert wrong.status == unknown.status == 401
    assert wrong.json == unknown.json
    assert wrong.json["type"] == "urn:tandem:problem:wrong-credentials"


def test_a_request_without_a_token_or_with_a_broken_one_is_told_to_log_in(world: ApiWorld) -> None:
    for client in (world.anyone, world.anyone.as_("nonsense"), world.anyone.as_(f"{world.admin.token}x")):
        answer = client.get("/users")
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_an_access_token_is_good_for_fifteen_minutes(world: ApiWorld) -> None:
    world.clock.advance(15 * 60 - 1)
    assert world.admin.get("/me").status == 200
    world.clock.advance(2)
    assert world.admin.get("/me").status == 401


def test_ten_failures_from_one_address_pause_that_account_there_and_nowhere_else(world: ApiWorld) -> None:
    for _ in range(10):
        assert world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": "wrong"}).status == 401
    answer = world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": PASSWORD})
    assert answer.status == 429
    assert "Too many failed log-ins" in answer.json["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= 301
    assert world.anyone.post("/sessions", {"email": "msp@tandem.test", "password": PASSWORD}).status == 201
    world.anyone.address = "192.0.2.99"
    assert world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": PASSWORD}).status == 201
    world.anyone.address = "192.0.2.1"
    world.clock.advance(301)
    assert world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": PASSWORD}).status == 201


def test_a_refresh_token_works_once_and_its_reuse_ends_the_whole_log_in(world: ApiWorld) -> None:
    first = world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": PASSWORD}).json["refresh_token"]
    second = world.anyone.post("/sessions/refresh", {"refresh_token": first})
    assert second.status == 201
    assert second.json["refresh_token"] != first
    assert world.anyone.as_(second.json["access_token"]).get("/me").status == 200
    assert world.anyone.post("/sessions/refresh", {"refresh_token": first}).status == 401
    after = world.anyone.post("/sessions/refresh", {"refresh_token": second.json["refresh_token"]})
    assert after.status == 401
    assert after.json["type"] == "urn:tandem:problem:session-over"


def test_logging_out_ends_the_refresh_tokens_of_that_log_in_alone(world: ApiWorld) -> None:
    ours = world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": PASSWORD}).json
    other = world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": PASSWORD}).json
    assert world.anyone.as_(ours["access_token"]).delete("/sessions/current").status == 204
    assert world.anyone.post("/sessions/refresh", {"refresh_token": ours["refresh_token"]}).status == 401
    assert world.anyone.post("/sessions/refresh", {"refresh_token": other["refresh_token"]}).status == 201


def test_a_refresh_token_expires_after_thirty_days(world: ApiWorld) -> None:
    token = world.anyone.post("/sessions", {"email": "admin@tandem.test", "password": PASSWORD}).json["refresh_token"]
    world.clock.advance(30 * 86400 + 1)
    assert world.anyone.post("/sessions/refresh", {"refresh_token": token}).status == 401


def test_a_disabled_account_can_neither_log_in_nor_carry_on(world: ApiWorld) -> None:
    token = world.anyone.post("/sessions", {"email": "user@tandem.test", "password": PASSWORD}).json
    account = f"/accounts/{token['account']['id']}"
    assert world.admin.patch(account, {"enabled": False}).status == 200
    assert world.anyone.post("/sessions", {"email": "user@tandem.test", "password": PASSWORD}).status == 401
    assert world.anyone.post("/sessions/refresh", {"refresh_token": token["refresh_token"]}).status == 401


def test_changing_ones_password_needs_the_old_one_and_ends_other_log_ins(world: ApiWorld) -> None:
    token = world.anyone.post("/sessions", {"email": "user@tandem.test", "password": PASSWORD}).json["refresh_token"]
    wanted = {"current_password": "wrong", "new_password": "another horse battery"}
    assert world.user.post("/me/password", wanted).fields == {"current_password"}
    too_short = {"current_password": PASSWORD, "new_password": "short"}
    assert world.user.post("/me/password", too_short).fields == {"new_password"}
    assert world.user.post("/me/password", {**wanted, "current_password": PASSWORD}).status == 204
    assert world.anyone.post("/sessions/refresh", {"refresh_token": token}).status == 401
    again = {"email": "user@tandem.test", "password": "another horse battery"}
    assert world.anyone.post("/sessions", again).status == 201


def test_a_password_cannot_be_guessed_with_an_access_token_either(world: ApiWorld) -> None:
    wanted = {"current_password": "wrong", "new_password": "another horse battery"}
    for _ in range(10):
        assert world.user.post("/me/password", wanted).fields == {"current_password"}
    paused = world.user.post("/me/password", {**wanted, "current_password": PASSWORD})
    assert (paused.status, paused.json["type"]) == (429, "urn:tandem:problem:too-many-log-ins")
    world.clock.advance(301)
    assert world.user.post("/me/password", {**wanted, "current_password": PASSWORD}).status == 204
