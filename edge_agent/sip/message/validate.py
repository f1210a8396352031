"""What every request and response must carry (RFC 3261 §8.1.1, §16.3)."""

from typing import Final

from edge_agent.sip.message.errors import BadMessage, DropReason
from edge_agent.sip.message.message import Message

_SINGLE: Final = (
    (b"from", "From"),
    (b"to", "To"),
    (b"call-id", "Call-ID"),
    (b"cseq", "CSeq"),
)


def check_response(message: Message) -> None:
    """Check a response; it must carry From, To, Call-ID, CSeq, each once, and a Via, which is read by who looks for it.

    Raises:
        BadMessage: naming the header.
    """
    shape = message.shape or message.find_places()
    if not shape.usual:
        _check_single(message)
    try:
        _ = message.cseq
        if b"via" not in shape.places:
            raise BadMessage(DropReason.MISSING_HEADER, "Missing Via")
    except BadMessage as error:
        error.partial = message
        raise


def _check_single(message: Message) -> None:
    for name, shown in _SINGLE:
        if (found := message.names.count(name)) != 1:
            raise BadMessage(
                DropReason.DUPLICATE_HEADER if found else DropReason.MISSING_HEADER,
                f"{'Duplicate' if found else 'Missing'} {shown}",
                partial=message,
            )


def check_request(message: Message) -> None:
    """Check a request: as a response; its CSeq has its method, Max-Forwards and Max-Breadth are numbers.

    Raises:
        BadMessage: naming the header, to be answered 400.
    """
    check_response(message)
    if message.cseq[1] != message.method:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "CSeq Method Differs from Request", partial=message)
    try:
        # A tag is needed to tell transactions and dialogs apart; without one the peer speaks RFC 2543.
        _ = message.via, message.from_tag, message.to_tag
    except BadMessage as error:
        error.partial = message
        raise
    _check_number(message, b"max-forwards", "Max-Forwards")
    if message.has(b"max-breadth"):
        _check_number(message, b"max-breadth", "Max-Breadth")


def _check_number(message: Message, name: bytes, shown: str) -> None:
    """At most once, and from 0 to 255."""
    if message.repeats and message.names.count(name) > 1:
        raise BadMessage(DropReason.DUPLICATE_HEADER, f"Duplicate {shown}", partial=message)
    value = message.get(name)
    if value is not None and (not value.isdigit() or len(value) > 5 or int(value) > 255):
        raise BadMessage(DropReason.BAD_HEADER_VALUE, f"Malformed {shown}", partial=message)
