"""REGISTER to bindings (RFC 3261 §10.3), and what makes bindings go: expiry, dead connections, configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contract.sync.events import RegistrationChanged
from edge_agent.clock import Clock
from edge_agent.ports import Reporter
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.gruu import Gruus
from edge_agent.sip.location import Binding, BindingEvent, Location
from edge_agent.sip.message import BadMessage, DropReason, Flow, Message, NameAddr, Refused, SipError
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.registrar.contacts import Declined, WantedContact, wanted_contacts
from edge_agent.sip.registrar.moments import Moments
from edge_agent.sip.registrar.reach import LeadsHere, flow_of_contact
from edge_agent.sip.registrar.store import BindingStore, StoredBinding

_PATH_HOPS: Final = 8
_FLOW_GRACE: Final = 1.5
"""How much longer than it promised a phone may stay silent on its connection."""
SUPPORTED: Final = b"path, outbound, gruu"
"""Extensions of REGISTER."""
_KEPT_TRANSPORTS: Final[dict[str, Transport]] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}
"""What a binding can be reached by after a restart; a browser's connection went with the old process."""


class Registrar:
    """The bindings' only writer.

    Args:
        location: the bindings in memory.
        store: the bindings on disk; the caller commits it once for each batch, before answers leave.
        reporter: told of bindings that come, change and go; of refreshes only as often as the cloud needs to see
            that the phone is still there.
        clock: for moments on disk and in reports.
        config: of the site.
        leads_here: whether a contact is this edge itself.
        gruus: names of single phones.
        expect: has a connection closed when its phone stays silent for so long.
        changed: told of every change of a binding whose user is in `location.watched`.
    """

    def __init__(
        self,
        location: Location,
        store: BindingStore,
        reporter: Reporter,
        clock: Clock,
        config: SipConfig,
        leads_here: LeadsHere,
        gruus: Gruus,
        changed: Callable[[Binding, BindingEvent], None],
        expect: Callable[[Flow, float], None],
    ) -> None:
        self._location = location
        self._store = store
        self._reporter = reporter
        self._moments = Moments(clock)
        self._config = config
        self._leads_here = leads_here
        self._gruus = gruus
        self._changed = changed
        self._expect = expect

    # -- REGISTER

    def register(self, request: Message, credential: Credential, now: float) -> list[RawHeader]:
        """Carry out an authenticated REGISTER, all of it or nothing.

        Returns:
            The headers of its 200: every binding of the user.

        Raises:
            SipError: what it is to be answered with.
        """
        user_id = self._user_of(request, credential)
        wanted = wanted_contacts(request, self._config)
        location = self._location
        # A flow may have died without notice, a binding may have lapsed since the last sweep: `mine` is what counts.
        mine = location.of_user(user_id, now)
        call_id, cseq = request.call_id, request.cseq[0]
        if wanted is None:
            for binding in mine:
                _check_order(binding, call_id, cseq)
            for binding in mine:
                self._remove(binding, "unregistered")
            return []
        changes = [(one, _matching(mine, one)) for one in wanted]
        path = tuple(request.values(b"path")) if request.has(b"path") else ()
        if len(path) > _PATH_HOPS:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Path Too Long")
        if path and not self._config.path_without_support and b"path" not in request.values(b"supported"):
            raise Declined(420, (b"Unsupported", b"path"))
        ways = [self._way_to(one, path, request) for one in wanted]
        for _, old in changes:
            if old is not None:
                _check_order(old, call_id, cseq)
        self._check_limits(changes, len(mine))
        for (one, old), way in zip(changes, ways, strict=True):
            self._carry_out(one, old, way, path, request, credential, user_id, now)
        headers = self._answer(request, location.of_user(user_id, now), now)
        headers += [(b"Path", value) for value in path]
        if any(one.reg_id for one in wanted):
            headers.append((b"Require", b"outbound"))
            seconds = self._config.flow_timer_seconds
            if seconds and request.flow.connection and not path:
                # Keep-alives are promised more often than that (RFC 5626 §4.4.1, §10).
                headers.append((b"Flow-Timer", b"%d" % seconds))
                self._expect(request.flow, _FLOW_GRACE * seconds)
        if b"supported" in request.names:
            headers.append((b"Supported", SUPPORTED))
        return headers

    def _answer(self, request: Message, bindings: list[Binding], now: float) -> list[RawHeader]:
        headers: list[RawHeader] = []
        gruu = b"supported" in request.names and b"gruu" in request.values(b"supported")
        for one in bindings:
            value = b"<%b>;expires=%d%b" % (one.contact, max(1, round(one.expires - now)), _q_text(one.q))
            if one.instance:
                value += self._extras(one, gruu)
            headers.append((b"Contact", value))
        return headers

    def _extras(self, binding: Binding, gruu: bool) -> bytes:
        """What belongs to a phone that names itself: instance, flow, GRUUs (RFC 5626 §6, RFC 5627 §4.3)."""
        public = self._gruus.public(binding) if gruu else b""
        text = b';temp-gruu="' + self._gruus.temporary(binding) + b'"' if public else b""
        text += b";+sip.instance=" + binding.instance
        if binding.reg_id:
            text += b";reg-id=%d" % binding.reg_id
        if public:
            text += b';pub-gruu="' + public + b'"'
        return text

    def _way_to(self, one: WantedContact, path: tuple[bytes, ...], request: Message) -> Flow:
        if one.expires == 0:
            return request.flow
        if not path and not one.reg_id:
            return flow_of_contact(one.uri, request, self._leads_here, self._config.contacts_elsewhere)
        if self._leads_here(one.uri, None):
            raise Refused(DropReason.CONTACT_IS_THIS_EDGE, 403, "Contact Is This Edge")
        if path:
            # What goes there goes by the proxy that added the topmost Path, and that must be who sent this.
            hop = NameAddr.parse(path[0], "Path").uri
            if b"lr" not in hop.params:
                raise BadMessage(DropReason.BAD_HEADER_VALUE, "Path Without lr")
            if one.reg_id and b"ob" not in NameAddr.parse(path[-1], "Path").uri.params:
                raise SipError(439, "")
            return flow_of_contact(hop, request, self._leads_here, self._config.contacts_elsewhere)
        if len(request.values(b"via")) > 1:
            raise SipError(439, "")
        return request.flow

    def _user_of(self, request: Message, credential: Credential) -> str:
        """The user whose address of record To names, who must be the authenticated one."""
        config = self._config
        user = config.users.get(credential.user_id)
        if user is None or not user.enabled:
            raise SipError(403, "Forbidden")
        named = config.plan.dialled.get(request.uri_of(b"to").dialled)
        if named is None:
            raise SipError(404, "Not Found")
        if named.user_id != user.user_id:
            raise SipError(403, "Forbidden")
        return user.user_id

    def _check_limits(self, changes: list[tuple[WantedContact, Binding | None]], had: int) -> None:
        added = sum(1 for one, old in changes if old is None and one.expires)
        if added and had + added > self._config.limits.contacts_per_aor:
            raise SipError(403, "Too Many Bindings")
        if added and len(self._location) + added > self._config.limits.bindings:
            raise SipError(503, "Too Many Bindings")

    def _carry_out(
        self,
        one: WantedContact,
        old: Binding | None,
        way: Flow,
        path: tuple[bytes, ...],
        request: Message,
        credential: Credential,
        user_id: str,
        now: float,
    ) -> None:
        if one.expires == 0:
            if old is not None:
                self._remove(old, "unregistered")
            return
        binding = Binding(
            user_id=user_id,
            line_id=credential.line_id,
            device_id=credential.device_id,
            contact=one.uri.text,
            flow=way,
            source=request.flow.source,
            expires=now + one.expires,
            q=one.q,
            call_id=request.call_id,
            cseq=request.cseq[0],
            user_agent=_text(request.get(b"user-agent")),
            instance=one.instance,
            reg_id=one.reg_id,
            path=path,
            first_cseq=old.first_cseq if old is not None and old.call_id == request.call_id else 0,
        )
        if old is not None and not _is_news(old, binding, one.expires, now):
            binding.reported_until = old.reported_until
        else:
            binding.reported_until = binding.expires
            self._report(binding, "registered", now)
        if old is not None and old.contact != binding.contact:
            self._store.remove(old.user_id, old.contact.decode("latin-1"))
        self._location.put(binding, old)
        self._keep(binding, now)
        if user_id in self._location.watched:
            self._changed(binding, "registered" if old is None else "refreshed")

    # -- what makes bindings go

    def _remove(self, binding: Binding, why: BindingEvent) -> None:
        self._location.remove(binding)
        self._store.remove(binding.user_id, binding.contact.decode("latin-1"))
        self._report(binding, why, None)
        if binding.user_id in self._location.watched:
            self._changed(binding, why)

    def gone(self, binding: Binding) -> None:
        """The phone does not answer any more."""
        self._remove(binding, "deactivated")

    def sweep(self, now: float) -> None:
        """Let lapsed bindings go; to be called every few seconds."""
        for binding in [one for one in self._location.all() if one.expires <= now]:
            self._remove(binding, "expired")

    def flow_failed(self, flow: Flow) -> None:
        """A connection is gone, and every binding that was reached through it."""
        for binding in self._location.on_connection(flow):
            self._remove(binding, "deactivated")

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration: bindings of users and lines that may no longer register go."""
        self._config = config
        lines = {credential.line_id: credential.user_id for credential in config.credentials.values()}
        for binding in list(self._location.all()):
            user = config.users.get(binding.user_id)
            if user is None or not user.enabled or lines.get(binding.line_id) != binding.user_id:
                self._remove(binding, "deactivated")

    # -- disk and cloud

    def restore(self, now: float) -> None:
        """Take up what was on disk; what lapsed meanwhile, or is no longer allowed, goes."""
        for stored in self._store.load():
            try:
                binding = self._restored(stored, now)
            except (BadMessage, UnicodeError, ValueError, KeyError):
                self._store.remove(stored.user_id, stored.contact)
                continue
            if self._leads_here(binding.uri, binding.flow):
                self._store.remove(stored.user_id, stored.contact)
                continue
            self._location.put(binding)
        self.sweep(now)
        self.configure(self._config)

    def _restored(self, stored: StoredBinding, now: float) -> Binding:
        return Binding(
            user_id=stored.user_id,
            line_id=stored.line_id,
            device_id=stored.device_id,
            contact=stored.contact.encode("latin-1"),
            flow=Flow(_KEPT_TRANSPORTS[stored.transport], stored.host, stored.port),
            source=stored.source,
            # A wall clock that was set back while we were away must not make bindings live for years.
            expires=min(self._moments.monotonic(stored.expires_at, now), now + self._config.max_expires),
            q=stored.q,
            call_id=stored.call_id.encode("latin-1"),
            cseq=stored.cseq,
            user_agent=stored.user_agent,
            instance=stored.instance.encode("latin-1"),
            reg_id=stored.reg_id,
            path=tuple(stored.path.encode("latin-1").split(b"\n")) if stored.path else (),
            reported_until=self._moments.monotonic(stored.reported_until, now),
        )

    def _keep(self, binding: Binding, now: float) -> None:
        flow = binding.flow
        contact = binding.contact.decode("latin-1")
        if flow.connection:
            # Reached through a connection, which dies with the process.
            self._store.remove(binding.user_id, contact)
            return
        self._store.put(
            StoredBinding(
                user_id=binding.user_id,
                line_id=binding.line_id,
                device_id=binding.device_id,
                contact=contact,
                transport=flow.transport,
                host=flow.host,
                port=flow.port,
                source=binding.source,
                expires_at=self._moments.epoch(binding.expires, now),
                reported_until=self._moments.epoch(binding.reported_until, now),
                q=binding.q,
                call_id=binding.call_id.decode("latin-1"),
                cseq=binding.cseq,
                user_agent=binding.user_agent,
                instance=binding.instance.decode("latin-1"),
                reg_id=binding.reg_id,
                path=b"\n".join(binding.path).decode("latin-1"),
            )
        )

    def _report(self, binding: Binding, state: str, now: float | None) -> None:
        self._reporter.report(
            RegistrationChanged(
                state="registered" if state == "registered" else "expired" if state == "expired" else "removed",
                user_id=binding.user_id,
                line_id=binding.line_id,
                device_id=binding.device_id,
                contact=binding.contact.decode("ascii", "replace")[:1024],
                user_agent=binding.user_agent,
                source=binding.source,
                transport=binding.flow.transport,
                expires_at=self._moments.moment(binding.expires, now) if now is not None else None,
            )
        )


def _matching(bindings: list[Binding], wanted: WantedContact) -> Binding | None:
    """The binding that a contact renews: the same flow of a phone, the same URI, or the phone at another address."""
    if wanted.reg_id:
        for binding in bindings:
            if (binding.instance, binding.reg_id) == (wanted.instance, wanted.reg_id):
                return binding
    for binding in bindings:
        if binding.uri.same_as(wanted.uri) and (not wanted.reg_id or not binding.reg_id):
            return binding
    if wanted.instance and not wanted.reg_id:
        for binding in bindings:
            if binding.instance == wanted.instance:
                return binding
    return None


def _check_order(binding: Binding, call_id: bytes, cseq: int) -> None:
    if binding.call_id == call_id and cseq <= binding.cseq:
        raise SipError(500, "CSeq Out of Order")


def _is_news(old: Binding, new: Binding, expires: int, now: float) -> bool:
    """Whether the cloud should hear: something changed, or what it was told would soon look lapsed."""
    changed = (old.contact, old.flow, old.line_id, old.user_agent) != (
        new.contact,
        new.flow,
        new.line_id,
        new.user_agent,
    )
    return changed or old.reported_until - now < expires / 2


def _q_text(q: int) -> bytes:
    return b"" if q == 1000 else b";q=0.%03d" % q


def _text(value: bytes | None) -> str:
    """A header value as one line for people."""
    return "".join(c for c in (value or b"").decode("utf-8", "replace") if c.isprintable())[:255]
