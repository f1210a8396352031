"""Session timers as a user agent keeps them (RFC 4028 §7, §9, §10): who refreshes, when, and what if nobody does."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from edge_agent.sip.message import BadMessage, DropReason, Message, RawHeader
from edge_agent.sip.message.name_addr import parse_params
from edge_agent.sip.transaction import TimerWheel

LEAST: Final = 90
"""RFC 4028 §4: no shorter one is asked for or taken."""
_MOST: Final = 86_400
_STEP: Final = 5.0
_MARGIN: Final = 32.0


class Refresh(NamedTuple):
    """What a Session-Expires header says.

    Args:
        seconds: the interval.
        refresher: `uac`, `uas` or empty.
    """

    seconds: int
    refresher: bytes = b""

    @property
    def header(self) -> RawHeader:
        """As it is written."""
        return (b"Session-Expires", b"%d" % self.seconds + (b";refresher=" + self.refresher if self.refresher else b""))


class TimedSession(Protocol):
    """Whose timer it is."""

    def session_due(self, refreshing: bool, now: float) -> None:
        """It is time to refresh; or the peer should have, and has not."""
        ...


class SessionTimer:
    """One period of a session; another one takes its place with each refresh."""

    __slots__ = ("_owner", "refresh", "refreshing")

    def __init__(self, owner: TimedSession, refresh: Refresh, refreshing: bool, wheel: TimerWheel, now: float) -> None:
        self._owner: TimedSession | None = owner
        self.refresh = refresh
        self.refreshing = refreshing
        seconds = float(min(max(refresh.seconds, LEAST), _MOST))
        # Half of it for who refreshes; who waits allows for a refresh that is late (§10).
        wait = seconds / 2 if refreshing else seconds - min(_MARGIN, seconds / 3)
        # Peers choose the interval; the wheel has a queue for each duration, so there are few.
        wheel.add(wait - wait % _STEP, self, 0, now)

    def stop(self) -> None:
        """It no longer counts."""
        self._owner = None

    def expired(self, kind: int, now: float) -> None:
        """Its time has come."""
        del kind
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.session_due(self.refreshing, now)


def refresh_of(message: Message) -> Refresh | None:
    """The Session-Expires of a message.

    Raises:
        BadMessage: it is malformed.
    """
    value = message.get(b"session-expires")
    if value is None:
        return None
    number, semicolon, rest = value.partition(b";")
    number = number.strip(b" \t")
    if not number.isdigit() or len(number) > 9:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Session-Expires")
    refresher = (parse_params(semicolon + rest, "Session-Expires").get(b"refresher") or b"").lower()
    if refresher not in (b"", b"uac", b"uas"):
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Session-Expires")
    return Refresh(int(number), refresher)


def least_of(message: Message) -> int:
    """The Min-SE of a message, at least 90 (§5)."""
    value = (message.get(b"min-se") or b"").partition(b";")[0].strip(b" \t")
    return max(LEAST, int(value)) if value.isdigit() and len(value) < 10 else LEAST


def knows_timers(message: Message) -> bool:
    """Whether its sender supports session timers."""
    return b"supported" in message.names and b"timer" in message.values(b"supported")


def answered_refresh(request: Message, wanted_seconds: int) -> tuple[Refresh | None, tuple[RawHeader, ...]]:
    """What a 2xx says of the session timer, and with which headers (§9).

    Args:
        request: INVITE or UPDATE.
        wanted_seconds: our own wish where the request has none; 0: none.
    """
    asked, can = refresh_of(request), knows_timers(request)
    if asked is None:
        if not wanted_seconds or not can:
            return None, ()
        agreed = Refresh(wanted_seconds, b"uas")
    else:
        agreed = Refresh(asked.seconds, asked.refresher or (b"uac" if can else b"uas"))
    if agreed.refresher == b"uac" and not can:
        agreed = Refresh(agreed.seconds, b"uas")
    headers = [agreed.header]
    if agreed.refresher == b"uac":
        headers.append((b"Require", b"timer"))
    return agreed, tuple(headers)
