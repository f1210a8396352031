"""Transfers (REFER, RFC 3515) at FreeSWITCH: those that a phone asks for, and those that a phone is asked for.

FreeSWITCH carries a transfer out by itself where it knows both calls, and knows none of the applications': it takes
every REFER (202) and says at once that it failed (NOTIFY, 403), yet tells the application of one without Replaces. So
Replaces goes by another name, and what FreeSWITCH says at once becomes what is true: it is being tried. What becomes of
it is the application's to tell, by the number of the REFER.

Of a transfer that FreeSWITCH asks for it takes the last NOTIFY, by which the subscription ends, for the end of the
whole dialog: its SIP stack says BYE, of which FreeSWITCH does not know. So that subscription never ends.
"""

from __future__ import annotations

from typing import Final

from edge_agent.sip.message import Message, NameAddr, SipError, Uri
from edge_agent.sip.message.uri import unescape
from edge_agent.sip.user_agent.refer import SECONDS

TAKES: Final = b"X-Tandem-Takes"
"""Header in Refer-To: Replaces (RFC 3891). Its name may not end as that one's does."""
NUMBER: Final = b"X-Tandem-Number"
"""Header in Refer-To: the number of the REFER (CSeq), which tells its NOTIFYs from those of another (§2.4.6)."""
_OURS: Final = frozenset({TAKES.lower(), NUMBER.lower()})
_REPLACES: Final = b"replaces"
_AT_ONCE: Final = b"SIP/2.0 403 "


def hide(request: Message) -> bool:
    """Write a REFER on its way to FreeSWITCH so that the application hears of it.

    Returns:
        Whether it will; not of one that is malformed.
    """
    try:
        values = request.values(b"refer-to")
        if len(values) != 1:
            return False
        found = NameAddr.parse(values[0], "Refer-To").uri
        number = request.cseq[0]
    except SipError:
        return False
    if not found.is_sip or not found.user:
        return False
    given = [one.partition(b"=") for one in found.headers.split(b"&") if one]
    kept = [
        (TAKES if unescape(name).lower() == _REPLACES else name) + b"=" + value
        for name, _, value in given
        if unescape(name).lower() not in _OURS
    ]
    kept.append(NUMBER + b"=%d" % number)
    bare = Uri(found.host, found.user, found.port, scheme=found.scheme, params=dict(found.params))
    request.set(b"Refer-To", b"<" + bare.text + b"?" + b"&".join(kept) + b">")
    return True


def go_on(request: Message) -> bool:
    """Have a NOTIFY of FreeSWITCH, by which it says at once that a transfer failed, say that it is being tried.

    Returns:
        Whether it was that.
    """
    if not _is_progress(request) or not request.body.startswith(_AT_ONCE):
        return False
    request.body = b"SIP/2.0 100 Trying\r\n"
    request.set(b"Content-Length", b"%d" % len(request.body))
    request.set(b"Subscription-State", b"active;expires=%d" % SECONDS)
    return True


def keep_up(request: Message) -> None:
    """Keep the call of a NOTIFY on its way to FreeSWITCH, by which a phone tells what became of a transfer.

    Without an expiry: FreeSWITCH would wait for that, and end the call then.
    """
    if _is_progress(request):
        request.set(b"Subscription-State", b"active")


def _is_progress(request: Message) -> bool:
    return (request.get(b"event") or b"").partition(b";")[0].strip(b" \t") == b"refer"
