"""The places of a site that help can be sent to, as its dial plan has them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from cloud.models import DialPlan
from contract.snapshot import EmergencyLocation


def locations_of(session: Session, site_id: UUID) -> Sequence[EmergencyLocation]:
    """Every place, in the dial plan's order."""
    row = session.get(DialPlan, site_id)
    return [EmergencyLocation.model_validate(one) for one in row.document.get("locations", ())] if row else []
