"""Authorization codes: a caller presses a code, then a number, and is connected with the code's permissions."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from contract.authorization_state import key_of, salt_of
from contract.pin import hashed
from contract.snapshot import Authorization
from contract.sync.state import StateRecord
from edge_agent.clock import Clock
from edge_agent.media.applications.voicemail.attempts import Attempts, PinLocked
from edge_agent.media.applications.voicemail.conversation import TRIES, Conversation
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Languages

WRONG_OF_ALL: Final = 50
"""Wrong codes at one service, whoever pressed them, that lock it for a while: callers show what number they like."""


@dataclass(frozen=True, slots=True)
class AuthorizationConfig:
    """What the application goes by.

    Args:
        services: the records by id.
        codes: what is kept of each code that is set and switched on, by the service's id and its own.
        language: of the site.
    """

    services: Mapping[str, Authorization] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    language: str = ""


def authorization_config(
    services: Iterable[object], records: Iterable[StateRecord], language: str
) -> AuthorizationConfig:
    """What a site's configuration and state mean for it.

    Args:
        services: every voice service of the site.
        records: its state.
        language: of the site.
    """
    kept = {one.key: one.value for one in records if isinstance(one.value, str)}
    found = {one.service_id: one for one in services if isinstance(one, Authorization) and one.enabled}
    codes = {
        service_id: {
            code.code_id: kept[key]
            for code in one.codes
            if code.enabled and (key := key_of(service_id, code.code_id)) in kept
        }
        for service_id, one in found.items()
    }
    return AuthorizationConfig(found, codes, language)


class AuthorizedCalls:
    """Asks for a code and a number.

    Args:
        languages: what is said.
        config: asked at the beginning of each call.
        clock: wrong codes lock for a while.
    """

    def __init__(self, languages: Languages, config: Callable[[], AuthorizationConfig], clock: Clock) -> None:
        self._languages, self._config = languages, config
        self._of_callers, self._of_all = Attempts(clock), Attempts(clock, WRONG_OF_ALL)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """None: what is spoken is loaded when it is first said."""
        return ()

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        config, service_id = self._config(), session.arguments.get("service", "")
        if service_id not in config.services:
            return
        await session.answer()
        talk = Conversation(session, self._languages.speech(config.language))
        try:
            for _ in range(TRIES):
                if code_id := await self._proven(talk, service_id, config.codes[service_id]):
                    if number := await talk.ask_number("enter_number"):
                        await session.transfer(number, proven=code_id)
                    break
                await talk.say("wrong_code")
        except PinLocked:
            await talk.say("pin_locked")
            return
        await talk.say("goodbye")

    async def _proven(self, talk: Conversation, service_id: str, codes: Mapping[str, str]) -> str:
        """The id of the code that the caller pressed; empty: there is no such code.

        Raises:
            PinLocked: there were too many wrong ones, of this caller or of all.
        """
        session = talk.session
        who = f"{service_id}/{session.asserted or session.caller}"
        self._of_callers.check(who)
        self._of_all.check(service_id)
        digits = await talk.ask_number("enter_code")
        pressed = await asyncio.to_thread(hashed, digits, salt_of(service_id))
        found = ""
        for code_id, kept in codes.items():
            if hmac.compare_digest(pressed, kept):
                found = code_id
        if found:
            self._of_callers.right(who)
        else:
            self._of_callers.wrong(who)
            self._of_all.wrong(service_id)
        return found
