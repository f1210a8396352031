"""The whole API on a database of its own."""

from pathlib import Path

import pytest

from tests.support.api_world import ApiWorld, make_world
from tests.support.postgres import Databases


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> ApiWorld:
    return make_world(databases, tmp_path)
