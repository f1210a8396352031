"""Authorization codes: whoever knows one places a call with permissions that the phone does not have."""

from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.served import Served
from contract.values import Frozen, Id, Text


class AuthorizationCode(Frozen):
    """A code; its digits are site state (`contract.authorization_state`), so that nobody reads them here."""

    code_id: Id
    name: Text
    """Whose it is: in the records of calls, where the code itself never is."""
    enabled: bool = True


class Authorization(Served):
    """A number that asks for a code, then for a number, and connects to that with its own permissions."""

    kind: Literal["authorization"] = "authorization"
    permissions: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    """What calls that it places may do."""
    codes: Annotated[tuple[AuthorizationCode, ...], Field(max_length=100)] = ()
