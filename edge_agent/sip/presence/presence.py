"""The `presence` package (RFC 3856): whether and how somebody can be reached, from PUBLISH and from registrations."""

from __future__ import annotations

from edge_agent.sip.config import SipConfig
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import Message, SipError, Uri
from edge_agent.sip.presence import pidf
from edge_agent.sip.presence.package import Changes, Document, View
from edge_agent.sip.presence.publications import Publication, Publications
from edge_agent.sip.presence.watching import AboutUsers


class PresencePackage(AboutUsers):
    """Tells watchers how a user can be reached.

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
        super().__init__(config)
        self._location = location
        self._publications = publications
        self._changes = changes
        self._told: dict[str, bool] = {}
        """Whether each watched user was registered when that was told last."""

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
        registered = bool(self._location.of_user(view.resource, now))
        if view.resource in self._told:
            self._told[view.resource] = registered
        published = [(one.tag, one.body) for one in self._publications.of(self.name, view.resource)]
        return Document(pidf.PIDF, pidf.composed(self.address_of(view.resource), registered, published))

    # -- see `Publishable`

    def publisher(self, uri: Uri, caller: str | None) -> str:
        """Users publish their own presence, services of the site that of everybody."""
        user_id = self.user_of(uri)
        if caller is not None and caller != user_id:
            raise SipError(403, "Forbidden")
        return user_id

    def check(self, body: bytes) -> None:
        """See `pidf.check`."""
        pidf.check(body)

    def publishing(self, one: Publication, request: Message, now: float) -> None:
        """See `Publishable`: whatever is well written may be published."""
