"""What may be asked of phones by the dial plan and voice services, never by whoever calls: to answer by themselves."""

from __future__ import annotations

from typing import Final

from contract.dialplan import PhonesOnly
from edge_agent.sip.message import Flow, Message, SipError, Uri
from edge_agent.sip.message.build import RawHeader

ANSWER_AT_ONCE: Final[tuple[RawHeader, ...]] = (
    (b"Answer-Mode", b"Auto"),
    (b"Call-Info", b"<sip:intercom.invalid>;answer-after=0"),
    (b"Alert-Info", b"<http://intercom.invalid>;info=alert-autoanswer;delay=0"),
)
"""RFC 5373, and what phones of different makers know instead; each passes over what it does not know."""
PHONES_ONLY: Final = b"x-tandem-phones"
"""Parameter of the Request-URI by which a voice service of the site rings a user's phones and nothing else."""
PHONES: Final[dict[bytes, PhonesOnly]] = {
    b"ring": "ring",
    b"page": "page",
    b"urgent": "urgent",
    b"find_me": "find_me",
    b"call_back": "call_back",
}
"""Its values: see `contract.dialplan.Call`."""
LOOKED_FOR: Final = b"x-tandem-user"
"""Parameter beside it: the id of the user who is looked for, or of the queue that calls back."""
FOR_BROWSERS: Final = b"x-tandem-browsers"
"""Parameter beside it: the session that is offered is for browsers; every other phone is to make the offer itself."""
PROVEN: Final = b"x-tandem-proven"
"""Header of a REFER by which a voice service tells which authorization code its caller proved."""
VOUCHER: Final = b"x-tandem-referrer"
"""Header of an INVITE, and in Refer-To, by which the proxy tells itself whose permissions count (`proxy.referrals`)."""
_MODES: Final = (b"answer-mode", b"priv-answer-mode")
_INFORMATION: Final = ((b"call-info", b"Call-Info"), (b"alert-info", b"Alert-Info"))
_WISHES: Final = (b"answer-after", b"auto-answer", b"autoanswer", b"auto answer", b"intercom", b"appearance")
_WEB: Final = ("ws", "wss")
_WEB_NAMES: Final = (b"ws", b"wss")
OTHER_FORM: Final = frozenset({400, 415, 488, 606})
"""How a phone refuses a session description, or a call that comes without one."""


def is_browser(uri: bytes, flow: Flow) -> bool:
    """Whether a phone is reached by WebSocket (RFC 7118), if need be behind a proxy of its own.

    Args:
        uri: its Contact.
        flow: the way there.
    """
    if flow.transport in _WEB:
        return True
    try:
        return (Uri.parse(uri).params.get(b"transport") or b"").lower() in _WEB_NAMES
    except SipError:
        return False


def remove_wishes(request: Message) -> None:
    """Take out of an INVITE what would make a phone answer by itself: that opens somebody's microphone.

    Appearances of shared lines go, too: they are those of the caller's own line.
    """
    for name in _MODES:
        if request.has(name):
            request.remove(name)
    for name, shown in _INFORMATION:
        if not request.has(name):
            continue
        values = request.all(name)
        kept = [value for value in values if not any(wish in value.lower() for wish in _WISHES)]
        if len(kept) < len(values):
            request.remove(name)
            for value in kept:
                request.append(shown, value)
