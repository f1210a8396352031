"""Conference rooms: numbers at which callers meet.

PINs are no part of a room: they are site state (`contract.conference_state`), kept as `contract.pin` keeps them, so
that they stand in no snapshot, no difference between two of them and no dial plan that is read.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from contract.snapshot.music import OwnMusic
from contract.snapshot.served import Served
from contract.snapshot.user import User
from contract.snapshot.voicemail import Language
from contract.values import Id

LARGEST_CONFERENCE: Final = 100
"""Callers that a mix takes."""

Announced = Literal["nothing", "tones", "names"]
"""What all hear of who comes and goes: a tone, or the name that each says on the way in."""


class Meeting(Served):
    """How callers meet, whoever's room it is.

    A moderator is the owner at the own phone, and whoever enters the room's moderator PIN.
    """

    asks_pin: bool = False
    """Whether callers enter a PIN; as long as none is set, only the owner gets in."""
    most_members: Annotated[int, Field(ge=2, le=LARGEST_CONFERENCE)] = 30
    """Beyond it callers are told that the conference is full."""
    music_alone: bool = True
    """Whether the only one in it hears music."""
    music: OwnMusic | None = None
    """What the only one and those who wait for a moderator hear; None: that of the owner."""
    waits_for_moderator: bool = False
    """Whether callers hear music until a moderator is there."""
    ends_with_moderator: bool = False
    """Whether all are sent away when the last moderator goes."""
    announced: Announced = "tones"
    locked: bool = False
    """Whether it begins locked: then only moderators get in, until one of them opens it."""
    muted_on_entry: bool = False
    """Whether callers are not heard until they say so by a key; moderators are."""
    recorded: bool = False
    """Whether it is recorded from its beginning on; callers are told."""
    language: Language = "en"
    """What is said in it; a language that is not shipped is English."""


class Conference(Meeting):
    """One room."""

    kind: Literal["conference"] = "conference"
    owner: Id | None = None
    """The user who is its moderator by the own phone."""


class UserConferences(Meeting):
    """A room for each user: the extension with the user's own behind it leads to the room that the user owns.

    The extension alone leads a user to the own room, and asks others whose they want.
    """

    kind: Literal["user_conferences"] = "user_conferences"


def conference_problems(services: Sequence[Served], users: Sequence[User], dialled: Iterable[str]) -> Iterable[str]:
    """Owners and ids that cannot be, and numbers that mean two things.

    Args:
        services: of the dial plan, of every kind.
        users: of the site.
        dialled: every name and code that means something already.
    """
    user_ids = {user.user_id for user in users}
    for room in services:
        if not isinstance(room, Conference):
            continue
        if room.owner is not None and room.owner not in user_ids:
            yield f"dial_plan: {room.name} has the unknown owner {room.owner}"
        if room.service_id in user_ids:
            yield f"dial_plan: {room.service_id} is the id of a user, and cannot be that of {room.name}"
    personal = [one for one in services if isinstance(one, UserConferences)]
    if len(personal) > 1:
        yield f"dial_plan: {personal[1].name} is a second set of users' rooms; a user has one room"
    taken = frozenset(dialled)
    for rooms in personal:
        for user in users:
            if user.extension and (number := rooms.extension + user.extension) in taken:
                yield f"dial_plan: {number} would be the conference of {user.username}, but is used already"


def conference_warnings(services: Sequence[Served]) -> Iterable[str]:
    """Rooms that need a moderator and can have none."""
    for room in services:
        if not isinstance(room, Conference) or room.owner is not None or room.asks_pin:
            continue
        for wish, is_wanted in (
            ("waits for a moderator", room.waits_for_moderator),
            ("begins locked", room.locked),
            ("ends with its moderator", room.ends_with_moderator),
        ):
            if is_wanted:
                yield f"{room.name} {wish}, but nobody is one: it has no owner and asks for no PIN"
