"""Publishing at other sites of a tenant what they know of one.

Neighbours may rely on: it is published there in the transaction that changes it.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from cloud.models import Edge, Site
from cloud.pbx.desk import Desk
from cloud.pbx.other_sites import edges_of_others, is_linked

SHOWN_OF_USERS: Final = frozenset({"username", "display_name", "extension", "aliases", "enabled", "caller_id"})
"""What other sites know of a user."""


def publish_others(desk: Desk, site_id: UUID, cause: str) -> None:
    """Publish the other linked sites of the tenant, where something changed that they know of this one."""
    if not is_linked(desk.session, site_id):
        return
    site = desk.session.get_one(Site, site_id)
    for other in edges_of_others(desk.session, site):
        desk.publish(other, cause)


def publish_all_linked(desk: Desk, tenant_id: UUID, cause: str) -> None:
    """Publish every linked site of the tenant."""
    query = select(Edge.site_id).where(
        Edge.tenant_id == tenant_id, Edge.sip_host.is_not(None), Edge.revoked_at.is_(None)
    )
    for site_id in desk.session.scalars(query.distinct()):
        desk.publish(site_id, cause)
