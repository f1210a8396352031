"""Who is asking: a Chalice authorizer that believes access tokens, and the role that each operation asks for.

The authorizer says who it is (401 otherwise); the lowest role that may use an operation stands in the operation's
OpenAPI `security` and is checked before its handler runs (403). What rows the caller sees is the database's to say.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Route
from chalice.app import AuthResponse, Chalice

from cloud.api.chalicelib.problem import Problem, problem_of_status
from cloud.api.chalicelib.tokens import ROLES, AccessTokens, Claims, Role, TokenRefused
from cloud.pbx.database import Scope

SCHEME: Final = "bearer"
"""The name of the OpenAPI security scheme."""


class Unauthorized(Exception):
    """Nobody we know is asking; API Gateway answers 401 to an authorizer that raises just this text."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def least(role: Role) -> list[dict[str, list[str]]]:
    """The OpenAPI security of an operation that accounts of `role` and above may use."""
    return [{SCHEME: [role]}]


def make_authorizer(app: Chalice, tokens: AccessTokens) -> Any:
    """Declare the authorizer to Chalice."""

    @app.authorizer(name="authorize", ttl_seconds=0)
    def authorize(request: Any) -> Any:
        scheme, _, token = str(request.token).partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized
        try:
            claims = tokens.check(token.strip())
        except TokenRefused:
            raise Unauthorized from None
        return AuthResponse(routes=["*"], principal_id=str(claims.account_id), context=_to_context(claims))

    return authorize


def _to_context(claims: Claims) -> dict[str, str]:
    ids = {"msp_id": claims.msp_id, "tenant_id": claims.tenant_id, "user_id": claims.user_id}
    known = {name: str(value) for name, value in ids.items() if value is not None}
    who = {"account_id": str(claims.account_id), "email": claims.email, "session_id": str(claims.session_id)}
    return {**who, "role": claims.role, **known}


def claims_of(context: Mapping[str, Any]) -> Claims:
    """What the authorizer said, read back from the event."""

    def id_of(name: str) -> UUID | None:
        return UUID(context[name]) if context.get(name) else None

    return Claims(
        account_id=UUID(context["account_id"]),
        email=context["email"],
        session_id=UUID(context["session_id"]),
        role=context["role"],
        msp_id=id_of("msp_id"),
        tenant_id=id_of("tenant_id"),
        user_id=id_of("user_id"),
    )


def required_role(route: Route) -> Role | None:
    """The lowest role that may use the operation; None for a public one."""
    for requirement in route.security or ():
        for role in requirement.get(SCHEME, ()):
            return ROLES[ROLES.index(role)]
    return None


def may_use(claims: Claims, role: Role) -> bool:
    """Whether the caller's role reaches `role`."""
    return ROLES.index(claims.role) >= ROLES.index(role)


def guard(route: Route, event: Mapping[str, Any]) -> Problem | None:
    """Refuse an operation that is above the caller's role, before its body is read."""
    role = required_role(route)
    if role is None:
        return None
    context = event["requestContext"].get("authorizer")
    if not context:
        return problem_of_status(401)
    return None if may_use(claims_of(context), role) else problem_of_status(403)


def scope_of(claims: Claims) -> Scope:
    """The rows that the caller may see and change."""
    match claims.role:
        case "platform_admin":
            return Scope(platform=True)
        case "msp_admin":
            return Scope(msp_id=claims.msp_id)
        case _:
            return Scope(tenant_id=claims.tenant_id)
