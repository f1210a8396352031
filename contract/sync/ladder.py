"""A call as messages between its participants: what an edge answers when it is asked how a call went."""

from typing import Annotated, Literal

from pydantic import Field

from contract.values import Frozen, Text, UtcTime

MAX_ARROWS = 1000
MAX_MESSAGE_CHARACTERS = 65_536


class Participant(Frozen):
    """One vertical line of the ladder."""

    name: Text = ""
    """The user that it speaks for, where its messages tell."""
    address: Text
    """`address:port`."""
    transport: Literal["udp", "tcp", "tls", "ws", "wss"]
    edge: bool = False
    """Whether it is the edge itself, which is always the first."""


class Arrow(Frozen):
    """One message that was sent."""

    at: UtcTime
    source: Annotated[int, Field(ge=0)]
    """Index of the participant that sent it."""
    target: Annotated[int, Field(ge=0)]
    line: Text
    """The start line, cut to its beginning where it is long."""
    method: Text
    """Of the request, or of the request that a response answers (CSeq)."""
    status: Annotated[int, Field(ge=0, le=699)] = 0
    """Of a response; 0 in a request."""
    again: bool = False
    """Whether it is a retransmission: the same bytes went the same way before."""
    text: Annotated[str, Field(max_length=MAX_MESSAGE_CHARACTERS)]
    """The whole message, secrets masked."""


class Ladder(Frozen):
    """The messages of one call that an edge remembers, oldest first."""

    sip_call_id: Annotated[str, Field(max_length=1024)]
    participants: Annotated[tuple[Participant, ...], Field(max_length=MAX_ARROWS)]
    arrows: Annotated[tuple[Arrow, ...], Field(max_length=MAX_ARROWS)]
    left_out: Annotated[int, Field(ge=0)] = 0
    """Messages of the call that were not kept, because it had more than are kept of one call."""
