"""The dial plan as it is configured: an ordered list of typed rules, and what they refer to."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contract.snapshot.emergency import EmergencyLocation, EmergencyPolicy
from contract.snapshot.gateway import Gateway
from contract.snapshot.hunt_group import HuntGroup
from contract.snapshot.music import OwnMusic
from contract.snapshot.pattern import CallPattern, Dialled, DialPattern
from contract.snapshot.schedule import During, Schedule
from contract.snapshot.trunk import Trunk
from contract.snapshot.voice_service import VoiceService
from contract.values import Frozen, Id, SipUser, Text


class InternalRule(Frozen):
    """Extensions, user names and aliases of the site ring their user or hunt group, or are a voice service."""

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
    service: Literal["echo_test", "music_on_hold"]
    permission: str | None = None
    """The permission that the caller needs; None means anyone of the site."""


Setting = Literal[
    "forward_always",
    "forward_busy",
    "forward_no_answer",
    "forward_unregistered",
    "forward_off",
    "do_not_disturb_on",
    "do_not_disturb_off",
    "call_waiting_on",
    "call_waiting_off",
    "anonymous_rejection_on",
    "anonymous_rejection_off",
    "block_number",
    "unblock_number",
    "block_last_caller",
    "intercom_on",
    "intercom_off",
    "set_speed_dial",
]
"""What a user changes by dialling."""
SpecialCall = Literal[
    "speed_dial",
    "call_return",
    "hide_caller_id",
    "show_caller_id",
    "intercom",
    "pickup",
    "group_pickup",
    "hot_desk",
    "hot_desk_off",
    "call_back",
    "call_back_off",
    "park_retrieve",
    "queue_log_in",
    "queue_log_out",
    "queue_pause",
    "queue_listen",
    "queue_whisper",
    "queue_barge",
]
"""A call that a user places in a particular way."""
Feature = Literal[Setting, SpecialCall]


class FeatureRule(Frozen):
    """A code by which users change where their own calls go, or call in a particular way.

    What the feature is about stands right behind the code: where to forward to, whom to call. A forward is switched off
    by its code alone.
    """

    kind: Literal["feature"] = "feature"
    rule_id: Id
    name: Text
    enabled: bool = True
    code: Annotated[str, Field(pattern=r"^[*#][0-9*#]{1,14}$")]
    """What is dialled, such as `*72`."""
    feature: Feature
    permission: str | None = None
    """The permission that the caller needs; None means every user of the site."""


class VoicemailRule(Frozen):
    """How mailboxes are reached: one's own, and anybody's without ringing first."""

    kind: Literal["voicemail"] = "voicemail"
    rule_id: Id
    name: Text = "Voicemail"
    enabled: bool = True
    code: Dialled = ""
    """Reaches the caller's own mailbox; where calls are forwarded to it, that of who forwards. Empty: there is none."""
    prefix: Dialled = ""
    """In front of an extension, user name or alias it reaches that user's mailbox. Empty: there is none."""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not self.code and not self.prefix:
            raise ValueError(f"{self.name} needs a code or a prefix")
        return self


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


class SiteToSiteRule(Frozen):
    """Who is at another site of the tenant is called there, edge to edge; if that fails, by his public number."""

    kind: Literal["site_to_site"] = "site_to_site"
    rule_id: Id
    name: Text = "Other sites"
    enabled: bool = True
    gateways: Annotated[tuple[Id, ...], Field(max_length=20)] = ()
    """By which the public number is called, in order; who sets the rule up lets everybody. None: it is not called."""


Rule = Annotated[
    InternalRule | ServiceRule | FeatureRule | VoicemailRule | OutsideRule | SiteToSiteRule | EmergencyRule,
    Field(discriminator="kind"),
]


class InwardNumber(Frozen):
    """A number of the public network (DID) and what a call to it reaches."""

    number: Annotated[Dialled, Field(min_length=1)]
    """As the gateway sends it, after its `incoming`."""
    also: Annotated[tuple[Annotated[Dialled, Field(min_length=1)], ...], Field(max_length=8)] = ()
    """Other ways to write it, behind every number that is written so itself; the cloud adds those of the country."""
    destination: SipUser
    """What is dialled for it inside the site."""
    name: Text = ""


class PickupGroup(Frozen):
    """Users who may answer each other's phones by the code of group pickup."""

    group_id: Id
    name: Text
    members: Annotated[tuple[Id, ...], Field(max_length=200)] = ()
    """User ids."""


Slot = Annotated[str, Field(pattern=r"^[0-9]{1,2}$")]
"""What is dialled behind the code of speed dials; `7` and `07` are two of them."""


class SpeedDial(Frozen):
    """A number under a short one."""

    slot: Slot
    destination: SipUser
    """What is dialled for it, with the permissions of who dials."""
    name: Text = ""


class Screening(Frozen):
    """Calls from gateways that the site does not take, whomever they are for."""

    reject_anonymous: bool = False
    """Refuse those that show no number."""
    blocked: Annotated[tuple[Annotated[Dialled, Field(min_length=1)], ...], Field(max_length=1000)] = ()
    """Numbers of callers; with or without country code, as far as the rest is long enough to tell them apart."""


class DialPlan(Frozen):
    """Rules in the order in which they are tried; the first that matches decides."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=1000)] = ()
    gateways: Annotated[tuple[Gateway, ...], Field(max_length=200)] = ()
    trunks: Annotated[tuple[Trunk, ...], Field(max_length=100)] = ()
    """Further gateways, which a provider runs."""
    schedules: Annotated[tuple[Schedule, ...], Field(max_length=200)] = ()
    hunt_groups: Annotated[tuple[HuntGroup, ...], Field(max_length=2000)] = ()
    voice_services: Annotated[tuple[VoiceService, ...], Field(max_length=1000)] = ()
    """What has a number of its own and is answered by the edge itself."""
    locations: Annotated[tuple[EmergencyLocation, ...], Field(max_length=2000)] = ()
    numbers: Annotated[tuple[InwardNumber, ...], Field(max_length=10_000)] = ()
    """What calls from gateways reach, beyond the aliases of users and hunt groups."""
    pickup_groups: Annotated[tuple[PickupGroup, ...], Field(max_length=2000)] = ()
    speed_dials: Annotated[tuple[SpeedDial, ...], Field(max_length=110)] = ()
    """Of the site; a user's own go first."""
    screening: Screening = Screening()
    hot_desk_hours: Annotated[int, Field(ge=0, le=720)] = 12
    """How long somebody stays logged in at another's phone; 0: until he logs out."""
    call_back_minutes: Annotated[int, Field(ge=1, le=720)] = 30
    """How long somebody who asked for it is called back once whom he called is free."""
    default_location_id: Id | None = None
    """Where a phone is that has no location of its own."""
    emergency: EmergencyPolicy = EmergencyPolicy()
    music: OwnMusic | None = None
    """What those hear who wait and have no music of a queue, a park, a user or a group; None: what comes with the
    edge."""
