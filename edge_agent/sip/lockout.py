"""Against guessing passwords: who failed too often is refused for a while, and nobody else with him.

Three counts of wrong passwords are kept: of one name from one address, of any name from one address, and of one name
from any address. A lock never reaches further than what was counted:

- a name that is locked at one address goes on at every other, and at that one for the phone which is registered there
  (the same address and port: a guesser behind the same NAT has another);
- an address or a name that is locked goes on for every pair of the two that proved itself before.

Only a nonce that was given to the same address counts (`Authenticator` sees to that), so nobody can make another fail
by a forged source. A lock is a refusal before the password is looked at: what is guessed meanwhile teaches nothing.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from ipaddress import IPv6Address, ip_network
from typing import Final, TypeVar

from contract.sync.events import AlarmChanged
from edge_agent.ports import Reporter
from edge_agent.sip.config import LockoutRules
from edge_agent.sip.location import Location
from edge_agent.sip.message import DropReason, Flow, Refused, SipError

ALARM: Final = "digest_lockout"
_NAME_BYTES: Final = 64

_K = TypeVar("_K")
_V = TypeVar("_V")
_Key = tuple[str, bytes]
"""Address and name; either may be empty: any."""


class Silence(SipError):
    """A request that is not even answered; it is counted where this is raised."""

    def __init__(self) -> None:
        super().__init__(503, "Too Many Requests")


class Lockout:
    """Counts wrong passwords and says who is refused.

    Args:
        rules: how many, and for how long.
        location: tells a registered phone from somebody else at its address.
        reporter: told when the first lock falls, from time to time while more do, and when the last is gone.
        drops: counted by reason.
    """

    def __init__(self, rules: LockoutRules, location: Location, reporter: Reporter, drops: Counter[DropReason]) -> None:
        self.rules = rules
        self._location = location
        self._reporter = reporter
        self._drops = drops
        self._failures: dict[_Key, tuple[int, float]] = {}
        self._locks: dict[_Key, float] = {}
        self._proven: dict[_Key, None] = {}
        self._asked: dict[str, tuple[float, float]] = {}
        self._alarmed_at: float | None = None
        """When the alarm was told last; None: it is over."""
        self._untold = ""
        """What happened since; empty: nothing."""

    # -- asked for each request

    def check(self, flow: Flow, name: bytes, user_id: str | None, now: float) -> None:
        """Before a password is looked at.

        Args:
            flow: where the request came from.
            name: digest user name that it claims.
            user_id: whose name that is, if anybody's.
            now: seconds, monotonic.

        Raises:
            Refused: 403, as long as a lock lasts.
        """
        if not self._locks:
            return
        source, name = source_of(flow.host), name[:_NAME_BYTES]
        pair = (source, name)
        locked = self._is_locked(pair, now)
        if not locked and pair not in self._proven:
            locked = self._is_locked((source, b""), now) or self._is_locked(("", name), now)
        if locked and not self._is_registered(flow, user_id, now):
            raise Refused(DropReason.LOCKED_OUT, 403, "Too Many Wrong Passwords")

    def passed(self, flow: Flow, name: bytes) -> None:
        """A password was right."""
        pair = (source_of(flow.host), name)
        if pair not in self._proven:
            _make_room(self._proven, self.rules.remembered)
            self._proven[pair] = None
            self._proven[pair[0], b""] = None
            self._failures.pop(pair, None)

    def failed(self, flow: Flow, name: bytes, now: float) -> None:
        """A password was wrong, or the name is nobody's."""
        self._drops[DropReason.WRONG_CREDENTIALS] += 1
        rules = self.rules
        source, name = source_of(flow.host), name[:_NAME_BYTES]
        self._count((source, name), rules.failures_per_name_and_source, now)
        if (source, name) not in self._proven:
            self._count((source, b""), rules.failures_per_source, now)
            self._count(("", name), rules.failures_per_name, now)

    def asking(self, flow: Flow, now: float) -> None:
        """Somebody without credentials is about to be challenged.

        An address from which nobody ever proved anything gets a bounded number of challenges: a flood of requests
        must not make this edge send as much again to an address that may be forged.

        Raises:
            Silence: it had enough for now.
        """
        source = source_of(flow.host)
        if (source, b"") in self._proven:
            return
        left, at = self._asked.get(source, (float(self.rules.challenge_burst), now))
        left = min(float(self.rules.challenge_burst), left + (now - at) * self.rules.challenges_per_second)
        if left < 1.0:
            self._drops[DropReason.RATE_LIMITED] += 1
            raise Silence
        if source not in self._asked:
            _make_room(self._asked, self.rules.remembered)
        self._asked[source] = (left - 1.0, now)

    def answering(self, flow: Flow, now: float) -> None:
        """As `asking`, for any other answer that is given without knowing who asks; a stream's source is not forged.

        Raises:
            Silence: that address had enough for now.
        """
        if flow.transport == "udp":
            self.asking(flow, now)

    def is_proven(self, flow: Flow) -> bool:
        """Whether anybody proved himself at that address."""
        return (source_of(flow.host), b"") in self._proven

    # -- time

    def sweep(self, now: float) -> None:
        """Let what has lapsed go; to be called every few seconds."""
        rules = self.rules
        self._locks = {key: until for key, until in self._locks.items() if until > now}
        self._failures = {key: one for key, one in self._failures.items() if one[1] > now}
        full = rules.challenge_burst / rules.challenges_per_second
        self._asked = {source: one for source, one in self._asked.items() if now - one[1] < full}
        if self._alarmed_at is None:
            return
        if not self._locks:
            self._alarmed_at, self._untold = None, ""
            self._tell(False, "Nobody is locked out any more.")
        elif self._untold and now - self._alarmed_at >= rules.alarm_seconds:
            self._alarm(now)

    @property
    def locks(self) -> int:
        """How many locks there are."""
        return len(self._locks)

    # -- parts

    def _is_locked(self, key: _Key, now: float) -> bool:
        return self._locks.get(key, 0.0) > now

    def _is_registered(self, flow: Flow, user_id: str | None, now: float) -> bool:
        if user_id is None:
            return False
        source = flow.source
        return any(binding.source == source for binding in self._location.of_user(user_id, now))

    def _count(self, key: _Key, limit: int, now: float) -> None:
        count, until = self._failures.get(key, (0, 0.0))
        if until <= now:
            self._failures.pop(key, None)
            _make_room(self._failures, self.rules.remembered)
            count, until = 0, now + self.rules.window_seconds
        self._failures[key] = (count + 1, until)
        if count + 1 < limit:
            return
        del self._failures[key]
        _make_room(self._locks, self.rules.remembered)
        self._locks[key] = now + self.rules.lock_seconds
        source, name = key
        who = f" for {_printable(name)}" if name else ""
        where = f" from {source}" if source else " from many addresses"
        self._untold = f"{limit} wrong passwords{who}{where}: refused for {self.rules.lock_seconds:.0f} seconds."
        if self._alarmed_at is None:
            self._alarm(now)

    def _alarm(self, now: float) -> None:
        """Tell the newest lock, and how many there are if it is not alone."""
        text, self._untold, self._alarmed_at = self._untold, "", now
        self._tell(True, text if len(self._locks) == 1 else f"{len(self._locks)} locks, the newest: {text}")

    def _tell(self, active: bool, text: str) -> None:
        self._reporter.report(AlarmChanged(alarm=ALARM, severity="warning", active=active, text=text))


@lru_cache(maxsize=8192)
def source_of(host: str) -> str:
    """The address that counts: of IPv6 the network, since a host there has 2^64 addresses to itself."""
    if ":" not in host:
        return host
    bare = host.partition("%")[0]
    mapped = IPv6Address(bare).ipv4_mapped
    return str(mapped) if mapped else str(ip_network((bare, 64), strict=False))


def _make_room(table: dict[_K, _V], limit: int) -> None:
    """Forget the oldest."""
    while len(table) >= limit:
        del table[next(iter(table))]


def _printable(name: bytes) -> str:
    return "".join(c if c.isprintable() else "?" for c in name.decode("utf-8", "replace"))
