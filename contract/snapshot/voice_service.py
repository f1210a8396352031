"""Voice services that have numbers of their own, as hunt groups have: what an edge answers itself."""

from typing import Annotated, Final

from pydantic import Field

from contract.snapshot.announcement import AnnouncementService
from contract.snapshot.attendant import Attendant
from contract.snapshot.authorization import Authorization
from contract.snapshot.conference import Conference, UserConferences
from contract.snapshot.fax import Fax
from contract.snapshot.mailbox import GroupMailbox
from contract.snapshot.music import Music
from contract.snapshot.paging import Paging
from contract.snapshot.park import Park
from contract.snapshot.queue import CallQueue

VoiceService = Annotated[
    Music
    | Conference
    | UserConferences
    | Park
    | Attendant
    | Paging
    | AnnouncementService
    | Authorization
    | CallQueue
    | GroupMailbox
    | Fax,
    Field(discriminator="kind"),
]
"""One service of any kind, told apart by `kind`."""
VOICE_KINDS: Final = (
    "music",
    "conference",
    "user_conferences",
    "park",
    "attendant",
    "paging",
    "announcement",
    "authorization",
    "queue",
    "mailbox",
    "fax",
)
"""Kinds known here; an edge says which it knows, and is sent those only (`contract.sync.versions`)."""
