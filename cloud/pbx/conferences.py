"""Conference rooms: their PINs, which are site state, and what goes on in them, which their edge knows and does.

A user has to do with the own rooms only: the room that each user has, and rooms of which he is the owner.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.clock import Clock
from cloud.models import Site, User
from cloud.pbx.checks import Problems, get_or_refuse
from cloud.pbx.compiler import dial_plan_of
from cloud.pbx.database import Database, Scope
from cloud.pbx.desk import Desk
from cloud.pbx.edge_places import views_of_sites
from cloud.pbx.errors import NotFound, PbxError
from cloud.pbx.questions import EdgeOffline, ask_edge
from cloud.pbx.state import site_records, write_state
from cloud.tokens import Tokens
from contract.conference_state import MODERATOR_PIN, PIN
from contract.pin import LONGEST, SHORTEST, hashed, is_fit, is_right
from contract.snapshot import Conference, UserConferences
from contract.sync.conferences import (
    Action,
    ConferenceAnswer,
    LiveConference,
    LiveConferences,
)
from contract.sync.questions import CONFERENCE_ORDER, CONFERENCES


class NoConference(NotFound):
    """Nobody is in a conference of this room."""


class NoParty(NotFound):
    """Whoever it was is not in the conference (any more)."""


class NotRecorded(PbxError):
    """The edge cannot record: its disk is full, or it holds as many recordings as it may. Delete some first."""

    status = 409
    problem = "not-recorded"


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as it is configured; never its PINs."""

    room_id: str
    name: str
    extension: str
    owner: str | None
    asks_pin: bool
    pin_set: bool
    moderator_pin_set: bool


@dataclass(frozen=True, slots=True)
class Asking:
    """What it takes to ask the edges of a site.

    Args:
        database: where commands are written.
        scope: of who asks.
        edges: of the site, that are online.
    """

    database: Database
    scope: Scope
    tokens: Tokens
    clock: Clock
    edges: Sequence[UUID]

    def ask(self, question: str, **arguments: str) -> Iterator[str]:
        """Each edge's answer, asked one after the other.

        Raises:
            EdgeOffline: none is online.
            EdgeSilent, EdgeCannotAnswer: one does not answer.
        """
        if not self.edges:
            raise EdgeOffline
        for edge_id in self.edges:
            yield ask_edge(self.database, self.scope, self.tokens, self.clock, edge_id, question, arguments)


def online_edges(session: Session, site_id: UUID, clock: Clock) -> list[UUID]:
    """Edges of a site that can be asked now.

    Raises:
        NotFound: there is no such site in this scope.
    """
    get_or_refuse(session, Site, site_id)
    return [edge.id for edge in views_of_sites(session, [site_id], clock.now()) if edge.online]


# -- rooms and their PINs


def list_rooms(session: Session, site_id: UUID, only: UUID | None = None) -> list[RoomView]:
    """The rooms that are switched on; of those that each user has, only the one of `only`.

    Args:
        only: whoever has to do with the own rooms only.
    """
    get_or_refuse(session, Site, site_id)
    kept = _kept_pins(session, site_id)
    found = []
    for one in dial_plan_of(session, site_id).voice_services:
        if isinstance(one, Conference) and one.enabled and (only is None or one.owner == str(only)):
            found.append(_view(one.service_id, one.name, one.extension, one.owner, one.asks_pin, kept))
        elif isinstance(one, UserConferences) and only is not None and (own := _of_user(session, site_id, one, only)):
            found.append(own)
    return found


def get_room(session: Session, site_id: UUID, room_id: str, only: UUID | None = None) -> RoomView:
    """One room, which may be that of a user.

    Raises:
        NotFound: there is none, or it is not for `only`.
    """
    for one in list_rooms(session, site_id, only):
        if one.room_id == room_id:
            return one
    try:
        user_id = UUID(room_id)
    except ValueError:
        raise NotFound from None
    if only is not None and user_id != only:
        raise NotFound
    for service in dial_plan_of(session, site_id).voice_services:
        if isinstance(service, UserConferences) and (found := _of_user(session, site_id, service, user_id)):
            return found
    raise NotFound


def change_pins(
    desk: Desk, site_id: UUID, room_id: str, changes: dict[str, SecretStr | None], only: UUID | None = None
) -> RoomView:
    """Set PINs or take them away: at the edge at once where it is online, else as soon as it is.

    Args:
        changes: `pin` and `moderator_pin`; None: there is none from now on.
        only: whoever has to do with the own rooms only.

    Raises:
        NotFound: there is no such room.
        Invalid: a PIN is too short or too simple, or both are the same.
    """
    room = get_room(desk.session, site_id, room_id, only)
    kept, problems = _kept_pins(desk.session, site_id), Problems()
    wanted = {name: value.get_secret_value() if value is not None else None for name, value in changes.items()}
    for name, value in wanted.items():
        if value is None:
            continue
        if not is_fit(value, room.extension):
            rule = "not all the same, no run such as 1234, and not the extension"
            problems.add(name, f"{SHORTEST} to {LONGEST} digits, {rule}")
        other = "moderator_pin" if name == "pin" else "pin"
        if (other in wanted and wanted[other] == value) or (
            other not in wanted and is_right(value, kept.get(f"{_KINDS[other]}/{room_id}", ""))
        ):
            problems.add(name, "The PIN of moderators and that of all others have to differ")
    problems.check()
    now = desk.clock.now()
    for name, value in wanted.items():
        record = hashed(value, desk.tokens.secret(16).hex()) if value is not None else None
        write_state(desk.session, site_id, f"{_KINDS[name]}/{room_id}", record, now)
    desk.flush()
    if wanted:
        site = get_or_refuse(desk.session, Site, site_id)
        told: dict[str, list[object]] = {
            name: [
                "set" if kept.get(f"{_KINDS[name]}/{room_id}") else None,
                "changed" if value is not None else None,
            ]
            for name, value in wanted.items()
        }
        desk.record(
            "conference.pins_changed", "site", site_id, {"room": [room.name, room.name], **told}, site.tenant_id
        )
    return get_room(desk.session, site_id, room_id, only)


# -- what goes on


def live_conferences(asking: Asking, only: UUID | None = None) -> list[LiveConference]:
    """Every conference at the site's edges, or those of `only`'s rooms."""
    found = [
        one
        for answer in asking.ask(CONFERENCES)
        for one in LiveConferences.model_validate_json(answer).conferences
        if only is None or one.owner == str(only)
    ]
    return sorted(found, key=lambda one: one.began_at)


def note_order(desk: Desk, site_id: UUID, room: RoomView, action: Action) -> None:
    """Put on record what somebody is about to have done in a conference."""
    site = get_or_refuse(desk.session, Site, site_id)
    told: dict[str, list[object]] = {"room": [room.name, room.name], "action": [None, action]}
    desk.record("conference.ordered", "site", site_id, told, site.tenant_id)


def order(asking: Asking, room_id: str, action: Action, party_id: str = "", decibels: int = 0) -> LiveConference | None:
    """Have something done in a conference; it as it is then, None: it is over.

    Raises:
        NoConference, NoParty, NotRecorded: it cannot be done.
    """
    for answer in asking.ask(CONFERENCE_ORDER, room=room_id, action=action, party=party_id, value=str(decibels)):
        outcome = ConferenceAnswer.model_validate_json(answer)
        match outcome.refused:
            case None:
                return outcome.conference
            case "no_party":
                raise NoParty
            case "not_recorded":
                raise NotRecorded
            case "no_conference":
                continue
    raise NoConference


_KINDS = {"pin": PIN, "moderator_pin": MODERATOR_PIN}


def _kept_pins(session: Session, site_id: UUID) -> dict[str, str]:
    return {
        record.key: record.value
        for record in site_records(session, site_id)
        if record.key.partition("/")[0] in (PIN, MODERATOR_PIN) and isinstance(record.value, str)
    }


def _of_user(session: Session, site_id: UUID, service: UserConferences, user_id: UUID) -> RoomView | None:
    query = select(User).where(User.id == user_id, User.site_id == site_id, User.enabled)
    user = session.scalar(query)
    if user is None or not user.extension or not service.enabled:
        return None
    name, extension = f"{service.name}: {user.display_name or user.username}", service.extension + user.extension
    return _view(str(user.id), name, extension, str(user.id), service.asks_pin, _kept_pins(session, site_id))


def _view(room_id: str, name: str, extension: str, owner: str | None, asks_pin: bool, kept: dict[str, str]) -> RoomView:
    return RoomView(
        room_id,
        name,
        extension,
        owner,
        asks_pin,
        pin_set=f"{PIN}/{room_id}" in kept,
        moderator_pin_set=f"{MODERATOR_PIN}/{room_id}" in kept,
    )
