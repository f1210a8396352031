"""What a caller is asked who presses the key to be called back: at which number, and whether that is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contract.snapshot import CallBackOffer
from edge_agent.media.applications.voicemail.conversation import TRIES, Conversation, Leave
from edge_agent.media.session import MediaSession
from edge_agent.media.speech import Speech

NumberFor = Callable[[str], str | None]
"""What is dialled to call a number back; None: it may not be called."""
_RIGHT: Final = "1"
_ANOTHER: Final = "2"
_WAIT_ON: Final = "*"


async def arrange(
    session: MediaSession, offer: CallBackOffer, speech: Speech, shown: str, number_for: NumberFor
) -> str:
    """Ask.

    Args:
        session: the call.
        offer: what the queue lets callers choose.
        speech: in its language.
        shown: the number that the caller shows; empty: none.
        number_for: decides.

    Returns:
        The number that the caller confirmed; empty: he goes on waiting.
    """
    talk = Conversation(session, speech)
    number = shown if shown and number_for(shown) is not None else ""
    keys, menu = _RIGHT + _WAIT_ON, "queue_call_back_confirm"
    if offer.other_number:
        keys, menu = _RIGHT + _ANOTHER + _WAIT_ON, "queue_call_back_menu"
    for _ in range(TRIES):
        if not number:
            if not offer.other_number or not (number := await talk.ask_number("queue_call_back_number")):
                return ""
            if number_for(number) is None:
                await talk.say("queue_call_back_refused")
                number = ""
                continue
        said = [*speech.phrase("queue_call_back_at"), *speech.digits(number), *speech.phrase(menu)]
        try:
            key = await talk.choose(keys, *said)
        except Leave:
            return ""
        if key == _RIGHT:
            return number
        if key == _WAIT_ON:
            return ""
        number = ""
    return ""
