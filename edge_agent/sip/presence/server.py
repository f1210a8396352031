"""The notifier (RFC 6665 §4.2): SUBSCRIBEs to us become subscriptions, changes become NOTIFYs. No I/O.

NOTIFYs go where the SUBSCRIBE came from, or to the registered contact that it named: never to an address that only
somebody's Contact claims. A subscription over UDP outlives a restart of the agent; one that came by a stream ends with
it, as a binding does.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sip.config import SipConfig
from edge_agent.sip.dialog import Dialog, DialogKey
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.location import Location
from edge_agent.sip.message import BadMessage, DropReason, Flow, Message, RawHeader, SipError, response_bytes
from edge_agent.sip.message.flow import local_kind
from edge_agent.sip.presence.lists import LISTED, Lists, ListSubscription, check_list_request
from edge_agent.sip.presence.package import EndReason, EventRefused, Package, Watcher
from edge_agent.sip.presence.request import accepted_type, event_of, granted_expires
from edge_agent.sip.presence.subscription import PAUSED, RETRY, KeptRow, Subscription, Terms, restored
from edge_agent.sip.transaction import TransactionLayer
from edge_agent.tokens import Tokens

KIND: Final = "subscription"
_MORE: Final = 0
_RESTORED: Final = 1
_MORE_SECONDS: Final = 0.05
_RESTORE_SECONDS: Final = 0.2
_RETRY_SECONDS: Final = (10.0, 60.0, 300.0)
_DESTROYING: Final = frozenset({404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})
"""Answers to a NOTIFY after which there is no subscription (RFC 5057 §5.1)."""


class SubscriptionServer:
    """Every subscription to this edge; implements `Changes` for packages.

    Args:
        layer: sends.
        location: where phones are.
        sent_by: `host:port` of this edge by transport.
        store: keeps subscriptions; the caller commits it for each batch.
        config: of the site.
        clock: wall time, for what is kept.
        tokens: tags.
        drops: what is malformed is counted here.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        location: Location,
        sent_by: dict[str, bytes],
        store: KeptRows,
        config: SipConfig,
        clock: Clock,
        tokens: Tokens,
        drops: Counter[DropReason],
    ) -> None:
        self._layer = layer
        self._location = location
        self._sent_by = sent_by
        self._store = store
        self._config = config
        self._clock = clock
        self._tokens = tokens
        self._drops = drops
        self._packages: dict[bytes, Package] = {}
        self.events: tuple[bytes, ...] = ()
        """Names of the packages."""
        self._live: dict[DialogKey, Subscription] = {}
        self._by_resource: dict[tuple[bytes, str], dict[DialogKey, Subscription]] = {}
        self._by_watcher: Counter[str | None] = Counter()
        self._due: deque[Subscription] = deque()
        self._restored: deque[Subscription] = deque()
        self._more = False
        self._lists = Lists(config)

    def offer(self, packages: Sequence[Package]) -> None:
        """Take subscriptions to these packages; once, before anything arrives."""
        self._packages = {one.name: one for one in packages}
        self.events = tuple(self._packages)

    def __len__(self) -> int:
        return len(self._live)

    # -- SUBSCRIBE

    def arrived(self, request: Message, caller: str | None, now: float) -> None:
        """A SUBSCRIBE to us.

        Args:
            request: let in, or within a dialog of ours.
            caller: the authenticated user; None for a service of the site, and within a dialog.
            now: seconds, monotonic.
        """
        try:
            if request.to_tag:
                self._refresh(request, now)
            else:
                self._subscribe(request, caller, now)
        except EventRefused as refused:
            self._layer.reply(request, refused.status, refused.reason.encode(), refused.headers)
        except BadMessage as bad:
            self._drops[bad.drop] += 1
            self._layer.reply(request, bad.status, bad.reason.encode())
        except SipError as error:
            self._layer.reply(request, error.status, error.reason.encode())

    def _subscribe(self, request: Message, caller: str | None, now: float) -> None:
        event = event_of(request, self.events)
        package = self._packages[event.package]
        watcher = Watcher(caller, caller in self._config.administrators)
        uri = request.request_uri()
        owner = self._lists.owner_of(uri, watcher) if package.name in LISTED else None
        if owner is None:
            resource, content_type = package.resource(uri, watcher), accepted_type(request, package.content_types)
        else:
            check_list_request(request)
            resource, content_type = owner, package.content_types[0]
        expires = self._granted(request, package)
        limits = self._config.limits
        if expires and caller is not None and self._by_watcher[caller] >= limits.subscriptions_per_user:
            raise SipError(403, "Too Many Subscriptions")
        if expires and len(self._live) >= limits.subscriptions:
            raise EventRefused(503, "Too Many Subscriptions", (b"Retry-After", b"60"))
        if expires:
            resource = package.begun(resource, request, now + expires)
        # Not of the layer's tags, which can be guessed: this one proves the refreshes.
        dialog = Dialog.answering(request, b"s-" + self._tokens.token(12).encode())
        terms = Terms(event, resource, watcher, content_type, dialog, request.flow, now + expires)
        one = self._made(package, terms, "" if owner is None else f"sip:{uri.dialled}@{self._config.domain}")
        self._accept(request, one, expires, now)
        if expires:
            self._add(one)
            self._keep(one, now)
        else:
            one.end = "timeout"
        one.tell_everything()

    def _refresh(self, request: Message, now: float) -> None:
        """A SUBSCRIBE within its dialog: longer, or no more (§4.1.2.2, §4.1.2.3)."""
        one = self._live.get(DialogKey(request.call_id, request.to_tag, request.from_tag))
        if one is None or one.end is not None:
            raise SipError(481, "Subscription Does Not Exist")
        if event_of(request, self.events) != one.event:
            raise SipError(481, "Subscription Does Not Exist")
        expires = self._granted(request, one.package)
        content_type = None
        if isinstance(one, ListSubscription):
            check_list_request(request)
        elif b"accept" in request.names:
            content_type = accepted_type(request, one.package.content_types)
        one.dialog.receive(request)
        one.content_type = content_type or one.content_type
        one.flow = request.flow
        one.expires = now + expires
        self._accept(request, one, expires, now)
        if expires:
            self._keep(one, now)
            one.tell_everything()
        else:
            self.close(one, "timeout")

    def _granted(self, request: Message, package: Package) -> int:
        config = self._config
        if package.longest_expires:
            return granted_expires(request, package.default_expires, 1, package.longest_expires)
        return granted_expires(request, package.default_expires, config.min_expires, config.max_subscription)

    def _accept(self, request: Message, one: Subscription, expires: int, now: float) -> None:
        headers: list[RawHeader] = [(b"Record-Route", value) for value in request.all(b"record-route")]
        headers += [(b"Contact", self._contact(request.flow)), (b"Expires", b"%d" % expires), *one.accept_headers]
        transaction = self._layer.accept(request)
        transaction.respond(200, response_bytes(request, 200, b"", headers, one.dialog.key.local_tag), now)

    # -- changes, and the end

    def is_subscribed(self, package: bytes, resource: str, contact: bytes) -> bool:
        """Whether a phone with this contact subscribed to it."""
        subscriptions = self._by_resource.get((package, resource), {}).values()
        return any(one.dialog.remote_target.text == contact for one in subscriptions)

    def changed(self, package: bytes, resource: str, change: object = None) -> None:
        """See `Changes`."""
        for one in self._by_resource.get((package, resource), {}).values():
            if one.end is None:
                one.happened(resource, change)

    def over(self, package: bytes, resource: str) -> None:
        """See `Changes`."""
        for one in list(self._by_resource.get((package, resource), {}).values()):
            self.close(one, "noresource")

    def close(self, one: Subscription, reason: EndReason) -> None:
        """End a subscription: its next NOTIFY is the last."""
        if one.end is None:
            one.end = reason
            self._remove(one)
            one.in_flight = False
            one.tell_everything()

    def sweep(self, now: float) -> None:
        """Let lapsed subscriptions end; to be called every few seconds."""
        for one in [one for one in self._live.values() if one.expires <= now]:
            self.close(one, "timeout")

    def flow_failed(self, flow: Flow) -> None:
        """A connection is gone, and with it every subscription that came by it."""
        if flow.connection and self._live:
            for one in [one for one in self._live.values() if one.flow == flow]:
                self._remove(one)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration: subscriptions of users who may no longer watch end."""
        self._config = config
        self._lists.configure(config)
        for one in list(self._live.values()):
            user_id = one.watcher.user_id
            one.watcher = Watcher(user_id, user_id in config.administrators)
            user = config.users.get(user_id) if user_id is not None else None
            if user_id is not None and (user is None or not user.enabled):
                self.close(one, "rejected")
            elif (reason := one.objection) is not None:
                self.close(one, reason)
            elif isinstance(one, ListSubscription) and one.members != self._lists.members(one.resource):
                self._unlink(one)
                one.members = self._lists.members(one.resource)
                self._link(one)
                one.tell_everything()

    # -- NOTIFY

    def due(self, subscription: Subscription) -> None:
        """See `SubscriptionHome`."""
        self._due.append(subscription)

    def batch_ended(self, now: float) -> None:
        """Send what became due; so many at once that phones and this edge get on with their work between."""
        if not self._due:
            return
        for _ in range(min(len(self._due), self._config.notifies_per_batch)):
            one = self._due.popleft()
            one.queued = False
            if one.end is not None or one.dialog.key in self._live:
                self._notify(one, now)
        if self._due and not self._more:
            self._more = True
            self._layer.wheel.add(_MORE_SECONDS, self, _MORE, now)

    def expired(self, kind: int, now: float) -> None:
        """More may be sent; what was restored comes a few at a time."""
        if kind == _MORE:
            self._more = False
            return
        for _ in range(max(1, round(self._config.restored_per_second * _RESTORE_SECONDS))):
            if not self._restored:
                return
            one = self._restored.popleft()
            if self._live.get(one.dialog.key) is one and one.sent == one.reserved:
                one.offer()
        self._layer.wheel.add(_RESTORE_SECONDS, self, _RESTORED, now)

    def _notify(self, one: Subscription, now: float) -> None:
        document = one.document(now)
        if one.end is not None:
            state = b"terminated;reason=" + one.end.encode()
        else:
            state = b"active;expires=%d" % max(0, round(one.expires - now))
        way, route = self._way(one, now)
        headers: list[RawHeader] = [
            (b"Contact", self._contact(way)),
            (b"Event", bytes(one.event)),
            (b"Subscription-State", state),
            *document.headers,
        ]
        if document.body:
            headers.append((b"Content-Type", document.content_type))
        request = one.dialog.request(b"NOTIFY", tuple(headers), document.body)
        for value in reversed(route):
            request.insert(1, b"Route", value)
        one.told()
        if one.end is not None:
            # Nothing depends on its answer.
            self._layer.request(request, way, None, now)
            return
        if one.reserved and one.sent >= one.reserved:
            self._keep(one, now)
        if one.package.pause_seconds:
            one.paused = True
            self._layer.wheel.add(one.package.pause_seconds, one, PAUSED, now)
        self._layer.request(request, way, one, now)

    def _way(self, one: Subscription, now: float) -> tuple[Flow, tuple[bytes, ...]]:
        """Where its NOTIFYs go, and the Path of a phone behind a proxy."""
        if not one.dialog.route_set:
            binding = self._location.at_contact(one.dialog.remote_target.text)
            if binding is not None and binding.expires > now:
                return binding.flow, binding.path
        return one.flow, ()

    def notify_answered(self, subscription: Subscription, response: Message | None, now: float) -> None:
        """See `SubscriptionHome` (§4.2.2, RFC 5057 §5.1)."""
        one = subscription
        if self._live.get(one.dialog.key) is not one:
            return
        if response is None or response.status in _DESTROYING:
            self._remove(one)
            return
        retry = response.get(b"retry-after") if response.status >= 400 else None
        if retry is not None:
            wanted = retry.partition(b";")[0].partition(b"(")[0].strip()
            seconds = float(wanted[:6]) if wanted.isdigit() else _RETRY_SECONDS[0]
            one.paused = True
            wait = next((longer for longer in _RETRY_SECONDS if longer >= seconds), _RETRY_SECONDS[-1])
            self._layer.wheel.add(wait, one, RETRY, now)
            return
        one.offer()

    def _contact(self, flow: Flow) -> bytes:
        kind = flow.transport
        parameter = b"" if kind == "udp" else b";transport=" + kind.encode()
        return b"<sip:" + self._sent_by[local_kind(flow, self._sent_by)] + parameter + b">"

    # -- the tables and the disk

    def _add(self, one: Subscription) -> None:
        self._live[one.dialog.key] = one
        self._link(one)
        self._by_watcher[one.watcher.user_id] += 1

    def _remove(self, one: Subscription) -> None:
        if self._live.pop(one.dialog.key, None) is None:
            return
        self._unlink(one)
        self._by_watcher[one.watcher.user_id] -= 1
        if not self._by_watcher[one.watcher.user_id]:
            del self._by_watcher[one.watcher.user_id]
        self._store.remove(KIND, one.key)

    def _link(self, one: Subscription) -> None:
        for resource in one.resources:
            of_resource = self._by_resource.setdefault((one.event.package, resource), {})
            if not of_resource:
                one.package.watch(resource, watched=True)
            of_resource[one.dialog.key] = one

    def _unlink(self, one: Subscription) -> None:
        for resource in one.resources:
            of_resource = self._by_resource[one.event.package, resource]
            del of_resource[one.dialog.key]
            if not of_resource:
                del self._by_resource[one.event.package, resource]
                one.package.watch(resource, watched=False)

    def _made(self, package: Package, terms: Terms, list_address: str) -> Subscription:
        if list_address:
            return ListSubscription(self, package, terms, self._lists, list_address)
        return Subscription(self, package, terms)

    def _keep(self, one: Subscription, now: float) -> None:
        if one.flow.transport != "udp" or one.package.longest_expires:
            self._store.remove(KIND, one.key)
            return
        self._store.put(KIND, one.key, one.kept(self._clock.now().timestamp() + one.expires - now))

    def restore(self, now: float) -> None:
        """Take up what was kept; each is told everything, a few at a time, unless it refreshes or changes before."""
        wall = self._clock.now().timestamp()
        for key, text in self._store.load(KIND).items():
            try:
                row: KeptRow = json.loads(text)
                terms, reserved, expires_at = restored(row, self._config.administrators)
                one = self._made(self._packages[terms.event.package], terms, str(row.get("list", "")))
            except (ValueError, KeyError, TypeError, AttributeError, SipError):
                self._store.remove(KIND, key)
                continue
            one.sent = one.reserved = reserved
            # A wall clock that was set back while we were away must not make subscriptions live for years.
            one.expires = min(now + expires_at - wall, now + self._config.max_subscription)
            if one.expires <= now or one.key != key:
                self._store.remove(KIND, key)
                continue
            self._add(one)
            self._restored.append(one)
        self.configure(self._config)
        if self._restored:
            self._layer.wheel.add(_RESTORE_SECONDS, self, _RESTORED, now)
