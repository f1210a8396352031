"""SIP messages as bytes: parsed only as far as somebody asks, written back untouched where nobody changed them."""

from edge_agent.sip.message.build import RawHeader, new_request, response_bytes, response_lines, response_to
from edge_agent.sip.message.digest import ha1, keyed_digest, parse_credentials, response_value
from edge_agent.sip.message.errors import BadMessage, DropReason, LineEndInHeader, Refused, SipError
from edge_agent.sip.message.flow import Flow
from edge_agent.sip.message.limits import DEFAULT_LIMITS, Limits
from edge_agent.sip.message.message import Message
from edge_agent.sip.message.name_addr import NameAddr, split_commas
from edge_agent.sip.message.parse import parse
from edge_agent.sip.message.retry_after import retry_after_seconds
from edge_agent.sip.message.uri import Uri, escaped_user
from edge_agent.sip.message.validate import check_request, check_response
from edge_agent.sip.message.via import Via

__all__ = [
    "DEFAULT_LIMITS",
    "BadMessage",
    "DropReason",
    "Flow",
    "Limits",
    "LineEndInHeader",
    "Message",
    "NameAddr",
    "RawHeader",
    "Refused",
    "SipError",
    "Uri",
    "Via",
    "check_request",
    "check_response",
    "escaped_user",
    "ha1",
    "keyed_digest",
    "new_request",
    "parse",
    "parse_credentials",
    "response_bytes",
    "response_lines",
    "response_to",
    "response_value",
    "retry_after_seconds",
    "split_commas",
]
