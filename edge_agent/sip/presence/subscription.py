"""One subscription: its dialog, what it has to be told, and how it is kept on disk (RFC 6665 §4.2).

Active ──change──▶ NOTIFY on its way ──2xx──▶ Active       (one at a time; the pause between two is the package's)
   └──expires, unsubscribed, refused──▶ last NOTIFY, `terminated` ──▶ gone
   └──NOTIFY fails──▶ gone
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

from edge_agent.sip.dialog import Dialog
from edge_agent.sip.message import Flow, Message, RawHeader
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.presence.package import Document, EndReason, Package, View, Watcher
from edge_agent.sip.presence.request import Event
from edge_agent.sip.transaction import ClientTransaction

RESERVED: Final = 1000
"""Sequence numbers written ahead to disk, so that a NOTIFY costs no write and no number comes twice."""
PAUSED: Final = 0
RETRY: Final = 1
MOST_CHANGES: Final = 100
"""More than these and a full document is shorter."""

_KEPT_TRANSPORTS: Final[dict[str, Transport]] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}


KeptRow = dict[str, Any]
"""JSON, as it was written; whatever it is, it is checked as it is used."""


class SubscriptionHome(Protocol):
    """What a subscription asks of the server."""

    def due(self, subscription: Subscription) -> None:
        """It has something to tell and may."""
        ...

    def notify_answered(self, subscription: Subscription, response: Message | None, now: float) -> None:
        """Its NOTIFY got a final response; None: it got none."""
        ...


class Terms(NamedTuple):
    """What was subscribed to, and how.

    Args:
        event: of it.
        resource: what it is about, as the package named it.
        watcher: who subscribed.
        content_type: of the documents.
        dialog: with the subscriber.
        flow: where the SUBSCRIBE came from.
        expires: when it lapses; seconds, monotonic.
    """

    event: Event
    resource: str
    watcher: Watcher
    content_type: bytes
    dialog: Dialog
    flow: Flow
    expires: float


class Subscription:
    """A subscription as the notifier keeps it.

    Args:
        home: told of what happens to it.
        package: of its event.
        terms: what was subscribed to.
    """

    __slots__ = (
        "_home",
        "changes",
        "content_type",
        "dialog",
        "dirty",
        "end",
        "event",
        "expires",
        "flow",
        "in_flight",
        "package",
        "paused",
        "queued",
        "reserved",
        "resource",
        "sent",
        "watcher",
    )

    def __init__(self, home: SubscriptionHome, package: Package, terms: Terms) -> None:
        self._home = home
        self.package = package
        self.event = terms.event
        self.resource = terms.resource
        self.watcher = terms.watcher
        self.content_type = terms.content_type
        self.dialog = terms.dialog
        self.flow = terms.flow
        """Where the last SUBSCRIBE came from."""
        self.expires = terms.expires
        """When it lapses; seconds, monotonic."""
        self.sent = 0
        """NOTIFYs so far: the next document's version."""
        self.reserved = 0
        """Numbers below this one may have been used before a restart."""
        self.changes: list[object] | None = None
        """What happened since the last NOTIFY; None: everything is to be told."""
        self.dirty = True
        self.paused = False
        self.in_flight = False
        self.queued = False
        self.end: EndReason | None = None
        """The next NOTIFY is the last one, and says why."""

    @property
    def resources(self) -> Sequence[str]:
        """Whose changes it tells."""
        return (self.resource,)

    @property
    def objection(self) -> EndReason | None:
        """Why it cannot go on after the configuration changed; None: it can."""
        return self.package.objection(self.resource, self.watcher)

    @property
    def accept_headers(self) -> tuple[RawHeader, ...]:
        """Further headers of the responses that accept it."""
        return ()

    def happened(self, resource: str, change: object) -> None:
        """Something about one of its resources changed."""
        del resource
        if not self.dirty:
            self.changes = []
        self.dirty = True
        if self.changes is not None:
            if change is None or len(self.changes) >= MOST_CHANGES:
                self.changes = None
            else:
                self.changes.append(change)
        self.offer()

    def tell_everything(self) -> None:
        """A full document is due at once: first, after a refresh, and last (§4.2.1.2)."""
        self.forget_told()
        self.paused = False
        self.offer()

    def forget_told(self) -> None:
        """Nothing counts as told."""
        self.changes, self.dirty = None, True

    def offer(self) -> None:
        """Get in line, if there is something to tell and it may be told."""
        if self.dirty and not (self.queued or self.in_flight or self.paused):
            self.queued = True
            self._home.due(self)

    def document(self, now: float) -> Document:
        """What the next NOTIFY tells."""
        changes = None if self.changes is None else tuple(self.changes)
        return self.package.document(View(self.resource, self.content_type, self.sent, changes), now)

    def told(self) -> None:
        """A NOTIFY leaves."""
        self.sent += 1
        self.changes, self.dirty = [], False
        self.in_flight = True

    def expired(self, kind: int, now: float) -> None:
        """The pause is over, or it is time to try again."""
        del now
        if kind == RETRY:
            self.forget_told()
        self.paused = False
        self.offer()

    # -- see `ClientOwner`

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """The subscriber answered a NOTIFY."""
        del client
        if response.status >= 200:
            self.in_flight = False
            self._home.notify_answered(self, response, now)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """The subscriber did not answer a NOTIFY."""
        del client
        self.in_flight = False
        self._home.notify_answered(self, None, now)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """A NOTIFY could not be delivered."""
        del client
        self.in_flight = False
        self._home.notify_answered(self, None, now)

    # -- on disk

    @property
    def key(self) -> str:
        """What it is kept by."""
        return "\n".join(part.decode("latin-1") for part in self.dialog.key)

    def kept(self, expires_at: float) -> str:
        """As it is kept; `expires_at` is seconds since 1970."""
        self.reserved = self.sent + RESERVED
        return json.dumps({**self.row(), "expires_at": expires_at})

    def row(self) -> dict[str, object]:
        """What is kept of it, but for its end."""
        return {
            "event": bytes(self.event).decode("latin-1"),
            "resource": self.resource,
            "watcher": self.watcher.user_id,
            "content_type": self.content_type.decode("latin-1"),
            "reserved": self.reserved,
            "flow": [self.flow.transport, self.flow.host, self.flow.port],
            "dialog": self.dialog.kept(),
        }


def restored(row: KeptRow, administrators: frozenset[str]) -> tuple[Terms, int, float]:
    """What was kept of a subscription: its terms, the next number of its NOTIFYs, and when it lapses in seconds since
    1970.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, SipError: the row makes no sense.
    """
    name, _, event_id = row["event"].encode("latin-1").partition(b";id=")
    transport, host, port = row["flow"]
    watcher = row["watcher"]
    reserved = int(row["reserved"])
    terms = Terms(
        Event(name, event_id),
        str(row["resource"]),
        Watcher(watcher, watcher in administrators),
        row["content_type"].encode("latin-1"),
        Dialog.restored(row["dialog"], reserved),
        Flow(_KEPT_TRANSPORTS[transport], str(host), int(port)),
        0.0,
    )
    return terms, reserved, float(row["expires_at"])
