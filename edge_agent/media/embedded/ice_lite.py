"""The lite side of ICE (RFC 8445 §2.5): it answers checks and sends none, and the peer chooses the path.

Who is not known by a check that has the call's password gets no answer.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from edge_agent.media.dtls_terms import IceCredentials
from edge_agent.media.embedded import stun
from edge_agent.media.embedded.rtp import DropReason
from edge_agent.media.embedded.source import Address
from edge_agent.media.embedded.stun import Attribute, Message

MOST_SOURCES: Final = 16
"""Addresses of the peer that are known at one time; beyond them the one that was checked longest ago goes."""
CONSENT_SECONDS: Final = 30.0
"""How long a check is good for (RFC 7675 §5.1)."""
STALE_SECONDS: Final = 5.0
"""A chosen path that was not checked for so long gives way to any other one that is chosen."""


@dataclass(slots=True)
class _Path:
    checked_at: float
    priority: int
    chosen: bool = False


class IceLite:
    """The checks of one call's only component."""

    def __init__(self, ours: IceCredentials, theirs: IceCredentials) -> None:
        self._paths: dict[Address, _Path] = {}
        self._chosen: Address | None = None
        self.restart(ours, theirs)

    def restart(self, ours: IceCredentials, theirs: IceCredentials) -> None:
        """Other credentials count from now on; the path stays until another one is chosen (RFC 8445 §9)."""
        self._username = f"{ours.ufrag}:{theirs.ufrag}".encode()
        self._password = ours.password.encode()
        for path in self._paths.values():
            path.chosen = False

    @property
    def chosen(self) -> Address | None:
        """Where the peer wants to be reached."""
        return self._chosen

    def checked(self, source: Address, now: float) -> bool:
        """Whether an address is the peer's, as far as a check has shown within `CONSENT_SECONDS`."""
        path = self._paths.get(source)
        return path is not None and now - path.checked_at <= CONSENT_SECONDS

    def receive(self, data: bytes, source: Address, now: float) -> bytes | DropReason:
        """The answer to a check, or why there is none; for any bytes at all."""
        request = stun.parse(data)
        if isinstance(request, DropReason):
            return request
        if request.kind != stun.BINDING_REQUEST:
            return DropReason.BAD_STUN
        known = hmac.compare_digest(request.first(Attribute.USERNAME) or b"", self._username)
        if not request.genuine(self._password) or not known:
            return DropReason.NOT_GENUINE
        if request.unknown:
            return stun.error(request, 420, "Unknown Attribute", self._password)
        if request.first(Attribute.ICE_CONTROLLED) is not None:  # one who is lite is never in control (§6.1.1)
            return stun.error(request, 487, "Role Conflict", self._password)
        self._note(request, source, now)
        return stun.success(request, source, self._password)

    def _note(self, request: Message, source: Address, now: float) -> None:
        priority = int.from_bytes((request.first(Attribute.PRIORITY) or b"")[:4])
        path = self._paths.pop(source, None) or _Path(now, priority)
        path.checked_at, path.priority = now, priority
        self._paths[source] = path
        if request.first(Attribute.USE_CANDIDATE) is not None:
            path.chosen = True
            self._choose(source, path, now)
        if len(self._paths) > MOST_SOURCES:
            del self._paths[next(each for each in self._paths if each != self._chosen)]

    def _choose(self, source: Address, path: _Path, now: float) -> None:
        """Of several chosen paths that of the highest priority is taken (§8.1.1), as long as it lives."""
        current = None if self._chosen is None else self._paths.get(self._chosen)
        if (
            current is None
            or not current.chosen
            or path.priority >= current.priority
            or now - current.checked_at > STALE_SECONDS
        ):
            self._chosen = source
