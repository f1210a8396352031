"""The application: which part of voicemail a call is for.

The dial plan tells by the call's arguments: `action` is `deposit` or `retrieve`, `mailbox` the username. It lets only
callers who proved themselves retrieve, so that at one's own phone no PIN is asked for. The number of a group mailbox is
a voice service of its own: `service` says which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from contract.pin import NOBODYS, is_right
from edge_agent.clock import Clock
from edge_agent.media.applications.tone import BEEP
from edge_agent.media.applications.voicemail.attempts import Attempts, PinLocked
from edge_agent.media.applications.voicemail.config import Mailbox, VoicemailConfig
from edge_agent.media.applications.voicemail.conversation import TRIES, Conversation, Leave
from edge_agent.media.applications.voicemail.deposit import OPERATOR_KEY, Deposit
from edge_agent.media.applications.voicemail.listening import Listening
from edge_agent.media.applications.voicemail.lists import DistributionLists, ListMenu
from edge_agent.media.applications.voicemail.options import Options, Write
from edge_agent.media.applications.voicemail.sending import Sending
from edge_agent.media.mailbox.message import Caller, Folder
from edge_agent.media.mailbox.store import MailboxStore
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Languages
from edge_agent.tokens import Tokens

_FOLDERS: Final = {"1": Folder.INBOX, "2": Folder.SAVED, "3": Folder.DELETED}


class Voicemail:
    """Answers for mailboxes.

    Args:
        store: of messages.
        languages: what is said.
        config: asked at the beginning of each call, so that changes count from the next one on.
        write: takes what users change.
        clock, tokens: the moment, and salts.
    """

    def __init__(
        self,
        store: MailboxStore,
        languages: Languages,
        config: Callable[[], VoicemailConfig],
        write: Write,
        clock: Clock,
        tokens: Tokens,
    ) -> None:
        self._store = store
        self._languages = languages
        self._config = config
        self._write = write
        self._clock = clock
        self._tokens = tokens
        self._attempts = Attempts(clock)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The tone; what is spoken is loaded when it is said."""
        return (BEEP,)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        config = self._config()
        group = config.mailboxes.get(session.arguments.get("service", ""))
        mailbox = group or config.named(session.arguments.get("mailbox", ""))
        await session.answer()
        talk = Conversation(session, self._languages.speech(mailbox.language if mailbox is not None else ""))
        try:
            if mailbox is None:
                mailbox = await self._logged_in(talk, config)
            elif session.arguments.get("action") != "retrieve":
                key = await self._deposit(talk, config, mailbox)
                if key != "*":
                    return
                mailbox = await self._logged_in(talk, config)
            await self._retrieve(talk, config, mailbox)
        except PinLocked:
            await talk.say("pin_locked")
        except Leave:
            await talk.say("goodbye")

    async def _deposit(self, talk: Conversation, config: VoicemailConfig, mailbox: Mailbox) -> str:
        deposit = Deposit(talk, self._store, config, mailbox)
        key = await deposit.greet()
        if key == OPERATOR_KEY:
            await talk.session.transfer(config.operator)
        elif not key:
            await deposit.run(self._caller(talk.session, config))
            await talk.say("goodbye")
        return key

    @staticmethod
    def _caller(session: MediaSession, config: VoicemailConfig) -> Caller:
        known = config.named(session.asserted)
        return Caller(
            number=session.caller[:256],
            name=session.caller_name[:256],
            user_id=known.user_id if known is not None else "",
        )

    async def _logged_in(self, talk: Conversation, config: VoicemailConfig) -> Mailbox:
        """Ask for extension and PIN, three times at most.

        Raises:
            PinLocked: there were too many wrong attempts at this mailbox.
            Leave: none of them was right.
        """
        for _ in range(TRIES):
            number = await talk.ask_number("enter_extension")
            if not number:
                continue
            mailbox = config.named(number)
            if mailbox is not None:
                self._attempts.check(mailbox.user_id)
            # Who guesses extensions learns nothing: an unknown one is asked for its PIN, too.
            pin = await talk.ask_number("enter_pin")
            kept = [mailbox.pin] if mailbox is not None and mailbox.pin else []
            if mailbox is not None and (owner := self._calling_owner(talk, config, mailbox)) is not None:
                kept.append(owner.pin)
            right = [await asyncio.to_thread(is_right, pin, one) for one in kept or [NOBODYS]]
            if any(right) and mailbox is not None:
                self._attempts.right(mailbox.user_id)
                return mailbox
            if mailbox is not None and kept:
                self._attempts.wrong(mailbox.user_id)
            await talk.say("wrong_pin")
        raise Leave

    @staticmethod
    def _calling_owner(talk: Conversation, config: VoicemailConfig, mailbox: Mailbox) -> Mailbox | None:
        """Whose own PIN opens a mailbox of several: an owner who calls from a phone that proved to be his."""
        caller = config.named(talk.session.asserted)
        return caller if caller is not None and caller.pin and caller.user_id in mailbox.owners else None

    async def _retrieve(self, talk: Conversation, config: VoicemailConfig, mailbox: Mailbox) -> None:
        talk.speech = self._languages.speech(mailbox.language)
        store, speech = self._store, talk.speech
        lists = DistributionLists(config, mailbox)
        sending = Sending(talk, store, config, mailbox, lists, lambda: store.scratch_file(self._tokens.token(8)))
        listening = Listening(talk, store, config, self._clock, mailbox, sending)
        menu = ListMenu(talk, config, lists, self._write)
        options = Options(talk, store, config, mailbox, self._tokens, self._write, menu.run)
        groups = config.owned_by(mailbox.user_id)
        await talk.session.play(*await asyncio.to_thread(self._summary, talk, mailbox, groups), barge_in=True)
        keys = "123458" + ("6" if groups else "") + ("0" if config.operator else "")
        while True:
            key = await talk.choose(keys, *speech.phrase("main_menu", *(("group_menu",) if groups else ())))
            match key:
                case "1" | "2" | "3":
                    await listening.run(_FOLDERS[key])
                case "4":
                    await sending.compose()
                case "5":
                    await options.run()
                case "6":
                    if await self._retrieve_of(talk, config, groups):
                        return
                case "0":
                    await talk.session.transfer(config.operator)
                    return
                case _:
                    raise Leave

    async def _retrieve_of(self, talk: Conversation, config: VoicemailConfig, groups: list[Mailbox]) -> bool:
        """A mailbox that the caller owns with others, asked for where there are several; False: there is none."""
        group = groups[0] if len(groups) == 1 else None
        if group is None:
            number = await talk.ask_number("which_mailbox")
            group = next((one for one in groups if one.extension == number), None)
        if group is None:
            await talk.say("no_mailbox")
            return False
        await self._retrieve(talk, config, group)
        return True

    def _summary(self, talk: Conversation, mailbox: Mailbox, groups: list[Mailbox]) -> list[Prompt]:
        """How many messages wait, in the mailboxes of one's groups too."""
        counts = self._store.counts(mailbox.user_id)
        saved = len(self._store.messages(mailbox.user_id, Folder.SAVED))
        said = [*talk.speech.phrase("you_have"), *self._counted(talk, counts.new, "new_message")]
        if saved:
            said += [*talk.speech.phrase("and"), *self._counted(talk, saved, "saved_message")]
        for group in groups:
            if new := self._store.counts(group.user_id).new:
                said += [*talk.speech.phrase("extension"), *talk.speech.digits(group.extension)]
                said += self._counted(talk, new, "new_message")
        return said

    @staticmethod
    def _counted(talk: Conversation, number: int, what: str) -> list[Prompt]:
        count = talk.speech.number(number) if number else talk.speech.phrase("no")
        return [*count, *talk.speech.phrase(what if number == 1 else f"{what}s")]
