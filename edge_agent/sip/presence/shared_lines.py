"""The state agent of shared lines: every phone of a line sees its appearances, and one that seizes a place has it.

Phones speak of this in three ways, all about the same appearances (`edge_agent.sip.proxy.appearances`):

- `dialog;shared` (RFC 7463): dialog documents with appearance numbers; a place is seized by a PUBLISH.
- `dialog;sla` and `dialog;ma` (draft-anil-sipping-bla): the same documents.
- `call-info`: the state of each place in Call-Info; a place is seized by subscribing to `line-seize` with
  `Call-Info: <…>;appearance-index=2`, and kept for as long as that subscription lasts.

What is shown is what the proxy sees of the line's calls, so nothing depends on what phones tell of themselves.
"""

from __future__ import annotations

from typing import Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Message, SipError, Uri, escaped_user
from edge_agent.sip.presence.dialog_info import DIALOG_INFO, read, written
from edge_agent.sip.presence.package import Changes, Document, EndReason, View, Watcher
from edge_agent.sip.presence.publications import Publication
from edge_agent.sip.presence.watching import AboutOneself
from edge_agent.sip.proxy.appearances import LONGEST_SEIZURE_SECONDS, AppearanceTaken
from edge_agent.sip.proxy.parties import Party
from edge_agent.sip.proxy.shared_calls import SharedCalls, appearance_of

SHARED: Final = b"dialog;shared"
_DIALOGS: Final = (SHARED, b"dialog;sla", b"dialog;ma")
_CALL_INFO: Final = b"call-info"
_LINE_SEIZE: Final = b"line-seize"
_SEIZE_SECONDS: Final = 15
"""How long a line-seize subscription lasts that does not say."""
_SEIZED_TWICE: Final = 409


class _AboutLines(AboutOneself):
    """A package whose resources are users with a shared line."""

    pause_seconds = 0.0
    """Phones of a line compete for its places: none may go by what was so half a second ago."""

    def __init__(self, shared: SharedCalls, config: SipConfig) -> None:
        super().__init__(config)
        self._shared = shared

    def objection(self, resource: str, watcher: Watcher) -> EndReason | None:
        """See `Package`."""
        return super().objection(resource, watcher) or (
            None if self._shared.appearances.count(resource) else "noresource"
        )

    def resource(self, uri: Uri, watcher: Watcher) -> str:
        """See `Package`."""
        user_id = super(AboutOneself, self).user_of(uri)
        if not self._shared.appearances.count(user_id):
            raise SipError(404, "Not A Shared Line")
        return super().resource(uri, watcher)

    def watch(self, resource: str, watched: bool) -> None:
        """Every line is looked after, watched or not."""

    def parties(self, user_id: str) -> list[Party]:
        """What is at the places of a line."""
        return [seat.party for seat in self._shared.appearances.seats(user_id) if seat.party is not None]


class LineDialogs(_AboutLines):
    """Dialog documents of a line.

    Args:
        name: one of `dialog;shared`, `dialog;sla` and `dialog;ma`.
        shared: calls of shared lines.
        config: of the site.
    """

    content_types = (DIALOG_INFO,)
    default_expires = 3600

    def __init__(self, name: bytes, shared: SharedCalls, config: SipConfig) -> None:
        super().__init__(shared, config)
        self.name = name

    def document(self, view: View, now: float) -> Document:
        """Everything at the line, or what changed, each as it is now."""
        del now
        if view.changes is None:
            parties = self.parties(view.resource)
        else:
            parties = list({one.dialog_id: one for one in view.changes if isinstance(one, Party)}.values())
        entity, domain = self.address_of(view.resource), self._config.domain
        return Document(DIALOG_INFO, written(parties, entity, domain, view.version, full=view.changes is None))

    # -- see `Publishable`

    def publisher(self, uri: Uri, caller: str | None) -> str:
        """Phones of a line publish for it."""
        return self.resource(uri, Watcher(caller))

    def check(self, body: bytes) -> None:
        """See `dialog_info.read`."""
        read(body)

    def publishing(self, one: Publication, request: Message, now: float) -> None:
        """A phone seizes a place for each dialog that it tries, keeps it, or gives back what it does not name (§5.3).

        Raises:
            SipError: 409, the appearance that it wants is taken.
        """
        appearances, source = self._shared.appearances, request.flow.source
        wanted = [dialog for dialog in read(one.body) if dialog.state == "trying" and not dialog.takes_up]
        for dialog in read(one.body):
            if dialog.exclusive is not None and dialog.call_id:
                self._shared.set_exclusive(one.resource, dialog.call_id, exclusive=dialog.exclusive)
        has_call = {party.call_id for party in self.parties(one.resource)}
        wanted = [dialog for dialog in wanted if not dialog.call_id or dialog.call_id not in has_call]
        if one.expires <= now or not wanted:
            appearances.give_back_of(one.resource, source)
            return
        until = min(one.expires, now + LONGEST_SEIZURE_SECONDS)
        for dialog in wanted:
            try:
                appearances.seize(one.resource, dialog.appearance, source, until)
            except AppearanceTaken as taken:
                raise SipError(_SEIZED_TWICE, taken.reason) from taken


class CallInfo(_AboutLines):
    """The state of each place of a line, as Call-Info."""

    name = _CALL_INFO
    content_types: tuple[bytes, ...] = ()
    default_expires = 3600

    def document(self, view: View, now: float) -> Document:
        """The whole state, whatever changed."""
        del now
        values = [self._value(one) for one in self.parties(view.resource)]
        if len(values) < self._shared.appearances.count(view.resource):
            values.append(self._start + b";appearance-index=*;appearance-state=idle")
        return Document(b"", b"", ((b"Call-Info", b", ".join(values)),))

    @property
    def _start(self) -> bytes:
        return b"<sip:" + self._config.domain.encode() + b">"

    def _value(self, party: Party) -> bytes:
        value = self._start + b";appearance-index=%d;appearance-state=%s" % (party.appearance, _state(party))
        if party.remote is None:
            return value
        other = b"<sip:" + escaped_user(party.remote) + b"@" + self._config.domain.encode() + b">"
        return value + b';appearance-uri="' + other + b'"'


def _state(party: Party) -> bytes:
    if party.dialog_id.startswith("seized-"):
        return b"seized"
    if party.state != "confirmed":
        return b"progressing" if party.direction == "initiator" else b"alerting"
    if not party.held:
        return b"active"
    return b"held-private" if party.exclusive else b"held"


class LineSeize(_AboutLines):
    """A place that a phone has for as long as it subscribes to it; the resource is the line and the place."""

    name = _LINE_SEIZE
    content_types: tuple[bytes, ...] = ()
    default_expires = _SEIZE_SECONDS
    longest_expires = int(LONGEST_SEIZURE_SECONDS)

    def begun(self, resource: str, request: Message, until: float) -> str:
        """The phone has the place, or it is somebody else's.

        Raises:
            AppearanceTaken: 480.
        """
        index = appearance_of(request)
        held = next((one for one in self.parties(resource) if one.appearance == index), None)
        if held is None or not held.held or held.exclusive:
            index = self._shared.appearances.seize(resource, index, request.flow.source, until).index
        return f"{resource}/{index}"

    def objection(self, resource: str, watcher: Watcher) -> EndReason | None:
        """See `Package`."""
        return super().objection(resource.partition("/")[0], watcher)

    def watch(self, resource: str, watched: bool) -> None:
        """Whoever does not subscribe any more gives the place back."""
        user_id, _, index = resource.partition("/")
        if not watched:
            self._shared.appearances.give_back(user_id, int(index))

    def document(self, view: View, now: float) -> Document:
        """Which place it is."""
        del now
        index = view.resource.partition("/")[2].encode()
        value = b"<sip:" + self._config.domain.encode() + b">;appearance-index=" + index + b";appearance-state=seized"
        return Document(b"", b"", ((b"Call-Info", value),))


class SharedLines:
    """The packages of shared lines, and what is told to whom.

    Args:
        shared: calls of shared lines.
        config: of the site.
        changes: told of places that were taken and freed.
    """

    def __init__(self, shared: SharedCalls, config: SipConfig, changes: Changes) -> None:
        self._changes = changes
        self._dialogs = tuple(LineDialogs(name, shared, config) for name in _DIALOGS)
        self.published = self._dialogs[0]
        """What phones publish."""
        self._others = (CallInfo(shared, config), LineSeize(shared, config))
        shared.appearances.told = self.told
        shared.appearances.seized = self._seized

    @property
    def packages(self) -> tuple[LineDialogs | CallInfo | LineSeize, ...]:
        """What can be subscribed to."""
        return (*self._dialogs, *self._others)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        for package in self.packages:
            package.configure(config)

    def told(self, party: Party) -> None:
        """A call of a line, or a seizure, is so far now."""
        if party.appearance:
            for name in _DIALOGS:
                self._changes.changed(name, party.user_id, party)
            self._changes.changed(_CALL_INFO, party.user_id)

    def _seized(self, user_id: str, index: int) -> None:
        self._changes.over(_LINE_SEIZE, f"{user_id}/{index}")
