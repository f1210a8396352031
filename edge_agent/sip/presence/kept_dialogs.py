"""Calls that busy lamps show, as they are kept on disk: a lamp of a call that goes on is lit after a restart, too.

Only answered calls of users whom somebody watches, and those of shared lines, are kept. A phone sends its BYE again for
32 seconds, so a restart that takes less misses no end of a call; after a longer absence nobody knows which calls are
over, and lamps stay dark.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.proxy.parties import Party

KIND: Final = "dialog"
_ALIVE: Final = "dialogs_alive"
_ALIVE_KEY: Final = "at"
LONGEST_ABSENCE_SECONDS: Final = 32.0
"""Timer F (RFC 3261 §17.1.2.2)."""


class KeptDialogs:
    """Keeps what lamps show of answered calls.

    Args:
        store: keeps rows; the caller commits it for each batch.
        clock: wall time.
        beat_seconds: how often `beat` is called.
    """

    def __init__(self, store: KeptRows, clock: Clock, beat_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._beat_seconds = beat_seconds
        self._kept: dict[str, tuple[float, str]] = {}
        """Since when, and the row."""

    def keep(self, parties: Iterable[Party]) -> None:
        """Keep the answered ones of these, which somebody watches."""
        for party in parties:
            if party.state == "confirmed":
                self._put(party, self._clock.now().timestamp())

    def forget(self, party: Party) -> None:
        """A call is over."""
        key = _key(party)
        if key in self._kept:
            del self._kept[key]
            self._store.remove(KIND, key)

    def beat(self) -> None:
        """Note that this edge hears what ends; to be called every `beat_seconds`."""
        if self._kept:
            self._store.put(_ALIVE, _ALIVE_KEY, str(self._clock.now().timestamp()))

    def restore(self, longest_seconds: float) -> list[tuple[Party, float]]:
        """What was kept.

        Args:
            longest_seconds: after which a call is taken for over.

        Returns:
            Each answered call of a user, and for how many seconds yet it may go on.
        """
        wall = self._clock.now().timestamp()
        away = wall - self._alive_at()
        found: list[tuple[Party, float]] = []
        for key, text in self._store.load(KIND).items():
            try:
                party, since = _restored(text)
            except (ValueError, KeyError, TypeError):
                self._store.remove(KIND, key)
                continue
            left = min(since + longest_seconds - wall, longest_seconds)
            if away > LONGEST_ABSENCE_SECONDS + self._beat_seconds or left <= 0 or key != _key(party):
                self._store.remove(KIND, key)
                continue
            self._kept[key] = since, text
            found.append((party, left))
        self.beat()
        return found

    def _alive_at(self) -> float:
        try:
            return float(self._store.load(_ALIVE).get(_ALIVE_KEY, "0"))
        except ValueError:
            return 0.0

    def _put(self, party: Party, since: float) -> None:
        key = _key(party)
        since, before = self._kept.get(key, (since, ""))
        if not self._kept:
            self._store.put(_ALIVE, _ALIVE_KEY, str(since))
        row: dict[str, object] = {
            "user": party.user_id,
            "id": party.dialog_id,
            "call_id": party.call_id.decode("latin-1"),
            "direction": party.direction,
            "local_tag": party.local_tag.decode("latin-1"),
            "remote_tag": party.remote_tag.decode("latin-1"),
            "remote": party.remote,
            "since": since,
        }
        if party.appearance:
            row |= {"appearance": party.appearance, "held": party.held, "exclusive": party.exclusive}
        text = json.dumps(row)
        if text != before:
            self._kept[key] = since, text
            self._store.put(KIND, key, text)


def _key(party: Party) -> str:
    return f"{party.user_id}\n{party.dialog_id}"


def _restored(text: str) -> tuple[Party, float]:
    row = json.loads(text)
    if row["direction"] not in ("initiator", "recipient") or not isinstance(row["remote"], str | None):
        raise ValueError("no such direction, or no address")
    party = Party(
        str(row["user"]),
        str(row["id"]),
        row["call_id"].encode("latin-1"),
        "initiator" if row["direction"] == "initiator" else "recipient",
        row["local_tag"].encode("latin-1"),
        row["remote_tag"].encode("latin-1"),
        row["remote"],
    )
    party.state = "confirmed"
    party.appearance = int(row.get("appearance", 0))
    party.held, party.exclusive = row.get("held") is True, row.get("exclusive") is True
    return party, float(row["since"])
