"""The dial plan as it is configured: an ordered list of typed rules."""

from typing import Annotated, Literal

from pydantic import Field

from contract.values import Frozen, Id, Text


class InternalRule(Frozen):
    """Extensions, user names and aliases of the site ring their user."""

    kind: Literal["internal"] = "internal"
    rule_id: Id
    name: Text = "Internal"
    enabled: bool = True


class ServiceRule(Frozen):
    """One feature code leads to one voice service of the site."""

    kind: Literal["service"] = "service"
    rule_id: Id
    name: Text
    enabled: bool = True
    code: Annotated[str, Field(pattern=r"^[0-9*#]{1,15}$")]
    """What is dialled, such as `*99`."""
    service: Literal["echo_test"]
    permission: str | None = None
    """The permission that the caller needs; None means anyone of the site."""


Rule = Annotated[InternalRule | ServiceRule, Field(discriminator="kind")]


class DialPlan(Frozen):
    """Rules in the order in which they are tried; the first that matches decides."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=1000)] = ()
