"""A trunk joined with its secret: what it is called, where its requests go, what it proves itself with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from contract.snapshot import RecordingPolicy, Trunk
from edge_agent.sip.message import Flow, Uri
from edge_agent.sip.resolver import flow_for
from edge_agent.sip.user_agent.challenges import Login


@dataclass(frozen=True, slots=True)
class Account:
    """One trunk of the site.

    Args:
        trunk: as it is configured.
        password: of digest; None: there is none, or it has not come yet.
    """

    trunk: Trunk
    password: SecretStr | None = field(default=None, repr=False)

    @property
    def trunk_id(self) -> str:
        """Names it, as rules do."""
        return self.trunk.gateway_id

    @property
    def login(self) -> Login | None:
        """Answers the provider's challenges; None where that is not possible."""
        name = self.trunk.auth_username or self.trunk.username
        return Login(name, self.password) if name and self.password is not None else None

    @property
    def domain(self) -> bytes:
        """Host of the account's address and of numbers at the provider."""
        return _bracketed(self.trunk.domain or self.trunk.host)

    @property
    def address(self) -> Uri:
        """The account's own address."""
        return Uri(self.domain, (self.trunk.username or "").encode())

    @property
    def way(self) -> Flow:
        """Where requests are sent first; a name is looked up by the transport (RFC 3263)."""
        trunk = self.trunk
        params: dict[bytes, bytes | None] = {}
        if trunk.transport != "udp":
            params[b"transport"] = trunk.transport.encode()
        return flow_for(Uri(_bracketed(trunk.outbound_proxy or trunk.host), b"", trunk.port, params=params))

    def uri_of(self, user: bytes) -> Uri:
        """A user or number at the provider."""
        params: dict[bytes, bytes | None] = {b"user": b"phone"} if self.trunk.user_is_phone else {}
        return Uri(_bracketed(self.trunk.host), user, params=params)


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """What the trunks of a site go by.

    Args:
        domain: of the site, host of numbers within it.
        accounts: by trunk id, in the order in which they are asked whose a call is.
        recording: which calls are recorded.
        for_help: numbers for help, whose calls are not.
        recorders: ids of the users who may have their calls recorded.
        groups: ids of the users in each group that rules for recording may name.
    """

    domain: str
    accounts: Mapping[str, Account] = field(default_factory=dict)
    recording: RecordingPolicy = field(default_factory=RecordingPolicy)
    for_help: frozenset[str] = frozenset()
    recorders: frozenset[str] = frozenset()
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)


def _bracketed(host: str) -> bytes:
    return f"[{host}]".encode() if ":" in host else host.encode()
