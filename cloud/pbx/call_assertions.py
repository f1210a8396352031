"""Call assertions: what a tenant expects of single calls, kept for every publication to be checked by."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import CallAssertion, Site
from cloud.pbx.checks import apply_changes, check_version, get_for_change, get_or_refuse
from cloud.pbx.desk import Desk
from cloud.pbx.errors import NotFound, TooMany
from cloud.pbx.expectations import Expectation
from cloud.pbx.pages import Page, PageRequest, oldest_first

MAX_PER_SITE: Final = 500


def list_assertions(session: Session, site_id: UUID, request: PageRequest) -> Page[CallAssertion]:
    """The assertions of a site."""
    get_or_refuse(session, Site, site_id)
    query = select(CallAssertion).where(CallAssertion.site_id == site_id)
    return oldest_first(session, query, CallAssertion.id, request)


def create_assertion(desk: Desk, site_id: UUID, name: str, content: Expectation) -> CallAssertion:
    """A new assertion."""
    site = get_for_change(desk.session, Site, site_id)
    count = desk.session.scalar(select(func.count()).where(CallAssertion.site_id == site_id)) or 0
    if count >= MAX_PER_SITE:
        raise TooMany(f"A site has at most {MAX_PER_SITE} call assertions")
    row = CallAssertion(
        id=desk.tokens.id(),
        tenant_id=site.tenant_id,
        site_id=site_id,
        name=name,
        content=content.model_dump(mode="json"),
    )
    desk.session.add(row)
    desk.flush()
    desk.record("call_assertion.created", "call_assertion", row.id, {"name": [None, name]}, site.tenant_id)
    desk.publish(site_id, f"Call assertion {name} was created")
    return row


def change_assertion(
    desk: Desk, site_id: UUID, assertion_id: UUID, changes: Mapping[str, Any], expected: int | None
) -> CallAssertion:
    """Change an assertion; the site is published again, if it holds."""
    row = _of_site(desk, site_id, assertion_id)
    check_version(row, expected)
    if changed := apply_changes(row, changes):
        desk.flush()
        desk.record("call_assertion.changed", "call_assertion", row.id, changed, row.tenant_id)
        desk.publish(site_id, f"Call assertion {row.name} was changed")
    return row


def delete_assertion(desk: Desk, site_id: UUID, assertion_id: UUID, expected: int | None) -> None:
    """Expect this no longer."""
    row = _of_site(desk, site_id, assertion_id)
    check_version(row, expected)
    desk.record("call_assertion.deleted", "call_assertion", row.id, {"name": [row.name, None]}, row.tenant_id)
    desk.session.delete(row)
    desk.flush()
    desk.publish(site_id, f"Call assertion {row.name} was deleted")


def _of_site(desk: Desk, site_id: UUID, assertion_id: UUID) -> CallAssertion:
    row = get_for_change(desk.session, CallAssertion, assertion_id)
    if row.site_id != site_id:
        raise NotFound
    return row
