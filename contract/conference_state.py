"""PINs of conference rooms: site state, kept as `contract.pin` keeps them.

A room's id is its `service_id`; the room of a user has the user's id.
"""

from typing import Final

PIN: Final = "conference_pin"
"""Kind of the record that holds the PIN of those who take part: `conference_pin/<room id>`."""
MODERATOR_PIN: Final = "conference_moderator_pin"
"""Kind of the record that holds the PIN of moderators."""
