"""The layer: finds the transaction that a message belongs to, or hands the message to the transaction user.

A user agent and a proxy use it alike: `request_arrived` brings a new request; the user either answers it without
state (`reply`) or makes it a transaction (`accept`) and answers through that. Requests go out by `request`, the ACK of
a 2xx and other messages without a transaction by `forward`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from edge_agent.sip.message import DropReason, Flow, Limits, Message, response_bytes
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.message.flow import local_kind
from edge_agent.sip.message.via import MAGIC_COOKIE
from edge_agent.sip.transaction.counts import Counts
from edge_agent.sip.transaction.invite_client import PROCEEDING, InviteClient, hop_request
from edge_agent.sip.transaction.invite_server import InviteServer
from edge_agent.sip.transaction.large_requests import LargeRequests
from edge_agent.sip.transaction.named_request import NamedRequest, OnHop
from edge_agent.sip.transaction.non_invite_client import NonInviteClient
from edge_agent.sip.transaction.non_invite_server import NonInviteServer
from edge_agent.sip.transaction.ports import ClientOwner, Finder, Send, ServerKey
from edge_agent.sip.transaction.timers import Timers
from edge_agent.sip.transaction.wheel import TimerWheel
from edge_agent.tokens import Tokens

DEFAULT_PORT: Final = 5060
_COOKIE_LENGTH: Final = len(MAGIC_COOKIE)
_SHORT_KEY: Final = 3
_RPORT: Final = b";rport"
_CANCEL_SUFFIX: Final = b"/c"


class TransactionUser(Protocol):
    """What stands on the layer: a proxy core or a user agent core."""

    def request_arrived(self, request: Message, now: float) -> None:
        """A request of no known transaction, checked by `check_request`; never ACK; CANCEL only when it fits none."""
        ...

    def ack_arrived(self, request: Message, now: float) -> None:
        """An ACK that ends in no transaction: the ACK of a 2xx."""
        ...

    def invite_cancelled(self, transaction: InviteServer, now: float) -> None:
        """A CANCEL for this INVITE came and was answered 200; the INVITE still waits for its final response."""
        ...


class TransactionLayer:
    """All transactions of one endpoint.

    Args:
        send: hands bytes to the transport.
        user: who gets what belongs to no transaction.
        tokens: for branches and tags.
        sent_by: `host:port` to be put into Via, for each transport; `udp6` and the like for IPv6 peers, where those
            know us by another address.
        timers: durations.
        wheel: shared with whoever else needs timers.
        limits: how many transactions may live.
        drops: what was dropped is counted here by reason.
    """

    __slots__ = (
        "_both_families",
        "_branch_prefix",
        "_clients",
        "_count",
        "_large",
        "_sent_by",
        "_servers",
        "_stateless_mark",
        "_stateless_prefix",
        "_switched",
        "_tag_prefix",
        "_user",
        "_via_starts",
        "counts",
        "drops",
        "finder",
        "headroom",
        "limits",
        "send",
        "timers",
        "wheel",
    )

    def __init__(
        self,
        send: Send,
        user: TransactionUser,
        tokens: Tokens,
        sent_by: dict[str, bytes],
        timers: Timers,
        wheel: TimerWheel,
        limits: Limits,
        drops: Counter[DropReason],
    ) -> None:
        self.send = send
        self.timers = timers
        self.wheel = wheel
        self.drops = drops
        self.counts = Counts()
        self._user = user
        self._sent_by = sent_by
        self._both_families = any(kind[-1] in "6+" for kind in sent_by)
        self._via_starts: dict[str, bytes] = {}
        self.limits = limits
        self.headroom: Callable[[Message], float] = _no_headroom
        """How far beyond the limit of transactions a request is still taken, as a factor; 1 is not at all."""
        self.finder: Finder | None = None
        """Looks names up, so that each hop gets a transaction of its own; None: the transport finds its way."""
        self._clients: dict[bytes, InviteClient | NonInviteClient] = {}
        self._servers: dict[ServerKey, InviteServer | NonInviteServer] = {}
        self._large = LargeRequests()
        self._switched: dict[bytes, Message] = {}
        """Requests that went by TCP for their length, by branch: they go by UDP if TCP fails."""
        self._count = 0
        self._branch_prefix = MAGIC_COOKIE + tokens.token(6).encode() + b"."
        self._tag_prefix = tokens.token(5).encode()
        self._stateless_prefix = self._tag_prefix + b"-s"
        self._stateless_mark = b";tag=" + self._stateless_prefix

    # -- what arrives

    def receive(self, message: Message, now: float) -> None:
        """A message whose headers were checked (`check_request`, `check_response`); its `flow` says where from.

        Raises:
            BadMessage: a header that is looked at only here is malformed.
        """
        if message.status:
            self._response_arrived(message, now)
            return
        self._complete_via(message)
        key = server_key(message)
        method = message.method
        if method == b"ACK":
            known = self._servers.get(invite_key(key))
            if known is not None and known.acknowledged(now):
                return
            if known is None and message.to_tag.startswith(self._tag_prefix):
                # The ACK of a final response that was sent without state; nobody else waits for it.
                self.drops[DropReason.STRAY_ACK] += 1
                return
            self.counts.arrived(method)
            self._user.ack_arrived(message, now)
            return
        known = self._servers.get(key)
        if known is not None:
            self.counts.heard_again += 1
            known.retransmitted(message, now)
        elif method == b"CANCEL":
            self.counts.arrived(method)
            self._cancel_arrived(message, key, now)
        elif len(self._servers) >= self.limits.transactions and self._is_too_many(message):
            self.drops[DropReason.TOO_MANY_TRANSACTIONS] += 1
            self.reply(message, 503, headers=((b"Retry-After", b"10"),))
        else:
            self.counts.arrived(method)
            self._user.request_arrived(message, now)

    def _is_too_many(self, message: Message) -> bool:
        return len(self._servers) >= self.limits.transactions * self.headroom(message)

    def _response_arrived(self, message: Message, now: float) -> None:
        branch = message.top_branch()
        if message.cseq[1] == b"CANCEL":
            branch += _CANCEL_SUFFIX
        client = self._clients.get(branch)
        if client is None:
            _ = message.via  # says so when it is malformed
            self.drops[DropReason.UNKNOWN_RESPONSE] += 1
        else:
            client.respond(message, now)

    def _cancel_arrived(self, message: Message, key: ServerKey, now: float) -> None:
        invite = self._servers.get(invite_key(key))
        if not isinstance(invite, InviteServer):
            self._user.request_arrived(message, now)
            return
        transaction = self.accept(message)
        transaction.respond(200, response_bytes(message, 200, to_tag=invite.tag), now)
        self._user.invite_cancelled(invite, now)

    def _complete_via(self, message: Message) -> None:
        """Note in the topmost Via where the request really came from (RFC 3261 §18.2.1, RFC 3581 §4)."""
        via, flow = message.via, message.flow
        params = via.params
        wants_port = params.get(b"rport", b"") is None
        host = flow.host.encode()
        if not wants_port and via.host.strip(b"[]") == host:
            return
        as_usual = wants_port and b"received" not in params
        params[b"received"] = host
        if wants_port:
            params[b"rport"] = b"%d" % flow.port
        if not (as_usual and message.extend_top_via(_RPORT, b"=%d;received=%b" % (flow.port, host))):
            message.set_top_via(via)

    # -- answering

    def accept(self, request: Message) -> InviteServer | NonInviteServer:
        """Make a request a server transaction; everything about it goes through that from here on."""
        key = server_key(request)
        kind = InviteServer if request.method == b"INVITE" else NonInviteServer
        transaction = kind(self, key, response_flow(request), self.new_tag())
        self._servers[key] = transaction
        return transaction

    def reply(self, request: Message, status: int, reason: bytes = b"", headers: Iterable[RawHeader] = ()) -> None:
        """Answer a request without keeping state; its ACK, if it was an INVITE, is absorbed by the To tag."""
        if request.method != b"ACK":
            self.counts.answers[status // 100] += 1
            self.send(response_bytes(request, status, reason, headers, self.stateless_tag()), response_flow(request))

    def new_tag(self) -> bytes:
        """A tag for From or To (§19.3)."""
        self._count += 1
        return self._tag_prefix + b"-%x" % self._count

    def stateless_tag(self) -> bytes:
        """A To tag for an answer of which nothing is remembered; its ACK is known by it (`is_stray_ack`)."""
        self._count += 1
        return self._stateless_prefix + b"%x" % self._count

    def is_stray_ack(self, data: bytes) -> bool:
        """Whether this message, not yet parsed, is the ACK of an answer that was sent without state: nobody waits."""
        return data.startswith(b"ACK ") and self._stateless_mark in data

    def lives(self, key: ServerKey) -> bool:
        """Whether there is still such a server transaction."""
        return key in self._servers

    # -- sending

    def request(
        self,
        request: Message,
        flow: Flow,
        owner: ClientOwner | None,
        now: float,
        loop_mark: bytes = b"",
        on_hop: OnHop | None = None,
    ) -> InviteClient | NonInviteClient | NamedRequest:
        """Send a request in a new client transaction.

        Args:
            request: complete but for our Via, which is put on top; not to be changed afterwards.
            flow: where to.
            owner: who waits for responses; None: nobody.
            now: seconds, monotonic.
            loop_mark: appended to the branch (§16.6 step 8).
            on_hop: completes what goes to each hop, where the flow leads to a name; until then it is not known by which
                transport it goes.
        """
        if flow.connection < 0:
            if self.finder is not None:
                named = NamedRequest(self, self.finder, request, flow, owner, loop_mark, on_hop)
                named.start(now)
                return named
            if on_hop is not None:
                on_hop(request, flow)
        wanted, flow = flow, self._large.flow(request, flow, self.limits, now)
        branch = self._push_via(request, flow, loop_mark)
        if flow is not wanted:
            self._switched[branch] = request
        kind = InviteClient if request.method == b"INVITE" else NonInviteClient
        client = kind(self, branch, request, flow, owner)
        self._clients[branch] = client
        client.start(now)
        return client

    def forward(self, request: Message, flow: Flow, loop_mark: bytes = b"") -> None:
        """Send a request without a transaction: the ACK of a 2xx."""
        self._push_via(request, flow, loop_mark)
        self.send(bytes(request), flow)

    def send_cancel(self, invite: InviteClient, now: float) -> None:
        """Send the CANCEL of an INVITE; `InviteClient.cancel` calls this when it may be sent."""
        request = invite.request
        if request is None:
            return
        cancel = hop_request(request, b"CANCEL", request.need(b"to"))
        if invite.cancel_reason:
            cancel.append(b"Reason", invite.cancel_reason)
        key = invite.key + _CANCEL_SUFFIX
        client = NonInviteClient(self, key, cancel, invite.flow, None)
        self._clients[key] = client
        client.start(now)

    def _push_via(self, request: Message, flow: Flow, loop_mark: bytes) -> bytes:
        self._count += 1
        branch = self._branch_prefix + b"%x" % self._count
        if loop_mark:
            branch += b"." + loop_mark
        transport: str = flow.transport
        if self._both_families:
            transport = local_kind(flow, self._sent_by)
        start = self._via_starts.get(transport)
        if start is None:
            start = b"Via: SIP/2.0/" + flow.transport.upper().encode() + b" " + self._sent_by[transport] + b";branch="
            self._via_starts[transport] = start
        at = request.index(b"via")
        if at < 0:
            at = 1
        request.insert_line(at, start + branch + b";rport", b"via")
        request.forget_via()
        return branch

    def was_here(self, request: Message) -> bool:
        """Whether a Via of the request carries a branch of ours; a quick look, before `is_own_branch` is asked."""
        prefix = self._branch_prefix
        if not request.repeats:
            return prefix in request.lines[request.index(b"via")]
        return any(prefix in line for line, name in zip(request.lines, request.names, strict=True) if name == b"via")

    def is_own_branch(self, branch: bytes) -> bool:
        """Whether this endpoint, in this run, made the branch."""
        return branch.startswith(self._branch_prefix)

    # -- what machines and the transport call

    def client_ended(self, key: bytes) -> None:
        """Forget a client transaction."""
        self._clients.pop(key, None)
        self._switched.pop(key, None)

    def server_ended(self, key: ServerKey) -> None:
        """Forget a server transaction."""
        self._servers.pop(key, None)

    def flow_failed(self, flow: Flow, now: float) -> None:
        """The transport could not send there, or the connection is gone: requests waiting on it fail as 503."""
        for client in [client for client in self._clients.values() if client.flow == flow]:
            request = self._switched.pop(client.key, None)
            if request is not None and not client.answered:
                self._back_to_udp(client, request, now)
            else:
                client.unreachable(now)

    def _back_to_udp(self, client: InviteClient | NonInviteClient, request: Message, now: float) -> None:
        """TCP was tried for the length only: the request goes again, by UDP (RFC 3261 §18.1.1)."""
        old = client.key
        self._large.refused(client.flow, now)
        udp = client.flow._replace(transport="udp")
        request.remove_first_value(b"via")
        mark = old[len(self._branch_prefix) :].partition(b".")[2]
        branch = self._push_via(request, udp, mark)
        self._clients.pop(old, None)
        self._clients[branch] = client
        client.move(request, branch, udp, now)

    def inviting(self) -> set[str]:
        """`address:port` of every peer whose answer to an INVITE we wait for; looks through all of them."""
        clients = self._clients.values()
        return {one.flow.source for one in clients if isinstance(one, InviteClient) and one.state <= PROCEEDING}

    @property
    def client_count(self) -> int:
        """Client transactions alive."""
        return len(self._clients)

    @property
    def server_count(self) -> int:
        """Server transactions alive."""
        return len(self._servers)


def _no_headroom(request: Message) -> float:
    del request
    return 1.0


def invite_key(key: ServerKey) -> ServerKey:
    """The key of the INVITE that an ACK or CANCEL with this key goes with."""
    if len(key) == _SHORT_KEY:
        return (key[0], key[1], b"INVITE")
    return (*key[:-1], b"INVITE")


def server_key(request: Message) -> ServerKey:
    """What a server transaction is found by (§17.2.3): branch and sent-by, or what RFC 2543 peers leave; and method."""
    via = request.via
    branch = via.branch
    if branch.startswith(MAGIC_COOKIE) and len(branch) > _COOKIE_LENGTH:
        return (branch, via.sent_by, request.method)
    number = b"%d" % request.cseq[0]
    return (b"", request.uri, request.from_tag, request.call_id, number, bytes(via), request.method)


def response_flow(request: Message) -> Flow:
    """Where the responses to a request go (§18.2.2, RFC 3581 §4): back where it came from.

    Without `rport`, a response over UDP goes to the port that Via names, at the address it came from.
    """
    flow, via = request.flow, request.via
    if flow.transport != "udp" or via.params.get(b"rport") is not None:
        return flow
    return Flow("udp", flow.host, via.port or DEFAULT_PORT)
