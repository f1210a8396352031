"""Leaving a message."""

from __future__ import annotations

import asyncio
from typing import Final

from edge_agent.media.applications.voicemail.config import Mailbox, VoicemailConfig
from edge_agent.media.applications.voicemail.conversation import Conversation, Kept, seconds_of
from edge_agent.media.errors import MediaError, RecordingFailed, SessionEnded
from edge_agent.media.mailbox.message import Caller
from edge_agent.media.mailbox.store import Draft, MailboxFull, MailboxStore
from edge_agent.media.session import Prompt

LOG_IN_KEY: Final = "*"
OPERATOR_KEY: Final = "0"


class Deposit:
    """Takes a message for one mailbox."""

    def __init__(self, talk: Conversation, store: MailboxStore, config: VoicemailConfig, mailbox: Mailbox) -> None:
        self._talk = talk
        self._store = store
        self._config = config
        self._mailbox = mailbox

    async def greet(self) -> str:
        """Say the greeting; the key that was pressed meanwhile, of those that lead elsewhere; empty: none."""
        session = self._talk.session
        await session.play(*await self._greeting(), barge_in=True)
        key = (await session.collect(1, 0.01, terminators="")).digits
        if key == LOG_IN_KEY or (key == OPERATOR_KEY and self._config.operator):
            return key
        return ""

    async def run(self, caller: Caller) -> bool:
        """Take the message; whether there is one now.

        A caller who hangs up when he has spoken leaves a message all the same.
        """
        talk, config, mailbox_id = self._talk, self._config, self._mailbox.user_id
        try:
            draft = await asyncio.to_thread(self._store.begin, mailbox_id, caller)
        except MailboxFull:
            await talk.say("mailbox_full")
            return False
        except OSError:
            await talk.say("cannot_record")
            return False
        kept = Kept.CANCELLED
        try:
            kept = await talk.record(
                draft.audio,
                config.longest_seconds,
                config.shortest_seconds,
                config.silence_seconds,
                "deposit_review",
            )
        except RecordingFailed:
            await talk.say("cannot_record")
        except SessionEnded:
            kept = Kept.KEPT
            raise
        finally:
            is_left = await asyncio.shield(asyncio.ensure_future(self._close(draft, kept)))
        if not is_left:
            await talk.say("cancelled")
        else:
            await talk.say("marked_urgent" if kept is Kept.URGENT else "sent")
        return is_left

    async def _close(self, draft: Draft, kept: Kept) -> bool:
        """Keep what is worth it, discard the rest."""
        if kept is not Kept.CANCELLED and await seconds_of(draft.audio) >= self._config.shortest_seconds:
            try:
                await asyncio.to_thread(self._store.keep, draft, urgent=kept is Kept.URGENT)
            except (MediaError, OSError):
                return False
            return True
        await asyncio.to_thread(self._store.discard, draft)
        return False

    async def _greeting(self) -> list[Prompt]:
        speech, box = self._talk.speech, self._mailbox
        recorded, name = await asyncio.gather(
            asyncio.to_thread(self._store.greeting, box.user_id, box.greeting),
            asyncio.to_thread(self._store.greeting, box.user_id, "name"),
        )
        if recorded is not None:
            return [Prompt(recorded)]
        whom = [Prompt(name)] if name is not None else [*speech.phrase("extension"), *speech.digits(box.extension)]
        return [
            *speech.phrase("please_leave_a_message_for"),
            *whom,
            *speech.phrase("after_the_tone"),
        ]
