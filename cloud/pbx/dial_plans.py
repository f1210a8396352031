"""Dial plans: one document per site, checked as a whole against the site's users before it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from cloud.models import DialPlan, PublishRefusal, Site
from cloud.pbx.checks import get_for_change, get_or_refuse
from cloud.pbx.compiler import compile_site, dial_plan_of
from cloud.pbx.desk import Desk
from cloud.pbx.edges import cannot_receive_fax
from cloud.pbx.errors import Changed, FieldProblem, Invalid
from cloud.pbx.expectations import Verdict, failures, verdicts
from cloud.pbx.simulation import CallQuestion, Walked, walk
from cloud.pbx.site_links import publish_others
from cloud.pbx.state import site_records
from cloud.pbx.telephone_numbers import doubtful
from cloud.pbx.trunk_secrets import with_passwords, without_passwords
from contract import snapshot as contract
from contract.dialplan.review import review

_TOLD: Final = 20
"""Problems named at once."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the newest configuration is not published."""

    cause: str
    problems: Sequence[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class DialPlanView:
    """A site's dial plan as it is saved.

    Args:
        version: counts its changes; 0: the site has the default.
        document: rules and what they refer to.
        warnings: what whoever saved it should know.
        refused: why the newest configuration is not published, when it is not.
    """

    version: int
    document: contract.DialPlan
    warnings: Sequence[str]
    refused: Refusal | None = None


def get_dial_plan(session: Session, site_id: UUID) -> DialPlanView:
    """The site's dial plan, the default one where none was saved."""
    get_or_refuse(session, Site, site_id)
    row = session.get(DialPlan, site_id)
    return _view(session, site_id, row.version if row is not None else 0)


def put_dial_plan(desk: Desk, site_id: UUID, document: contract.DialPlan, expected: int | None) -> DialPlanView:
    """Save a dial plan in the place of the one that is there, and publish it.

    Raises:
        Changed: it was based on another version.
        Invalid: it contradicts itself, the site's users, or what the tenant expects of its calls.
    """
    site = get_for_change(desk.session, Site, site_id)
    row = desk.session.get(DialPlan, site_id, with_for_update=True)
    if expected is not None and expected != (row.version if row is not None else 0):
        raise Changed
    snapshot = candidate(desk.session, site_id, document)
    if problems := failures(desk.session, site_id, snapshot):
        raise Invalid(
            "Calls would not go where they are expected to", [FieldProblem("document", text) for text in problems]
        )
    content = without_passwords(document).model_dump(mode="json")
    before = row.document if row is not None else {}
    if row is None:
        row = DialPlan(tenant_id=site.tenant_id, site_id=site_id, document=content)
        desk.session.add(row)
    elif row.document != content:
        row.document = content
    else:
        return _view(desk.session, site_id, row.version)
    desk.flush()
    changes = {name: [_brief(before.get(name)), _brief(content[name])] for name in content}
    told = {name: change for name, change in changes.items() if before.get(name) != content[name]}
    desk.record("dial_plan.changed", "site", site_id, told, site.tenant_id)
    desk.publish(site_id, f"The dial plan of {site.name} was changed")
    if told.keys() & {"hunt_groups", "voice_services", "numbers"}:
        publish_others(desk, site_id, f"Numbers of {site.name} were changed")
    return _view(desk.session, site_id, row.version)


def candidate(session: Session, site_id: UUID, document: contract.DialPlan) -> contract.Snapshot:
    """The site's configuration with this dial plan.

    Raises:
        NotFound: there is no such site in this scope.
        Invalid: the plan contradicts itself or the site's users; every problem is named.
    """
    try:
        return compile_site(session, site_id, 1, with_passwords(session, site_id, document))
    except ValidationError as error:
        found = [
            FieldProblem("document", text)
            for each in error.errors(include_input=False, include_url=False)
            for text in each["msg"].removeprefix("Value error, ").split("; ")
        ]
        raise Invalid(problems=found[:_TOLD]) from None


def warnings_of(session: Session, site_id: UUID, document: contract.DialPlan) -> Sequence[str]:
    """What whoever would save a plan should know.

    Raises:
        Invalid: it contradicts itself or the site's users.
    """
    return _warnings(session, site_id, candidate(session, site_id, document))


def simulate_call(
    session: Session, site_id: UUID, question: CallQuestion, document: contract.DialPlan | None, now: datetime
) -> Walked:
    """What would become of a call at a site.

    Args:
        document: a dial plan that is not saved; None: the one that is.

    Raises:
        NotFound: there is no such site in this scope.
        Invalid: the question names something that the site has not, or the document contradicts it.
    """
    plan = document if document is not None else dial_plan_of(session, site_id)
    return walk(candidate(session, site_id, plan), site_records(session, site_id), question, now)


def run_assertions(session: Session, site_id: UUID, document: contract.DialPlan | None) -> list[Verdict]:
    """What becomes of every call that the tenant expects something of.

    Args:
        document: a dial plan that is not saved; None: the one that is.

    Raises:
        NotFound: there is no such site in this scope.
        Invalid: the document contradicts itself or the site's users.
    """
    get_or_refuse(session, Site, site_id)
    plan = document if document is not None else dial_plan_of(session, site_id)
    return verdicts(session, site_id, candidate(session, site_id, plan))


def check_name_is_free(session: Session, site_id: UUID, names: Mapping[str, str]) -> list[FieldProblem]:
    """What the site's dial plan has in use already of the names that a user is to have.

    Args:
        names: name by field.
    """
    plan = dial_plan_of(session, site_id)
    taken = {name for group in plan.hunt_groups for name in (group.extension, *group.aliases)}
    taken.update(name for service in plan.voice_services for name in service.names)
    services = (contract.ServiceRule, contract.FeatureRule)
    taken.update(rule.code for rule in plan.rules if isinstance(rule, services) and rule.enabled)
    taken.update(rule.code for rule in plan.rules if isinstance(rule, contract.VoicemailRule) and rule.enabled)
    return [
        FieldProblem(field, "A hunt group or service of the site's dial plan has this number")
        for field, name in names.items()
        if name in taken
    ]


def _warnings(session: Session, site_id: UUID, snapshot: contract.Snapshot) -> list[str]:
    """What the plan itself is to be told of, and the site's numbers for help that lead nowhere in it."""
    plan = snapshot.dial_plan
    led = {
        number
        for rule in plan.rules
        if isinstance(rule, contract.EmergencyRule) and rule.enabled
        for number in rule.numbers
    }
    ways = any(one.enabled for one in (*plan.gateways, *plan.trunks))
    meanwhile = "calls to it go out by any gateway" if ways else "there is no gateway that it could go out by"
    lost = [
        f"{number} is a number for help at this site, but no emergency rule names it: {meanwhile}"
        for number in snapshot.site.sip.numbers_for_help
        if number not in led
    ]
    doubts = doubtful(plan, snapshot.users, snapshot.site.sip.country)
    return [*review(plan, snapshot.users), *lost, *doubts, *_about_fax(session, site_id, snapshot)]


def _about_fax(session: Session, site_id: UUID, snapshot: contract.Snapshot) -> list[str]:
    """Why faxes would not come, or not go on to who owns them."""
    services = snapshot.dial_plan.voice_services
    names = ", ".join(one.name for one in services if isinstance(one, contract.Fax) and one.enabled)
    if not names:
        return []
    found = []
    if engine := cannot_receive_fax(session, site_id):
        how = "FreeSWITCH without mod_spandsp" if engine == "freeswitch" else "the embedded engine"
        found.append(f"this site cannot receive fax: its voice services run on {how}. Calls to {names} are refused")
    if not snapshot.site.voicemail.recordings_leave:
        found.append(f"faxes to {names} stay at the site: its voicemail does not let recordings leave")
    return found


def _brief(value: object) -> object:
    """What the audit says of one part of the document: how many entries it has, not all of them."""
    return f"{len(value)} entries" if isinstance(value, list) else value


def _view(session: Session, site_id: UUID, version: int) -> DialPlanView:
    snapshot = compile_site(session, site_id, 1)
    refusal = session.get(PublishRefusal, site_id)
    return DialPlanView(
        version=version,
        document=dial_plan_of(session, site_id),
        warnings=_warnings(session, site_id, snapshot),
        refused=Refusal(refusal.cause, refusal.problems, refusal.at) if refusal is not None else None,
    )
