"""What users set of their mailboxes: site state, changed by the keys of a phone and in the portal alike."""

from typing import Final, Literal, get_args

Greeting = Literal["standard", "out_of_office", "extended_absence", "system"]
"""Which greeting callers hear; one that was never recorded is the system's."""

GREETINGS: Final[tuple[Greeting, ...]] = get_args(Greeting)
GREETING: Final = "voicemail_greeting"
"""Kind of the record that holds the greeting in use: `voicemail_greeting/<user id>`."""
PIN: Final = "voicemail_pin"
"""Kind of the record that holds the PIN as `contract.pin` keeps it."""
LIST: Final = "voicemail_list"
"""Kind of the records that hold distribution lists: `voicemail_list/<mailbox>/<digit>`, mailboxes with spaces between
them. A mailbox is named by the id of its user, or of the voice service that it is."""
LIST_DIGITS: Final = "0123456789"
MOST_MEMBERS: Final = 50
"""Mailboxes on one list of a user's own."""


def list_key(mailbox: str, digit: str) -> str:
    """The key of a list of a user's own."""
    return f"{LIST}/{mailbox}/{digit}"


def members_of(value: object) -> tuple[str, ...]:
    """The mailboxes on a list as its record holds them; none for what is no list."""
    return tuple(dict.fromkeys(value.split()))[:MOST_MEMBERS] if isinstance(value, str) else ()
