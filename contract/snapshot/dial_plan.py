"""The dial plan as it is configured: an ordered list of typed rules, and what they refer to."""

from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.emergency import EmergencyLocation
from contract.snapshot.gateway import Gateway
from contract.snapshot.hunt_group import HuntGroup
from contract.snapshot.pattern import CallPattern, Dialled, DialPattern
from contract.snapshot.schedule import During, Schedule
from contract.snapshot.trunk import Trunk
from contract.values import Frozen, Id, SipUser, Text


class InternalRule(Frozen):
    """Extensions, user names and aliases of the site ring their user or hunt group."""

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


Feature = Literal[
    "forward_always",
    "forward_busy",
    "forward_no_answer",
    "forward_unregistered",
    "forward_off",
    "do_not_disturb_on",
    "do_not_disturb_off",
]
"""What a user changes by dialling."""


class FeatureRule(Frozen):
    """A code by which users change where their own calls go.

    A forward takes its destination right behind the code, and is switched off by the code alone.
    """

    kind: Literal["feature"] = "feature"
    rule_id: Id
    name: Text
    enabled: bool = True
    code: Annotated[str, Field(pattern=r"^[*#][0-9*#]{1,14}$")]
    """What is dialled, such as `*72`."""
    feature: Feature


Category = Literal["custom", "local", "long_distance", "international", "toll_free", "mobile", "restricted"]


class OutsideRule(Frozen):
    """Numbers that leave the site by a gateway."""

    kind: Literal["outside"] = "outside"
    rule_id: Id
    name: Text
    enabled: bool = True
    category: Category = "custom"
    patterns: Annotated[tuple[DialPattern, ...], Field(min_length=1, max_length=500)]
    call: CallPattern = CallPattern()
    gateways: Annotated[tuple[Id, ...], Field(max_length=20)] = ()
    """In the order in which they are tried."""
    permissions: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """Any one of them suffices; none: every user of the site may."""
    during: During | None = None
    """When the rule counts; None: always."""


class EmergencyRule(Frozen):
    """Numbers for help: never refused, before every other rule, whatever its place in the list."""

    kind: Literal["emergency"] = "emergency"
    rule_id: Id
    name: Text = "Emergency"
    enabled: bool = True
    numbers: Annotated[tuple[Annotated[Dialled, Field(min_length=1)], ...], Field(min_length=1, max_length=50)]
    """What is sent to the gateway, such as `112`."""
    prefix: Dialled = ""
    """What people dial for an outside line; the numbers count with and without it."""
    gateways: Annotated[tuple[Id, ...], Field(max_length=20)] = ()


Rule = Annotated[InternalRule | ServiceRule | FeatureRule | OutsideRule | EmergencyRule, Field(discriminator="kind")]


class InwardNumber(Frozen):
    """A number of the public network (DID) and what a call to it reaches."""

    number: Annotated[Dialled, Field(min_length=1)]
    """As the gateway sends it, after its `incoming`."""
    destination: SipUser
    """What is dialled for it inside the site."""
    name: Text = ""


class DialPlan(Frozen):
    """Rules in the order in which they are tried; the first that matches decides."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=1000)] = ()
    gateways: Annotated[tuple[Gateway, ...], Field(max_length=200)] = ()
    trunks: Annotated[tuple[Trunk, ...], Field(max_length=100)] = ()
    """Further gateways, which a provider runs."""
    schedules: Annotated[tuple[Schedule, ...], Field(max_length=200)] = ()
    hunt_groups: Annotated[tuple[HuntGroup, ...], Field(max_length=2000)] = ()
    locations: Annotated[tuple[EmergencyLocation, ...], Field(max_length=2000)] = ()
    numbers: Annotated[tuple[InwardNumber, ...], Field(max_length=10_000)] = ()
    """What calls from gateways reach, beyond the aliases of users and hunt groups."""
    default_location_id: Id | None = None
    """Where a phone is that has no location of its own."""
