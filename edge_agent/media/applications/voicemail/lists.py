"""Distribution lists: which mailboxes a number behind the star stands for, and one's own lists by the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contract.mailbox_state import LIST_DIGITS, MOST_MEMBERS, list_key
from edge_agent.media.applications.voicemail.config import Mailbox, VoicemailConfig
from edge_agent.media.applications.voicemail.conversation import Conversation
from edge_agent.media.applications.voicemail.options import Write
from edge_agent.media.session import Prompt

LIST_KEY: Final = "*"
"""What is pressed before the number of a list, where an extension is asked for."""


class DistributionLists:
    """The lists that one mailbox can send to; what is changed counts at once, in the same call too.

    Args:
        config: with the lists of the site.
        mailbox: whose own lists they are.
    """

    def __init__(self, config: VoicemailConfig, mailbox: Mailbox) -> None:
        self._config = config
        self._mailbox = mailbox
        self._own: dict[str, tuple[str, ...]] = dict(mailbox.lists)

    def members(self, number: str) -> list[Mailbox] | None:
        """The mailboxes on a list but one's own; those that are gone are passed over.

        Args:
            number: one digit for a list of one's own, more for one of the site.

        Returns:
            None: there is no such list.
        """
        lists: Mapping[str, tuple[str, ...]] = self._own if len(number) == 1 else self._config.lists
        ids = lists.get(number)
        if not ids:
            return None
        there = (self._config.mailboxes.get(one) for one in ids)
        return [one for one in there if one is not None and one.user_id != self._mailbox.user_id]

    def put(self, digit: str, members: list[Mailbox]) -> dict[str, str]:
        """Have these mailboxes on a list of one's own; the record that keeps it."""
        ids = tuple(one.user_id for one in members)
        self._own[digit] = ids
        return {list_key(self._mailbox.user_id, digit): " ".join(ids)}


class ListMenu:
    """The menu of one's own lists.

    Args:
        talk: with the owner.
        config: of the site.
        lists: what is changed.
        write: takes what is to be kept.
    """

    def __init__(self, talk: Conversation, config: VoicemailConfig, lists: DistributionLists, write: Write) -> None:
        self._talk = talk
        self._config = config
        self._lists = lists
        self._write = write

    async def run(self) -> None:
        """Until the caller wants back."""
        talk = self._talk
        while (digit := await talk.choose(f"{LIST_DIGITS}*", *talk.speech.phrase("which_list"))) != "*":
            await self._one(digit)

    async def _one(self, digit: str) -> None:
        talk, key = self._talk, ""
        while True:
            if not key or key not in "1234*":
                key = await talk.choose("1234*", *self._headline(digit), *talk.speech.phrase("list_menu"))
            pressed, key = key, ""
            members = self._lists.members(digit) or []
            match pressed:
                case "*":
                    return
                case "1":
                    key = await self._say(members)
                case "2":
                    await self._add(digit, members)
                case "3":
                    await self._remove(digit, members)
                case _:
                    self._write(self._lists.put(digit, []))
                    await talk.say("deleted")
                    return

    def _headline(self, digit: str) -> list[Prompt]:
        return [*self._talk.speech.phrase("list"), *self._talk.speech.digits(digit)]

    async def _say(self, members: list[Mailbox]) -> str:
        """Name them; the key that ended it, empty: it came to its end."""
        talk = self._talk
        if not members:
            await talk.say("list_empty")
        for one in members:
            said = [*talk.speech.phrase("extension"), *talk.speech.digits(one.extension)]
            await talk.session.play(*said, barge_in=True)
            if key := (await talk.session.collect(1, 0.01, terminators="")).digits:
                return key
        return ""

    async def _add(self, digit: str, members: list[Mailbox]) -> None:
        """Extensions until there are no more; what they are is kept after each."""
        talk = self._talk
        while number := await talk.ask_number("list_add"):
            box = self._config.named(number)
            if box is None:
                await talk.say("no_mailbox")
            elif len(members) >= MOST_MEMBERS:
                await talk.say("too_many")
                return
            else:
                members = [*(one for one in members if one.user_id != box.user_id), box]
                self._write(self._lists.put(digit, members))
                await talk.say("list_added")

    async def _remove(self, digit: str, members: list[Mailbox]) -> None:
        talk = self._talk
        number = await talk.ask_number("list_remove")
        box = self._config.named(number)
        if box is None or box not in members:
            await talk.say("list_without")
            return
        self._write(self._lists.put(digit, [one for one in members if one.user_id != box.user_id]))
        await talk.say("list_removed")
