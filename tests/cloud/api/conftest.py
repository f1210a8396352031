"""The whole API on a database of its own."""

import pytest

from tests.support.api_world import ApiWorld, make_world
from tests.support.postgres import Databases


@pytest.fixture
def world(databases: Databases) -> ApiWorld:
    return make_world(databases)
