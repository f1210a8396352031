"""Sending messages to other mailboxes: one's own words, a message that one got, or an answer to who left it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from edge_agent.media.applications.voicemail.config import Mailbox, VoicemailConfig
from edge_agent.media.applications.voicemail.conversation import Conversation, Kept
from edge_agent.media.applications.voicemail.lists import LIST_KEY, DistributionLists
from edge_agent.media.errors import RecordingFailed
from edge_agent.media.mailbox.message import Caller, Message
from edge_agent.media.mailbox.store import Draft, MailboxFull, MailboxStore

MOST_RECEIVERS: Final = 250
_REVIEW: Final = "record_review"


class Sending:
    """What the owner of a mailbox sends."""

    def __init__(
        self,
        talk: Conversation,
        store: MailboxStore,
        config: VoicemailConfig,
        mailbox: Mailbox,
        lists: DistributionLists,
        scratch: Callable[[], Path],
    ) -> None:
        self._talk = talk
        self._store = store
        self._config = config
        self._own = mailbox
        self._lists = lists
        self._scratch = scratch
        """Gives a file that is nobody's, for a comment."""

    async def forward(self, message_id: str) -> None:
        """Send a message on to others, with a comment or without one."""
        talk = self._talk
        receivers = await self._receivers()
        if not receivers:
            await talk.say("cancelled")
            return
        key = await talk.choose("12*", *talk.speech.phrase("forward_comment"))
        if key == "*":
            await talk.say("cancelled")
            return
        async with self._comment() as comment:
            if key == "1" and not await self._recorded(comment, "record_comment"):
                await talk.say("cancelled")
                return
            full = await asyncio.to_thread(
                self._store.send_on,
                self._own.user_id,
                message_id,
                [one.user_id for one in receivers],
                self._me(),
                comment if key == "1" else None,
            )
        await talk.say("mailbox_full" if full else "sent")

    async def reply(self, message: Message) -> None:
        """Leave who left this message a message."""
        box = self._config.mailboxes.get(message.caller.user_id)
        if box is None:
            await self._talk.say("reply_impossible")
            return
        await self._leave([box])

    async def compose(self) -> None:
        """Leave others a message without calling them."""
        receivers = await self._receivers()
        if receivers:
            await self._leave(receivers)
        else:
            await self._talk.say("cancelled")

    async def _leave(self, receivers: Sequence[Mailbox]) -> None:
        """Record once, in the first mailbox that has room; the others get the same file."""
        talk, me = self._talk, self._me()
        first, full = await self._begun(receivers, me)
        if first is None:
            await talk.say("mailbox_full")
            return
        kept = False
        try:
            kept = await self._recorded(first.audio, "record_message")
        finally:
            if not kept:
                await asyncio.to_thread(self._store.discard, first)
        if not kept:
            await talk.say("cancelled")
            return
        message = await asyncio.to_thread(self._store.keep, first)
        others = [one.user_id for one in receivers if one.user_id not in (first.mailbox, *full)]
        full += await asyncio.to_thread(
            self._store.copy_to, first.mailbox, message.message_id, [one for one in others if one]
        )
        await talk.say("mailbox_full" if full else "sent")

    async def _begun(self, receivers: Sequence[Mailbox], me: Caller) -> tuple[Draft | None, list[str]]:
        full: list[str] = []
        for box in receivers:
            try:
                return await asyncio.to_thread(self._store.begin, box.user_id, me), full
            except MailboxFull:
                full.append(box.user_id)
        return None, full

    async def _receivers(self) -> list[Mailbox]:
        """Mailboxes that the caller names, one by one or by lists, until there are no more."""
        talk, found = self._talk, dict[str, Mailbox]()
        while len(found) < MOST_RECEIVERS:
            number = await talk.ask_number("forward_to")
            if not number:
                break
            if number.startswith(LIST_KEY):
                number = number.removeprefix(LIST_KEY)
                more, missing = self._lists.members(number), "no_list"
                named = [*talk.speech.phrase("list"), *talk.speech.digits(number)]
            else:
                box, missing = self._config.named(number), "no_mailbox"
                more, named = ([box] if box is not None else None), talk.speech.digits(number)
            if more is None:
                await talk.say(missing)
                continue
            together = found | {one.user_id: one for one in more}
            if len(together) > MOST_RECEIVERS:
                await talk.say("too_many")
                continue
            found = together
            await talk.session.play(*named, barge_in=True)
        return list(found.values())

    async def _recorded(self, path: Path, introduction: str) -> bool:
        config, talk = self._config, self._talk
        try:
            kept = await talk.record(
                path,
                config.longest_seconds,
                config.shortest_seconds,
                config.silence_seconds,
                _REVIEW,
                talk.speech.phrase(introduction),
            )
        except RecordingFailed:
            await talk.say("cannot_record")
            return False
        return kept is Kept.KEPT

    @asynccontextmanager
    async def _comment(self) -> AsyncIterator[Path]:
        path = self._scratch()
        try:
            yield path
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def _me(self) -> Caller:
        return Caller(number=self._own.extension, user_id=self._own.user_id)
