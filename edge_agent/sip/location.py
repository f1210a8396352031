"""Where the site's users can be reached now: the bindings of every address of record, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal

from edge_agent.sip.message import Flow, Uri

_FORMER_HOSTS: Final = 1000
"""Addresses remembered beyond twice the bindings."""


BindingEvent = Literal["registered", "refreshed", "expired", "deactivated", "unregistered"]
"""What made a binding what it is now (RFC 3680 §5.2)."""


class Binding:
    """One contact of one user; replaced, never changed."""

    __slots__ = (
        "call_id",
        "contact",
        "cseq",
        "device_id",
        "expires",
        "first_cseq",
        "flow",
        "instance",
        "line_id",
        "path",
        "q",
        "reg_id",
        "reported_until",
        "source",
        "user_agent",
        "user_id",
    )

    def __init__(
        self,
        *,
        user_id: str,
        line_id: str,
        device_id: str | None,
        contact: bytes,
        flow: Flow,
        source: str,
        expires: float,
        q: int,
        call_id: bytes,
        cseq: int,
        user_agent: str = "",
        instance: bytes = b"",
        reg_id: int = 0,
        path: tuple[bytes, ...] = (),
        reported_until: float = 0.0,
        first_cseq: int = 0,
    ) -> None:
        self.user_id = user_id
        self.line_id = line_id
        self.device_id = device_id
        self.contact = contact
        """The Contact URI as the phone gave it: the Request-URI of what is sent there."""
        self.flow = flow
        """The way to the phone."""
        self.source = source
        """`address:port` that the REGISTER came from."""
        self.expires = expires
        """When it lapses; seconds, monotonic."""
        self.q = q
        """Preference in thousandths (RFC 3261 §20.10)."""
        self.call_id = call_id
        self.cseq = cseq
        self.first_cseq = first_cseq or cseq
        """Of the first REGISTER under this Call-ID, as far as this process knows (RFC 5628 §5.2)."""
        self.user_agent = user_agent
        self.instance = instance
        """The `+sip.instance` of the phone; empty when it gave none."""
        self.reg_id = reg_id
        """Which of the phone's flows this is (RFC 5626 §4.2); 0 when it does not tell them apart."""
        self.path = path
        """Route to be put on what goes there (RFC 3327), topmost first."""
        self.reported_until = reported_until
        """The expiry that the cloud was told last; seconds, monotonic."""

    @property
    def uri(self) -> Uri:
        """The Contact, parsed; it is asked for seldom, so its parts are not kept."""
        return Uri.parse(self.contact)


class Location:
    """Bindings by user, highest q first, and by contact."""

    def __init__(self) -> None:
        self._by_user: dict[str, list[Binding]] = {}
        self._by_contact: dict[bytes, Binding] = {}
        self._by_flow: dict[Flow, list[Binding]] = {}
        """Those on connections only: a flood of connections that end must not look at every binding each time."""
        self._count = 0
        self._hosts: dict[str, int] = {}
        self.watched: Counter[str] = Counter()
        """Users whose bindings somebody watches: of these every change is told."""

    def of_user(self, user_id: str, now: float) -> list[Binding]:
        """The user's bindings that have not lapsed, highest q first."""
        return [binding for binding in self._by_user.get(user_id, ()) if binding.expires > now]

    def at_contact(self, contact: bytes) -> Binding | None:
        """The binding with exactly this Contact URI: how a phone behind a connection or NAT is reached in a dialog."""
        return self._by_contact.get(contact)

    def knows_host(self, host: str) -> bool:
        """Whether a phone of the site is, or was not long ago, at this numeric address."""
        return host in self._hosts

    def watch(self, user_id: str, watched: bool) -> None:
        """Somebody began to watch a user, or nobody does any more."""
        self.watched[user_id] += 1 if watched else -1
        if not self.watched[user_id]:
            del self.watched[user_id]

    def on_connection(self, flow: Flow) -> list[Binding]:
        """What is reached through this very connection."""
        return list(self._by_flow.get(flow, ()))

    def all(self) -> Iterator[Binding]:
        """Every binding."""
        for bindings in self._by_user.values():
            yield from bindings

    def put(self, binding: Binding, instead_of: Binding | None = None) -> None:
        """Keep a binding, in the place of another when there is one."""
        if instead_of is not None:
            self.remove(instead_of)
        bindings = self._by_user.setdefault(binding.user_id, [])
        bindings.append(binding)
        if len(bindings) > 1:
            bindings.sort(key=lambda one: -one.q)
        self._by_contact[binding.contact] = binding
        if binding.flow.connection:
            self._by_flow.setdefault(binding.flow, []).append(binding)
        self._count += 1
        host = binding.flow.host
        if host not in self._hosts:
            self._forget_hosts()
        self._hosts[host] = self._hosts.get(host, 0) + 1

    def remove(self, binding: Binding) -> None:
        """Forget a binding."""
        bindings = self._by_user.get(binding.user_id)
        if bindings is None or binding not in bindings:
            return
        bindings.remove(binding)
        self._count -= 1
        if binding.flow.connection:
            through = self._by_flow[binding.flow]
            through.remove(binding)
            if not through:
                del self._by_flow[binding.flow]
        # The address stays known: a call may outlive the binding.
        self._hosts[binding.flow.host] -= 1
        if not bindings:
            del self._by_user[binding.user_id]
        if self._by_contact.get(binding.contact) is binding:
            del self._by_contact[binding.contact]

    def _forget_hosts(self) -> None:
        """Keep no more addresses without a phone than there are with one."""
        if len(self._hosts) >= 2 * self._count + _FORMER_HOSTS:
            self._hosts = {host: count for host, count in self._hosts.items() if count}

    def __len__(self) -> int:
        return self._count
