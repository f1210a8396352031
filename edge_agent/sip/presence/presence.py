"""The `presence` package (RFC 3856): whether and how somebody can be reached, from PUBLISH and from registrations."""

from __future__ import annotations

from edge_agent.sip.config import SipConfig
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import SipError, Uri
from edge_agent.sip.presence import pidf
from edge_agent.sip.presence.package import Changes, Document, EndReason, View, Watcher
from edge_agent.sip.presence.publications import Publications


class PresencePackage:
    """Tells watchers how a user can be reached. Every user of the site may watch every other: it is one office.

    Args:
        location: bindings.
        publications: what users published.
        config: of the site.
        changes: told of users who came or went.
    """

    name = b"presence"
    content_types = (pidf.PIDF,)
    default_expires = 3600
    pause_seconds = 5.0
    """RFC 3856 §6.10."""

    def __init__(self, location: Location, publications: Publications, config: SipConfig, changes: Changes) -> None:
        self._location = location
        self._publications = publications
        self._config = config
        self._changes = changes
        self._told: dict[str, bool] = {}
        """Whether each watched user was registered when that was told last."""

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config

    def resource(self, uri: Uri, watcher: Watcher) -> str:
        """The user whose address this is."""
        del watcher
        user = self._config.plan.dialled.get(uri.dialled)
        if user is None:
            raise SipError(404, "Not Found")
        return user.user_id

    def objection(self, resource: str, watcher: Watcher) -> EndReason | None:
        """A user who is gone cannot be watched."""
        del watcher
        return None if resource in self._config.users else "noresource"

    def watch(self, resource: str, watched: bool) -> None:
        """Note whose coming and going matters."""
        if watched:
            self._told.setdefault(resource, False)
        else:
            self._told.pop(resource, None)
        self._location.watch(resource, watched)

    def contact_changed(self, binding: Binding, now: float) -> None:
        """The registrar changed a binding."""
        told = self._told.get(binding.user_id)
        if told is not None and told != bool(self._location.of_user(binding.user_id, now)):
            self._changes.changed(self.name, binding.user_id)

    def document(self, view: View, now: float) -> Document:
        """The whole state, whatever changed."""
        user = self._config.users.get(view.resource)
        registered = bool(self._location.of_user(view.resource, now))
        if view.resource in self._told:
            self._told[view.resource] = registered
        entity = f"sip:{user.username if user else ''}@{self._config.domain}"
        published = [(one.tag, one.body) for one in self._publications.of(self.name, view.resource)]
        return Document(pidf.PIDF, pidf.composed(entity, registered, published))

    # -- see `Publishable`

    def publisher(self, uri: Uri, caller: str | None) -> str:
        """Users publish their own presence, services of the site that of everybody."""
        user = self._config.plan.dialled.get(uri.dialled)
        if user is None:
            raise SipError(404, "Not Found")
        if caller is not None and caller != user.user_id:
            raise SipError(403, "Forbidden")
        return user.user_id

    def check(self, body: bytes) -> None:
        """See `pidf.check`."""
        pidf.check(body)
