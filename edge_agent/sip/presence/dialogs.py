"""The `dialog` package: who is in a call, for busy lamps and for picking a call up (RFC 4235)."""

from __future__ import annotations

from typing import Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Uri, escaped_user
from edge_agent.sip.presence.kept_dialogs import KeptDialogs
from edge_agent.sip.presence.orbits import is_orbit, orbit_of, resource_of
from edge_agent.sip.presence.package import Changes, Document, EndReason, View, Watcher
from edge_agent.sip.presence.watching import AboutUsers
from edge_agent.sip.proxy.parties import Parties, Party
from edge_agent.sip.xml_text import escape, quoteattr

_TYPE: Final = b"application/dialog-info+xml"
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="'
)


class DialogPackage(AboutUsers):
    """Tells watchers of a user the calls that the user is in.

    A document names the dialog by its identifiers, so that a watcher's phone can take a ringing call with Replaces
    (RFC 3891). A caller who wants privacy is not named.

    Args:
        parties: who is in which call.
        config: of the site.
        changes: told of calls that came, went on and ended.
        kept: keeps what lamps show.
    """

    name = b"dialog"
    content_types = (_TYPE,)
    default_expires = 3600
    pause_seconds = 0.5
    """A lamp that follows within the second is what users expect; calls that come and go faster are told together."""

    def __init__(self, parties: Parties, config: SipConfig, changes: Changes, kept: KeptDialogs) -> None:
        super().__init__(config)
        self._parties = parties
        self._changes = changes
        self._kept = kept
        self._watched: set[str] = set()

    def user_of(self, uri: Uri) -> str:
        """The id of the user whose address this is, or what stands for an orbit of call park.

        Raises:
            SipError: 404, nobody's.
        """
        if is_orbit(self._config.plan, uri.dialled):
            return resource_of(uri.dialled)
        return super().user_of(uri)

    def address_of(self, user_id: str) -> str:
        """The address of record of a user, or of an orbit."""
        orbit = orbit_of(user_id)
        return super().address_of(user_id) if orbit is None else f"sip:{orbit}@{self._config.domain}"

    def objection(self, resource: str, watcher: Watcher) -> EndReason | None:
        """See `Package`: an orbit that is gone cannot be watched."""
        orbit = orbit_of(resource)
        if orbit is None:
            return super().objection(resource, watcher)
        return None if is_orbit(self._config.plan, orbit) else "noresource"

    def watch(self, resource: str, watched: bool) -> None:
        """Note whose calls matter."""
        if watched:
            self._watched.add(resource)
            if orbit_of(resource) is None:
                self._kept.keep(self._parties.of_user(resource))
        else:
            self._watched.discard(resource)

    def told(self, party: Party) -> None:
        """A party is so far now."""
        watched = party.user_id in self._watched
        if watched:
            self._changes.changed(self.name, party.user_id, party)
        if (watched or party.appearance) and orbit_of(party.user_id) is None:
            self._kept.keep((party,))
        if party.state == "terminated":
            self._kept.forget(party)

    def restore(self, now: float) -> None:
        """Take up the calls that were up before a restart."""
        for party, left in self._kept.restore(self._config.limits.call_seconds):
            self._parties.restore(party, now + left)

    def sweep(self) -> None:
        """To be called every few seconds."""
        self._kept.beat()

    def document(self, view: View, now: float) -> Document:
        """Every call of the user, or those that changed, each as it is now."""
        del now
        entity = self.address_of(view.resource)
        if view.changes is None:
            parties = list(self._parties.of_user(view.resource))
        else:
            parties = list({one.dialog_id: one for one in view.changes if isinstance(one, Party)}.values())
        state = "full" if view.changes is None else "partial"
        dialogs = "".join(self._dialog(one, entity) for one in parties)
        return Document(
            _TYPE,
            f'{_HEAD}{view.version}" state="{state}" entity={quoteattr(entity)}>\n{dialogs}</dialog-info>\n'.encode(),
        )

    def _dialog(self, party: Party, entity: str) -> str:
        tags = f" call-id={quoteattr(_text(party.call_id))}"
        if party.local_tag:
            tags += f" local-tag={quoteattr(_text(party.local_tag))}"
        if party.remote_tag:
            tags += f" remote-tag={quoteattr(_text(party.remote_tag))}"
        remote = ""
        if party.remote is not None:
            other = f"sip:{escaped_user(party.remote).decode()}@{self._config.domain}"
            remote = f"<remote><identity>{escape(other)}</identity><target uri={quoteattr(other)}/></remote>\n"
        return (
            f'<dialog id={quoteattr(party.dialog_id)}{tags} direction="{party.direction}">\n'
            f"<state>{party.state}</state>\n<local><identity>{escape(entity)}</identity></local>\n{remote}</dialog>\n"
        )


def _text(value: bytes) -> str:
    """Bytes from a message as characters that XML may have."""
    return "".join(c if c >= " " and c.isprintable() else " " for c in value.decode("utf-8", "replace"))
