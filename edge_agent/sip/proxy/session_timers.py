"""Session timers as a proxy sees them (RFC 4028 §8): ask for them, refuse those that are too short, never refresh.

What a 2xx puts in force is kept with the call (`LiveCall.refreshed`), whoever asked for it.
"""

from __future__ import annotations

from typing import Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import BadMessage, DropReason, Message, RawHeader, SipError
from edge_agent.sip.message.name_addr import parse_params

_SESSION_EXPIRES: Final = b"session-expires"
_MIN_SE: Final = b"min-se"
_LEAST: Final = 90
"""RFC 4028 §4."""
METHODS: Final = frozenset({b"INVITE", b"UPDATE"})


class IntervalTooSmall(SipError):
    """A session timer shorter than the site lets through; `headers` say how long it has to be."""

    def __init__(self, least: int) -> None:
        super().__init__(422, "Session Interval Too Small")
        self.headers: list[RawHeader] = [(b"Min-SE", b"%d" % least)]


class SessionTimer:
    """What is remembered of one INVITE or UPDATE until its 2xx (§8.2)."""

    __slots__ = ("_caller_can", "_seconds")

    def __init__(self, seconds: int, caller_can: bool) -> None:
        self._seconds = seconds
        self._caller_can = caller_can

    def complete(self, response: Message) -> None:
        """A callee that knows no session timers leaves the refreshing to a caller that does."""
        if self._caller_can and _SESSION_EXPIRES not in response.names:
            response.append(b"Session-Expires", b"%d;refresher=uac" % self._seconds)
            response.append(b"Require", b"timer")


def granted(response: Message) -> int:
    """The session timer that a 2xx puts in force, seconds (§8.2); 0: none, or none that can be read."""
    try:
        return _seconds(response, _SESSION_EXPIRES)
    except BadMessage:
        return 0


def timed(request: Message, config: SipConfig) -> SessionTimer | None:
    """Look at the session timer that a request asks for, and ask for one where it does not.

    Raises:
        IntervalTooSmall: 422.
        BadMessage: Session-Expires or Min-SE is malformed.
    """
    caller_can = b"supported" in request.names and b"timer" in request.values(b"supported")
    if _SESSION_EXPIRES not in request.names:
        if not config.session_expires:
            return None
        wanted = max(config.session_expires, _seconds(request, _MIN_SE))
        request.append(b"Session-Expires", b"%d" % wanted)
        return SessionTimer(wanted, caller_can)
    wanted, least = _seconds(request, _SESSION_EXPIRES), config.min_session_expires
    if wanted < least:
        if caller_can:
            raise IntervalTooSmall(least)
        # A caller that does not know 422 has the interval raised for it (§8.1); refresher stays as it is.
        value = request.need(_SESSION_EXPIRES)
        request.set(b"Session-Expires", b"%d" % least + value[len(value.partition(b";")[0]) :])
        request.set(b"Min-SE", b"%d" % max(least, _seconds(request, _MIN_SE)))
        wanted = least
    return SessionTimer(wanted, caller_can)


def _seconds(request: Message, name: bytes) -> int:
    value = request.get(name)
    if value is None:
        return _LEAST if name == _MIN_SE else 0
    number, semicolon, rest = value.partition(b";")
    number = number.strip(b" \t")
    if not number.isdigit() or len(number) > 9:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, f"Malformed {name.decode().title()}")
    parse_params(semicolon + rest, name.decode().title())
    return int(number)
