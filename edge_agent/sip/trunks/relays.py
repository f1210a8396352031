"""Which calls by trunks have their media relayed, and at which addresses of ours.

Each side's description is rewritten once, where it comes in, so that everything behind it sees the relay's addresses
only.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from edge_agent.ports import CallRefused
from edge_agent.sip.relaying import RelayedMedia, RelayPool
from edge_agent.sip.relaying.addresses import is_local, numeric
from edge_agent.sip.relaying.descriptions import BadDescription, Stream, streams_of
from edge_agent.sip.relaying.recording import NO_ADDRESS, NO_PORT, NotRecordable, RecordingRules
from edge_agent.sip.relaying.wish import Wish
from edge_agent.sip.trunks.pressed_keys import KeySequence

log = logging.getLogger(__name__)

RELAYING: Final = ("never", "auto", "always")
INSIDE, OUTSIDE = 0, 1
NOT_RELAYABLE: Final = "a description of its media cannot be relayed"


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """When and where media is relayed.

    Args:
        when: `auto` relays where the phone's address means nothing to the provider and the relay's does, and where
            the two are of different families.
        inside: the relay's addresses as phones reach them, one of a family.
        outside: the same for providers.
        first_port, last_port: the range; a stream takes two even ports of it, with the odd ones behind them.
    """

    when: Literal["never", "auto", "always"] = "never"
    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    first_port: int = 17408
    last_port: int = 18431


class Relays:
    """The relayed calls of all trunks.

    Args:
        settings: when and where.
        pool: ports, and what carries the streams.
        recording: which calls are recorded, which goes by the relay.
    """

    def __init__(self, settings: RelaySettings, pool: RelayPool, recording: RecordingRules | None = None) -> None:
        self.settings, self.pool = settings, pool
        self.recording = recording or RecordingRules()
        self.calls = 0
        """Relayed calls at this moment."""
        self.counts: Counter[str] = Counter()
        """Why calls were not relayed."""

    def call(self, provider: str, trunk_id: str, called: str = "", call_id: str = "") -> RelayedCall | None:
        """What a new call's descriptions go through; None: nothing is ever relayed.

        Args:
            provider: its name or address.
            trunk_id: by which trunk.
            called: the number outside that the site calls; empty: it is called.
            call_id: of the side towards the site, where it calls.
        """
        may = self.recording.may_record(trunk_id, called, call_id)
        return RelayedCall(self, provider, trunk_id if may else "") if may or self.settings.when != "never" else None

    def restate(self) -> None:
        """Tell the carrier of every stream again, if there is any."""
        self.pool.restate()


class RelayedCall:
    """A call by a trunk whose media may have to be relayed: decided when the first description is seen.

    Args:
        relays: of which it is one.
        provider: its name or address.
        recorded_trunk_id: the trunk, where the call may have to be recorded; empty: it need not be.
    """

    __slots__ = (
        "_closed",
        "_keys",
        "_media",
        "_missing",
        "_outside",
        "_provider",
        "_recorded_trunk_id",
        "_relays",
        "_wanted",
        "_wish",
    )

    def __init__(self, relays: Relays, provider: str, recorded_trunk_id: str = "") -> None:
        self._relays, self._provider, self._recorded_trunk_id = relays, provider, recorded_trunk_id
        self._media = RelayedMedia(relays.pool, self._host_for, own=bool(recorded_trunk_id))
        self._wanted: bool | None = None
        self._wish = Wish(self._media, relays.recording, relays.restate)
        self._closed = False
        self._keys = KeySequence()
        self._missing = NOT_RELAYABLE
        """Why its media does not go by the relay, where it does not."""
        self._outside = [False, True]
        """Whether a provider is at a position."""

    def position(self, inside: bool) -> RelayPosition:
        """Where a side of the call stands at its beginning."""
        return RelayPosition(self, INSIDE if inside else OUTSIDE)

    def through(self, position: int, description: bytes, outside: bool) -> bytes:
        """A description as the other side is to see it.

        Args:
            position: where who wrote it stands.
            description: as it came.
            outside: whether a provider wrote it.
        """
        if self._closed or self._wanted is False or not description:
            return description
        self._outside[position] = outside
        if self._wanted is None:
            try:
                self._wanted = self._is_needed(position, streams_of(description))
            except BadDescription:
                self._relays.counts["not_relayable"] += 1
                self._missing = NOT_RELAYABLE
                return description
            self._relays.calls += self._wanted
        if not self._wanted:
            return description
        changed = self._media.through(position, description)
        if not self._media.relayed:
            # What the one side was told cannot be taken back, so the other one is not led to the relay either.
            self._wanted, self._missing = False, NO_PORT
            self._relays.calls -= 1
        return changed

    def taken(self, position: int, outside: bool) -> None:
        """See `RelayPosition.taken`."""
        self._outside[position] = outside

    def belongs_to(self, call_id: str, *, outward: bool) -> None:
        """The record of the call has this Call-ID: that of the side towards the site.

        Args:
            call_id: of that side.
            outward: whether the site calls.
        """
        self._media.call_id, self._media.caller = call_id, INSIDE if outward else OUTSIDE
        if self._recorded_trunk_id and self._media.record is None:
            missing = "" if self._media.relayed else self._missing
            rules = self._relays.recording
            self._media.record = rules.order(self._recorded_trunk_id, call_id, outward=outward, missing=missing)
        if self._recorded_trunk_id and self._relays.recording.keys:
            self._media.watched = INSIDE
        self._relays.restate()

    @property
    def relayed(self) -> bool:
        """Whether its media goes by the relay."""
        return bool(self._wanted) and self._media.relayed

    @property
    def call_id(self) -> str:
        """Of its record; empty: it was not answered yet."""
        return self._media.call_id

    def pressed(self, call_id: str, key: str, now: float) -> None:
        """Who is at the site pressed a key, which may be the last one of those that begin and end a recording.

        Args:
            call_id: of his side.
            key: one of 0 to 9, star and hash.
            now: seconds, monotonic.
        """
        if not self._keys.completes(self._relays.recording.keys, key, now):
            return
        try:
            if self._media.record is None:
                self.record(call_id)
            else:
                self.record_no_more()
        except CallRefused as refused:
            self._relays.counts["not_recorded"] += 1
            log.info("recording_by_keys_refused", extra={"problem": str(refused)})

    def record(self, call_id: str) -> None:
        """Somebody at the site wants it to be recorded; nothing happens where it is.

        Args:
            call_id: of his side.

        Raises:
            CallRefused: he may not, or it cannot be.
        """
        if self._closed or not self._recorded_trunk_id:
            raise NotRecordable("the media of this call does not go by our relay")
        self._wish.record(self._relays.recording.calls.talking(call_id))

    def record_no_more(self) -> None:
        """Who wanted it recorded wants that no longer; nothing happens where it is not.

        Raises:
            MayNotRecord: a rule has it recorded.
        """
        self._wish.record_no_more()

    def asker_leaves(self) -> None:
        """Who is at the site goes out of the call, which goes on: what he wanted is over."""
        self._wish.asker_leaves()

    def close(self) -> None:
        """The call is over."""
        if not self._closed:
            self._closed = True
            self._relays.calls -= bool(self._wanted)
            self._media.close()

    def _host_for(self, position: int) -> str:
        """The relay's address as whoever stands at a position is told it: of the family that he speaks."""
        settings = self._relays.settings
        hosts = settings.outside if self._outside[position] else settings.inside
        six = self._speaks_six(position)
        return next((host for host in hosts if (":" in host) == six), hosts[0])

    def _speaks_six(self, position: int) -> bool:
        said = self._media.speaks_six(position)
        if said is not None:
            return said
        address = numeric(self._provider) if self._outside[position] else None
        return address is not None and address.version == 6

    def _is_needed(self, position: int, found: tuple[Stream, ...]) -> bool:
        settings = self._relays.settings
        if not settings.inside or not settings.outside:
            self._relays.counts["no_address"] += 1
            self._missing = NO_ADDRESS
            return False
        if settings.when == "always" or self._recorded_trunk_id:
            return True
        said = next((stream.media[0] for stream in found if stream.media is not None), None)
        ours = self._host_for(OUTSIDE)
        # Who has not described himself yet is where our own address is, or the provider's.
        phone = said if position == INSIDE and said else settings.inside[0]
        provider = said if position == OUTSIDE and said else self._provider
        one, other, relay = numeric(phone), numeric(provider), numeric(ours)
        if one is None or relay is None:
            return False
        if other is not None and one.version != other.version:
            return True
        far = other is None or not is_local(other)
        return is_local(one) and far and not is_local(relay)


class RelayPosition:
    """Where in a relayed call a side stands; whoever takes its place stands there too."""

    __slots__ = ("_call", "_index")

    def __init__(self, call: RelayedCall, index: int) -> None:
        self._call, self._index = call, index

    def taken(self, *, outside: bool) -> None:
        """Somebody stands here from now on: a provider, or a phone."""
        self._call.taken(self._index, outside)

    def through(self, description: bytes, *, outside: bool) -> bytes:
        """See `RelayedCall.through`."""
        return self._call.through(self._index, description, outside)
