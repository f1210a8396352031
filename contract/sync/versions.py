"""What each protocol version means; a peer says which it speaks, and gets a clear answer when none is shared.

1  2026-11: first version. Snapshot schema 1.
"""

from typing import Final

from contract.snapshot.voice_service import VOICE_KINDS

PROTOCOL_VERSIONS: Final = (1,)
"""Channel protocol versions spoken here, oldest first."""

BLOBS: Final = "blobs"
"""Snapshots may name blobs and firmware, and the edge asks for them (BlobRequest)."""
OTHER_SITES: Final = "other_sites"
"""Snapshots may name the tenant's other sites, its authority, and rules of the kind `site_to_site`."""
CALL_BACK: Final = "call_back"
"""Dial plans may have the features `call_back` and `call_back_off`, and say how long they last."""
MESSAGES: Final = "messages"
"""Edges tell of the messages in their mailboxes, and send recordings (RecordingPiece) where the site lets them."""
QUALITY: Final = "quality"
"""Edges tell how well the sides of calls were heard (CallQuality)."""
SHARED_LINES: Final = "shared_lines"
"""Users may have appearances of a shared line."""
NUMBER_WRITINGS: Final = "number_writings"
"""Inward numbers may say how else they are written."""
FIND_ME_CONFIRMED: Final = "find_me_confirmed"
"""Find-me places may ask for a key before they have the call."""
VOICEMAIL_LISTS: Final = "voicemail_lists"
"""Sites may have distribution lists for voicemail."""
TRUNK_SECURITY: Final = "trunk_security"
"""Trunks may say whose certificates count."""
QUEUE_CALL_BACKS: Final = "queue_call_backs"
"""Call queues may offer to call back."""
OWN_MUSIC: Final = "own_music"
"""Sites, users, hunt groups and voice services may name a file as their music."""
PLACE_MUSIC: Final = "place_music"
"""Conference rooms, and single orbits of parks, may name a file as their music."""
MULTICAST: Final = "multicast"
"""Paging groups may have a multicast address."""
RECORDING: Final = "recording"
"""Sites may say which calls are recorded."""
RECORDING_ON_DEMAND: Final = "recording_on_demand"
"""Sites may say how users have calls recorded."""
RECORDING_GROUPS: Final = "recording_groups"
"""Rules for recording may name groups, and calls without a trunk."""
CALL_RECORDINGS: Final = "call_recordings"
"""Edges tell of recorded calls, and send the recordings where the site lets them (RecordingPiece)."""
FAX: Final = "fax"
"""Edges tell of faxes among the messages, whether they can receive any (EngineTold), and what failed (FaxFailed)."""
CONFERENCE_RECORDINGS: Final = "conference_recordings"
"""Edges tell of recorded conferences, too (`CallRecorded.conference`)."""
VOICE: Final = "voice."
"""With a kind behind it: dial plans may have voice services of that kind."""
FEATURES: Final = frozenset(
    {
        "delta",
        "commands",
        "site_state",
        BLOBS,
        OTHER_SITES,
        CALL_BACK,
        MESSAGES,
        QUALITY,
        SHARED_LINES,
        NUMBER_WRITINGS,
        FIND_ME_CONFIRMED,
        VOICEMAIL_LISTS,
        TRUNK_SECURITY,
        QUEUE_CALL_BACKS,
        OWN_MUSIC,
        PLACE_MUSIC,
        MULTICAST,
        RECORDING,
        RECORDING_ON_DEMAND,
        RECORDING_GROUPS,
        CALL_RECORDINGS,
        FAX,
        CONFERENCE_RECORDINGS,
        *(VOICE + kind for kind in VOICE_KINDS),
    }
)
"""Optional abilities of this version; what both sides list may be used."""


def shared_protocol(theirs: tuple[int, ...]) -> int | None:
    """The newest protocol version that both sides speak, or None."""
    return max(set(PROTOCOL_VERSIONS) & set(theirs), default=None)
