"""What users set of their mailboxes: site state, changed by the keys of a phone and in the portal alike."""

from typing import Final, Literal, get_args

Greeting = Literal["standard", "out_of_office", "extended_absence", "system"]
"""Which greeting callers hear; one that was never recorded is the system's."""

GREETINGS: Final[tuple[Greeting, ...]] = get_args(Greeting)
GREETING: Final = "voicemail_greeting"
"""Kind of the record that holds the greeting in use: `voicemail_greeting/<user id>`."""
PIN: Final = "voicemail_pin"
"""Kind of the record that holds the PIN as `contract.pin` keeps it."""
