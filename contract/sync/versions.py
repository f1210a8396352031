"""What each protocol version means; a peer says which it speaks, and gets a clear answer when none is shared.

1  2026-11: first version. Snapshot schema 1.
"""

from typing import Final

PROTOCOL_VERSIONS: Final = (1,)
"""Channel protocol versions spoken here, oldest first."""

BLOBS: Final = "blobs"
"""Snapshots may name blobs and firmware, and the edge asks for them (BlobRequest)."""
OTHER_SITES: Final = "other_sites"
"""Snapshots may name the tenant's other sites, its authority, and rules of the kind `site_to_site`."""
CALL_BACK: Final = "call_back"
"""Dial plans may have the features `call_back` and `call_back_off`, and say how long they last."""
FEATURES: Final = frozenset({"delta", "commands", "site_state", BLOBS, OTHER_SITES, CALL_BACK})
"""Optional abilities of this version; what both sides list may be used."""


def shared_protocol(theirs: tuple[int, ...]) -> int | None:
    """The newest protocol version that both sides speak, or None."""
    return max(set(PROTOCOL_VERSIONS) & set(theirs), default=None)
