"""What an event package is: the part of a notifier that knows what an event means (RFC 6665 §5).

The server of subscriptions knows dialogs, expiry, pace and the disk, and no package; a package knows its resources, who
may watch them and how their state is written, and no dialog. A new package is a new class given to the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from edge_agent.sip.message import Message, RawHeader, SipError, Uri

EndReason = Literal["deactivated", "probation", "rejected", "timeout", "giveup", "noresource", "invariant"]
"""Why a subscription ends (RFC 6665 §4.1.3)."""


class EventRefused(SipError):
    """A SUBSCRIBE or PUBLISH that is refused with headers.

    Args:
        status: the SIP status code.
        reason: the reason phrase; empty for the usual one.
        headers: of the response.
    """

    def __init__(self, status: int, reason: str = "", *headers: RawHeader) -> None:
        super().__init__(status, reason)
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who wants to know.

    Args:
        user_id: the authenticated user; None for a service of the site.
        administers: whether the user may see what concerns others only.
    """

    user_id: str | None
    administers: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What one NOTIFY of one subscription is to tell.

    Args:
        resource: what it is about, as the package named it.
        content_type: one of the package's, as the subscriber accepts it.
        version: counts the documents of this subscription up from 0; may skip after a restart, before a full one.
        changes: what happened since the last document, oldest first, in the package's own values; None: everything.
    """

    resource: str
    content_type: bytes
    version: int
    changes: tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class Document:
    """State as a subscriber gets it.

    Args:
        content_type: of the body.
        body: empty: there is nothing to tell.
        headers: further headers of the NOTIFY (`Require: eventlist`).
    """

    content_type: bytes
    body: bytes
    headers: tuple[RawHeader, ...] = ()


class Package(Protocol):
    """One event package."""

    @property
    def name(self) -> bytes:
        """As in Event."""
        ...

    @property
    def content_types(self) -> tuple[bytes, ...]:
        """Of its documents, the one that is sent without an Accept first."""
        ...

    @property
    def default_expires(self) -> int:
        """Seconds, where a SUBSCRIBE does not say."""
        ...

    @property
    def longest_expires(self) -> int:
        """Seconds; such subscriptions may be as short as phones like, and do not outlive a restart. 0: the site's."""
        ...

    @property
    def pause_seconds(self) -> float:
        """Between two NOTIFYs of one subscription; 0: as fast as they are answered."""
        ...

    def resource(self, uri: Uri, watcher: Watcher) -> str:
        """What a SUBSCRIBE with this Request-URI is about.

        Raises:
            SipError: 404 there is no such thing, 403 it is none of the watcher's business.
        """
        ...

    def begun(self, resource: str, request: Message, until: float) -> str:
        """A SUBSCRIBE is about to be accepted.

        Args:
            resource: what it is about.
            request: the SUBSCRIBE.
            until: when the subscription lapses unless it is refreshed; seconds, monotonic.

        Returns:
            The resource by which it goes on.

        Raises:
            SipError: it cannot be accepted.
        """
        ...

    def objection(self, resource: str, watcher: Watcher) -> EndReason | None:
        """Why a subscription cannot go on after the configuration changed; None: it can."""
        ...

    def watch(self, resource: str, watched: bool) -> None:
        """Somebody watches this now, or nobody does any more."""
        ...

    def document(self, view: View, now: float) -> Document:
        """The state."""
        ...


class Changes(Protocol):
    """Where a package says that something happened; the NOTIFYs leave at the end of the batch."""

    def changed(self, package: bytes, resource: str, change: object = None) -> None:
        """A resource changed; `change` comes back in `View.changes`, None asks for a full document."""
        ...

    def over(self, package: bytes, resource: str) -> None:
        """There is no such resource any more: subscriptions to it end."""
        ...
