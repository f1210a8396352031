"""Whom the proxy lets in: digest, trusted services, and the identity that a request claims in From."""

from __future__ import annotations

from typing import Final

from contract.snapshot import User
from edge_agent.sip.authentication import Authenticator, Refusal
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.message import DropReason, Message, Refused, SipError
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.message.flow import Flow
from edge_agent.sip.proxy.routes import OwnAddresses
from edge_agent.sip.trust import Trust

_ANONYMOUS_HOST: Final = b"anonymous.invalid"
"""RFC 3323 §4.1.1.3: what a caller writes who does not want to be named."""


class Challenged(SipError):
    """The request has to be sent again with credentials."""

    def __init__(self, status: int, headers: list[RawHeader]) -> None:
        super().__init__(status, "Unauthorized" if status == 401 else "Proxy Authentication Required")
        self.headers = headers


class Admission:
    """Says who sent a request.

    Args:
        authenticator: shared with the registrar.
        own: names of this edge.
        config: of the site.
        trust: who needs no digest.
    """

    def __init__(self, authenticator: Authenticator, own: OwnAddresses, config: SipConfig, trust: Trust) -> None:
        self._authenticator = authenticator
        self._own = own
        self._config = config
        self._trust = trust

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config
        self._authenticator.configure(config)

    def registering(self, request: Message) -> Credential:
        """Whose REGISTER this is.

        Raises:
            Challenged: 401.
            BadMessage: malformed credentials.
            Refused: locked out.
            Silence: not to be answered.
        """
        self._check_encrypted(request.flow)
        found = self._authenticator.verify(request, b"authorization")
        if isinstance(found, Refusal):
            raise Challenged(401, self._authenticator.challenge(proxy=False, refusal=found, flow=request.flow))
        return found

    def next_nonce(self, request: Message) -> list[RawHeader]:
        """See `Authenticator`; for a REGISTER that was let in."""
        return self._authenticator.next_nonce(request)

    def answering(self, flow: Flow, now: float) -> None:
        """See `Lockout`.

        Raises:
            Silence: that address had enough for now.
        """
        self._authenticator.answering(flow, now)

    def is_proven(self, flow: Flow) -> bool:
        """See `Lockout`."""
        return self._authenticator.is_proven(flow)

    def known(self, request: Message) -> Credential | None:
        """The line that a request came from, if that can be told without asking; for calls that are let in from
        anybody."""
        try:
            found = self._authenticator.verify(request, b"proxy-authorization")
        except SipError:
            return None
        if isinstance(found, Refusal):
            return None
        user = self._config.users.get(found.user_id)
        return found if user is not None and user.enabled else None

    def sending(self, request: Message) -> Credential | None:
        """The line that a request came from, None for somebody trusted: a service, gateway or peer of the site.

        Raises:
            Challenged: 407.
            SipError: 403, another's identity in From, or a user who is disabled.
            BadMessage: malformed credentials or From.
            Refused: locked out.
            Silence: not to be answered.
        """
        if self._trust.covers(request.flow):
            return None
        self._check_encrypted(request.flow)
        found = self._authenticator.verify(request, b"proxy-authorization")
        if isinstance(found, Refusal):
            raise Challenged(407, self._authenticator.challenge(proxy=True, refusal=found, flow=request.flow))
        user = self._config.users.get(found.user_id)
        if user is None or not user.enabled:
            raise SipError(403, "Forbidden")
        if self._config.from_policy == "strict":
            self._check_from(request, user)
        return found

    def _check_encrypted(self, flow: Flow) -> None:
        """Whether a phone may speak by this transport from where it is.

        Raises:
            Refused: 403.
        """
        config = self._config
        if config.remote_tls_only and flow.transport not in ("tls", "wss") and config.media.is_remote(flow.host):
            raise Refused(DropReason.NOT_ENCRYPTED, 403, "TLS Is Required from Remote Networks")

    def _check_from(self, request: Message, user: User) -> None:
        """Whether From is one of the user's own addresses, or nobody's.

        Raises:
            SipError: 403, naming From and what would be right.
            BadMessage: malformed From.
        """
        claimed = request.uri_of(b"from")
        if claimed.host == _ANONYMOUS_HOST:
            return
        owner = self._config.plan.dialled.get(claimed.dialled) if self._own.name_host(claimed) else None
        if owner is None or owner.user_id != user.user_id:
            raise SipError(403, f"From Is Not Allowed, sip:{user.username}@{self._config.domain} Is")
