"""What the owner of a mailbox sets by the keys: greetings, name, PIN; and the deleted for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from contract.mailbox_state import GREETING, GREETINGS, PIN
from contract.pin import hashed, is_fit
from edge_agent.media.applications.voicemail.config import SYSTEM_GREETING, Mailbox, VoicemailConfig
from edge_agent.media.applications.voicemail.conversation import Conversation, Kept
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.mailbox.store import MailboxStore
from edge_agent.tokens import Tokens

LONGEST_GREETING_SECONDS: Final = 120.0
LONGEST_NAME_SECONDS: Final = 10.0
Write = Callable[[dict[str, str]], None]
"""Takes site state that a user changed: `<kind>/<user id>` → value."""
Menu = Callable[[], Awaitable[None]]
"""Runs a menu below this one."""


class Options:
    """The menu of options."""

    def __init__(
        self,
        talk: Conversation,
        store: MailboxStore,
        config: VoicemailConfig,
        mailbox: Mailbox,
        tokens: Tokens,
        write: Write,
        lists: Menu,
    ) -> None:
        self._talk = talk
        self._store = store
        self._config = config
        self._box = mailbox
        self._tokens = tokens
        self._write = write
        self._lists = lists

    async def run(self) -> None:
        """Until the caller wants the main menu."""
        talk = self._talk
        while (key := await talk.choose("123456*", *talk.speech.phrase("options_menu"))) != "*":
            match key:
                case "1":
                    kind = await talk.choose("123*", *talk.speech.phrase("greetings_menu"))
                    if kind != "*":
                        await self._record(GREETINGS[int(kind) - 1], "record_greeting", LONGEST_GREETING_SECONDS)
                case "2":
                    await self._record("name", "record_name", LONGEST_NAME_SECONDS)
                case "3":
                    await self._choose_greeting()
                case "4":
                    await asyncio.to_thread(self._store.empty_deleted, self._box.user_id)
                    await talk.say("emptied")
                case "6":
                    await self._lists()
                case _:
                    await self._change_pin()

    async def _record(self, kind: str, introduction: str, longest: float) -> None:
        talk, user_id = self._talk, self._box.user_id
        final = await asyncio.to_thread(self._store.greeting_file, user_id, kind)
        # The old one is heard until the new one is kept.
        aside = final.with_name(f"{final.name}.{self._tokens.token(4)}.new")
        try:
            kept = await talk.record(
                aside,
                longest,
                self._config.shortest_seconds,
                self._config.silence_seconds,
                "record_review",
                talk.speech.phrase(introduction),
            )
            if kept is Kept.KEPT:
                await asyncio.to_thread(aside.replace, final)
                await talk.say("saved")
            else:
                await talk.say("cancelled")
        except RecordingFailed:
            await talk.say("cannot_record")
        finally:
            await asyncio.to_thread(aside.unlink, missing_ok=True)

    async def _choose_greeting(self) -> None:
        talk = self._talk
        key = await talk.choose("0123", *talk.speech.phrase("choose_greeting"))
        kind = SYSTEM_GREETING if key == "0" else GREETINGS[int(key) - 1]
        if key != "0" and await asyncio.to_thread(self._store.greeting, self._box.user_id, kind) is None:
            await talk.say("no_such_greeting")
            return
        self._write({f"{GREETING}/{self._box.user_id}": kind})
        await talk.say("greeting_in_use")

    async def _change_pin(self) -> None:
        talk = self._talk
        pin = await talk.ask_number("new_pin")
        if not is_fit(pin, self._box.extension):
            await talk.say("pin_too_short")
            return
        if await talk.ask_number("new_pin_again") != pin:
            await talk.say("pin_differs")
            return
        self._write({f"{PIN}/{self._box.user_id}": await asyncio.to_thread(hashed, pin, self._tokens.token(16))})
        await talk.say("pin_changed")
