"""Times are UTC on the way in and out, wherever the database's server believes to be."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import StatementError

from cloud.models import Tenant
from cloud.pbx.database import Database
from tests.support.customers import new_customer
from tests.support.postgres import Databases


def test_a_server_in_another_time_zone_gives_moments_in_utc(databases: Databases) -> None:
    customer = new_customer(databases.api)
    url = make_url(databases.urls.api).update_query_dict({"options": "-c timezone=Asia/Kolkata"})
    away = Database(url.render_as_string(hide_password=False))
    try:
        with away.session(customer.scope) as session:
            made = session.get_one(Tenant, customer.tenant_id).created_at
    finally:
        away.close()
    assert made.tzinfo is UTC


def test_a_moment_that_does_not_say_its_time_zone_is_refused(databases: Databases) -> None:
    customer = new_customer(databases.api)
    with databases.api.session(customer.scope) as session:
        session.get_one(Tenant, customer.tenant_id).updated_at = datetime(2026, 1, 1)  # noqa: DTZ001  the point
        with pytest.raises(StatementError, match="without a time zone"):
            session.flush()
        session.rollback()
