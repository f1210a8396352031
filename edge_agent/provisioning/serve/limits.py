"""How much one address may ask in vain, and how often an unknown phone is reported; all of it bounded."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

GUESS_WINDOW_SECONDS: Final = 600.0
MAX_GUESSES: Final = 30
"""How many different unknown MAC addresses one IP address may name within the window."""
MAX_ADDRESSES: Final = 4096

REPORT_INTERVAL_SECONDS: Final = 300.0
"""The same unknown phone is reported at most this often."""
MAX_REPORTED: Final = 2048
MAX_REPORTS_PER_WINDOW: Final = 200
"""How many reports all phones together may cause within one interval."""


@dataclass(slots=True)
class _Guesses:
    since: float
    macs: set[str] = field(default_factory=set)
    again: int = 0
    """Guesses that count however often they are made."""


class GuessGuard:
    """Stops an address that names one unknown MAC address after the other, in the hope of a file with passwords."""

    def __init__(
        self,
        max_guesses: int = MAX_GUESSES,
        window_seconds: float = GUESS_WINDOW_SECONDS,
        max_addresses: int = MAX_ADDRESSES,
    ) -> None:
        self._max_guesses = max_guesses
        self._window = window_seconds
        self._max_addresses = max_addresses
        self._table: OrderedDict[str, _Guesses] = OrderedDict()

    def is_locked_out(self, address: str, now: float) -> bool:
        """Whether this IP address has guessed too often; it gets no device's file until its window is over."""
        guesses = self._current(_network(address), now)
        return guesses is not None and len(guesses.macs) + guesses.again >= self._max_guesses

    def guessed(self, address: str, mac: str, now: float, *, every_time: bool = False) -> None:
        """This IP address named a MAC address that the site does not know. The same one twice counts once.

        Args:
            every_time: the same one counts again: a password that was wrong.
        """
        key = _network(address)
        guesses = self._current(key, now)
        if guesses is None:
            guesses = self._table[key] = _Guesses(now)
            if len(self._table) > self._max_addresses:
                self._table.popitem(last=False)
        if every_time:
            guesses.again += 1
        elif len(guesses.macs) < self._max_guesses:
            guesses.macs.add(mac)

    def _current(self, key: str, now: float) -> _Guesses | None:
        guesses = self._table.get(key)
        if guesses is not None and now - guesses.since >= self._window:
            del self._table[key]
            return None
        return guesses


class RateLimit:
    """Counts requests by who makes them, in windows of a minute; of a flood of senders the oldest is forgotten."""

    def __init__(self, window_seconds: float = 60.0, max_keys: int = 8192) -> None:
        self._window = window_seconds
        self._max_keys = max_keys
        self._table: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def allows(self, key: str, now: float, most: int) -> bool:
        """Count one request; False when it is more than `most` within the window."""
        began, count = self._table.get(key, (now, 0))
        if now - began >= self._window:
            began, count = now, 0
        self._table[key] = (began, min(count + 1, most + 1))
        self._table.move_to_end(key)
        if len(self._table) > self._max_keys:
            self._table.popitem(last=False)
        return count < most


class ReportGate:
    """Lets a report about an unknown phone through when it is news."""

    def __init__(
        self,
        interval_seconds: float = REPORT_INTERVAL_SECONDS,
        max_reported: int = MAX_REPORTED,
        max_reports: int = MAX_REPORTS_PER_WINDOW,
    ) -> None:
        self._interval = interval_seconds
        self._max_reported = max_reported
        self._max_reports = max_reports
        self._last: OrderedDict[str, float] = OrderedDict()
        self._window_began = float("-inf")
        self._reports = 0

    def may_report(self, mac: str, now: float) -> bool:
        """Whether a report about this MAC address is due; True counts it as made."""
        last = self._last.get(mac)
        if last is not None and now - last < self._interval:
            return False
        if now - self._window_began >= self._interval:
            self._window_began, self._reports = now, 0
        if self._reports >= self._max_reports:
            return False
        self._reports += 1
        self._last[mac] = now
        self._last.move_to_end(mac)
        while len(self._last) > self._max_reported:
            self._last.popitem(last=False)
        return True


def _network(address: str) -> str:
    """What counts as one asker: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
