"""Who calls and who is called, as providers write it and as the site does (RFC 3323, RFC 3325, RFC 7315)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contract.dialplan.numbers import in_e164
from edge_agent.sip.message import BadMessage, Message, NameAddr, RawHeader, Uri, escaped_user
from edge_agent.sip.trunks.account import Account

ANONYMOUS: Final = Uri(b"anonymous.invalid", b"anonymous")
"""RFC 3323 §4.1.1.3."""
_ANONYMOUS_DISPLAY: Final = b'"Anonymous"'
_ID: Final = b"id"
_NEEDLESS: Final = frozenset({b"none", b""})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Args:
        number: user part, unescaped; empty: nobody says.
        display: the name, as it stands on the wire; empty: none.
        private: whether he does not want to be named.
    """

    number: str
    display: bytes = b""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What a call of ours to a provider shows.

    Args:
        local: address in From.
        display: name in From.
        headers: identity and privacy beside it.
    """

    local: Uri
    display: bytes
    headers: tuple[RawHeader, ...]


def caller_inside(invite: Message) -> Caller:
    """Who calls out, as the proxy wrote it: the number asserted is the one to show; without one there is none."""
    asserted = _first_address(invite, b"p-asserted-identity")
    number = asserted.uri.dialled if asserted is not None else ""
    shown = invite.address(b"from")
    private = is_private(invite) or shown.uri.host == ANONYMOUS.host
    return Caller(number, asserted.display if asserted is not None else b"", private)


def shown_outside(caller: Caller, account: Account) -> Shown:
    """What a provider gets to see of a caller (RFC 3325 §9.1: it is trusted with the number of who is private)."""
    trunk = account.trunk
    user = escaped_user(caller.number or trunk.username or "anonymous")
    params: dict[bytes, bytes | None] = {b"user": b"phone"} if trunk.user_is_phone and caller.number else {}
    number = Uri(account.domain, user, params=params)
    headers: list[RawHeader] = []
    named = b"<" + bytes(number) + b">"
    # A provider that is not trusted does not hear from whom a private call is.
    match trunk.identity_in if trunk.trusted or not caller.private else "from_only":
        case "asserted":
            headers.append((b"P-Asserted-Identity", named))
        case "preferred":
            headers.append((b"P-Preferred-Identity", named))
        case "remote_party":
            privacy = b"full" if caller.private else b"off"
            headers.append((b"Remote-Party-ID", named + b";party=calling;screen=yes;privacy=" + privacy))
        case "from_only":
            pass
    if caller.private:
        headers.append((b"Privacy", _ID))
        return Shown(ANONYMOUS, _ANONYMOUS_DISPLAY, tuple(headers))
    if trunk.caller_id_in == "asserted" and trunk.username is not None:
        # The account in From, the number beside it.
        return Shown(account.address, caller.display, tuple(headers))
    return Shown(number, caller.display, tuple(headers))


def caller_outside(invite: Message, account: Account) -> Caller:
    """Who calls from the public network, his number as the site's users dial it."""
    trunk = account.trunk
    shown = invite.address(b"from")
    found = shown
    if trunk.caller_number_in == "asserted":
        found = _first_address(invite, b"p-asserted-identity") or _first_address(invite, b"remote-party-id") or shown
    private = is_private(invite) or shown.uri.host == ANONYMOUS.host or shown.uri.user.lower() == b"anonymous"
    user = _number(found.uri)
    number = "" if user == "anonymous" else in_e164(trunk.incoming, user)
    return Caller(number, shown.display, private)


def shown_inside(caller: Caller, domain: str) -> Shown:
    """What the site gets to see of a caller from outside: who is private is named to nobody (RFC 3323 §4.2)."""
    if caller.private or not caller.number:
        headers: tuple[RawHeader, ...] = ((b"Privacy", _ID),) if caller.private else ()
        return Shown(ANONYMOUS, _ANONYMOUS_DISPLAY, headers)
    number = Uri(domain.encode(), escaped_user(caller.number))
    return Shown(number, caller.display, ((b"P-Asserted-Identity", b"<" + bytes(number) + b">"),))


def called_number(invite: Message, account: Account) -> str:
    """The number that is called, as the provider wrote it."""
    trunk = account.trunk
    found: Uri | None = None
    if trunk.called_number_in == "to":
        found = invite.address(b"to").uri
    elif trunk.called_number_in == "p_called_party":
        called = _first_address(invite, b"p-called-party-id")
        found = called.uri if called is not None else invite.address(b"to").uri
    return _number(found if found is not None else invite.request_uri())


def is_private(message: Message) -> bool:
    """Whether the caller asks not to be named."""
    wanted = {one.strip().lower() for line in message.all(b"privacy") for one in line.replace(b",", b";").split(b";")}
    return bool(wanted - _NEEDLESS - {b"critical"})


def _number(uri: Uri) -> str:
    """User part without its telephone parameters (RFC 3261 §19.1.6)."""
    text = uri.opaque.decode("ascii", "replace") if uri.scheme == b"tel" else uri.dialled
    return text.partition(";")[0]


def _first_address(message: Message, name: bytes) -> NameAddr | None:
    """The first value of a header; None: it has none, or none that can be read."""
    try:
        values = message.values(name)
        return NameAddr.parse(values[0], name.decode().title()) if values else None
    except BadMessage:
        return None
