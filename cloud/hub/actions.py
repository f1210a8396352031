"""What a hub session wants done, as a closed union of frozen values, and the times it goes by."""

from dataclasses import dataclass

from cloud.hub.questions import KnownEdge, Question
from contract.sync.messages import Message


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The hub's times, in seconds, and what it sends.

    Args:
        hello_deadline: how long a connection may take to say and prove who it is.
        ping_after: silence after which the edge is asked whether it is there (it asks earlier by itself).
        ping_deadline: how long its answer may take.
        offer_deadline: how long an edge may take to apply a snapshot before it is offered again.
        refresh_after: how often the database is asked even when nothing woke the session.
        blob_bytes_per_second: what an edge gets of blobs, so that none takes the hub's line from the others.
    """

    hello_deadline: float = 5.0
    ping_after: float = 4.0
    ping_deadline: float = 4.0
    offer_deadline: float = 60.0
    refresh_after: float = 300.0
    blob_bytes_per_second: float = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message to the edge."""

    message: Message


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the database; give the answer to `answered`, or call `store_failed`."""

    question: Question


@dataclass(frozen=True, slots=True)
class WentOnline:
    """The edge is known, proved itself and holds the lease; an older connection of it must go."""

    edge: KnownEdge


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection after what was sent; the last action there is.

    Args:
        why: for the log, never for the peer.
    """

    why: str


Action = Send | Ask | WentOnline | Close
