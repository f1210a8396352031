"""A site in memory, for every test of the SIP subsystem that talks to a whole endpoint."""

from collections.abc import Iterator

import pytest

from edge_agent.sip.message import DropReason
from tests.support.memory_site import MemorySite


@pytest.fixture
def site() -> Iterator[MemorySite]:
    """A site whose endpoint must not meet an internal error."""
    made = MemorySite()
    yield made
    assert made.endpoint.drops[DropReason.INTERNAL_ERROR] == 0
