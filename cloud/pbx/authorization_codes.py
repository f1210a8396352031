"""Authorization codes: their digits, which are site state that nobody reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.orm import Session

from cloud.models import Site
from cloud.pbx.checks import Problems, get_or_refuse
from cloud.pbx.compiler import dial_plan_of
from cloud.pbx.desk import Desk
from cloud.pbx.errors import NotFound
from cloud.pbx.state import site_records, write_state
from contract.authorization_state import key_of, salt_of
from contract.pin import LONGEST, SHORTEST, hashed, is_fit
from contract.snapshot import Authorization


@dataclass(frozen=True, slots=True)
class CodeView:
    """A code as it is configured; never its digits."""

    service_id: str
    service: str
    code_id: str
    name: str
    enabled: bool
    code_set: bool


def list_codes(session: Session, site_id: UUID) -> list[CodeView]:
    """Every authorization code of a site, in the dial plan's order.

    Raises:
        NotFound: there is no such site in this scope.
    """
    get_or_refuse(session, Site, site_id)
    kept = _kept(session, site_id)
    return [
        CodeView(
            service.service_id,
            service.name,
            code.code_id,
            code.name,
            service.enabled and code.enabled,
            key_of(service.service_id, code.code_id) in kept,
        )
        for service in _services(session, site_id)
        for code in service.codes
    ]


def set_code(desk: Desk, site_id: UUID, service_id: str, code_id: str, code: SecretStr | None) -> CodeView:
    """Give a code its digits, or take them away: at the edge at once where it is online, else as soon as it is.

    Args:
        code: the digits; None: nobody proves this code from now on.

    Raises:
        NotFound: there is no such code.
        Invalid: the digits are too few or too simple, or another code of the service has them.
    """
    site = get_or_refuse(desk.session, Site, site_id)
    found = next((one for one in list_codes(desk.session, site_id) if _is(one, service_id, code_id)), None)
    if found is None:
        raise NotFound
    key, record, problems = key_of(service_id, code_id), None, Problems()
    if code is not None:
        digits = code.get_secret_value()
        if not is_fit(digits, ""):
            problems.add("code", f"{SHORTEST} to {LONGEST} digits, not all the same, no run such as 1234")
        else:
            record = hashed(digits, salt_of(service_id))
            others = {other: value for other, value in _kept(desk.session, site_id).items() if other != key}
            if record in others.values():
                problems.add("code", "Another code of this service has these digits: choose others")
    problems.check()
    write_state(desk.session, site_id, key, record, desk.clock.now())
    desk.flush()
    told: dict[str, list[object]] = {
        "code": [found.name, found.name],
        "digits": ["set" if found.code_set else None, "changed" if record is not None else None],
    }
    desk.record("authorization_code.changed", "site", site_id, told, site.tenant_id)
    return next(one for one in list_codes(desk.session, site_id) if _is(one, service_id, code_id))


def _is(one: CodeView, service_id: str, code_id: str) -> bool:
    return (one.service_id, one.code_id) == (service_id, code_id)


def _services(session: Session, site_id: UUID) -> Iterator[Authorization]:
    return (one for one in dial_plan_of(session, site_id).voice_services if isinstance(one, Authorization))


def _kept(session: Session, site_id: UUID) -> dict[str, str]:
    return {one.key: one.value for one in site_records(session, site_id) if isinstance(one.value, str)}
