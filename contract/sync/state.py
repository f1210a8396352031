"""Site state: what users change, at the site or from the portal; last writer wins by hybrid logical clock.

`merge` is commutative, associative and idempotent, so records may arrive in any order and more than once.
Hybrid logical clock: Kulkarni et al., "Logical Physical Clocks", 2014.
"""

from typing import Annotated

from pydantic import Field

from contract.values import Frozen, Id

MAX_DRIFT_MS = 60_000
"""How far ahead of our own clock a peer's stamp may pull ours."""


class Stamp(Frozen):
    """A moment of the hybrid logical clock; stamps are totally ordered."""

    wall_ms: Annotated[int, Field(ge=0, lt=2**53)]
    """Milliseconds since 1970 UTC."""
    counter: Annotated[int, Field(ge=0, lt=2**31)] = 0
    node: Id
    """Who wrote; breaks ties."""

    def order(self) -> tuple[int, int, str]:
        """What stamps are compared by."""
        return (self.wall_ms, self.counter, self.node)


class StateRecord(Frozen):
    """The newest known value of one key; `value` None is a tombstone."""

    key: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}(/[0-9A-Za-z_-]{1,64}){0,3}$")]
    """Such as `do_not_disturb/<user id>`."""
    value: Annotated[str, Field(max_length=4096)] | bool | int | None
    stamp: Stamp


def next_stamp(last: Stamp | None, node: str, now_ms: int) -> Stamp:
    """A stamp later than `last` for a write made by `node` at `now_ms` (milliseconds since 1970 UTC)."""
    if last is None or now_ms > last.wall_ms:
        return Stamp(wall_ms=now_ms, counter=0, node=node)
    return Stamp(wall_ms=last.wall_ms, counter=last.counter + 1, node=node)


def observe(last: Stamp | None, seen: Stamp, node: str, now_ms: int) -> Stamp:
    """Our clock after seeing a peer's stamp; a stamp too far in the future does not pull it."""
    if seen.wall_ms > now_ms + MAX_DRIFT_MS:
        return last if last is not None else Stamp(wall_ms=now_ms, counter=0, node=node)
    if last is None or seen.order() > last.order():
        return Stamp(wall_ms=seen.wall_ms, counter=seen.counter, node=node)
    return last


def merge(ours: StateRecord | None, theirs: StateRecord) -> StateRecord:
    """The record that stays, of two for the same key."""
    if ours is None or theirs.stamp.order() > ours.stamp.order():
        return theirs
    return ours
