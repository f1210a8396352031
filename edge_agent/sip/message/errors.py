"""The errors of the SIP stack: each knows its answer (status and reason), each drop has a name."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from edge_agent.errors import EdgeError

if TYPE_CHECKING:
    from edge_agent.sip.message.message import Message


class DropReason(Enum):
    """Why something that arrived was neither forwarded nor (always) answered; counted by name."""

    TOO_LARGE = "too_large"
    TOO_MANY_HEADERS = "too_many_headers"
    HEADER_TOO_LONG = "header_too_long"
    NOT_SIP = "not_sip"
    NO_END_OF_HEADERS = "no_end_of_headers"
    BAD_START_LINE = "bad_start_line"
    BAD_VERSION = "bad_version"
    BAD_HEADER_LINE = "bad_header_line"
    STRAY_LINE_END = "stray_line_end"
    BAD_CONTENT_LENGTH = "bad_content_length"
    TRUNCATED_BODY = "truncated_body"
    MISSING_HEADER = "missing_header"
    DUPLICATE_HEADER = "duplicate_header"
    BAD_HEADER_VALUE = "bad_header_value"
    BAD_URI = "bad_uri"
    UNKNOWN_RESPONSE = "unknown_response"
    STRAY_ACK = "stray_ack"
    UNROUTABLE_ACK = "unroutable_ack"
    TOO_MANY_TRANSACTIONS = "too_many_transactions"
    INTERNAL_ERROR = "internal_error"
    UNREACHABLE = "unreachable"
    NO_RESPONSE_ADDRESS = "no_response_address"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    CONNECTION_CLOSED = "connection_closed"
    IDLE_CONNECTION = "idle_connection"
    TOO_MANY_HALF_OPEN = "too_many_half_open"
    HALF_OPEN_EVICTED = "half_open_evicted"
    SLOW_CONNECTION = "slow_connection"
    HANDSHAKE_FAILED = "handshake_failed"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_OF_ANOTHER = "certificate_of_another"
    BAD_WEBSOCKET = "bad_websocket"
    BAD_STUN = "bad_stun"
    FOREIGN_DESTINATION = "foreign_destination"
    CONTACT_IS_THIS_EDGE = "contact_is_this_edge"
    WRONG_CREDENTIALS = "wrong_credentials"
    LOCKED_OUT = "locked_out"
    RATE_LIMITED = "rate_limited"
    SHED = "shed"
    TOO_MANY_INVITES = "too_many_invites"
    CONTACT_ELSEWHERE = "contact_elsewhere"
    STRANGER = "stranger"
    NOT_ENCRYPTED = "not_encrypted"


class SipError(EdgeError):
    """Something about a SIP message that has a status code.

    Args:
        status: the SIP status code to answer with.
        reason: the reason phrase; names what is wrong and never repeats what arrived.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class Refused(SipError):
    """A well-formed request that is not let through, which is counted.

    Args:
        drop: under which name it is counted.
        status: the SIP status code to answer with.
        reason: the reason phrase.
    """

    def __init__(self, drop: DropReason, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.drop = drop


class LineEndInHeader(SipError):
    """Something that would end a line was to be put into one: it would become a header of its own, or a body."""

    def __init__(self) -> None:
        super().__init__(500, "Server Internal Error")


class BadMessage(SipError):
    """Bytes that are not a usable SIP message.

    Args:
        drop: under which name it is counted.
        reason: what is wrong, as a reason phrase.
        status: what a request like this is answered with.
        partial: what could be read of it, when that is enough to try an answer.
    """

    def __init__(self, drop: DropReason, reason: str, status: int = 400, partial: Message | None = None) -> None:
        super().__init__(status, reason)
        self.drop = drop
        self.partial = partial
