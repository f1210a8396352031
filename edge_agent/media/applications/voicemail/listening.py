"""Listening to messages: one after the other, with what can be done to each."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

from edge_agent.clock import Clock
from edge_agent.media.applications.voicemail.config import Mailbox, VoicemailConfig
from edge_agent.media.applications.voicemail.conversation import Conversation, Leave
from edge_agent.media.applications.voicemail.sending import Sending
from edge_agent.media.mailbox.message import Caller, Folder, Message
from edge_agent.media.mailbox.store import MailboxStore, NoSuchMessage
from edge_agent.media.session import Prompt

SKIP_SECONDS: Final = 10.0
_MENU: Final = "123456#*0"
_DELETED_MENU: Final = "123#*0"


class Listening:
    """One folder of a mailbox, to its owner."""

    def __init__(
        self,
        talk: Conversation,
        store: MailboxStore,
        config: VoicemailConfig,
        clock: Clock,
        mailbox: Mailbox,
        sending: Sending,
    ) -> None:
        self._talk = talk
        self._store = store
        self._config = config
        self._clock = clock
        self._box = mailbox.user_id
        self._sending = sending

    async def run(self, folder: Folder) -> None:
        """From the first message until there is none, or the caller wants the main menu."""
        messages = await asyncio.to_thread(self._store.messages, self._box, folder)
        if not messages:
            await self._talk.say("no_messages_here")
            return
        ids = [one.message_id for one in messages]
        at = 0
        while 0 <= at < len(ids):
            try:
                step = await self._one(ids[at], folder)
            except NoSuchMessage:
                step = 1  # it went for good meanwhile, at another phone or by its age
            if step is None:
                return
            at = max(0, at + step)
        await self._talk.say("no_more_messages")

    async def _one(self, message_id: str, folder: Folder) -> int | None:
        """One message; which way to go on, None: to the main menu."""
        talk, is_deleted = self._talk, folder is Folder.DELETED
        message = await asyncio.to_thread(self._store.message, self._box, message_id)
        await talk.session.play(*self._headline(message), barge_in=True)
        try:
            key = await self._played(message_id)
        finally:
            if not is_deleted:
                # Also when it was not heard to its end, as on an answering machine.
                await asyncio.shield(asyncio.to_thread(self._store.mark_heard, self._box, message_id))
        for _ in range(20):
            if not key:
                menu = talk.speech.phrase("deleted_menu" if is_deleted else "message_menu")
                key = await talk.choose(_DELETED_MENU if is_deleted else _MENU, *menu)
            pressed, key = key, ""
            match pressed:
                case "1":
                    await talk.session.play(*await asyncio.to_thread(self._envelope, message), barge_in=True)
                case "2":
                    key = await self._played(message_id)
                case "3":
                    wanted = Folder.INBOX if is_deleted else Folder.SAVED
                    await asyncio.to_thread(self._store.move, self._box, message_id, wanted)
                    await talk.say("restored" if is_deleted else "saved")
                    return 1
                case "4" if not is_deleted:
                    await asyncio.to_thread(self._store.move, self._box, message_id, Folder.DELETED)
                    await talk.say("deleted")
                    return 1
                case "5" if not is_deleted:
                    await self._sending.forward(message_id)
                case "6" if not is_deleted:
                    await self._sending.reply(message)
                case "#":
                    return 1
                case "*":
                    return -1
                case "0":
                    return None
                case _:
                    await talk.say("invalid")
        raise Leave

    async def _played(self, message_id: str) -> str:
        """Play it, to and fro by 7 and 9; the key that ended it, empty: it came to its end."""
        session = self._talk.session
        parts = await asyncio.to_thread(self._store.audio, self._box, message_id)
        number, start = 0, 0.0
        while number < len(parts):
            reached = await session.play(Prompt(parts[number]), barge_in=True, start_seconds=start)
            key = (await session.collect(1, 0.01, terminators="")).digits
            match key:
                case "":
                    number, start = number + 1, 0.0
                case "7":
                    start = max(0.0, reached - SKIP_SECONDS)
                case "9":
                    start = reached + SKIP_SECONDS
                case _:
                    return key
        return ""

    def _headline(self, message: Message) -> list[Prompt]:
        return self._talk.speech.phrase("urgent_message" if message.urgent else "message")

    def _envelope(self, message: Message) -> list[Prompt]:
        """Who, when, how long."""
        speech, zone = self._talk.speech, self._config.zone
        said = [*speech.phrase("from"), *self._who(message.caller)]
        if message.forwarded_by is not None:
            said += [*speech.phrase("forwarded_by"), *self._who(message.forwarded_by)]
        at: datetime = message.received_at.astimezone(zone)
        today = self._clock.now().astimezone(UTC).astimezone(zone).date()
        seconds = [*speech.number(round(message.duration_seconds)), *speech.phrase("seconds")]
        return [*said, *speech.phrase("received"), *speech.moment(at, today), *seconds]

    def _who(self, caller: Caller) -> list[Prompt]:
        speech = self._talk.speech
        box = self._config.mailboxes.get(caller.user_id)
        if box is not None:
            name = self._store.greeting(box.user_id, "name")
            extension = [*speech.phrase("extension"), *speech.digits(box.extension)]
            return [Prompt(name)] if name is not None else extension
        return speech.digits(caller.number) or speech.phrase("unknown_caller")
