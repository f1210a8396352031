"""Which URIs are this edge, Record-Route and Route (RFC 3261 §16.4, §16.6 step 4, RFC 5658).

Our Record-Route carries a token, a keyed digest of the Call-ID: a request within a dialog that brings it back is of a
a call that was let through here before, also before a restart, and needs no digest. A caller whose address no
registration has told gets a second token, a keyed digest of that address: the way back to it is open, and no other.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final, NamedTuple

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import BadMessage, DropReason, Flow, Message, NameAddr, Uri, keyed_digest
from edge_agent.sip.message.flow import OUTSIDE, SentBy, local_kind
from edge_agent.sip.message.uri import canonical_reference
from edge_agent.sip.site_names import SITES, is_site_name
from edge_agent.sip.transaction.layer import DEFAULT_PORT

_TOKEN_PARAM: Final = b"t"
_TOKEN_DIGITS: Final = 16
_USUAL_OWN_ROUTES: Final = 4
"""More are taken out all at once: one after the other, thousands would take quadratic time."""
_CALLER_PARAM: Final = b"c"
_CALLER_DIGITS: Final = 12
_CALLER_START: Final = b";" + _CALLER_PARAM + b"="
_REMEMBERED_BYTES: Final = 256
_REMEMBERED: Final = 4096
"""Tokens not to be computed again for the ACK and the BYE."""


class OwnAddresses:
    """What this edge is called.

    Args:
        local: advertised host and port of each transport.
        config: domain and further hosts.
        six: the same as `local` for IPv6 peers; empty: they are told the same.
    """

    def __init__(
        self, local: dict[str, tuple[str, int]], config: SipConfig, six: dict[str, tuple[str, int]] | None = None
    ) -> None:
        self._local = {**local, **{f"{transport}6": place for transport, place in (six or {}).items()}}
        self.by_peer = bool(six) or bool(config.public_host)
        """Whether IPv6 peers or remote ones know us by another address."""
        self._ports = frozenset(port for _, port in local.values())
        if config.public_host:
            outside = {kind + OUTSIDE: (config.public_host, port) for kind, (_, port) in local.items()}
            self._local = {**self._local, **outside}
        self.sent_by = SentBy(
            (transport, (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode())
            for transport, (host, port) in self._local.items()
        )
        for transport in ("udp", "tcp", SITES):
            # Streams can be opened without a listener; answers come back on the stream.
            self.sent_by.setdefault(transport, next(iter(self.sent_by.values())))
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self.sent_by.is_remote = config.media.is_remote if config.public_host else None
        self.domain = config.domain.encode()
        """Host of every address of record."""
        self.domains = frozenset(name.lower().encode() for name in (config.domain, *config.former_domains))
        hosts = {*(host.lower() for host in config.hosts), *(host for host, _ in self._local.values())}
        self._hosts = self.domains.union(_host_of_uri(host) for host in hosts)

    def route(self, transport: str) -> bytes:
        """A Route that leads here, for what is to come by this transport (RFC 3608 §5)."""
        return b"<sip:" + self.sent_by[transport] + _transport_parameter(transport) + b";lr>"

    def are(self, uri: Uri) -> bool:
        """Whether requests with this URI end here: the domain, or a host of ours at a port of ours."""
        if not self.name_host(uri):
            return False
        if uri.port == 0 and uri.host in self.domains:
            return True
        return (uri.port or DEFAULT_PORT) in self._ports

    def leads_here(self, flow: Flow) -> bool:
        """Whether what is sent that way comes back to this edge."""
        return flow.port in self._ports and _host_of_uri(flow.host) in self._hosts

    def are_contact(self, uri: Uri, flow: Flow | None) -> bool:
        """Whether a phone that gives this Contact gives us instead of itself."""
        return self.are(uri) or (flow is not None and self.leads_here(flow))

    def name_host(self, uri: Uri) -> bool:
        """Whether an address in From or To belongs to the site; the port says nothing there."""
        host = uri.host
        return (host if host[:1] != b"[" else canonical_reference(host)) in self._hosts


def _transport_parameter(transport: str) -> bytes:
    if transport == SITES:
        return b";transport=tls"
    return b"" if transport == "udp" else b";transport=" + transport.encode()


def _host_of_uri(host: str) -> bytes:
    """An address or name as it stands in a URI."""
    return canonical_reference(f"[{host}]".encode()) if ":" in host else host.encode()


class Proof(NamedTuple):
    """That a dialog was let through here.

    Args:
        caller: token of the caller's address; empty where a registration tells it.
    """

    caller: bytes


class RouteBook:
    """Writes Record-Route and reads Route.

    Args:
        own: what this edge is called.
        key: secret of this edge, the same after a restart.
        knows_host: whether a phone of the site is registered at an address.
    """

    def __init__(self, own: OwnAddresses, key: bytes, knows_host: Callable[[str], bool]) -> None:
        self._own = own
        self._key = key
        self._knows_host = knows_host
        self._made: dict[bytes, bytes] = {}
        self._starts: dict[str, bytes] = {}

    def token(self, call_id: bytes) -> bytes:
        """The proof that a dialog with this Call-ID was let through here."""
        known = self._made.get(call_id)
        if known is None:
            known = keyed_digest(self._key, b"dialog:" + call_id, _TOKEN_DIGITS)
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            if len(call_id) <= _REMEMBERED_BYTES:
                self._made[call_id] = known
        return known

    def _caller_token(self, call_id: bytes, host: str) -> bytes:
        return keyed_digest(self._key, b"caller:" + host.encode() + b":" + call_id, _CALLER_DIGITS)

    def record(self, request: Message, incoming: Flow, outgoing: Flow) -> None:
        """Put our Record-Route on a request.

        Two of them when transport or address family change, the outgoing one on top (RFC 5658 §3).
        """
        came: str = SITES if incoming.name and is_site_name(incoming.name) else incoming.transport
        goes: str = SITES if outgoing.name and is_site_name(outgoing.name) else outgoing.transport
        if self._own.by_peer:
            sent_by = self._own.sent_by
            came = came if came == SITES else local_kind(incoming, sent_by)
            goes = goes if goes == SITES else local_kind(outgoing, sent_by)
        token = self.token(request.call_id)
        if not self._knows_host(request.flow.host):
            token += b";" + _CALLER_PARAM + b"=" + self._caller_token(request.call_id, request.flow.host)
        at = request.index(b"record-route")
        if at < 0:
            at = request.index(b"via") + 1
        request.insert_line(at, b"Record-Route: " + self._start(came) + token + b">", b"record-route")
        if came != goes:
            request.insert_line(at, b"Record-Route: " + self._start(goes) + token + b">", b"record-route")

    def _start(self, transport: str) -> bytes:
        """What an entry of ours begins with."""
        start = self._starts.get(transport)
        if start is None:
            parameter = _transport_parameter(transport.rstrip("6" + OUTSIDE))
            start = self._starts[transport] = b"<sip:" + self._own.sent_by[transport] + parameter + b";lr;t="
        return start

    def _take_usual(self, request: Message) -> Proof | None:
        """As `take_own` for the usual request within a dialog: one Route value, written by us for this very dialog."""
        value = request.get(b"route") or b""
        own = self._own
        start = self._start(local_kind(request.flow, own.sent_by) if own.by_peer else request.flow.transport)
        token = self.token(request.call_id)
        end = len(start) + len(token)
        if not value.startswith(start) or not hmac.compare_digest(value[len(start) : end], token):
            return None
        rest = value[end:]
        if rest == b">":
            caller = b""
        else:
            caller, close = rest[3:-1], rest[-1:]
            if rest[:3] != _CALLER_START or close != b">" or not caller.isalnum():
                return None
        request.remove_at(request.index(b"route"))
        return Proof(caller)

    def take_own(self, request: Message) -> Proof | None:
        """Remove what of the route is us (§16.4).

        Returns:
            The proof that the dialog was let through here, when one of the entries is one.

        Raises:
            BadMessage: Route is malformed.
        """
        own = self._own
        proven: Proof | None = None
        uri = request.request_uri()
        if not request.has(b"route"):
            if _TOKEN_PARAM not in uri.params:
                return None
        elif _TOKEN_PARAM not in uri.params and (usual := self._take_usual(request)) is not None:
            if not request.has(b"route"):
                return usual
            proven = usual
        if _TOKEN_PARAM in uri.params and b"lr" in uri.params and own.are(uri):
            # A strict router put our Record-Route into the Request-URI and the real one last into Route.
            routes = request.values(b"route")
            if not routes:
                raise BadMessage(DropReason.BAD_HEADER_VALUE, "Strict Route Without Route")
            proven = self._proves(uri, request)
            request.set_uri(NameAddr.parse(routes[-1], "Route").uri.text)
            request.remove(b"route")
            for value in routes[:-1]:
                request.append(b"Route", value)
        if not request.has(b"route"):
            return proven
        values = request.values(b"route")
        count = 0
        for value in values:
            first = NameAddr.parse(value, "Route").uri
            if not own.are(first):
                break
            proven = proven or self._proves(first, request)
            count += 1
        if count > _USUAL_OWN_ROUTES:
            at = request.index(b"route")
            request.remove(b"route")
            if rest := values[count:]:
                request.insert(at, b"Route", b", ".join(rest))
        else:
            for _ in range(count):
                request.remove_first_value(b"route")
        return proven

    def _proves(self, uri: Uri, request: Message) -> Proof | None:
        token = uri.params.get(_TOKEN_PARAM)
        if not token or not hmac.compare_digest(token, self.token(request.call_id)):
            return None
        return Proof(uri.params.get(_CALLER_PARAM) or b"")

    def is_caller(self, proof: Proof, request: Message, host: str) -> bool:
        """Whether the proof names this address as the one that the dialog's caller called from."""
        return bool(proof.caller) and hmac.compare_digest(proof.caller, self._caller_token(request.call_id, host))
