"""What packages about users have in common: whose state an address names, and who may watch it."""

from __future__ import annotations

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Message, SipError, Uri
from edge_agent.sip.presence.package import EndReason, Watcher


class AboutUsers:
    """A package whose resources are users. Every user of the site may watch every other: it is one office.

    Args:
        config: of the site.
    """

    longest_expires = 0

    def __init__(self, config: SipConfig) -> None:
        self._config = config

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config

    def user_of(self, uri: Uri) -> str:
        """The id of the user whose address this is.

        Raises:
            SipError: 404, nobody's.
        """
        user = self._config.plan.dialled.get(uri.dialled)
        if user is None:
            raise SipError(404, "Not Found")
        return user.user_id

    def address_of(self, user_id: str) -> str:
        """The address of record of a user."""
        user = self._config.users.get(user_id)
        return f"sip:{user.username if user else ''}@{self._config.domain}"

    def resource(self, uri: Uri, watcher: Watcher) -> str:
        """See `Package`."""
        user_id = self.user_of(uri)
        if self.objection(user_id, watcher) is not None:
            raise SipError(403, "Forbidden")
        return user_id

    def begun(self, resource: str, request: Message, until: float) -> str:
        """See `Package`: whoever may watch may do so for as long as he likes."""
        del request, until
        return resource

    def objection(self, resource: str, watcher: Watcher) -> EndReason | None:
        """See `Package`: a user who is gone cannot be watched."""
        if resource not in self._config.users:
            return "noresource"
        return None if self.may_watch(resource, watcher) else "rejected"

    def may_watch(self, user_id: str, watcher: Watcher) -> bool:
        """Whether this user is the watcher's business."""
        del user_id, watcher
        return True


class AboutOneself(AboutUsers):
    """A package whose resources are users, each of whom watches himself; administrators and services of the site watch
    everybody."""

    def may_watch(self, user_id: str, watcher: Watcher) -> bool:
        """See `AboutUsers`."""
        return watcher.user_id is None or watcher.administers or watcher.user_id == user_id
