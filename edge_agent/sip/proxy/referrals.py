"""Transfers cost whoever asks for them: where a REFER leads, its sender has to be allowed (RFC 3515, RFC 5589).

A REFER to a number that its sender may not call is refused. One that he may call gets a voucher into its Refer-To,
which the phone that is sent there puts into its INVITE (RFC 3261 §19.1.1): for that one number and a short time, what
counts is who vouched. A phone that drops it calls with its own user's permissions.
"""

from __future__ import annotations

import hmac
from typing import Final

from contract.dialplan import Change, Decision, Reject
from edge_agent.clock import Clock
from edge_agent.sip.answering import VOUCHER
from edge_agent.sip.message import Message, NameAddr, SipError, Uri
from edge_agent.sip.message.digest import keyed_digest
from edge_agent.sip.message.uri import unescape

OF_SERVICE: Final = "service:"
"""Before the id of an attendant that vouches; ids of users have no colon."""
SECONDS: Final = 300
"""How long a phone has to place the call that it was sent to."""
_DIGITS: Final = 32
_REFER_TO: Final = b"refer-to"
_REPLACES: Final = b"replaces"


class Referrals:
    """Writes and reads vouchers.

    Args:
        key: secret of this edge.
        clock: they are good for a while.
    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def vouch(self, request: Message, target: Uri, user_id: str) -> None:
        """Let who is sent to `target` by this REFER go there with the permissions of this user, or `OF_SERVICE`."""
        until = int(self._clock.now().timestamp()) + SECONDS
        proof = self._proof(user_id, target.dialled, until)
        voucher = user_id.encode() + b".%d." % until + proof
        request.set(b"Refer-To", b"<" + target.text + b"?" + VOUCHER.title() + b"=" + voucher + b">")

    def referrer(self, request: Message, dialled: str) -> str | None:
        """Who vouched for an INVITE to this number; the voucher is taken out. None: nobody, or for another call."""
        value = request.get(VOUCHER)
        if value is None:
            return None
        request.remove(VOUCHER)
        return self._read(value, dialled)

    def passed_on(self, target: Uri) -> str | None:
        """Who vouched for a transfer to `target` that a voice service passes on to the other end of its call."""
        for one in target.headers.split(b"&"):
            name, _, value = one.partition(b"=")
            if unescape(name).lower() == VOUCHER:
                return self._read(unescape(value), target.dialled)
        return None

    def _read(self, value: bytes, dialled: str) -> str | None:
        user_id, _, rest = value.partition(b".")
        until, _, proof = rest.partition(b".")
        if not until.isdigit() or len(until) > _DIGITS or self._clock.now().timestamp() > int(until):
            return None
        name = user_id.decode("ascii", "replace")
        if not hmac.compare_digest(proof, self._proof(name, dialled, int(until))):
            return None
        return name

    def _proof(self, user_id: str, dialled: str, until: int) -> bytes:
        return keyed_digest(self._key, f"referrer:{user_id}:{until}:{dialled}".encode(), _DIGITS)


def referred_to(request: Message) -> Uri | None:
    """Whom a REFER asks to call, where that is a new call; None: it takes over one that was placed already, or asks
    for something else.

    Raises:
        BadMessage: Refer-To is malformed.
        SipError: 400, there are several (RFC 3515 §2.4.2).
    """
    values = request.all(_REFER_TO)
    if len(values) > 1:
        raise SipError(400, "More Than One Refer-To")
    if not values:
        return None
    target = NameAddr.parse(values[0], "Refer-To").uri
    if not target.is_sip or target.params.get(b"method") not in (None, b"INVITE"):
        return None
    return None if _REPLACES in target.headers.lower() else target


class NotAllowed(SipError):
    """Somebody may not send another where he wants to.

    Args:
        where: that is, for people.
    """

    def __init__(self, where: str) -> None:
        super().__init__(403, "Transfer Not Allowed")
        self.where = where


def check(decision: Decision, dialled: str) -> None:
    """Whether somebody may send another where this decision leads.

    Args:
        decision: of the dial plan, for him.
        dialled: what it was asked for.

    Raises:
        NotAllowed: he may not go there himself, or it would change what the other has set.
    """
    step = decision.step
    if isinstance(step, Change) or (isinstance(step, Reject) and step.status == 403):
        raise NotAllowed(dialled)


def attendant_of(referrer: str | None) -> str | None:
    """The id of the attendant that vouched; None: somebody else did."""
    if referrer is None or not referrer.startswith(OF_SERVICE):
        return None
    return referrer.removeprefix(OF_SERVICE)
