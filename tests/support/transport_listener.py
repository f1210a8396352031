"""A receiver on a real transport that remembers what it heard, and answers when told to."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edge_agent.sip.message import DropReason, Flow
from edge_agent.sip.transport import SipTransport

MESSAGE = b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"


class TransportListener:
    """See `edge_agent.sip.transport.Receiver`."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, Flow]] = []
        self.failed: list[Flow] = []
        self.drops: Counter[DropReason] = Counter()
        self.batches: list[int] = []
        self.transport: SipTransport | None = None
        """When set, what comes is answered there."""
        self.advanced = 0
        self.deadline: float | None = None

    def received(self, data: bytes, flow: Flow, now: float) -> None:
        self.heard.append((data, flow))
        if self.transport is not None:
            self.transport.send(b"answer to " + data, flow)

    def flow_failed(self, flow: Flow, now: float) -> None:
        self.failed.append(flow)

    def batch_ended(self, now: float) -> None:
        self.batches.append(len(self.heard))

    def advance(self, now: float) -> None:
        self.advanced += 1
        self.deadline = None

    def dropped(self, reason: DropReason) -> None:
        self.drops[reason] += 1


@asynccontextmanager
async def listening(transport: SipTransport, *, answers: bool = False) -> AsyncIterator[TransportListener]:
    """Open a transport for the length of the block."""
    await transport.open()
    listener = TransportListener()
    if answers:
        listener.transport = transport
    transport.attach(listener)
    try:
        yield listener
    finally:
        await transport.close()
