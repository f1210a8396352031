"""Short texts that phones of the site show at once (MESSAGE, RFC 3428)."""

from __future__ import annotations

from typing import Final

from edge_agent.clock import Clock
from edge_agent.sip.config import SipConfig
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import Message, RawHeader, new_request
from edge_agent.sip.message.message import NO_FLOW
from edge_agent.sip.transaction import ClientTransaction, TransactionLayer
from edge_agent.sip.user_agent.challenges import Challenges, Login
from edge_agent.tokens import Tokens

MOST_BYTES: Final = 1300
"""RFC 3428 §8: a MESSAGE outside of a session is no longer."""


class Alerts:
    """Sends texts to every phone of some users; whether a phone shows them is its business.

    Args:
        layer: sends.
        location: where phones are.
        config: of the site.
        clock: for `alert`.
        tokens: Call-IDs and client nonces.
    """

    def __init__(
        self, layer: TransactionLayer, location: Location, config: SipConfig, clock: Clock, tokens: Tokens
    ) -> None:
        self._layer = layer
        self._location = location
        self._config = config
        self._clock = clock
        self._tokens = tokens
        self.sent = 0
        """Phones that took a text, since the start."""
        self.failed = 0
        """Phones that did not."""

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config

    def alert(self, user_ids: tuple[str, ...], text: str) -> None:
        """Show a text on every phone of these users, in a call or not."""
        now = self._clock.monotonic()
        for user_id in user_ids:
            for binding in self._location.of_user(user_id, now):
                request = self._request(binding, text.encode()[:MOST_BYTES])
                one = Alerted(self, request, Challenges(self._login(binding), self._tokens))
                one.flow = binding.flow
                self._layer.request(request.copy(), binding.flow, one, now)

    def ask_again(self, one: Alerted, request: Message, now: float) -> None:
        """Send it with credentials."""
        self._layer.request(request, one.flow, one, now)

    def _login(self, binding: Binding) -> Login | None:
        known = next((one for one in self._config.credentials.values() if one.line_id == binding.line_id), None)
        if known is None:
            return None
        return Login(known.auth_username, known.password, self._config.realm, known.ha1)

    def _request(self, binding: Binding, body: bytes) -> Message:
        domain = self._config.domain.encode()
        user = self._config.users.get(binding.user_id)
        name = user.username.encode() + b"@" if user is not None else b""
        headers: list[RawHeader] = [(b"Route", value) for value in binding.path]
        headers += [
            (b"Max-Forwards", b"70"),
            (b"From", b"<sip:" + domain + b">;tag=" + self._layer.new_tag()),
            (b"To", b"<sip:" + name + domain + b">"),
            (b"Call-ID", self._tokens.token(12).encode() + b"@" + domain),
            (b"CSeq", b"1 MESSAGE"),
            (b"Priority", b"emergency"),
            (b"Content-Type", b"text/plain;charset=UTF-8"),
        ]
        return new_request(b"MESSAGE", binding.contact, headers, body)


class Alerted:
    """One text on its way to one phone; the `ClientOwner` of its requests."""

    __slots__ = ("_alerts", "_challenges", "_request", "_times", "flow")

    def __init__(self, alerts: Alerts, request: Message, challenges: Challenges) -> None:
        self._alerts = alerts
        self._request = request
        self._challenges = challenges
        self._times = 1
        self.flow = NO_FLOW

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """The phone answered."""
        del client
        if response.status < 200:
            return
        if response.status in (401, 407) and self._times == 1:
            self._times += 1
            again = self._challenges.answer(self._request, response, self._times)
            if again is not None:
                self._alerts.ask_again(self, again, now)
                return
        if response.status < 300:
            self._alerts.sent += 1
        else:
            self._alerts.failed += 1

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """The phone stayed silent."""
        del client, now
        self._alerts.failed += 1

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """There is no way to the phone."""
        del client, now
        self._alerts.failed += 1
