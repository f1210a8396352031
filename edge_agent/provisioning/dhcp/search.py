"""Looks for other DHCP servers on one interface: asks as a client would, and listens. No sockets, no clock.

Every `now` is seconds on one monotonic clock. As long as it has not looked, or another server answers, nothing is
leased there. A server that has gone is believed to be gone after two looks without an answer.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from edge_agent.provisioning.dhcp.config import Interface
from edge_agent.provisioning.dhcp.packet import BROADCAST, Code, Kind, Message, Operation, serialise

MAX_OTHERS: Final = 16
QUIET_LOOKS: Final = 2


@dataclass(frozen=True, slots=True)
class Pace:
    """When a look asks, in seconds after its beginning; how long it listens; and how often it is made."""

    asks: tuple[float, ...] = (0.0, 2.0)
    listens: float = 6.0
    """Some servers look for conflicts for three seconds before they offer."""
    every: float = 300.0
    every_beside_another: float = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Another server's answer."""

    server: IPv4Address
    offered: IPv4Address
    at: float


class Search:
    """One interface's search.

    Args:
        interface: where.
        now: the first look begins at once.
        pace: when it asks.
    """

    def __init__(self, interface: Interface, now: float, pace: Pace) -> None:
        self.interface = interface
        self._pace = pace
        self._began = now
        self._asked = 0
        self._transaction = 0
        self._looks = 0
        self._quiet = 0
        self._answered = False
        self.others: dict[IPv4Address, Seen] = {}
        """Servers that answered, until they have gone."""
        self.looked_at: float | None = None
        """When the last look was over."""

    @property
    def clear(self) -> bool:
        """Whether addresses may be given here."""
        return self._looks > 0 and not self.others

    @property
    def looking(self) -> bool:
        """Whether answers may come now."""
        return self._asked > 0

    @property
    def deadline(self) -> float:
        """When `advance` is to be called."""
        if self._asked < len(self._pace.asks):
            return self._began + self._pace.asks[self._asked]
        return self._began + self._pace.listens

    def hurry(self, now: float) -> None:
        """There are signs of another server: look at once."""
        if not self.looking:
            self._began = min(self._began, now)

    def advance(self, transaction: int, now: float) -> bytes | None:
        """The question to broadcast now, or None.

        Args:
            transaction: a random number, for a new look.
        """
        if now < self.deadline:
            return None
        if self._asked < len(self._pace.asks):
            if self._asked == 0:
                self._began, self._transaction, self._answered = now, transaction, False
            self._asked += 1
            return self._question()
        self._over(now)
        return None

    def failed(self, now: float) -> None:
        """The question could not be asked: whether there is another server is not known, and it is tried again."""
        self._looks = self._quiet = self._asked = 0
        self._began = now + self._pace.every_beside_another

    def owns(self, message: Message) -> bool:
        """Whether it is this search's own question, which comes back by broadcast, or an answer to it."""
        return self.looking and (message.transaction, message.mac) == (self._transaction, self.interface.mac)

    def received(self, message: Message, source: IPv4Address, now: float) -> bool:
        """An answer on the clients' port; whether it tells of a server that was not known."""
        if message.operation is not Operation.REPLY or not self.owns(message):
            return False
        server = message.address(Code.SERVER) or source
        self._answered = True
        new = server not in self.others
        if not new or len(self.others) < MAX_OTHERS:
            self.others[server] = Seen(server, message.yours, now)
        return new

    def _over(self, now: float) -> None:
        self._looks += 1
        self._asked = 0
        self.looked_at = now
        self._quiet = 0 if self._answered else self._quiet + 1
        if self._quiet >= QUIET_LOOKS:
            self.others.clear()
        self._began = now + (self._pace.every_beside_another if self.others else self._pace.every)

    def _question(self) -> bytes:
        wanted = bytes((Code.SUBNET_MASK, Code.ROUTER, Code.SERVER))
        return serialise(
            Message(
                Operation.REQUEST,
                Kind.DISCOVER,
                self._transaction,
                self.interface.mac,
                flags=BROADCAST,
                options={Code.WANTED: wanted},
            )
        )
