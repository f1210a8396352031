"""Logging in at somebody else's phone, by extension and PIN; from then on the phone calls, and is called, as who did.

The dial plan tells by the call's arguments: `line` and `host` are the phone's, `hours` how long it lasts, and `user` is
who logs in, where that was dialled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from contract.dialplan.hot_desks import HOT_DESK, HOT_DESKING, HotDesk
from contract.mailbox_state import PIN
from contract.pin import NOBODYS, is_right
from contract.snapshot import User
from contract.sync.state import StateRecord
from edge_agent.clock import Clock
from edge_agent.media.applications.tone import CONFIRMED
from edge_agent.media.applications.voicemail.attempts import Attempts, PinLocked
from edge_agent.media.applications.voicemail.conversation import TRIES, Conversation
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Languages

Write = Callable[[dict[str, str | bool]], None]
"""Takes site state that a user changed."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who may log in at the phones of others.

    Args:
        user_id: names him.
        names: what he may press: his extension, and whatever else is digits.
        pin: as it is kept; empty: he has none.
    """

    user_id: str
    names: frozenset[str]
    pin: str = ""


@dataclass(frozen=True, slots=True)
class HotDeskConfig:
    """Who may log in: by user id."""

    guests: Mapping[str, Guest] = field(default_factory=dict)

    def named(self, number: str) -> Guest | None:
        """Who has this extension."""
        return next((one for one in self.guests.values() if number in one.names), None)


def hot_desk_config(users: Iterable[User], records: Iterable[StateRecord]) -> HotDeskConfig:
    """Who may log in, with the PINs that they set.

    Args:
        users: of the site.
        records: its state.
    """
    pins = {one.key: one.value for one in records if isinstance(one.value, str)}
    guests = {}
    for user in users:
        if user.enabled and HOT_DESKING in user.permissions:
            names = frozenset(one for one in (user.extension, user.username, *user.aliases) if one and one.isdigit())
            guests[user.user_id] = Guest(user.user_id, names, str(pins.get(f"{PIN}/{user.user_id}", "")))
    return HotDeskConfig(guests)


class HotDeskLogin:
    """Asks who it is.

    Args:
        languages: what is said.
        config: asked at the beginning of each call.
        write: takes what changed.
        clock: the moment.
    """

    def __init__(self, languages: Languages, config: Callable[[], HotDeskConfig], write: Write, clock: Clock) -> None:
        self._languages = languages
        self._config = config
        self._write = write
        self._clock = clock
        self._attempts = Attempts(clock)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The tone; what is spoken is loaded when it is first said."""
        return (CONFIRMED,)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        config, told = self._config(), session.arguments
        await session.answer()
        talk = Conversation(session, self._languages.speech(""))
        wanted = told.get("user", "")
        try:
            for _ in range(TRIES):
                guest = config.guests.get(wanted)
                if not wanted:
                    guest = config.named(await talk.ask_number("enter_extension"))
                if await self._is_proven(talk, guest) and guest is not None:
                    self._write({f"{HOT_DESK}/{told['line']}": self._desk(guest, told).model_dump_json()})
                    await session.play(CONFIRMED)
                    return
                await talk.say("wrong_pin")
        except PinLocked:
            await talk.say("pin_locked")
            return
        await talk.say("goodbye")

    async def _is_proven(self, talk: Conversation, guest: Guest | None) -> bool:
        """Whether who calls knows the PIN; who guesses extensions learns nothing, each is asked for its PIN.

        Raises:
            PinLocked: there were too many wrong attempts at this one.
        """
        if guest is not None:
            self._attempts.check(guest.user_id)
        pin = await talk.ask_number("enter_pin")
        kept = guest.pin if guest is not None and guest.pin else NOBODYS
        right = await asyncio.to_thread(is_right, pin, kept) and guest is not None
        if guest is not None:
            if right:
                self._attempts.right(guest.user_id)
            elif guest.pin:
                self._attempts.wrong(guest.user_id)
        return right

    def _desk(self, guest: Guest, told: Mapping[str, str]) -> HotDesk:
        hours = int(told.get("hours", "0"))
        until = int(self._clock.now().timestamp()) + hours * 3600 if hours else 0
        return HotDesk(user_id=guest.user_id, host_id=told["host"], until=until)
