"""Which phones called for help from each place, so that a call back to its number (ELIN) rings them.

Who answers for the public's safety calls back the number that the call showed. For the configured time that rings
the very phone, whether or not anybody is logged in at it and whatever its user set.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.location import Location
from edge_agent.sip.message import Flow
from edge_agent.sip.message.flow import Transport

_KIND: Final = "emergency_callback"
MOST_PHONES: Final = 5
"""Of one place: if more called for help, the last ones ring."""
_TRANSPORTS: Final[dict[str, Transport]] = {"udp": "udp", "tcp": "tcp", "tls": "tls", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class CalledFrom:
    """A phone that called for help.

    Args:
        contact: its Contact URI.
        flow: where its INVITE came from.
        user_id: whose it is; None: nobody's.
        until: how long it is called back; seconds since 1970.
        route: of what is sent there.
    """

    contact: bytes
    flow: Flow
    user_id: str | None
    until: float
    route: tuple[bytes, ...] = ()


class Callbacks:
    """The phones, by the number of their place.

    Args:
        kept: keeps them; the caller commits it for each batch.
        location: where phones are registered now.
        clock: wall time.
    """

    def __init__(self, kept: KeptRows, location: Location, clock: Clock) -> None:
        self._kept = kept
        self._location = location
        self._clock = clock
        self._phones: dict[str, dict[bytes, CalledFrom]] = {}

    def called(self, elin: str, contact: bytes, flow: Flow, user_id: str | None, seconds: float) -> None:
        """Somebody called for help; for so many seconds a call to this number rings the phone."""
        phones = self._phones.setdefault(elin, {})
        phones.pop(contact, None)
        while len(phones) >= MOST_PHONES:
            self._forget(elin, next(iter(phones)))
        one = CalledFrom(contact, flow, user_id, self._clock.now().timestamp() + seconds)
        phones[contact] = one
        row = [contact.decode("latin-1"), flow.transport, flow.host, flow.port, user_id, one.until]
        self._kept.put(_KIND, _key(elin, contact), json.dumps([elin, *row]))

    def elins(self) -> frozenset[str]:
        """Numbers of places that are called back now."""
        if not self._phones:
            return frozenset()
        return frozenset(elin for elin in self._phones if self.phones(elin))

    def phones(self, elin: str) -> list[CalledFrom]:
        """The phones of a place that are called back now, the one that called last first."""
        now = self._clock.now().timestamp()
        return [one for one in reversed(self._phones.get(elin, {}).values()) if one.until > now]

    def ways(self, elin: str, now: float) -> list[CalledFrom]:
        """The same, each where it is registered now (seconds, monotonic), else where it called from."""
        found: list[CalledFrom] = []
        for one in self.phones(elin):
            binding = self._location.at_contact(one.contact)
            if binding is not None and binding.expires > now:
                one = replace(one, flow=binding.flow, user_id=binding.user_id, route=binding.path)
            found.append(one)
        return found

    def sweep(self) -> None:
        """Forget those whose time is over; to be called every few seconds."""
        now = self._clock.now().timestamp()
        for elin, phones in list(self._phones.items()):
            for contact in [one.contact for one in phones.values() if one.until <= now]:
                self._forget(elin, contact)
            if not phones:
                del self._phones[elin]

    def restore(self) -> None:
        """Take up what an earlier process kept."""
        rows: list[tuple[str, CalledFrom]] = []
        for key, text in self._kept.load(_KIND).items():
            try:
                elin, contact, transport, host, port, user_id, until = json.loads(text)
                flow = Flow(_TRANSPORTS[transport], str(host), int(port))
                owner = None if user_id is None else str(user_id)
                rows.append((str(elin), CalledFrom(contact.encode("latin-1"), flow, owner, float(until))))
            except (ValueError, TypeError, KeyError, AttributeError):
                self._kept.remove(_KIND, key)
        for elin, one in sorted(rows, key=lambda row: row[1].until):
            self._phones.setdefault(elin, {})[one.contact] = one
        self.sweep()

    def _forget(self, elin: str, contact: bytes) -> None:
        del self._phones[elin][contact]
        self._kept.remove(_KIND, _key(elin, contact))


def _key(elin: str, contact: bytes) -> str:
    return f"{elin}\n{contact.decode('latin-1')}"
