"""Digits of authorization codes: site state, kept as `contract.pin` keeps them.

All codes of one service are kept with one salt, so that what a caller presses is hashed once for all of them.
"""

import hashlib
from typing import Final

CODE: Final = "authorization_code"
"""Kind of the record that holds a code: `authorization_code/<service id>/<code id>`."""


def key_of(service_id: str, code_id: str) -> str:
    """The key of the record of a code."""
    return f"{CODE}/{service_id}/{code_id}"


def salt_of(service_id: str) -> str:
    """The salt of a service's codes, for `contract.pin.hashed`."""
    return hashlib.sha256(f"authorization:{service_id}".encode()).hexdigest()[:32]


def payer_of(service_id: str, code_id: str) -> str:
    """What stands for whoever proved a code, in place of a user's id; no id has a colon."""
    return f"{service_id}:{code_id}"
