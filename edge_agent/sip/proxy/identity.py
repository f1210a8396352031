"""Who is calling, as far as we vouch for it: P-Asserted-Identity (RFC 3325) and Privacy (RFC 3323).

The trust domain is this edge and whom `Trust` covers, by address or certificate. What anybody else asserts is
removed; what an authenticated user is, we assert. Phones are told, unless the caller asked for privacy.
"""

from __future__ import annotations

from typing import Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import BadMessage, Flow, Message, NameAddr, SipError
from edge_agent.sip.proxy.telephone import bare
from edge_agent.sip.trust import Trust

ASSERTED: Final = b"p-asserted-identity"
_PREFERRED: Final = b"p-preferred-identity"
_ANONYMOUS_HOST: Final = b"anonymous.invalid"
_PRIVACY: Final = b"privacy"
_UNNAMED: Final = frozenset({b"id", b"user", b"header"})
"""Wishes that an asserted name would go against, whoever else has to do with them (RFC 3323 §4.2, RFC 3325 §9.3)."""
_UNDERSTOOD: Final = frozenset({b"id", b"none", b"critical"})


class Identities:
    """Writes and removes identities.

    Args:
        config: users, domain, From policy.
        trust: who may assert, and be told.
    """

    def __init__(self, config: SipConfig, trust: Trust) -> None:
        self._trust = trust
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config
        self._written: dict[str, bytes] = {}

    def is_trusted(self, flow: Flow) -> bool:
        """Whether what comes from there, or goes there, stays among those who trust each other."""
        return self._trust.covers(flow)

    def settle(self, request: Message, user_id: str | None) -> None:
        """Leave a request that was let in with the identity that we vouch for, and no other.

        Args:
            request: outside of a dialog.
            user_id: who sent it; None for a trusted peer, whose word counts.

        Raises:
            SipError: 500, a privacy that is critical to the caller cannot be given (RFC 3323 §5).
            BadMessage: P-Preferred-Identity is malformed.
        """
        if request.has(_PRIVACY):
            wanted = _privacy(request)
            if b"critical" in wanted and not wanted <= _UNDERSTOOD:
                raise SipError(500, "Privacy Service Not Available")
        if user_id is not None:
            self._assert(request, user_id)

    def settle_emergency(self, request: Message, user_id: str | None) -> None:
        """As `settle`, for an emergency call, which is refused for nothing; `user_id` None is somebody unknown."""
        if user_id is not None:
            self._assert(request, user_id)
        elif not self.is_trusted(request.flow):
            request.remove(ASSERTED)

    def _assert(self, request: Message, user_id: str) -> None:
        request.remove(ASSERTED)
        value = self._preferred(request, user_id) if request.has(_PREFERRED) else None
        if value is None:
            value = self._written.get(user_id) or self._write(user_id)
        request.append(b"P-Asserted-Identity", value)

    def _preferred(self, request: Message, user_id: str) -> bytes | None:
        """The identity that the user prefers, if it is one of his and the site lets him choose (RFC 3325 §5)."""
        config = self._config
        if config.from_policy == "lenient":
            request.remove(_PREFERRED)
            return None
        found = None
        for value in request.values(_PREFERRED):
            uri = NameAddr.parse(value, "P-Preferred-Identity").uri
            owner = config.plan.dialled.get(uri.dialled) if uri.host == config.domain.encode() else None
            if found is None and owner is not None and owner.user_id == user_id:
                found = self._named(user_id, uri.user)
        request.remove(_PREFERRED)
        return found

    def _write(self, user_id: str) -> bytes:
        value = self._named(user_id, self._config.users[user_id].username.encode())
        self._written[user_id] = value
        return value

    def _named(self, user_id: str, name: bytes) -> bytes:
        """One of the user's addresses under the name that the site gave him, not one of his own making."""
        user = self._config.users[user_id]
        display = user.display_name.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{display}" ' if display else ""
        return shown.encode() + b"<sip:" + name + b"@" + self._config.domain.encode() + b">"


def is_private(request: Message) -> bool:
    """Whether the caller does not want to be named (RFC 3323 §4.2, RFC 3325 §7, §9.3)."""
    return request.has(_PRIVACY) and not _UNNAMED.isdisjoint(_privacy(request))


def shown_by(request: Message) -> tuple[str, bool]:
    """What a caller from outside shows: the user part of its address, and whether it wants to be anonymous.

    What a trusted peer asserts goes before what From says; `Identities` has removed what others assert.
    """
    shown = request.uri_of(b"from")
    anonymous = shown.host == _ANONYMOUS_HOST or shown.user.lower() == b"anonymous"
    if request.has(ASSERTED):
        try:
            shown = NameAddr.parse(request.values(ASSERTED)[0], "P-Asserted-Identity").uri
        except BadMessage:
            return "", anonymous
    return shown.dialled if shown.scheme in (b"sip", b"sips") else bare(shown).decode("ascii", "replace"), anonymous


def _privacy(request: Message) -> set[bytes]:
    values = [part for value in request.all(_PRIVACY) for part in value.replace(b",", b";").split(b";")]
    return {value.strip(b" \t").lower() for value in values}
