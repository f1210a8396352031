"""One customer with an edge, a hand-driven clock, and the database as each role."""

import pytest

from tests.support.customers import Customer, EdgeAtSite, HandClock, enrolled_edge, new_customer
from tests.support.postgres import Databases


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def customer(databases: Databases) -> Customer:
    return new_customer(databases.api)


@pytest.fixture
def edge(databases: Databases, customer: Customer, clock: HandClock) -> EdgeAtSite:
    return enrolled_edge(databases.api, customer, clock.now())
