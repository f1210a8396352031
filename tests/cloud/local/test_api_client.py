"""The API's client stays logged in for longer than one access token is good for."""

from pathlib import Path

import pytest

from cloud.api.chalicelib.tokens import ACCESS_SECONDS
from cloud.local.api_client import ApiClient, ApiRefused
from tests.support.api_world import PASSWORD, make_world
from tests.support.postgres import Databases
from tests.support.serving import serving


@pytest.mark.parametrize("step", [ACCESS_SECONDS - 30, 3 * ACCESS_SECONDS])
def test_a_log_in_is_carried_on_before_and_after_its_access_token_ended(
    databases: Databases, tmp_path: Path, step: float
) -> None:
    world = make_world(databases, tmp_path)
    with serving(world.anyone.wsgi) as (host, port):
        client = ApiClient(f"http://{host}:{port}", clock=world.clock)
        client.log_in("admin@tandem.test", PASSWORD)
        for _ in range(3):
            world.clock.advance(step)
            assert client.get("/me")["email"] == "admin@tandem.test"


def test_who_is_not_logged_in_is_told(databases: Databases, tmp_path: Path) -> None:
    world = make_world(databases, tmp_path)
    with serving(world.anyone.wsgi) as (host, port), pytest.raises(ApiRefused, match="401"):
        ApiClient(f"http://{host}:{port}").get("/me")
