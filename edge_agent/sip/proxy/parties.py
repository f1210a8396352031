"""Which users are in which calls, and how far each call is: what a busy lamp shows (RFC 4235 §3.7.1).

trying ──a phone rings──▶ early ──answered──▶ confirmed ──▶ terminated
   └──refused, cancelled, answered elsewhere, the call moved on──────▲

A caller is a party from the INVITE on, a callee from the moment a phone of his rings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from edge_agent.sip.proxy.appearances import Appearances

Direction = Literal["initiator", "recipient"]
State = Literal["trying", "early", "confirmed", "terminated"]


class Party:
    """One user's end of one call.

    Args:
        user_id: whose.
        dialog_id: names it among the dialogs of the user.
        call_id: Call-ID.
        direction: whether he calls or is called.
        local_tag: of his phone; empty while it is not known.
        remote_tag: of the other end; empty while it is not known.
        remote: user part of the other end's address; None when it is not to be shown.
    """

    __slots__ = (
        "appearance",
        "call_id",
        "dialog_id",
        "direction",
        "exclusive",
        "held",
        "local_tag",
        "remote",
        "remote_tag",
        "state",
        "user_id",
    )

    def __init__(
        self,
        user_id: str,
        dialog_id: str,
        call_id: bytes,
        direction: Direction,
        local_tag: bytes,
        remote_tag: bytes,
        remote: str | None,
    ) -> None:
        self.user_id = user_id
        self.dialog_id = dialog_id
        self.call_id = call_id
        self.direction = direction
        self.local_tag = local_tag
        self.remote_tag = remote_tag
        self.remote = remote
        self.state: State = "trying"
        self.appearance = 0
        """The place that it has on the user's shared line; 0: none."""
        self.held = False
        """Whether the user's phone holds the other end."""
        self.exclusive = False
        """Whether other phones of the shared line are to leave it alone."""


class Parties:
    """The parties of every call in progress, by user; whoever watches is told of each change.

    Args:
        appearances: places of shared lines.
    """

    __slots__ = ("_by_user", "_restored", "appearances", "told", "unreached")

    def __init__(self, appearances: Appearances) -> None:
        self.appearances = appearances
        self._by_user: dict[str, dict[str, Party]] = {}
        self._restored: dict[bytes, list[tuple[Party, float]]] = {}
        """Of calls that were up before a restart, which no `CallParties` knows, by Call-ID; and until when."""
        self.unreached: dict[str, str] = {}
        """Whom each user called last without reaching him, ids by user id."""
        self.told: Callable[[Party], None] | None = None
        """Told of a party whose state changed."""

    def of_user(self, user_id: str) -> Iterable[Party]:
        """The calls that a user is in."""
        return self._by_user.get(user_id, {}).values()

    def set(self, party: Party, state: State) -> None:
        """A party is so far now."""
        if party.state == state and state != "trying":
            return
        party.state = state
        if state == "terminated":
            of_user = self._by_user.get(party.user_id, {})
            of_user.pop(party.dialog_id, None)
            if not of_user:
                self._by_user.pop(party.user_id, None)
            if party.appearance:
                self.appearances.free(party)
        else:
            self._by_user.setdefault(party.user_id, {})[party.dialog_id] = party
        if self.told is not None:
            self.told(party)

    def changed(self, party: Party) -> None:
        """Something else than the state of a party is another."""
        if self.told is not None and party.dialog_id in self._by_user.get(party.user_id, {}):
            self.told(party)

    # -- calls from before a restart

    def restore(self, party: Party, until: float) -> None:
        """A call was up before a restart; nobody is told. It is over by its BYE, or at that moment (monotonic)."""
        self._by_user.setdefault(party.user_id, {})[party.dialog_id] = party
        self._restored.setdefault(party.call_id, []).append((party, until))
        if party.appearance:
            self.appearances.restore(party)

    def restored(self, call_id: bytes, local_tag: bytes) -> Party | None:
        """Of a call that was up before a restart: the user whose phone has this tag."""
        several = self._restored.get(call_id, ())
        return next((one for one, _ in several if one.local_tag == local_tag), None)

    def over(self, call_id: bytes, one_tag: bytes, other_tag: bytes) -> None:
        """A BYE passed, of a call that may be one of those."""
        if self._restored and call_id in self._restored:
            tags = {one_tag, other_tag}
            self._let_go([one for one, _ in self._restored[call_id] if {one.local_tag, one.remote_tag} - {b""} <= tags])

    def sweep(self, now: float) -> None:
        """Let those go that lasted longer than any call may; to be called every few seconds."""
        if self._restored:
            self._let_go([one for several in self._restored.values() for one, until in several if until <= now])

    def _let_go(self, parties: list[Party]) -> None:
        for party in parties:
            left = [(one, until) for one, until in self._restored[party.call_id] if one is not party]
            if left:
                self._restored[party.call_id] = left
            else:
                del self._restored[party.call_id]
            self.set(party, "terminated")


class CallParties:
    """The parties of one call.

    Args:
        parties: of all calls.
        ids: Call-ID and From tag of its INVITE.
        name: of the call among all of the site.
        caller_user_id: the user who calls; None when it is none of the site.
        caller: user part of the caller's address; None when it is not to be shown.
        callee: what was dialled.
    """

    __slots__ = ("_caller", "_caller_shown", "_ids", "_name", "_parties", "_rung")

    def __init__(
        self,
        parties: Parties,
        ids: tuple[bytes, bytes],
        name: str,
        caller_user_id: str | None,
        caller: str | None,
        callee: str,
    ) -> None:
        self._parties = parties
        self._ids = ids
        self._name = name
        self._caller_shown = caller
        self._rung: dict[str, Party] = {}
        self._caller: Party | None = None
        if caller_user_id is not None:
            self._caller = Party(caller_user_id, f"{name}-o", ids[0], "initiator", ids[1], b"", callee)
            if parties.appearances:
                parties.appearances.show_begun(self._caller, ids)
            parties.set(self._caller, "trying")

    @property
    def ends(self) -> tuple[Party, ...]:
        """The users at either end, as far as they are of the site; while it rings, everybody whose phone does."""
        return (*((self._caller,) if self._caller is not None else ()), *self._rung.values())

    def rang(self, user_id: str | None, tag: bytes) -> None:
        """A phone rings; of a user, unless it is somebody's outside."""
        if self._caller is not None:
            self._parties.set(self._caller, "early")
        if user_id is not None and user_id not in self._rung:
            self._parties.set(self._called(user_id, tag), "early")

    def ringing(self) -> tuple[Party, ...]:
        """The users whose phones ring, or the one who answered."""
        return tuple(self._rung.values())

    def picked_up(self, user_id: str, ids: tuple[bytes, bytes], tag: bytes) -> None:
        """Another user took the call, by a dialog of his own with the caller's phone.

        Args:
            user_id: who.
            ids: Call-ID and From tag of his INVITE.
            tag: of the caller's phone.
        """
        self.moved_on()
        self._let_go()
        self._ids = ids[0], tag
        if self._caller is not None:
            self._caller.call_id, self._caller.local_tag = self._ids
        self.answered(user_id, ids[1])

    def moved_on(self) -> None:
        """The call goes elsewhere: nobody rings any more."""
        for party in self._rung.values():
            self._parties.set(party, "terminated")
        self._rung.clear()

    def _let_go(self) -> None:
        if self._parties.appearances:
            self._parties.appearances.let_go(self._ids)

    def answered(self, user_id: str | None, tag: bytes) -> None:
        """Somebody answered; whoever rang besides does not any more."""
        mine = self._rung.pop(user_id, None) if user_id is not None else None
        self.moved_on()
        self._let_go()
        if user_id is not None:
            party = mine or self._called(user_id, tag)
            party.local_tag = tag
            self._rung[user_id] = party
            self._parties.set(party, "confirmed")
        if self._caller is not None:
            self._caller.remote_tag = tag
            self._parties.set(self._caller, "confirmed")

    def _called(self, user_id: str, tag: bytes) -> Party:
        party = Party(user_id, f"{self._name}-t", self._ids[0], "recipient", tag, self._ids[1], self._caller_shown)
        self._rung[user_id] = party
        self._parties.appearances.show(party, self._ids)
        return party

    def ended(self) -> None:
        """The call is over."""
        self.moved_on()
        self._let_go()
        if self._caller is not None:
            self._parties.set(self._caller, "terminated")
            self._caller = None
