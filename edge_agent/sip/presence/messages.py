"""The `message-summary` package (RFC 3842): how many messages wait in a user's mailbox, for the lamp of his phones.

The voicemail application says the counts (`edge_agent.ports.MessageLamps`); they are kept on disk, so that lamps are
right after a restart before any mailbox was looked at. A phone that registers and did not subscribe is told without.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from edge_agent.ports import MessagesWaiting, Notice, NoticeRefused
from edge_agent.sip.config import SipConfig
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.presence.package import Changes, Document, View
from edge_agent.sip.presence.watching import AboutOneself

KIND: Final = "messages"
PACKAGE: Final = b"message-summary"
NOTICE_PREFIX: Final = "message-summary:"
"""Begins the names of our notices; nobody waits for their outcomes."""
_TYPE: Final = b"application/simple-message-summary"
MOST_MESSAGES: Final = 100_000
"""More in one mailbox are shown as so many."""

Send = Callable[[Notice], None]
Subscribed = Callable[[bytes, str, bytes], bool]
"""Whether the phone with this contact subscribed to this package of this user."""


class MessagePackage(AboutOneself):
    """Tells users of the messages that wait for them; implements `edge_agent.ports.MessageLamps`.

    Args:
        location: where phones are.
        store: keeps the counts; the caller commits it for each batch.
        config: of the site.
        changes: told of mailboxes whose counts changed.
        send: sends a NOTIFY that no phone subscribed to.
        subscribed: says which phones need none.
    """

    name = PACKAGE
    content_types = (_TYPE,)
    default_expires = 3600
    pause_seconds = 1.0
    """RFC 3842 §3.9."""

    def __init__(
        self,
        location: Location,
        store: KeptRows,
        config: SipConfig,
        changes: Changes,
        send: Send,
        subscribed: Subscribed,
    ) -> None:
        super().__init__(config)
        self._location = location
        self._store = store
        self._changes = changes
        self._send = send
        self._subscribed = subscribed
        self._waiting: dict[str, MessagesWaiting] = {}
        self._count = 0

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration: the counts of users who are gone go."""
        super().configure(config)
        for user_id in [one for one in self._waiting if one not in config.users]:
            del self._waiting[user_id]
            self._location.watch(user_id, watched=False)
            self._store.remove(KIND, user_id)

    def restore(self) -> None:
        """Take up what was kept."""
        for user_id, text in self._store.load(KIND).items():
            try:
                self._hold(_checked(MessagesWaiting(user_id, *map(int, json.loads(text)))))
            except (ValueError, TypeError):
                self._store.remove(KIND, user_id)
        self.configure(self._config)

    # -- see `MessageLamps`

    def messages_waiting(self, counts: MessagesWaiting, now: float) -> None:
        """A mailbox has so many messages now; the same as before tells nobody.

        Args:
            counts: of the mailbox.
            now: seconds, monotonic.

        Raises:
            ValueError: a count is negative.
        """
        counts, user_id = _checked(counts), counts.user_id
        if user_id not in self._config.users or counts == self.counts(user_id):
            return
        self._hold(counts)
        self._store.put(KIND, user_id, json.dumps([*asdict(counts).values()][1:]))
        self._changes.changed(self.name, user_id)
        for binding in self._location.of_user(user_id, now):
            self._tell(binding)

    def _hold(self, counts: MessagesWaiting) -> None:
        if counts.user_id not in self._waiting:
            self._location.watch(counts.user_id, watched=True)
        self._waiting[counts.user_id] = counts

    def counts(self, user_id: str) -> MessagesWaiting:
        """What waits for a user, as far as it was told."""
        return self._waiting.get(user_id) or MessagesWaiting(user_id)

    def phone_came(self, binding: Binding) -> None:
        """A phone registered anew; it may have been dark for hours. None that never had a message is bothered."""
        if binding.user_id in self._waiting:
            self._tell(binding)

    def _tell(self, binding: Binding) -> None:
        """Tell a phone that did not subscribe, if the site wants that."""
        config = self._config
        if not config.unsolicited_messages or self._subscribed(self.name, binding.user_id, binding.contact):
            return
        self._count += 1
        try:
            self._send(
                Notice(
                    notice_id=f"{NOTICE_PREFIX}{self._count}",
                    event=self.name.decode(),
                    contact=binding.contact.decode("utf-8", "replace"),
                    content_type=_TYPE.decode(),
                    body=self._text(binding.user_id),
                )
            )
        except NoticeRefused:
            # Too many wait. The phone is told by the next change, or when it registers.
            return

    # -- see `Package`

    def watch(self, resource: str, watched: bool) -> None:
        """Counts come by themselves."""

    def document(self, view: View, now: float) -> Document:
        """The whole state, whatever changed."""
        del now
        return Document(_TYPE, self._text(view.resource).encode())

    def _text(self, user_id: str) -> str:
        one = self.counts(user_id)
        lines = (
            f"Messages-Waiting: {'yes' if one.new else 'no'}",
            f"Message-Account: {self.address_of(user_id)}",
            f"Voice-Message: {one.new}/{one.old} ({one.urgent_new}/{one.urgent_old})",
        )
        return "\r\n".join((*lines, ""))


def _checked(counts: MessagesWaiting) -> MessagesWaiting:
    values = [*asdict(counts).values()][1:]
    if min(values) < 0:
        raise ValueError("counts of messages are at least 0")
    return MessagesWaiting(counts.user_id, *(min(one, MOST_MESSAGES) for one in values))
