"""/sites/{id}/dial-plan and what goes with it: templates, the simulator, and call assertions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Name, Patch, PathId, Sent, Shown, Stored, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import call_assertions, dial_plans
from cloud.pbx.dial_plan_templates import COUNTRIES, with_template
from cloud.pbx.expectations import Expectation
from cloud.pbx.simulation import CallQuestion
from cloud.pbx.sound_files import check_sounds
from contract import snapshot as contract
from contract.values import Id

router = new_router()

CountryKey = Literal["AU", "CH", "DE", "FR", "GB", "US", "generic"]


class Refusal(Shown):
    """Why the newest configuration of the site is not published."""

    cause: str
    problems: list[str]
    at: datetime


class DialPlan(Shown):
    """A site's dial plan."""

    version: int = Field(description="Counts its changes, 0: the default; the first part of the ETag, for If-Match")
    document: contract.DialPlan
    warnings: list[str] = Field(description="Rules that are never reached, numbers that clash, rules without gateway")
    refused: Refusal | None


class NewDialPlan(Sent):
    """The dial plan to be, whole."""

    document: contract.DialPlan


class TemplateChoice(Sent):
    """A country's way of dialling."""

    country: CountryKey
    outside_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] | None = Field(
        None, description="What is dialled for an outside line; absent: what is customary"
    )
    area_code: Annotated[str, Field(pattern=r"^[0-9]{0,6}$")] = Field(
        "", description="The site's own, for numbers that are dialled without it"
    )
    gateways: Annotated[list[Id], Field(max_length=20)] = Field(
        default=[], description="Ids, in the order in which they are tried; empty: every trunk and gateway of the plan"
    )


class Template(Shown):
    """A dial plan that is not saved."""

    document: contract.DialPlan
    warnings: list[str]


class SimulatedUser(Shown):
    """A user whose phones ring."""

    user_id: str
    username: str
    display_name: str


class SimulatedNumber(Shown):
    """A number beyond the site."""

    gateway: str
    number: str
    caller_id: str | None
    anonymous: bool
    emergency: bool


class SimulatedReason(Shown):
    """Why."""

    code: str
    text: str
    rule_id: str | None


class SimulatedStep(Shown):
    """One step of a call: what rings, or how it ends."""

    reasons: list[SimulatedReason]
    users: list[SimulatedUser]
    numbers: list[SimulatedNumber]
    seconds: int | None = Field(description="How long it rings; null: as long as the caller waits")
    answered_at_once: bool = Field(description="Whether the phones are asked to answer by themselves")
    picked_up: list[SimulatedUser] = Field(description="Users of whom a ringing call is taken")
    service: str | None
    arguments: dict[str, str] = Field(description="What the service is told, such as whose mailbox it is")
    changes: dict[str, str | bool] = Field(description="What the caller sets by a feature code")
    status: int | None = Field(description="The SIP status that the caller gets; null: the call goes on")


class Simulated(Shown):
    """What would become of a call that nobody answers."""

    steps: list[SimulatedStep]
    notes: list[str]


class Simulation(Sent):
    """A call to be simulated."""

    call: CallQuestion
    document: contract.DialPlan | None = Field(None, description="A dial plan that is not saved; absent: the saved one")


class CallAssertion(Stored):
    """What has to become of one call."""

    name: str
    content: Expectation


class CallAssertionPage(Shown):
    """Some of the assertions."""

    items: list[CallAssertion]
    next: str | None = None


class NewCallAssertion(Sent):
    """An assertion to be."""

    name: Name
    content: Expectation


class CallAssertionPatch(Patch):
    """What changes at an assertion."""

    name: Name = absent()
    content: Expectation = absent()


class AssertionRun(Sent):
    """What the calls are to be tried by."""

    document: contract.DialPlan | None = Field(None, description="A dial plan that is not saved; absent: the saved one")


class AssertionVerdict(Shown):
    """What became of the call of one assertion."""

    assertion_id: UUID
    name: str
    holds: bool
    text: str = Field(description="What is expected, and why the call went where it did")


class AssertionVerdicts(Shown):
    """Every assertion of a site, the oldest first."""

    items: list[AssertionVerdict]


@router.get(
    "/sites/<site_id>/dial-plan", **operation("getDialPlan", "dial plans", "Get a site's dial plan", "tenant_admin")
)
def get_dial_plan(work: Current, site_id: PathId) -> DialPlan:
    return DialPlan.model_validate(dial_plans.get_dial_plan(work.session, site_id))


@router.put(
    "/sites/<site_id>/dial-plan",
    **operation("putDialPlan", "dial plans", "Save a site's dial plan and publish it", "tenant_admin"),
)
def put_dial_plan(work: Current, site_id: PathId, body: NewDialPlan, if_match: IfMatch = None) -> DialPlan:
    before = dial_plans.get_dial_plan(work.session, site_id).document
    check_sounds(work.session, work.services.files, site_id, before, body.document)
    saved = dial_plans.put_dial_plan(work.desk, site_id, body.document, expected_version(if_match))
    return DialPlan.model_validate(saved)


@router.post(
    "/sites/<site_id>/dial-plan/template",
    **operation("fillDialPlanTemplate", "dial plans", "Get a dial plan by a country's template", "tenant_admin"),
)
def fill_template(work: Current, site_id: PathId, body: TemplateChoice) -> Template:
    plan = dial_plans.get_dial_plan(work.session, site_id).document
    outside = COUNTRIES[body.country].outside if body.outside_prefix is None else body.outside_prefix
    ways = (*plan.trunks, *plan.gateways)
    gateways = tuple(body.gateways) or tuple(gateway.gateway_id for gateway in ways)
    filled = with_template(plan, site_id, body.country, outside, body.area_code, gateways)
    return Template(document=filled, warnings=list(dial_plans.warnings_of(work.session, site_id, filled)))


@router.post(
    "/sites/<site_id>/simulate",
    **operation("simulateCall", "dial plans", "Say what would become of a call, and why", "tenant_admin"),
)
def simulate(work: Current, site_id: PathId, body: Simulation) -> Simulated:
    walked = dial_plans.simulate_call(work.session, site_id, body.call, body.document, work.services.clock.now())
    return Simulated.model_validate(walked)


@router.get(
    "/sites/<site_id>/call-assertions",
    **operation("listCallAssertions", "dial plans", "List what is expected of a site's calls", "tenant_admin"),
)
def list_call_assertions(work: Current, site_id: PathId, limit: Limit = 50, cursor: Cursor = None) -> CallAssertionPage:
    page = call_assertions.list_assertions(work.session, site_id, page_request(limit, cursor))
    return CallAssertionPage(
        items=[CallAssertion.model_validate(row) for row in page.items], next=encode_cursor(page.next)
    )


@router.post(
    "/sites/<site_id>/call-assertions",
    **operation("createCallAssertion", "dial plans", "Expect something of a call", "tenant_admin", 201),
)
def create_call_assertion(work: Current, site_id: PathId, body: NewCallAssertion) -> CallAssertion:
    return CallAssertion.model_validate(call_assertions.create_assertion(work.desk, site_id, body.name, body.content))


@router.post(
    "/sites/<site_id>/call-assertions/run",
    **operation("runCallAssertions", "dial plans", "Try every call of which something is expected", "tenant_admin"),
)
def run_call_assertions(work: Current, site_id: PathId, body: AssertionRun) -> AssertionVerdicts:
    found = dial_plans.run_assertions(work.session, site_id, body.document)
    return AssertionVerdicts(items=[AssertionVerdict.model_validate(one) for one in found])


@router.patch(
    "/sites/<site_id>/call-assertions/<assertion_id>",
    **operation("changeCallAssertion", "dial plans", "Change what is expected of a call", "tenant_admin"),
)
def change_call_assertion(
    work: Current, site_id: PathId, assertion_id: PathId, body: CallAssertionPatch, if_match: IfMatch = None
) -> CallAssertion:
    changes = body.changes()
    if isinstance(content := changes.get("content"), Expectation):
        changes["content"] = content.model_dump(mode="json")
    return CallAssertion.model_validate(
        call_assertions.change_assertion(work.desk, site_id, assertion_id, changes, expected_version(if_match))
    )


@router.delete(
    "/sites/<site_id>/call-assertions/<assertion_id>",
    **operation("deleteCallAssertion", "dial plans", "Expect this of a call no longer", "tenant_admin", 204),
)
def delete_call_assertion(work: Current, site_id: PathId, assertion_id: PathId, if_match: IfMatch = None) -> None:
    call_assertions.delete_assertion(work.desk, site_id, assertion_id, expected_version(if_match))
