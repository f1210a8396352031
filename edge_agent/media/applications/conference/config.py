"""Which rooms a site has, by the snapshot and the PINs that were set for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contract.conference_state import MODERATOR_PIN, PIN
from contract.snapshot import Conference, Meeting, Snapshot, User, UserConferences
from contract.sync.state import StateRecord


@dataclass(frozen=True, slots=True)
class Room:
    """One room.

    Args:
        room_id: names it, and its PINs.
        name: for people.
        extension: what is dialled for it.
        meeting: how callers meet in it.
        owner: the user whose it is; None: nobody's.
        pin, moderator_pin: as `contract.pin` keeps them; empty: there is none.
    """

    room_id: str
    name: str
    extension: str
    meeting: Meeting
    owner: User | None = None
    pin: str = ""
    moderator_pin: str = ""

    @property
    def owner_id(self) -> str:
        """The owner's id; empty: nobody's."""
        return self.owner.user_id if self.owner is not None else ""


@dataclass(frozen=True, slots=True)
class ConferenceConfig:
    """The rooms of a site.

    Args:
        services: by id.
        users: those who are enabled, by user id.
        pins: as they are kept, by the keys of site state.
    """

    services: Mapping[str, Meeting] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)

    def user_named(self, username: str) -> User | None:
        """Whose address of record this is."""
        return next((one for one in self.users.values() if one.username == username), None) if username else None

    def room(self, service_id: str, user_id: str = "") -> Room | None:
        """The room that a call is for; None: there is none (any more), or nobody said whose.

        Args:
            service_id: what the dial plan found.
            user_id: whose room, where each user has one.
        """
        match self.services.get(service_id):
            case Conference() as one:
                owner = self.users.get(one.owner) if one.owner else None
                return self._room(one.service_id, one.name, one.extension, one, owner)
            case UserConferences() as one:
                owner = self.users.get(user_id)
                if owner is None or not owner.extension:
                    return None
                name = f"{one.name}: {owner.display_name or owner.username}"
                return self._room(owner.user_id, name, one.extension + owner.extension, one, owner)
            case _:
                return None

    def user_with(self, extension: str) -> str:
        """The id of the user who has this extension; empty: nobody has."""
        return next((one.user_id for one in self.users.values() if extension and one.extension == extension), "")

    def _room(self, room_id: str, name: str, extension: str, meeting: Meeting, owner: User | None) -> Room:
        pin, moderator_pin = (self.pins.get(f"{kind}/{room_id}", "") for kind in (PIN, MODERATOR_PIN))
        return Room(room_id, name[:255], extension, meeting, owner, pin, moderator_pin)


def conference_config(snapshot: Snapshot, records: Iterable[StateRecord]) -> ConferenceConfig:
    """The rooms that are switched on.

    Args:
        snapshot: the site's.
        records: its state.
    """
    return ConferenceConfig(
        services={
            one.service_id: one for one in snapshot.dial_plan.voice_services if isinstance(one, Meeting) and one.enabled
        },
        users={user.user_id: user for user in snapshot.users if user.enabled},
        pins={
            one.key: one.value
            for one in records
            if isinstance(one.value, str) and one.key.partition("/")[0] in (PIN, MODERATOR_PIN)
        },
    )
