"""Limits on what a peer can push; each has a test that reaches it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Named bounds of the SIP stack.

    Args:
        message_bytes: one message, start line to end of body.
        headers: header lines of one message.
        header_bytes: one line of its head, unfolded.
        contacts_per_request: Contact values in one REGISTER.
        contacts_per_aor: bindings that one address of record may have.
        bindings: bindings of the whole site.
        transactions: server transactions alive at one time; beyond it new requests are answered 503.
        invites_per_user: calls of one user that nobody answered yet; beyond it further ones are answered 503.
        branches: contacts that one request is forked to.
        open_calls: calls whose BYE has not passed; beyond it the oldest is closed.
        call_seconds: how long a call without a BYE stays open.
        nonces: nonces whose use is remembered.
        notices: NOTIFYs without a subscription that wait to be sent or answered.
        subscriptions: to this edge, of the whole site.
        subscriptions_per_user: of those, of one user.
        publications: event states published to this edge, of the whole site.
        publications_per_user: of those, of one user.
        publication_bytes: body of one publication.
        udp_request_bytes: a longer request goes by TCP where the peer may have it (RFC 3261 §18.1.1).
        tcp_connections: stream connections (TCP, TLS, WebSocket) at one time.
        tcp_connections_per_host: of those, from one address.
        tcp_opened_per_host: connections that we open to one address, those to different names and ports together.
        tcp_opened_idle_seconds: a connection that we opened is closed when nothing, not even a keep-alive, went either
            way for so long.
        tcp_idle_seconds: a stream without any byte for so long is closed.
        tcp_buffer_bytes: bytes waiting to be written to one stream before it is closed.
        tcp_connect_seconds: how long opening a stream may take.
        half_open: accepted streams whose first message has not come yet; beyond it the oldest of them is closed.
        half_open_per_host: of those, from one address; beyond it new ones are refused.
        handshake_seconds: how long the TLS handshake of an accepted stream may take.
        first_message_seconds: how long after it was accepted a stream's first message must be whole.
        message_seconds: how long a later message may take from its first to its last byte.
        ws_ping_seconds: a WebSocket that was silent for so long is pinged.
        ws_silent_seconds: a WebSocket that was silent for so long, pings or not, is closed.
    """

    message_bytes: int = 65_536
    headers: int = 256
    header_bytes: int = 8_192
    contacts_per_request: int = 16
    contacts_per_aor: int = 10
    bindings: int = 50_000
    transactions: int = 100_000
    invites_per_user: int = 100
    branches: int = 60
    open_calls: int = 20_000
    call_seconds: float = 12 * 3600.0
    nonces: int = 20_000
    notices: int = 20_000
    subscriptions: int = 50_000
    subscriptions_per_user: int = 500
    publications: int = 20_000
    publications_per_user: int = 10
    publication_bytes: int = 16_384
    udp_request_bytes: int = 1_300
    tcp_connections: int = 4_000
    tcp_connections_per_host: int = 1_000
    tcp_opened_per_host: int = 64
    tcp_opened_idle_seconds: float = 900.0
    tcp_idle_seconds: float = 3_900.0
    tcp_buffer_bytes: int = 1_048_576
    tcp_connect_seconds: float = 4.0
    half_open: int = 512
    half_open_per_host: int = 128
    handshake_seconds: float = 5.0
    first_message_seconds: float = 30.0
    message_seconds: float = 30.0
    ws_ping_seconds: float = 30.0
    ws_silent_seconds: float = 90.0


DEFAULT_LIMITS = Limits()
