"""What one REGISTER asks for: its Contact values, checked (RFC 3261 §10.3 steps 6 and 7, §20.10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import BadMessage, DropReason, Message, NameAddr, RawHeader, SipError, Uri

_Q: Final = re.compile(rb"0(?:\.([0-9]{0,3}))?|1(?:\.0{0,3})?")


class Declined(SipError):
    """A REGISTER that is refused with a header that says what would be right."""

    def __init__(self, status: int, header: RawHeader) -> None:
        super().__init__(status, "")
        self.headers: list[RawHeader] = [header]


@dataclass(frozen=True, slots=True)
class WantedContact:
    """One Contact of a REGISTER.

    Args:
        uri: parsed, text as given in `uri.text`.
        expires: seconds granted; 0 takes the binding away.
        q: preference in thousandths.
        instance: `+sip.instance`, or empty.
        reg_id: which of the phone's flows this is (RFC 5626), or 0.
    """

    uri: Uri
    expires: int
    q: int
    instance: bytes
    reg_id: int = 0


def wanted_contacts(request: Message, config: SipConfig) -> list[WantedContact] | None:
    """The contacts that a REGISTER names; None stands for `*`, an empty list for a question.

    Raises:
        BadMessage: a value is malformed.
        Declined: 423, a contact asks for less than `min_expires`.
        SipError: too many contacts.
    """
    values = request.values(b"contact")
    header = _seconds(request.get(b"expires"))
    if b"*" in values:
        if len(values) > 1 or header != 0:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Contact * Needs Expires 0 and No Other Contact")
        return None
    if len(values) > config.limits.contacts_per_request:
        raise SipError(403, "Too Many Contacts")
    wanted = [_wanted(value, header, config) for value in values]
    if len(wanted) > 1 and any(one.reg_id for one in wanted):
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "More Than One Contact with reg-id")  # RFC 5626 §6
    for at, one in enumerate(wanted):
        if any(one.uri.same_as(other.uri) for other in wanted[:at]):
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Duplicate Contact")
    return wanted


def _wanted(value: bytes, header: int | None, config: SipConfig) -> WantedContact:
    address = NameAddr.parse(value, "Contact")
    if address.uri.scheme != b"sip":
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Contact Is No sip URI")
    expires = _seconds(address.params.get(b"expires"))
    if expires is None:
        expires = config.default_expires if header is None else header
    if 0 < expires < config.min_expires:
        raise Declined(423, (b"Min-Expires", b"%d" % config.min_expires))
    instance = address.params.get(b"+sip.instance") or b""
    return WantedContact(
        uri=address.uri,
        expires=min(expires, config.max_expires),
        q=_q(address.params.get(b"q", b"1")),
        instance=instance,
        reg_id=_reg_id(address.params.get(b"reg-id")) if instance else 0,
    )


def _seconds(value: bytes | None) -> int | None:
    """A number of seconds; a malformed one counts as none given (§20.19)."""
    if value is None or not value.isdigit():
        return None
    return min(int(value[:11]), 2**32 - 1)


def _reg_id(value: bytes | None) -> int:
    if value is None:
        return 0
    if not value.isdigit() or not 0 < int(value[:11]) < 2**31:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed reg-id in Contact")
    return int(value)


def _q(value: bytes | None) -> int:
    match = _Q.fullmatch(value or b"")
    if match is None:
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed q in Contact")
    if match.group().startswith(b"1"):
        return 1000
    return int((match.group(1) or b"0").ljust(3, b"0"))
