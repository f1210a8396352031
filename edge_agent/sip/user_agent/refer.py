"""Transfers (RFC 3515): what REFER asks for, and the implicit subscription that tells what becomes of it.

Refer-To with Replaces is an attended transfer (RFC 3891), Referred-By goes along (RFC 3892), and without a subscription
(RFC 4488) nothing is told.
"""

from __future__ import annotations

import re
from typing import Final

from edge_agent.ports import Transfer
from edge_agent.sip.answering import PROVEN, VOUCHER
from edge_agent.sip.message import BadMessage, DropReason, Message, NameAddr, RawHeader, SipError
from edge_agent.sip.message.build import REASONS
from edge_agent.sip.message.uri import Uri, unescape

_STATUS: Final = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})(?: |\r|\n|$)")
_FRAG: Final = b"message/sipfrag"
_ESCAPED: Final = re.compile(rb"[^A-Za-z0-9\-_.!~*'()]")
_LINE_ENDS: Final = frozenset(b"\r\n")
SECONDS: Final = 180
"""How long the implicit subscription lasts; a transfer is decided by then."""


def wanted_transfer(request: Message) -> Transfer:
    """What a REFER asks for.

    Raises:
        BadMessage: not exactly one Refer-To (§2.4.1), or it is malformed.
        SipError: 416, it is no SIP URI; 403, it is not to be called but to be sent something else.
    """
    values = request.values(b"refer-to")
    if len(values) != 1:
        raise BadMessage(DropReason.MISSING_HEADER, "Exactly One Refer-To Is Needed")
    uri = NameAddr.parse(values[0], "Refer-To").uri
    if not uri.is_sip:
        raise SipError(416, "Unsupported URI Scheme")
    if (uri.params.get(b"method") or b"INVITE").upper() != b"INVITE":
        raise SipError(403, "Only INVITE")
    replaces = voucher = b""
    for one in uri.headers.split(b"&"):
        name, _, value = one.partition(b"=")
        if unescape(name).lower() == b"replaces":
            replaces = unescape(value)
        elif unescape(name).lower() == VOUCHER:
            voucher = unescape(value)
    if not _LINE_ENDS.isdisjoint(replaces + voucher):
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Refer-To")
    params = {name: value for name, value in uri.params.items() if name != b"method"}
    target = Uri(uri.host, uri.user, uri.port, scheme=uri.scheme, params=params)
    return Transfer(
        target.text.decode("ascii"),
        replaces.decode("ascii", "replace"),
        (request.get(b"referred-by") or b"").decode("ascii", "replace"),
        (request.get(b"p-served-user") or b"").decode("ascii", "replace"),
        voucher=voucher.decode("ascii", "replace"),
    )


def refer_headers(transfer: Transfer, quiet: bool) -> tuple[RawHeader, ...]:
    """The headers of a REFER of ours that asks for this.

    Args:
        transfer: whom the peer is to call.
        quiet: no subscription is wanted (RFC 4488).
    """
    target = transfer.target.encode()
    more = ((b"Replaces", transfer.replaces), (VOUCHER.title(), transfer.voucher))
    if given := [name + b"=" + _escaped(value) for name, value in more if value]:
        target += b"?" + b"&".join(given)
    headers: list[RawHeader] = [(b"Refer-To", b"<" + target + b">")]
    if transfer.referred_by:
        headers.append((b"Referred-By", transfer.referred_by.encode()))
    if transfer.proven:
        headers.append((PROVEN.title(), transfer.proven.encode()))
    if quiet:
        headers += [(b"Refer-Sub", b"false"), (b"Supported", b"norefersub")]
    return tuple(headers)


def _escaped(value: str) -> bytes:
    return _ESCAPED.sub(lambda found: b"%%%02X" % found.group()[0], value.encode())


def is_quiet(request: Message) -> bool:
    """Whether a REFER wants no subscription (RFC 4488 §4)."""
    return (request.get(b"refer-sub") or b"").partition(b";")[0].strip(b" \t").lower() == b"false"


def progress(event: bytes, status: int, left: int) -> tuple[tuple[RawHeader, ...], bytes]:
    """Headers and body of the NOTIFY that tells how far a transfer is (§2.4.5).

    Args:
        event: value of Event.
        status: what the call to the target got so far; a final one ends the subscription.
        left: seconds.
    """
    state = b"terminated;reason=noresource" if status >= 200 else b"active;expires=%d" % left
    body = b"SIP/2.0 %d " % status + REASONS.get(status, b"Response") + b"\r\n"
    headers = ((b"Event", event), (b"Subscription-State", state), (b"Content-Type", _FRAG + b";version=2.0"))
    return headers, body


def told_progress(request: Message) -> tuple[int, bool]:
    """Status and finality that a NOTIFY of `refer` tells.

    Raises:
        SipError: 489 another event, 400 no sipfrag.
    """
    if (request.get(b"event") or b"").partition(b";")[0].strip(b" \t") != b"refer":
        raise SipError(489, "Bad Event")
    kind = (request.get(b"content-type") or b"").partition(b";")[0].strip(b" \t").lower()
    found = _STATUS.match(request.body)
    ended = (request.get(b"subscription-state") or b"").lower().startswith(b"terminated")
    if kind != _FRAG or found is None:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Progress of a Transfer")
    status = int(found[1])
    return status, ended or status >= 200
