"""What becomes of a datagram on the server's well-known port. No sockets, no clock."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from mmap import mmap
from typing import Final

from edge_agent.provisioning.access import Refusal
from edge_agent.provisioning.firmware import StoredFile, mapped
from edge_agent.provisioning.serve.desk import Desk, Question
from edge_agent.provisioning.serve.tftp import packet
from edge_agent.provisioning.serve.tftp.options import negotiate
from edge_agent.provisioning.serve.tftp.packet import ErrorCode
from edge_agent.provisioning.serve.tftp.transfer import Peer, Transfer, to_netascii

MAX_TRANSFERS: Final = 2000
"""Each takes a few hundred bytes beside the file, which is in memory once."""
MAX_TRANSFERS_PER_ADDRESS: Final = 8


class DropReason(StrEnum):
    """Why a datagram was not answered."""

    BUSY = "busy"
    """Every transfer is taken; the phone asks again by itself."""
    ADDRESS_BUSY = "address_busy"
    """This address has as many transfers as one may have."""
    REPEATED = "repeated"
    """The transfer that it asks for is under way."""
    ERROR = "error"
    """An error packet is never answered."""
    OVER = "over"
    """It is about a transfer that has ended."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin this transfer, by another port."""

    peer: Peer
    transfer: Transfer
    stored: StoredFile | None = None
    """The file on the disk that is sent."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this back from the well-known port."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Send nothing."""

    reason: DropReason


Outcome = Begin | Reply | Drop

_ERRORS: Final = {
    Refusal.TOO_MANY_GUESSES: (ErrorCode.ACCESS_VIOLATION, "Access violation"),
    Refusal.TOO_MANY_REQUESTS: (ErrorCode.ACCESS_VIOLATION, "Access violation"),
}
_NOT_FOUND: Final = (ErrorCode.FILE_NOT_FOUND, "File not found")
"""For every other refusal: why is the portal's business."""


class Listener:
    """Decides about requests, and keeps the number of transfers within bounds.

    Args:
        desk: which file a request gets.
        max_transfers: at one time, of all addresses together.
        max_transfers_per_address: at one time.
    """

    def __init__(
        self,
        desk: Desk,
        max_transfers: int = MAX_TRANSFERS,
        max_transfers_per_address: int = MAX_TRANSFERS_PER_ADDRESS,
    ) -> None:
        self._desk = desk
        self._max_transfers = max_transfers
        self._max_per_address = max_transfers_per_address
        self._peers: set[Peer] = set()
        self._by_address: Counter[str] = Counter()
        self.dropped: Counter[DropReason] = Counter()

    @property
    def transfers(self) -> int:
        """How many are under way."""
        return len(self._peers)

    def receive(self, data: bytes, source: Peer) -> Outcome:
        """What to do about a datagram. After `Begin`, `ended` must be called when the transfer is over."""
        try:
            received = packet.parse(data)
        except packet.PacketRefused as error:
            return Reply(packet.error_packet(error.code, str(error)))
        match received:
            case packet.ReadRequest():
                return self._read(received, source)
            case packet.WriteRequest():
                return Reply(packet.error_packet(ErrorCode.ACCESS_VIOLATION, "This server takes no files"))
            case packet.ErrorPacket():
                return self._drop(DropReason.ERROR)
            case _:
                return Reply(packet.error_packet(ErrorCode.UNKNOWN_TRANSFER, "unknown transfer"))

    def ended(self, peer: Peer) -> None:
        """The transfer to this peer is over."""
        if peer in self._peers:
            self._peers.remove(peer)
            self._by_address[peer[0]] -= 1
            if self._by_address[peer[0]] <= 0:
                del self._by_address[peer[0]]

    def _read(self, request: packet.ReadRequest, source: Peer) -> Outcome:
        if source in self._peers:
            return self._drop(DropReason.REPEATED)
        if len(self._peers) >= self._max_transfers:
            return self._drop(DropReason.BUSY)
        if self._by_address[source[0]] >= self._max_per_address:
            return self._drop(DropReason.ADDRESS_BUSY)
        answer = self._desk.ask(Question(request.name, source[0], "tftp", options=request.options))
        if isinstance(answer, Refusal):
            return Reply(packet.error_packet(*_ERRORS.get(answer, _NOT_FOUND)))
        stored = answer if isinstance(answer, StoredFile) else None
        body: bytes | mmap | None
        if isinstance(answer, StoredFile):
            # Octets, also for who asks for text: firmware is none, and would be spoilt.
            body = mapped(answer)
        else:
            body = to_netascii(answer.body) if request.mode == "netascii" else answer.body
        if body is None:
            return Reply(packet.error_packet(*_NOT_FOUND))
        self._peers.add(source)
        self._by_address[source[0]] += 1
        return Begin(source, Transfer(body, negotiate(request.options, len(body))), stored)

    def sent(self, file: StoredFile) -> None:
        """A client has got a file from the disk to its end."""
        self._desk.sent(file)

    def _drop(self, reason: DropReason) -> Drop:
        self.dropped[reason] += 1
        return Drop(reason)
