"""Resource lists (RFC 4662): all lamps of a user's phones under one address, watched by one subscription.

The list of user 200 is `lamps.200`, and `~~rl~F~200` or `~~rl~C~200` for phones that were configured for sipXecs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from edge_agent.sip.message import Message, RawHeader, SipError, Uri
from edge_agent.sip.presence.package import Document, EndReason, EventRefused, Package, View, Watcher
from edge_agent.sip.presence.request import accepted_type
from edge_agent.sip.presence.subscription import MOST_CHANGES, Subscription, SubscriptionHome, Terms
from edge_agent.sip.presence.watching import AboutOneself
from edge_agent.sip.xml_text import escape, quoteattr

EVENTLIST: Final = b"eventlist"
LISTED: Final = frozenset({b"dialog", b"presence"})
"""Packages of which there are lists."""
MULTIPART: Final = b"multipart/related"
MOST_DOCUMENTS: Final = 10
"""In one NOTIFY; the others follow at the pace of the package, so that none is too long for UDP."""
_NAMES: Final = re.compile(r"(?:lamps\.|~~rl~[FC]~)(.+)")
_RLMI: Final = b"application/rlmi+xml"
_REQUIRE: Final[RawHeader] = (b"Require", EVENTLIST)


class Lists(AboutOneself):
    """The list of each user; he and administrators and services of the site may watch it."""

    def owner_of(self, uri: Uri, watcher: Watcher) -> str | None:
        """The id of the user whose list this address names; None: it names none.

        Raises:
            SipError: 403, it is none of the watcher's business.
        """
        dialled = self._config.plan.dialled
        found = _NAMES.fullmatch(uri.dialled)
        user = dialled.get(found[1]) if found is not None and uri.dialled not in dialled else None
        if user is None:
            return None
        if self.objection(user.user_id, watcher) is not None:
            raise SipError(403, "Forbidden")
        return user.user_id

    def members(self, owner: str) -> tuple[str, ...]:
        """Ids of the users on it, in the order of the lamps."""
        users = self._config.users
        return tuple(one for one in self._config.lists.get(owner, ()) if one in users)

    def name_of(self, user_id: str) -> str:
        """What people call a user."""
        user = self._config.users.get(user_id)
        return user.display_name if user is not None else ""

    @property
    def domain(self) -> str:
        """Of the site."""
        return self._config.domain


def check_list_request(request: Message) -> None:
    """Whether who subscribes to a list can read it (§4.2, §4.4).

    Raises:
        EventRefused: 421, it does not know lists; 406, it does not take what they come in.
        BadMessage: Accept is malformed.
    """
    known = [*request.values(b"supported"), *request.values(b"require")]
    if EVENTLIST not in (one.lower() for one in known):
        raise EventRefused(421, "", _REQUIRE)
    accepted_type(request, (MULTIPART,))


class ListSubscription(Subscription):
    """A subscription to a list: one dialog with the subscriber, and a document of each member.

    `tell_everything` tells the whole list and begins with the documents of the first members; the others follow.

    Args:
        home, package, terms: see `Subscription`; the resource is the owner of the list.
        lists: of the site.
        address: of the list, as it was asked for.
    """

    __slots__ = ("_chosen", "_lists", "_pending", "_versions", "_whole", "address", "members")

    def __init__(self, home: SubscriptionHome, package: Package, terms: Terms, lists: Lists, address: str) -> None:
        super().__init__(home, package, terms)
        self._lists = lists
        self.address = address
        self.members = lists.members(terms.resource)
        self._pending: dict[str, list[object] | None] = dict.fromkeys(self.members)
        """What is to be told of whom; None: everything."""
        self._versions: dict[str, int] = {}
        """Of the next document of each member."""
        self._chosen: tuple[str, ...] = ()
        self._whole = True

    @property
    def resources(self) -> Sequence[str]:
        """See `Subscription`."""
        return self.members

    @property
    def objection(self) -> EndReason | None:
        """See `Subscription`."""
        return self._lists.objection(self.resource, self.watcher)

    @property
    def accept_headers(self) -> tuple[RawHeader, ...]:
        """See `Subscription`."""
        return (_REQUIRE,)

    def happened(self, resource: str, change: object) -> None:
        """See `Subscription`."""
        known = self._pending.get(resource, ())
        if resource not in self._pending and change is not None:
            self._pending[resource] = [change]
        elif known is None or change is None or len(known) >= MOST_CHANGES:
            self._pending[resource] = None
        else:
            self._pending[resource] = [*known, change]
        self.dirty = True
        self.offer()

    def forget_told(self) -> None:
        """See `Subscription`."""
        self.dirty = self._whole = True
        self._pending = dict.fromkeys(self.members)

    def document(self, now: float) -> Document:
        """Which members there are, or of which there is news, and a document of each of the first of these."""
        self._chosen = () if self.end is not None else tuple(self._pending)[:MOST_DOCUMENTS]
        tag, domain = self.dialog.key.local_tag.decode(), self._lists.domain
        documents: list[tuple[str, Document]] = []
        resources: dict[str, str] = dict.fromkeys(self.members if self._whole else (), "")
        for member in self._chosen:
            changes = self._pending[member]
            version = self._versions.get(member, self.sent)
            self._versions[member] = version + 1
            view = View(member, self.content_type, version, None if changes is None else tuple(changes))
            name = f"{tag}.{self.sent}.{len(documents)}@{domain}"
            documents.append((name, self.package.document(view, now)))
            resources[member] = f'<instance id="1" state="active" cid={quoteattr(name)}/>'
        lines = "".join(self._resource(member, instance) for member, instance in resources.items())
        whole = "true" if self._whole else "false"
        meta = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<list xmlns="urn:ietf:params:xml:ns:rlmi" '
            f'uri={quoteattr(self.address)} version="{self.sent}" fullState="{whole}">\n{lines}</list>\n'
        )
        start, boundary = f"{tag}.{self.sent}@{domain}", f"list-{tag}"
        parts = [_part(boundary, start, _RLMI + b";charset=UTF-8", meta.encode())]
        parts += [_part(boundary, name, one.content_type, one.body) for name, one in documents]
        kind = f'{MULTIPART.decode()};type="{_RLMI.decode()}";start="<{start}>";boundary="{boundary}"'
        return Document(kind.encode(), b"".join([*parts, f"--{boundary}--\r\n".encode()]), (_REQUIRE,))

    def _resource(self, member: str, instance: str) -> str:
        address, name = self._lists.address_of(member), self._lists.name_of(member)
        return f"<resource uri={quoteattr(address)}><name>{escape(name)}</name>{instance}</resource>\n"

    def told(self) -> None:
        """See `Subscription`; members that are still to be told keep it dirty."""
        super().told()
        for member in self._chosen:
            self._pending.pop(member, None)
        self._whole = False
        self.dirty = bool(self._pending)

    def row(self) -> dict[str, object]:
        """See `Subscription`."""
        return {**super().row(), "list": self.address}


def _part(boundary: str, name: str, content_type: bytes, body: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\nContent-Type: "
    return head.encode() + content_type + b"\r\n\r\n" + body + b"\r\n"
