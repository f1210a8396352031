"""The event state compositor (RFC 3903): PUBLISHes to us become event state with a tag, a limit and an end. No I/O."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from edge_agent.clock import Clock
from edge_agent.sip.config import SipConfig
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.message import BadMessage, DropReason, Message, RawHeader, SipError, Uri, response_bytes
from edge_agent.sip.presence.package import EventRefused
from edge_agent.sip.presence.request import event_of, granted_expires
from edge_agent.sip.transaction import TransactionLayer
from edge_agent.tokens import Tokens

KIND: Final = "publication"
_DEFAULT_EXPIRES: Final = 3600


class Publishable(Protocol):
    """An event package whose state is published."""

    @property
    def name(self) -> bytes:
        """As in Event."""
        ...

    @property
    def content_types(self) -> tuple[bytes, ...]:
        """What may be published."""
        ...

    def publisher(self, uri: Uri, caller: str | None) -> str:
        """The resource that a PUBLISH with this Request-URI is about.

        Raises:
            SipError: 404 there is none, 403 the caller may not.
        """
        ...

    def check(self, body: bytes) -> None:
        """Whether the state makes sense.

        Raises:
            BadMessage: it does not.
        """
        ...

    def publishing(self, one: Publication, request: Message, now: float) -> None:
        """A publication is about to be accepted, or taken back (it lapses now).

        Raises:
            SipError: it is refused.
        """
        ...


class Publication:
    """One piece of event state."""

    __slots__ = ("body", "expires", "package", "resource", "tag")

    def __init__(self, package: bytes, resource: str, tag: str, body: bytes, expires: float) -> None:
        self.package = package
        self.resource = resource
        self.tag = tag
        """Its entity tag, another one after each change and refresh (§4.1)."""
        self.body = body
        self.expires = expires
        """When it lapses; seconds, monotonic."""


class Publications:
    """Every publication to this edge.

    Args:
        layer: answers.
        store: keeps publications; the caller commits it for each batch.
        config: of the site.
        clock: wall time, for what is kept.
        tokens: entity tags.
        drops: what is malformed is counted here.
        changed: told package and resource of each change.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        store: KeptRows,
        config: SipConfig,
        clock: Clock,
        tokens: Tokens,
        drops: Counter[DropReason],
        changed: Callable[[bytes, str], None],
    ) -> None:
        self._layer = layer
        self._store = store
        self._config = config
        self._clock = clock
        self._tokens = tokens
        self._drops = drops
        self._changed = changed
        self._packages: dict[bytes, Publishable] = {}
        self._live: dict[str, Publication] = {}
        self._by_resource: dict[tuple[bytes, str], dict[str, Publication]] = {}

    def offer(self, package: Publishable) -> None:
        """Take publications of this package; before anything arrives."""
        self._packages[package.name] = package

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration: what users published who are gone or disabled goes."""
        self._config = config
        for one in list(self._live.values()):
            user = config.users.get(one.resource)
            if user is None or not user.enabled:
                self._remove(one)

    def of(self, package: bytes, resource: str) -> list[Publication]:
        """What is published of a resource, oldest first."""
        return list(self._by_resource.get((package, resource), {}).values())

    def __len__(self) -> int:
        return len(self._live)

    def arrived(self, request: Message, caller: str | None, now: float) -> None:
        """A PUBLISH to us that was let in (§6)."""
        try:
            headers = self._publish(request, caller, now)
        except EventRefused as refused:
            self._layer.reply(request, refused.status, refused.reason.encode(), refused.headers)
        except BadMessage as bad:
            self._drops[bad.drop] += 1
            self._layer.reply(request, bad.status, bad.reason.encode())
        except SipError as error:
            self._layer.reply(request, error.status, error.reason.encode())
        else:
            transaction = self._layer.accept(request)
            transaction.respond(200, response_bytes(request, 200, b"", headers, transaction.tag), now)

    def _publish(self, request: Message, caller: str | None, now: float) -> list[RawHeader]:
        event = event_of(request, tuple(self._packages))
        package = self._packages[event.package]
        resource = package.publisher(request.request_uri(), caller)
        matches = request.values(b"sip-if-match")
        old = self._matching(event.package, resource, matches)
        config = self._config
        expires = granted_expires(request, _DEFAULT_EXPIRES, config.min_expires, config.max_subscription)
        body = self._body(request, package)
        if old is None and not body:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Publication Without Body")
        if old is None and expires:
            self._check_limits(event.package, resource)
        one = Publication(
            event.package, resource, self._tokens.token(8), body or (old.body if old else b""), now + expires
        )
        package.publishing(one, request, now)
        if old is not None:
            self._forget(old)
        if expires:
            self._put(one, now)
        if body or not expires:
            self._changed(event.package, resource)
        return [(b"Expires", b"%d" % expires), (b"SIP-ETag", one.tag.encode())]

    def _matching(self, package: bytes, resource: str, matches: list[bytes]) -> Publication | None:
        """The publication that a request is about; None for a new one (§6 step 4).

        Raises:
            EventRefused: 412, there is none with that tag.
        """
        if not matches:
            return None
        if len(matches) > 1:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "More Than One SIP-If-Match")
        found = self._live.get(matches[0].decode("ascii", "replace"))
        if found is None or (found.package, found.resource) != (package, resource):
            raise EventRefused(412)
        return found

    def _body(self, request: Message, package: Publishable) -> bytes:
        if not request.body:
            return b""
        kind = (request.get(b"content-type") or b"").partition(b";")[0].strip().lower()
        if kind not in package.content_types or b"content-encoding" in request.names:
            raise EventRefused(415, "", (b"Accept", b", ".join(package.content_types)))
        if len(request.body) > self._config.limits.publication_bytes:
            raise EventRefused(413)
        package.check(request.body)
        return request.body

    def _check_limits(self, package: bytes, resource: str) -> None:
        limits = self._config.limits
        if len(self._by_resource.get((package, resource), {})) >= limits.publications_per_user:
            raise SipError(403, "Too Many Publications")
        if len(self._live) >= limits.publications:
            raise EventRefused(503, "Too Many Publications", (b"Retry-After", b"60"))

    def _put(self, one: Publication, now: float) -> None:
        self._live[one.tag] = one
        self._by_resource.setdefault((one.package, one.resource), {})[one.tag] = one
        row = {
            "package": one.package.decode("latin-1"),
            "resource": one.resource,
            "body": b64encode(one.body).decode(),
            "expires_at": self._clock.now().timestamp() + one.expires - now,
        }
        self._store.put(KIND, one.tag, json.dumps(row))

    def _forget(self, one: Publication) -> None:
        del self._live[one.tag]
        of_resource = self._by_resource[one.package, one.resource]
        del of_resource[one.tag]
        if not of_resource:
            del self._by_resource[one.package, one.resource]
        self._store.remove(KIND, one.tag)

    def _remove(self, one: Publication) -> None:
        self._forget(one)
        self._changed(one.package, one.resource)

    def sweep(self, now: float) -> None:
        """Let lapsed publications go; to be called every few seconds."""
        for one in [one for one in self._live.values() if one.expires <= now]:
            self._remove(one)

    def restore(self, now: float) -> None:
        """Take up what was kept."""
        wall = self._clock.now().timestamp()
        for tag, text in self._store.load(KIND).items():
            try:
                row = json.loads(text)
                package, body = row["package"].encode("latin-1"), b64decode(row["body"])
                expires = min(now + float(row["expires_at"]) - wall, now + self._config.max_subscription)
                self._packages[package].check(body)
            except (ValueError, KeyError, TypeError, AttributeError, SipError):
                self._store.remove(KIND, tag)
                continue
            one = Publication(package, str(row["resource"]), tag, body, expires)
            self._live[tag] = one
            self._by_resource.setdefault((package, one.resource), {})[tag] = one
        self.configure(self._config)
        self.sweep(now)
