"""Who has an IP address, by the system's ARP table: read again when it is old, sooner for who is not in it."""

from collections.abc import Callable
from typing import Final

from edge_agent.clock import Clock
from edge_agent.provisioning.dhcp.sockets import arp_table

READ_AGAIN_SECONDS: Final = 1.0
MISSING_SECONDS: Final = 0.01
"""A newcomer has just answered for its address; more often than this the table is not read."""


class Neighbours:
    """MAC addresses by IP address.

    Args:
        clock: for the age of what was read.
        read: the table, by address and interface.
    """

    def __init__(self, clock: Clock, read: Callable[[], dict[tuple[str, str], str]] = arp_table) -> None:
        self._clock, self._read = clock, read
        self._macs: dict[str, set[str]] = {}
        self._read_at = float("-inf")

    def mac(self, address: str) -> str:
        """The MAC address of who has this address; empty where nobody does, or two on different interfaces."""
        now = self._clock.monotonic()
        if now - self._read_at >= (READ_AGAIN_SECONDS if address in self._macs else MISSING_SECONDS):
            self._read_at, self._macs = now, {}
            for (found, _), mac in self._read().items():
                self._macs.setdefault(found, set()).add(mac)
        macs = self._macs.get(address, set())
        return next(iter(macs)) if len(macs) == 1 else ""
