"""The SIP endpoint of an edge: registrar and proxy on one transaction layer, attached to a transport.

The composition builds one for the life of the process: `Endpoint(...)`, `start()`, then `prepare(config)` and
`commit()` for each new configuration, `stop()` at the end.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol, get_args

from contract.sync.events import AlarmChanged
from edge_agent.clock import Clock
from edge_agent.errors import EdgeError
from edge_agent.ports import CallJournal, NoticeOutcome, Reporter
from edge_agent.sip.authentication import Authenticator
from edge_agent.sip.config import SipConfig
from edge_agent.sip.emergency_check import EmergencyCheck
from edge_agent.sip.gruu import Gruus
from edge_agent.sip.kept_rows import Forgetful, KeptRows
from edge_agent.sip.location import Binding, BindingEvent, Location
from edge_agent.sip.lockout import Lockout, Silence
from edge_agent.sip.message import (
    BadMessage,
    DropReason,
    Flow,
    Message,
    Refused,
    SipError,
    check_request,
    check_response,
    parse,
    response_bytes,
)
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.message.flow import Transport as TransportName
from edge_agent.sip.overload import Overload
from edge_agent.sip.presence import Events
from edge_agent.sip.presence.events import SWEEP_SECONDS
from edge_agent.sip.presence.messages import NOTICE_PREFIX
from edge_agent.sip.presence.voice_quality import VoiceQuality
from edge_agent.sip.proxy.admission import Admission
from edge_agent.sip.proxy.callbacks import Callbacks
from edge_agent.sip.proxy.calls import Calls, LiveCall
from edge_agent.sip.proxy.core import ProxyCore
from edge_agent.sip.proxy.desks import Desks
from edge_agent.sip.proxy.emergency_calls import EmergencyCalls
from edge_agent.sip.proxy.hunting import Hunting
from edge_agent.sip.proxy.local_state import LocalState
from edge_agent.sip.proxy.media import MediaPaths
from edge_agent.sip.proxy.pickup import Pickups
from edge_agent.sip.proxy.recent_calls import RecentCalls
from edge_agent.sip.proxy.referrals import Referrals
from edge_agent.sip.proxy.routes import OwnAddresses, RouteBook
from edge_agent.sip.proxy.routing import Wrote
from edge_agent.sip.proxy.shared_calls import SharedCalls
from edge_agent.sip.proxy.voice_dialogs import VoiceDialogs
from edge_agent.sip.registrar.contacts import Declined
from edge_agent.sip.registrar.registrar import Registrar
from edge_agent.sip.registrar.store import BindingStore
from edge_agent.sip.relaying import RelayPool
from edge_agent.sip.relaying.recording import RecordingRules
from edge_agent.sip.resolver.numeric import DEFAULT_TLS_PORT
from edge_agent.sip.transaction import TimerWheel, TransactionLayer
from edge_agent.sip.transaction.ports import ServerKey
from edge_agent.sip.transport.peer import VerifiedPeer
from edge_agent.sip.transport.ports import Receiver
from edge_agent.sip.trust import Trust
from edge_agent.sip.user_agent.alerts import Alerts
from edge_agent.sip.user_agent.notices import Notices, Told
from edge_agent.sip.user_agent.qualify import Qualifier
from edge_agent.tokens import Tokens

_SWEEP: Final = 0
_RESTATE: Final = 1
RESTATE_SECONDS: Final = 1.0
"""A media process that was started anew is told so soon what it is to carry."""
_ALIAS: Final = b"alias"
_LOGGED_ERRORS: Final = 20
"""Tracebacks written; further ones are counted only."""
_GATEWAY_ALARM: Final = "gateway_silent"
_LONGEST_TEXT: Final = 1024
_STORE_ALARM: Final = "sip_store_not_writable"

_log = logging.getLogger(__name__)


class Transport(Protocol):
    """What the endpoint needs of its transport; `SipTransport` is one, tests have another."""

    @property
    def local(self) -> dict[str, tuple[str, int]]:
        """Advertised host and port of each transport."""
        ...

    @property
    def local_six(self) -> dict[str, tuple[str, int]]:
        """The same for IPv6 peers; empty: they are told the same."""
        ...

    def attach(self, receiver: Receiver) -> None:
        """Begin to hand what arrives to this receiver."""
        ...

    def send(self, data: bytes, flow: Flow) -> None:
        """Send at the end of the batch."""
        ...

    def find(self, flow: Flow, found: Callable[[tuple[Flow, ...], float], None], now: float) -> None:
        """See `Finder`."""
        ...

    def failed(self, flow: Flow, hop: Flow, now: float, wished_seconds: float | None = None) -> None:
        """See `Finder`."""
        ...

    def answered(self, flow: Flow, hop: Flow) -> None:
        """See `Finder`."""
        ...

    def peer(self, flow: Flow) -> VerifiedPeer | None:
        """Who the peer of a TLS connection proved to be; None: nobody in particular."""
        ...

    def reuse(self, flow: Flow, port: int) -> bool:
        """Send what is for this port of the connection's peer by that connection."""
        ...

    def expect(self, flow: Flow, seconds: float) -> None:
        """Close a connection whose peer stays silent for so long."""
        ...


def _nowhere(values: dict[str, str | bool]) -> None:
    del values


def _nobody(outcome: NoticeOutcome) -> None:
    del outcome


class ConfigRefused(EdgeError):
    """A configuration that cannot be run.

    Args:
        problems: every reason.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Endpoint:
    """Registrar and proxy of one site.

    Args:
        config: of the site.
        clock: wall time for records and nonces, monotonic time at the start.
        tokens: branches, tags, ids.
        reporter: told of registrations and alarms.
        journal: keeps calls in progress and their records.
        store: keeps bindings.
        kept: keeps subscriptions, publications and whose turn it is in hunt groups; None: they end with the process.
        transport: open sockets.
        told: hears what becomes of notices.
        wrote: keeps what users change by feature codes, by the keys of site state.
        relay_pool: ports and streams of relayed media; None: every call's media goes directly.
        recording: which calls are recorded, and therefore relayed.
        key: at least 16 secret bytes of this edge, the same after a restart, so that nonces and dialogs outlive it.

    Raises:
        ConfigRefused: the configuration cannot be run.
    """

    def __init__(
        self,
        config: SipConfig,
        *,
        clock: Clock,
        tokens: Tokens,
        reporter: Reporter,
        journal: CallJournal,
        store: BindingStore,
        transport: Transport,
        key: bytes,
        told: Told = _nobody,
        wrote: Wrote = _nowhere,
        kept: KeptRows | None = None,
        relay_pool: RelayPool | None = None,
        recording: RecordingRules | None = None,
    ) -> None:
        self._check(config)
        self._config = config
        self._prepared: SipConfig | None = None
        self._clock = clock
        self._reporter = reporter
        self._journal = journal
        self._store = store
        self._store_failed = False
        self._transport = transport
        self._told = told
        self.drops: Counter[DropReason] = Counter()
        """What was dropped, by reason, since the start."""
        self._own = OwnAddresses(transport.local, config, transport.local_six)
        for kind in get_args(TransportName):
            # Streams can be opened without a listener; answers come back on the stream.
            self._own.sent_by.setdefault(kind, next(iter(self._own.sent_by.values())))
        self._wheel = TimerWheel()
        self.location = Location()
        self._gruus = Gruus(self.location, key, tokens, config)
        self._registrar = Registrar(
            self.location,
            store,
            reporter,
            clock,
            config,
            self._own.are_contact,
            self._gruus,
            self._binding_changed,
            transport.expect,
        )
        self.overload = Overload(config.overload, reporter)
        self._batch = 0
        self._strange = 0
        self.lockout = Lockout(config.lockout, self.location, reporter, self.drops)
        trust = Trust(config, transport.peer)
        self._admission = Admission(Authenticator(key, tokens, clock, config, self.lockout), self._own, config, trust)
        self._kept = kept if kept is not None else Forgetful()
        hunting = Hunting(self._kept, config.plan)
        self.calls = Calls(journal, tokens, clock, config.limits, hunting)
        self._media = MediaPaths(relay_pool, self.location, config.media, recording)
        self.voice = VoiceDialogs(self._kept, self._wheel, config)
        """Calls that the media engine has."""
        recent = RecentCalls(self.calls)

        def call_closed(call: LiveCall) -> None:
            self._media.call_ended(call)
            recent.ended(call)

        self.calls.closed = call_closed
        desks = Desks(self.location, clock, config)
        pickups = Pickups(self.calls, self.location, desks, trust)
        callbacks = Callbacks(self._kept, self.location, clock)
        self._local = LocalState(hunting, self.calls.parties, pickups, desks, self._kept, config.plan, callbacks)
        self._shared = SharedCalls(self.calls, self.location, trust, config)
        self.outages = self._local.outages
        """Told which gateways and trunks do not work now."""
        self._core = ProxyCore(
            self._own,
            RouteBook(self._own, key, self.location.knows_host),
            self._admission,
            self.location,
            self.calls,
            self._register,
            clock,
            config,
            self.drops,
            self.overload,
            self._gruus,
            self._local,
            wrote,
            trust,
            EmergencyCalls(self.location, callbacks, reporter, self._alert, clock, config),
            Referrals(key, clock),
            self._shared,
            self._media,
            self.voice,
        )
        self.layer = TransactionLayer(
            transport.send, self._core, tokens, self._own.sent_by, config.timers, self._wheel, config.limits, self.drops
        )
        self.layer.finder = transport
        self.notices = Notices(
            self.layer, self.location, self._own.sent_by, self._busy, config, clock, tokens, self._notice_told
        )
        self.alerts = Alerts(self.layer, self.location, config, clock, tokens)
        """Shows texts on phones."""
        self.quality = VoiceQuality(self.layer, recent, config, tokens, self.drops, reporter.report)
        """What phones report of their calls."""
        self.events = Events(
            self.layer,
            self.location,
            self._own.sent_by,
            self._gruus,
            self.calls.parties,
            self._kept,
            config,
            clock,
            tokens,
            self.drops,
            self.notices.notify,
            self._shared,
            self.quality,
        )
        """Subscriptions and publications."""
        self._core.attach(self.layer, self.events)
        self.qualifier = Qualifier(
            self.layer,
            self.location,
            self._own.sent_by,
            config,
            tokens,
            self._registrar.gone,
            self._silent_gateways,
        )
        """Asks phones and gateways whether they are there."""
        self._emergency_check = EmergencyCheck(self._wheel, self.qualifier, self.outages, reporter, config)
        self._registering: dict[tuple[bytes, bytes, int], ServerKey] = {}

    # -- life

    def start(self) -> None:
        """Take up the stored bindings and begin to receive."""
        now = self._clock.monotonic()
        self._registrar.restore(now)
        self.events.restore(now)
        self._local.restore()
        self.voice.restore(now)
        self._wheel.add(SWEEP_SECONDS, self, _SWEEP, now)
        self._wheel.add(RESTATE_SECONDS, self, _RESTATE, now)
        self.qualifier.start(now)
        self._emergency_check.start(now)
        self._commit_store()
        self._transport.attach(self)

    def prepare(self, config: SipConfig) -> None:
        """Check a new configuration and hold it for `commit`; nothing changes yet.

        Raises:
            ConfigRefused: it cannot be run.
        """
        self._check(config)
        self._prepared = config

    def commit(self) -> None:
        """Run the prepared configuration: from the next message on it counts, and bindings it forbids are gone.

        Calls in progress go on. Timers stay as they were at the start.
        """
        config, self._prepared = self._prepared, None
        if config is None:
            return
        self._config = config
        self._own.configure(config)
        self._admission.configure(config)
        self._core.configure(config)
        self.layer.limits = config.limits
        self.overload.rules = config.overload
        self._gruus.configure(config)
        self._registrar.configure(config)
        self.events.configure(config)
        self.notices.configure(config)
        self.alerts.configure(config)
        self._emergency_check.configure(config)
        self.qualifier.configure(config, self._clock.monotonic())
        self._commit_store()

    def engine_is(self, engine_id: str) -> None:
        """The media engine has this id from here on; empty: it is gone. Calls of another one are ended."""
        self._core.engine_is(engine_id, self._clock.monotonic())
        self._commit_store()
        self._journal.keep()

    def stop(self) -> None:
        """Write what is left; the transport is the composition's to close."""
        self._local.last_callers.sweep()
        self._commit_store()

    def _check(self, config: SipConfig) -> None:
        problems = config.problems()
        if problems:
            raise ConfigRefused(problems)

    # -- the transport's receiver

    def received(self, data: bytes, flow: Flow, now: float) -> None:
        """One message from the network; whatever is in it, this returns."""
        self._batch += 1
        layer = self.layer
        if layer.is_stray_ack(data):
            self.drops[DropReason.STRAY_ACK] += 1
            return
        if self.overload.shedding and not self.lockout.is_proven(flow):
            self._strange += 1
        try:
            message = parse(data, self._config.limits)
            message.flow = flow
            if message.status:
                check_response(message)
            else:
                check_request(message)
                if flow.transport == "tls" and _ALIAS in message.via.params:
                    self._reuse(message, flow)
            layer.receive(message, now)
        except BadMessage as error:
            self.drops[error.drop] += 1
            self._answer_bad(error, flow)
        except Exception:  # noqa: BLE001 - the reason follows
            # The outermost loop of the process: one message must not stop the telephones of a site.
            self._internal_error()

    def _reuse(self, request: Message, flow: Flow) -> None:
        """Answer the wish to be reached by this very connection, of peers that proved who they are (RFC 5923 §5)."""
        via, peer = request.via, self._transport.peer(flow)
        if peer is not None and peer.is_for(via.host.strip(b"[]").decode("ascii", "replace")):
            self._transport.reuse(flow, via.port or DEFAULT_TLS_PORT)

    def _internal_error(self) -> None:
        self.drops[DropReason.INTERNAL_ERROR] += 1
        if self.drops[DropReason.INTERNAL_ERROR] <= _LOGGED_ERRORS:
            _log.exception("sip_internal_error")

    def _answer_bad(self, error: BadMessage, flow: Flow) -> None:
        """Answer a malformed request, if enough of it can be read (§16.3 step 1)."""
        request = error.partial
        if request is None or request.status or request.method == b"ACK":
            return
        request.flow = flow
        try:
            self.lockout.answering(flow, self._clock.monotonic())
        except Silence:
            return
        try:
            self.layer.reply(request, error.status, error.reason.encode())
        except SipError:
            # Its Via cannot be read: whoever sent it can, and is where it came from (RFC 4475 §3.1.2.1, §3.1.2.16).
            if not request.has(b"via"):
                self.drops[DropReason.NO_RESPONSE_ADDRESS] += 1
                return
            answer = response_bytes(request, error.status, error.reason.encode(), (), self.layer.stateless_tag())
            self._transport.send(answer, flow)

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Something could not be delivered, or a connection is gone."""
        self._registrar.flow_failed(flow)
        self.events.flow_failed(flow)
        self.layer.flow_failed(flow, now)

    def batch_ended(self, now: float) -> None:
        """Bindings, calls and reports are safe before what speaks of them leaves."""
        self.overload.batch_ended(self._batch, now, self._strange)
        self._batch = self._strange = 0
        self.events.batch_ended(now)
        self._commit_store()
        self._journal.keep()

    def advance(self, now: float) -> None:
        """Let timers go off."""
        try:
            self._wheel.advance(now)
        except Exception:  # noqa: BLE001 - the reason follows
            # As in `received`.
            self._internal_error()

    def dropped(self, reason: DropReason) -> None:
        """The transport dropped something."""
        self.drops[reason] += 1

    def figures(self) -> dict[str, int]:
        """What is there now, and what happened since the start, by reason; a bounded number of figures."""
        dropped = {f"dropped.{reason.value}": count for reason, count in self.drops.items()}
        return {
            "registrations": len(self.location),
            "calls": len(self.calls),
            "locked_out": self.lockout.locks,
            "notices": len(self.notices),
            "shedding": int(self.overload.shedding),
            "transactions.client": self.layer.client_count,
            "transactions.server": self.layer.server_count,
            "dropped": sum(self.drops.values()),
            **dropped,
            **self.layer.counts.figures(),
            **self.qualifier.figures(),
            **self._media.figures(),
        }

    @property
    def deadline(self) -> float | None:
        """When the next timer is due."""
        return self._wheel.deadline

    def expired(self, kind: int, now: float) -> None:
        """Every few seconds: what has lapsed goes; every second: relayed media is told again."""
        if kind == _RESTATE:
            self._media.restate()
            self._wheel.add(RESTATE_SECONDS, self, _RESTATE, now)
            return
        self._registrar.sweep(now)
        self.calls.sweep(now)
        self.voice.sweep(now)
        self._media.sweep(now, self._config.limits.call_seconds)
        self.lockout.sweep(now)
        self.notices.sweep(now)
        self.events.sweep(now)
        self._local.sweep()
        self._registering = {one: key for one, key in self._registering.items() if self.layer.lives(key)}
        self._wheel.add(SWEEP_SECONDS, self, _SWEEP, now)

    def _busy(self) -> set[str]:
        return self.calls.busy() | self.layer.inviting()

    def _notice_told(self, outcome: NoticeOutcome) -> None:
        if not outcome.notice_id.startswith(NOTICE_PREFIX):
            self._told(outcome)

    def _binding_changed(self, binding: Binding, event: BindingEvent) -> None:
        self.events.contact_changed(binding, event)

    def _alert(self, user_ids: tuple[str, ...], text: str) -> None:
        self.alerts.alert(user_ids, text)

    def _silent_gateways(self, names: dict[str, str]) -> None:
        self.outages.tell("qualify", frozenset(names))
        text = f"no answer from: {', '.join(names.values())}"[:_LONGEST_TEXT] if names else "over"
        self._reporter.report(AlarmChanged(alarm=_GATEWAY_ALARM, severity="warning", active=bool(names), text=text))
        self._emergency_check.judge()

    # -- registrar

    def _register(self, request: Message, now: float) -> None:
        # Without credentials it is challenged below and nothing is remembered of it.
        identity = (b"", b"", 0)
        if request.has(b"authorization"):
            identity = (request.from_tag, request.call_id, request.cseq[0])
            earlier = self._registering.get(identity)
            if earlier is not None and self.layer.lives(earlier):
                # The same request by another way, forked upstream; a retransmission would have found its transaction.
                raise SipError(482, "Merged Request")
        credential = self._admission.registering(request)
        headers: list[RawHeader]
        status, reason = 200, b""
        try:
            headers = self._registrar.register(request, credential, now)
            headers += self._admission.next_nonce(request)
            if self._config.service_route:
                headers.append((b"Service-Route", self._own.route(request.flow.transport)))
        except Declined as declined:
            status, headers = declined.status, declined.headers
        except SipError as error:
            if isinstance(error, BadMessage | Refused):
                self.drops[error.drop] += 1
            status, reason, headers = error.status, error.reason.encode(), []
        transaction = self.layer.accept(request)
        self._registering[identity] = transaction.key
        transaction.respond(status, response_bytes(request, status, reason, headers, transaction.tag), now)

    def _commit_store(self) -> None:
        """Write collected bindings; a disk that refuses is an alarm, not a reason to turn phones away."""
        written = self._store.commit()
        written = self._kept.commit() and written
        if written != self._store_failed:
            return
        self._store_failed = not written
        self._reporter.report(
            AlarmChanged(
                alarm=_STORE_ALARM,
                severity="warning",
                active=not written,
                text="Registrations cannot be written to disk; they are lost if the process restarts."
                if not written
                else "Registrations are written to disk again.",
            )
        )
