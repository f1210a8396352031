"""/sites/{id}/trunks and /trunk-templates: passwords of SIP trunks, which are described in the dial plan."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, SecretStr

from cloud.api.chalicelib.fields import PathId, Sent, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import trunks
from cloud.pbx.trunk_templates import TEMPLATES

router = new_router()

TrunkId = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$")]


class Trunk(Shown):
    """A trunk of a site's dial plan; the password itself is never shown."""

    gateway_id: str = Field(description="As rules of the dial plan name it")
    name: str
    enabled: bool
    registers: bool
    has_password: bool


class Trunks(Shown):
    """The trunks of a site, in the order of its dial plan."""

    items: list[Trunk]


class NewPassword(Sent):
    """What a trunk is to prove itself with."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=256)]


class TrunkTemplate(Shown):
    """What a provider publishes of its settings."""

    key: str
    provider: str
    countries: list[str] = Field(description="Where it is sold; empty: in many countries")
    settings: dict[str, Any] = Field(description="Fields of a trunk in the dial plan, with their values")
    asks_for: list[str] = Field(description="Fields that only the customer knows")
    notes: list[str]
    source: str = Field(description="The page that it was read from; empty: of no provider in particular")


class TrunkTemplates(Shown):
    """Every template."""

    items: list[TrunkTemplate]


@router.get(
    "/trunk-templates",
    **operation("getTrunkTemplates", "dial plans", "List what providers publish of their settings", "tenant_admin"),
)
def list_trunk_templates(work: Current) -> TrunkTemplates:
    del work
    return TrunkTemplates(items=[TrunkTemplate.model_validate(one) for one in TEMPLATES])


@router.get(
    "/sites/<site_id>/trunks",
    **operation("getTrunks", "dial plans", "List a site's trunks and whether each has a password", "tenant_admin"),
)
def list_trunks(work: Current, site_id: PathId) -> Trunks:
    return Trunks(items=[Trunk.model_validate(one) for one in trunks.list_trunks(work.session, site_id)])


@router.put(
    "/sites/<site_id>/trunks/<gateway_id>/password",
    **operation("setTrunkPassword", "dial plans", "Set what a trunk proves itself with", "tenant_admin"),
)
def set_trunk_password(work: Current, site_id: PathId, gateway_id: TrunkId, body: NewPassword) -> Trunk:
    return Trunk.model_validate(trunks.set_trunk_password(work.desk, site_id, gateway_id, body.password))


@router.delete(
    "/sites/<site_id>/trunks/<gateway_id>/password",
    **operation("removeTrunkPassword", "dial plans", "Take a trunk's password away", "tenant_admin", 204),
)
def remove_trunk_password(work: Current, site_id: PathId, gateway_id: TrunkId) -> None:
    trunks.remove_trunk_password(work.desk, site_id, gateway_id)
