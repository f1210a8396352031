"""/sites/{id}/conferences: who is in the site's conferences, and what is done with them; their PINs.

Users have to do with their own rooms only. Rooms themselves are part of the dial plan.
"""

from typing import Annotated, Self

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, SecretStr, model_validator

from cloud.api.chalicelib.asking import asking_edges
from cloud.api.chalicelib.fields import Patch, PathId, Sent, Shown, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import conferences
from contract.pin import LONGEST
from contract.sync.conferences import (
    OF_A_PARTY,
    Action,
    Decibels,
    LiveConference,
    PartyId,
)

router = new_router()

PathRoom = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="A room's service id, or a user's id")]


class Conferences(Shown):
    """The conferences that somebody is in, asked of the site's edges."""

    items: list[LiveConference]


class Order(Sent):
    """Something to be done in a conference."""

    action: Action = Field(
        description="mute, unmute, sound, hear and kick are of one party; sound is how loudly the others hear somebody,"
        " hear how loudly somebody hears the others"
    )
    party_id: PartyId | None = Field(None, description="To whom it is done")
    decibels: Decibels = Field(0, description="Of sound and hear; 0: as at first")

    @model_validator(mode="after")
    def _names_whom(self) -> Self:
        if self.action in OF_A_PARTY and self.party_id is None:
            raise ValueError(f"{self.action} is done to one party: name it in party_id")
        return self


class Ordered(Shown):
    """What the conference is like now."""

    conference: LiveConference | None = Field(description="null: it is over")


class ConferenceRoom(Shown):
    """A room as it is configured."""

    room_id: str
    name: str
    extension: str
    owner: str | None = Field(description="Id of the user who is its moderator by the own phone")
    asks_pin: bool
    pin_set: bool = Field(description="Whether there is a PIN for those who take part")
    moderator_pin_set: bool


class ConferenceRooms(Shown):
    """The site's rooms; a user's own, for users. The room that each user has is not listed for others."""

    items: list[ConferenceRoom]


class ConferencePinsPatch(Patch):
    """PINs that change; null: there is none from now on. They are site state: the later change counts."""

    pin: Annotated[SecretStr, Field(max_length=LONGEST)] | None = absent()
    moderator_pin: Annotated[SecretStr, Field(max_length=LONGEST)] | None = absent()


@router.get(
    "/sites/<site_id>/conferences",
    **operation("getConferences", "conferences", "List who is in conferences now", "user"),
)
def list_conferences(work: Current, site_id: PathId) -> Conferences:
    return Conferences(items=conferences.live_conferences(asking_edges(work, site_id), work.only_user))


@router.post(
    "/sites/<site_id>/conferences/<room_id>/orders",
    **operation("orderInConference", "conferences", "Mute, remove, lock, record or end", "user"),
)
def order(work: Current, site_id: PathId, room_id: PathRoom, body: Order) -> Ordered:
    room = conferences.get_room(work.session, site_id, room_id, work.only_user)
    conferences.note_order(work.desk, site_id, room, body.action)
    asking = asking_edges(work, site_id)
    return Ordered(conference=conferences.order(asking, room_id, body.action, body.party_id or "", body.decibels))


@router.get(
    "/sites/<site_id>/conference-rooms",
    **operation("getConferenceRooms", "conferences", "List rooms and which PINs they have", "user"),
)
def list_rooms(work: Current, site_id: PathId) -> ConferenceRooms:
    found = conferences.list_rooms(work.session, site_id, work.only_user)
    return ConferenceRooms(items=[ConferenceRoom.model_validate(one) for one in found])


@router.get(
    "/sites/<site_id>/conference-rooms/<room_id>",
    **operation("getConferenceRoom", "conferences", "Get a room, also that of a user", "user"),
)
def get_room(work: Current, site_id: PathId, room_id: PathRoom) -> ConferenceRoom:
    return ConferenceRoom.model_validate(conferences.get_room(work.session, site_id, room_id, work.only_user))


@router.patch(
    "/sites/<site_id>/conference-rooms/<room_id>/pins",
    **operation("changeConferencePins", "conferences", "Set the PINs of a room, or take them away", "user"),
)
def change_pins(work: Current, site_id: PathId, room_id: PathRoom, body: ConferencePinsPatch) -> ConferenceRoom:
    changed = conferences.change_pins(work.desk, site_id, room_id, body.changes(), work.only_user)
    return ConferenceRoom.model_validate(changed)
