"""Whose mailboxes there are, and how they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from contract.mailbox_state import GREETINGS

STANDARD_GREETING: Final = GREETINGS[0]
SYSTEM_GREETING: Final = "system"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One user's, or one that several own.

    Args:
        user_id: names it; of one that several own the id of the voice service.
        username: names it in the dial plan.
        extension: what others dial for the user.
        greeting: which of `GREETINGS`, or `system`, callers hear; one that was never recorded is the system's.
        language: of the user, and of who calls.
        pin: as `contract.pin` keeps it; empty: none was set.
        owners: ids of the users whom it belongs to, where it is no user's.
        lists: the mailboxes on its own distribution lists, by digit.
    """

    user_id: str
    username: str
    extension: str
    greeting: str = STANDARD_GREETING
    language: str = "en"
    pin: str = ""
    owners: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VoicemailConfig:
    """Everything that the application goes by.

    Args:
        mailboxes: by user id.
        zone: of the site, for moments.
        longest_seconds: of a message.
        shortest_seconds: what is shorter is no message.
        silence_seconds: a message ends when nobody speaks for so long.
        operator: what key 0 dials; empty: nobody.
        lists: the mailboxes on distribution lists of the site, by number.
    """

    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    zone: tzinfo = UTC
    longest_seconds: float = 300.0
    shortest_seconds: float = 1.0
    silence_seconds: float = 10.0
    operator: str = ""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def named(self, name: str) -> Mailbox | None:
        """The mailbox of a username or an extension."""
        for one in self.mailboxes.values():
            if name and name in (one.username, one.extension):
                return one
        return None

    def owned_by(self, user_id: str) -> list[Mailbox]:
        """The mailboxes that a user owns with others."""
        return [one for one in self.mailboxes.values() if user_id in one.owners]
