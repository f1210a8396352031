"""What TLS peers have to show where the machine's authorities are not the ones to ask, and what was wrong with them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edge_agent.sip.message import Flow
from edge_agent.sip.transport.peer import VerifiedPeer

_MOST_COMPLAINTS: Final = 200
_LONGEST_COMPLAINT: Final = 200
_SHOWN_NAMES: Final = 3


@dataclass(frozen=True, slots=True)
class Proof:
    """What the peer at one host has to show.

    Args:
        authorities: PEM; one of these signed its certificate; empty: one that the machine trusts.
        names: what the certificate may be for, besides the host itself.
    """

    authorities: str = ""
    names: frozenset[str] = frozenset()


ContextBy = Callable[[str], ssl.SSLContext]
"""The context of connections whose peers' certificates these authorities (PEM) signed."""


def host_of(flow: Flow) -> str:
    """Whom a flow is meant to lead to: a name, or an address where no name is known."""
    return flow.name or flow.host


class Proofs:
    """Proofs by host, and by host what was wrong the last time.

    Args:
        context_by: makes contexts; None: nobody has authorities of his own.
    """

    def __init__(self, context_by: ContextBy | None = None) -> None:
        self.context_by = context_by
        self._by_host: dict[str, Proof] = {}
        self._complaints: dict[str, str] = {}

    def take(self, by_host: Mapping[str, Proof]) -> frozenset[str]:
        """Go by these from the next connection on.

        Args:
            by_host: by name in lower case, or numeric address.

        Returns:
            The hosts of which something else is asked than before.
        """
        before, self._by_host = self._by_host, dict(by_host)
        return frozenset(
            host for host in {*before, *by_host} if before.get(host, Proof()) != by_host.get(host, Proof())
        )

    def context(self, flow: Flow) -> ssl.SSLContext | None:
        """With which a connection is opened; None: with the same as others."""
        proof = self._by_host.get(host_of(flow))
        return self.context_by(proof.authorities) if proof and proof.authorities and self.context_by else None

    def has_own(self, flow: Flow) -> bool:
        """Whether only authorities of its own count for whom a flow leads to."""
        proof = self._by_host.get(host_of(flow))
        return proof is not None and bool(proof.authorities)

    def fits(self, flow: Flow, peer: VerifiedPeer | None) -> bool:
        """Whether a peer whose certificate was verified is whom a flow is meant to lead to."""
        host = host_of(flow)
        proof = self._by_host.get(host, Proof())
        if peer is not None and any(peer.is_for(name) for name in (host, *proof.names)):
            self._complaints.pop(host, None)
            return True
        shown = sorted((*peer.dns_names, *peer.addresses))[:_SHOWN_NAMES] if peer is not None else []
        wanted = " or ".join((host, *sorted(proof.names)))
        self.complain(flow, f"its certificate is for {', '.join(shown) or 'no name'}, not for {wanted}")
        return False

    def failed(self, flow: Flow, error: Exception) -> None:
        """A connection could not be opened, or was ended by an alert of TLS."""
        if isinstance(error, ssl.SSLCertVerificationError):
            self.complain(flow, f"its certificate cannot be trusted: {error.verify_message}")
        elif isinstance(error, ssl.SSLError):
            said = (error.reason or "no encrypted connection").lower().replace("_", " ")
            self.complain(flow, f"the encrypted connection failed: {said}")
        elif isinstance(error, TimeoutError):
            self.complain(flow, "no connection in time")
        elif isinstance(error, OSError) and error.strerror:
            self.complain(flow, error.strerror.lower())

    def complain(self, flow: Flow, text: str) -> None:
        """Keep what was wrong, for people."""
        self._complaints.pop(host_of(flow), None)
        self._complaints[host_of(flow)] = text[:_LONGEST_COMPLAINT]
        if len(self._complaints) > _MOST_COMPLAINTS:
            del self._complaints[next(iter(self._complaints))]

    def complaint(self, host: str) -> str:
        """What was wrong when a connection to this name or address was wanted last; empty: nothing."""
        return self._complaints.get(host, "")
