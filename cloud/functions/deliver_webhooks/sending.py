"""Sends one signed message: to the address that was checked, within a time, reading a bounded answer."""

import ssl
from typing import Protocol

from standardwebhooks import Webhook

from cloud.clock import Clock
from cloud.functions.guard import Resolve, resolve
from cloud.functions.outgoing import GuardedClient, NoReply
from cloud.functions.retry_after import parse_retry_after
from cloud.pbx.webhooks import RESPONSE_LENGTH, Outcome, Outgoing

USER_AGENT = "Tandem-Webhooks/1"
_READ_BYTES = 4 * RESPONSE_LENGTH


class Sender(Protocol):
    """Whoever brings a message to its receiver."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """One attempt; a failure is an outcome, not an exception."""
        ...


class HttpSender:
    """Sends by HTTPS.

    Args:
        private_allowed: private addresses and http will do (tests and labs).
        timeout_seconds: for the whole attempt, from connecting to the end of the answer.
        resolver: host names to addresses.
        tls: whom to trust; None means the system's authorities.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        private_allowed: bool = False,
        timeout_seconds: float = 15.0,
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._client = GuardedClient(
            private_allowed=private_allowed,
            timeout_seconds=timeout_seconds,
            max_bytes=_READ_BYTES,
            resolver=resolver,
            tls=tls,
        )

    def send(self, outgoing: Outgoing) -> Outcome:
        try:
            reply = self._client.ask("POST", outgoing.url, self._headers(outgoing), outgoing.body.encode())
        except NoReply as problem:
            return Outcome(None, error=str(problem))
        text = reply.body.decode(errors="replace")[:RESPONSE_LENGTH]
        retry_after = parse_retry_after(reply.headers.get("retry-after", ""), self._clock.now())
        return Outcome(reply.status, text=text, retry_after_seconds=retry_after)

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        at = self._clock.now()
        signature = Webhook(outgoing.secret.get_secret_value()).sign(outgoing.message_id, at, outgoing.body)
        return {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "webhook-id": outgoing.message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
            "connection": "close",
        }
