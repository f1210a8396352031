"""/sites/{id}/authorization-codes: which codes a site has, and their digits, which are set and never read.

Codes themselves, and what they permit, are part of the dial plan.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, SecretStr

from cloud.api.chalicelib.fields import PathId, Sent, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import authorization_codes
from contract.pin import LONGEST

router = new_router()

PathService = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="The service's id in the dial plan")]
PathCode = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="The code's id in the dial plan")]


class AuthorizationCode(Shown):
    """A code, without its digits."""

    service_id: str
    service: str = Field(description="The service's name")
    code_id: str
    name: str = Field(description="Whose it is: so it stands in the records of calls")
    enabled: bool
    code_set: bool = Field(description="Whether it has digits")


class AuthorizationCodes(Shown):
    """The site's codes."""

    items: list[AuthorizationCode]


class AuthorizationDigits(Sent):
    """What is pressed at the telephone."""

    code: Annotated[SecretStr, Field(max_length=LONGEST)] | None = Field(
        description="4 to 16 digits; null: nobody proves this code from now on"
    )


@router.get(
    "/sites/<site_id>/authorization-codes",
    **operation("getAuthorizationCodes", "authorization-codes", "List codes, without their digits", "tenant_admin"),
)
def list_codes(work: Current, site_id: PathId) -> AuthorizationCodes:
    found = authorization_codes.list_codes(work.session, site_id)
    return AuthorizationCodes(items=[AuthorizationCode.model_validate(one) for one in found])


@router.put(
    "/sites/<site_id>/authorization-codes/<service_id>/<code_id>",
    **operation("setAuthorizationCode", "authorization-codes", "Set a code's digits, or remove them", "tenant_admin"),
)
def set_code(
    work: Current, site_id: PathId, service_id: PathService, code_id: PathCode, body: AuthorizationDigits
) -> AuthorizationCode:
    changed = authorization_codes.set_code(work.desk, site_id, service_id, code_id, body.code)
    return AuthorizationCode.model_validate(changed)
