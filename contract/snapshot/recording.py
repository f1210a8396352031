"""Which calls a site records, and for how long recordings are kept."""

from typing import Annotated, Literal

from pydantic import Field

from contract.values import Frozen, Id, Text


class RecordingRule(Frozen):
    """Calls that are recorded; the first rule that fits a call counts."""

    name: Text
    enabled: bool = True
    calls: Literal["trunk", "inside", "all"] = "trunk"
    """`trunk`: calls by trunks, and those between a phone and a gateway; `inside`: those from phone to phone of the
    site."""
    direction: Literal["both", "in", "out"] = "both"
    """Of calls by trunks and gateways. `in`: calls from the outside; `out`: calls to it."""
    trunk_ids: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    """By which trunks and gateways; empty: by any."""
    user_ids: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    """Of whom, whether they call or answer; without users and groups: of everybody. Those that are gone are passed
    over."""
    group_ids: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    """Hunt groups and pickup groups of the site whose members they are of, besides `user_ids`."""
    announcement: Literal["none", "before"] = "before"
    """`before`: both sides are told at the beginning."""


class RecordingOnDemand(Frozen):
    """How users with the permission `RecordCalls` have a call recorded, from when they want it."""

    announcement: Literal["none", "before"] = "before"
    """`before`: both sides are told at the beginning."""
    keys: Annotated[str, Field(pattern=r"^[0-9*#]{2,6}$")] | None = None
    """What begins and ends it, pressed during a call by a trunk; None: only the record key of the phone does."""


class RecordingPolicy(Frozen):
    """What a site decides about the recording of calls."""

    rules: Annotated[tuple[RecordingRule, ...], Field(max_length=100)] = ()
    on_demand: RecordingOnDemand = RecordingOnDemand()
    longest_minutes: Annotated[int, Field(ge=1, le=480)] = 120
    """Of one recording; what is said later is not recorded."""
    kept_days: Annotated[int, Field(ge=1, le=3650)] = 90
    disk_mb: Annotated[int, Field(ge=10, le=1_000_000)] = 5000
    """What recordings may take of the edge's disk; beyond it no other begins."""
    upload: bool = False
    """Whether recordings may leave the site: for listening in the portal."""
