"""Appearances of shared lines: which of a line's places are taken, by calls and by phones about to dial (RFC 7463 §5).

free ──seized by a phone──▶ seized ──INVITE of that phone──▶ call ──its end──▶ free
 │                            └──given back, or its time is over──────────────▲
 └──a phone of the line calls, or the line is called──────────▶ call

Whoever asks first has a place. Numbers count from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from contract.snapshot import User
from edge_agent.sip.message import SipError
from edge_agent.sip.proxy.parties import Party

LONGEST_SEIZURE_SECONDS: Final = 60.0
"""How long a phone may keep a place without calling."""

_CallIds = tuple[bytes, bytes]


class AppearanceTaken(SipError):
    """The appearance is somebody else's, or there is no such one.

    Args:
        status: how the request that asked for it is answered.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status, "Appearance Not Available")


class Seat:
    """A place that is taken.

    Args:
        index: its number.
        ids: Call-ID and From tag of the INVITE that has it; None: it is seized.
        rings: whether the line is called there, not the caller.
        source: `address:port` of the phone that seized it.
        until: when the seizure lapses; seconds, monotonic.
        party: what is shown of it; None: a call that rings nowhere yet.
    """

    __slots__ = ("ids", "index", "party", "rings", "source", "until")

    def __init__(
        self,
        index: int,
        ids: _CallIds | None,
        *,
        rings: bool = False,
        source: str = "",
        until: float = 0.0,
        party: Party | None = None,
    ) -> None:
        self.index = index
        self.ids = ids
        self.rings = rings
        self.source = source
        self.until = until
        self.party = party

    @property
    def seized(self) -> bool:
        """Whether a phone has it that does not call yet."""
        return self.ids is None


class Appearances:
    """The places of every shared line of the site, by the user whose line it is."""

    __slots__ = ("_counts", "_taken", "seized", "told")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._taken: dict[str, dict[int, Seat]] = {}
        self.told: Callable[[Party], None] | None = None
        """Told of a place that was seized or given back."""
        self.seized: Callable[[str, int], None] | None = None
        """Told of a line and a place whose seizure is over."""

    def configure(self, users: Iterable[User]) -> None:
        """Go by other users. What is taken stays so; of a line that is none any more, it is forgotten."""
        self._counts = {user.user_id: user.appearances for user in users if user.appearances}
        for user_id in [one for one in self._taken if one not in self._counts]:
            del self._taken[user_id]

    def count(self, user_id: str | None) -> int:
        """How many a user's line has; 0: it is not shared."""
        return self._counts.get(user_id, 0) if user_id is not None else 0

    def __bool__(self) -> bool:
        """Whether the site has shared lines."""
        return bool(self._counts)

    def seats(self, user_id: str) -> list[Seat]:
        """The places of a line that are taken, in order."""
        return [seat for _, seat in sorted(self._taken.get(user_id, {}).items())]

    def full_lines(self) -> frozenset[str]:
        """Lines that have no place left."""
        taken = self._taken.items()
        return frozenset(user_id for user_id, seats in taken if len(seats) >= self._counts[user_id])

    # -- seizing

    def seize(self, user_id: str, index: int, source: str, until: float) -> Seat:
        """A phone takes a place before it dials, or keeps the one that it has.

        Args:
            user_id: whose line.
            index: which; 0: the first that is free.
            source: `address:port` of the phone.
            until: when that lapses; seconds, monotonic.

        Raises:
            AppearanceTaken: 480.
        """
        seats = self._taken.setdefault(user_id, {})
        index = index or self._of_phone(user_id, source) or self._free(user_id)
        seat = seats.get(index)
        if seat is not None and seat.seized and seat.source == source:
            seat.until = until
            return seat
        if seat is not None or not 0 < index <= self.count(user_id):
            raise AppearanceTaken(480)
        party = Party(user_id, f"seized-{index}", b"", "initiator", b"", b"", None)
        party.appearance = index
        seat = seats[index] = Seat(index, None, source=source, until=until, party=party)
        self._tell(party)
        return seat

    def give_back(self, user_id: str, index: int) -> None:
        """A seizure is over; of a place that has a call, nothing happens."""
        seat = self._taken.get(user_id, {}).get(index)
        if seat is not None and seat.seized:
            del self._taken[user_id][index]
            self._unseize(user_id, seat)

    def give_back_of(self, user_id: str, source: str) -> None:
        """A phone wants no place any more."""
        for seat in self.seats(user_id):
            if seat.seized and seat.source == source:
                self.give_back(user_id, seat.index)

    def sweep(self, now: float) -> None:
        """Let seizures lapse; to be called every few seconds."""
        for user_id in list(self._taken):
            for seat in self.seats(user_id):
                if seat.seized and seat.until <= now:
                    self.give_back(user_id, seat.index)

    def _unseize(self, user_id: str, seat: Seat) -> None:
        if seat.party is not None:
            seat.party.state = "terminated"
            self._tell(seat.party)
        if self.seized is not None:
            self.seized(user_id, seat.index)

    # -- calls

    def check(self, user_id: str, index: int, source: str) -> None:
        """Whether a phone may call now.

        Args:
            user_id: whose line.
            index: the place that it named; 0: none.
            source: `address:port` of the phone.

        Raises:
            AppearanceTaken: 486.
        """
        if not self._for(user_id, index, source):
            raise AppearanceTaken(486)

    def begin(self, user_id: str, index: int, source: str, ids: _CallIds) -> int:
        """A phone calls: it gets the place that it named or seized, or the first free one; 0: there is none."""
        index = self._for(user_id, index, source)
        if index:
            seats = self._taken.setdefault(user_id, {})
            if (seat := seats.get(index)) is not None:
                seat.ids = ids
                self._unseize(user_id, seat)
            seats[index] = Seat(index, ids)
        return index

    def ring(self, user_id: str, ids: _CallIds) -> int:
        """The line is called: the place at which that rings; 0: there is none."""
        seats = self._taken.setdefault(user_id, {})
        for seat in seats.values():
            if seat.rings and seat.ids == ids:
                seat.party = None
                return seat.index
        index = self._free(user_id)
        if index:
            seats[index] = Seat(index, ids, rings=True)
        return index

    def show(self, party: Party, ids: _CallIds) -> None:
        """The line is called, and this is shown of it."""
        if self.count(party.user_id):
            party.appearance = index = self.ring(party.user_id, ids)
            if index:
                self._taken[party.user_id][index].party = party

    def show_begun(self, party: Party, ids: _CallIds) -> None:
        """A phone of the line calls, and this is shown of it."""
        for seat in self._taken.get(party.user_id, {}).values():
            if seat.ids == ids and not seat.rings and seat.party is None:
                seat.party = party
                party.appearance = seat.index

    def restore(self, party: Party) -> None:
        """A call from before a restart has its place again."""
        if 0 < party.appearance <= self.count(party.user_id):
            seat = Seat(party.appearance, (party.call_id, party.local_tag), party=party)
            self._taken.setdefault(party.user_id, {}).setdefault(party.appearance, seat)

    def let_go(self, ids: _CallIds) -> None:
        """A call goes elsewhere: places at which it was to ring and did not are free."""
        for seats in self._taken.values():
            for seat in [one for one in seats.values() if one.rings and one.ids == ids and one.party is None]:
                del seats[seat.index]

    def free(self, party: Party) -> None:
        """A call of a line is over."""
        seats = self._taken.get(party.user_id, {})
        seat = seats.get(party.appearance)
        if seat is not None and seat.party is party:
            del seats[party.appearance]

    # -- parts

    def _for(self, user_id: str, index: int, source: str) -> int:
        """The place that a phone gets which calls; 0: none."""
        if index:
            seat = self._taken.get(user_id, {}).get(index)
            mine = seat is None or (seat.seized and seat.source == source)
            return index if mine and index <= self.count(user_id) else 0
        return self._of_phone(user_id, source) or self._free(user_id)

    def _of_phone(self, user_id: str, source: str) -> int:
        seats = self.seats(user_id)
        return next((seat.index for seat in seats if seat.seized and seat.source == source), 0)

    def _free(self, user_id: str) -> int:
        seats = self._taken.get(user_id, {})
        return next((index for index in self._indexes(user_id) if index not in seats), 0)

    def _indexes(self, user_id: str) -> Iterator[int]:
        return iter(range(1, self.count(user_id) + 1))

    def _tell(self, party: Party) -> None:
        if self.told is not None:
            self.told(party)
