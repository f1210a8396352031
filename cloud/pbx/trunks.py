"""The trunks of a site as its administrators see them, and what each proves itself with at its provider."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.orm import Session

from cloud.models import DialPlan, Site, TrunkPassword
from cloud.pbx.checks import Problems, get_for_change, get_or_refuse
from cloud.pbx.desk import Desk
from cloud.pbx.errors import NotFound
from cloud.pbx.trunk_secrets import passwords_of
from contract import snapshot as contract


@dataclass(frozen=True, slots=True)
class TrunkView:
    """A trunk of a site's dial plan, and whether it has a password.

    Args:
        gateway_id: as rules name it.
        name: for people.
        enabled: whether calls go by it.
        registers: whether it registers at its provider.
        has_password: whether one is set.
    """

    gateway_id: str
    name: str
    enabled: bool
    registers: bool
    has_password: bool


def list_trunks(session: Session, site_id: UUID) -> list[TrunkView]:
    """The trunks of a site's dial plan, in its order.

    Raises:
        NotFound: there is no such site in this scope.
    """
    get_or_refuse(session, Site, site_id)
    known = passwords_of(session, site_id)
    return [
        TrunkView(one.gateway_id, one.name, one.enabled, bool(one.register_seconds), one.gateway_id in known)
        for one in _trunks(session, site_id)
    ]


def set_trunk_password(desk: Desk, site_id: UUID, gateway_id: str, password: SecretStr) -> TrunkView:
    """Have a trunk prove itself with this password from now on.

    Raises:
        NotFound: the site's dial plan has no such trunk.
        Invalid: it is empty, or holds what no password of SIP may.
    """
    site = get_for_change(desk.session, Site, site_id)
    trunk = next((one for one in _trunks(desk.session, site_id) if one.gateway_id == gateway_id), None)
    if trunk is None:
        raise NotFound
    problems = Problems()
    text = password.get_secret_value()
    if not text or not text.isprintable():
        problems.add("password", "A password has at least one character, and none that cannot be printed")
    problems.check()
    row = desk.session.get(TrunkPassword, (site_id, gateway_id), with_for_update=True)
    version = desk.keep_secret(site.tenant_id, password, row.secret_id if row is not None else None)
    if row is None:
        row = TrunkPassword(tenant_id=site.tenant_id, site_id=site_id, gateway_id=gateway_id)
        desk.session.add(row)
    row.secret_id, row.secret_version = version.secret_id, version.version
    desk.flush()
    desk.record("trunk.password_changed", "site", site_id, {"trunk": [None, trunk.name]}, site.tenant_id)
    desk.publish(site_id, f"The password of trunk {trunk.name} was set")
    return TrunkView(gateway_id, trunk.name, trunk.enabled, bool(trunk.register_seconds), has_password=True)


def remove_trunk_password(desk: Desk, site_id: UUID, gateway_id: str) -> None:
    """Have a trunk prove itself with nothing.

    Raises:
        NotFound: it has no password.
    """
    site = get_for_change(desk.session, Site, site_id)
    row = desk.session.get(TrunkPassword, (site_id, gateway_id), with_for_update=True)
    if row is None:
        raise NotFound
    desk.session.delete(row)
    desk.flush()
    desk.record("trunk.password_removed", "site", site_id, {"trunk": [gateway_id, None]}, site.tenant_id)
    desk.publish(site_id, "The password of a trunk was taken away")


def _trunks(session: Session, site_id: UUID) -> tuple[contract.Trunk, ...]:
    row = session.get(DialPlan, site_id)
    return contract.DialPlan.model_validate(row.document).trunks if row is not None else ()
