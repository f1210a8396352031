"""What scenarios do with phones: connect two, check that both hear each other, and end the call at both ends."""

import threading
from typing import Final

from tests.support.phones.linphone import LinphonePhone
from tests.support.phones.phone import Phone, Seen

TALK_SECONDS: Final = 0.4
"""Long enough for some packets of audio each way."""


def number(phone: Phone) -> str:
    """Its extension."""
    return phone.account.username


def connect(caller: Phone, callee: Phone) -> None:
    """A call that is answered."""
    caller.call(number(callee))
    callee.wait_for(Seen.INCOMING)
    caller.wait_for(Seen.RINGING)
    callee.answer()
    callee.wait_for(Seen.ANSWERED)
    caller.wait_for(Seen.ANSWERED)


def talk() -> None:
    """Let audio flow for a moment."""
    threading.Event().wait(TALK_SECONDS)


def media_lines(description: str) -> list[str]:
    """What a session description says of where audio goes, and how it is coded."""
    return [
        line for line in description.splitlines() if line.startswith(("o=", "c=", "m=", "a=rtpmap", "a=fingerprint"))
    ]


def is_same_at_both_ends(caller: Phone, callee: Phone) -> None:
    """Both session descriptions came through the edge as they were sent, so that audio goes from phone to phone."""
    for what in (Seen.OFFER, Seen.ANSWER):
        ends = [media_lines(phone.wait_for(what).detail) for phone in (caller, callee)]
        assert ends[0] == ends[1]
        assert ends[0]


def hang_up(who: Phone, other: Phone) -> None:
    """End a call, seen at both ends."""
    who.hang_up()
    other.closed()
    who.closed()


def hear(*phones: Phone) -> None:
    """Audio has come to these in their newest call; linphonec tells of it only when the call is over."""
    for phone in phones:
        if not isinstance(phone, LinphonePhone):
            phone.wait_for(Seen.HEARD)
    talk()


def hang_up_heard(who: Phone, other: Phone) -> None:
    """End a call in which both have heard each other."""
    hear(who, other)
    hang_up(who, other)
    for phone in (who, other):
        if isinstance(phone, LinphonePhone):
            phone.wait_for(Seen.HEARD)
