"""Transfers on FreeSWITCH: a REFER of ours and what becomes of it, and one that whoever was called sends.

By itself FreeSWITCH ends a call with whatever becomes of its REFER; told to go on after it (the variable
`sip_refer_continue_after_reply`), it keeps in variables of the call what was answered and told, and the call is ours.
A REFER that comes is for FreeSWITCH a matter between two calls that it has bridged. Of any other, as of every one that
comes here, it tells by the event `sofia::error`, and says 403; that the site's proxy keeps from the phone
(`edge_agent.sip.proxy.hidden_transfers`), whom the application then tells what became of it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, unquote

from edge_agent.media.freeswitch import commands
from edge_agent.media.freeswitch.conference import Questions
from edge_agent.media.happenings import Happenings
from edge_agent.ports import Transfer

WAIT_SECONDS: Final = 30.0
"""How long the caller's phone may take to say what became of a transfer."""
LOOK_SECONDS: Final = 0.25
_ANSWERED: Final = "sip_refer_status_code"
"""What the REFER was answered."""
_TOLD: Final = "sip_refer_target_status_code"
"""What the phone told last of whom it called, where that was final."""
_PROVEN: Final = "sip_h_X-Tandem-Proven"
"""Puts the header into the REFER by which the site's proxy knows which authorization code the caller proved."""
_REFERRER: Final = "X-Tandem-Referrer"
"""In Refer-To: whose permissions count, for the site's proxy."""
_TAKES: Final = "X-Tandem-Takes"
"""In the Refer-To of a REFER that comes: Replaces, which FreeSWITCH would act on by itself."""
_NUMBER: Final = "X-Tandem-Number"
"""Beside it: the number of the REFER, which tells in its call apart."""
_MOST_CHARACTERS: Final = 2048
_REFER_TO = re.compile(r"(?:[^<>]{0,200}<)?(sips?:[^<>?\s]{1,512})(?:\?([^<>\s]{0,1400}))?(?:>.{0,100})?")
_METHOD = re.compile(r";method=[^;]*", re.IGNORECASE)

TellTransfer = Callable[[int], None]
"""Takes the status that came of a transfer."""


def target_of(transfer: Transfer) -> str:
    """Where a REFER of ours leads, with what it is to be called with."""
    given = (("Replaces", transfer.replaces), (_REFERRER, transfer.voucher))
    headers = "&".join(f"{name}={quote(value, safe='')}" for name, value in given if value)
    return f"{transfer.target}?{headers}" if headers else transfer.target


def wanted(headers: Mapping[str, str]) -> tuple[Transfer, int] | None:
    """What a REFER asks for, and its number, from the event of it; None: it is no REFER that can be understood."""
    value = headers.get("Full-Refer-To", "")
    if headers.get("Error-Type") != "blind_transfer" or len(value) > _MOST_CHARACTERS:
        return None
    if (found := _REFER_TO.fullmatch(value)) is None:
        return None
    names: dict[str, str] = {}
    for one in (found[2] or "").split("&"):
        name, _, text = one.partition("=")
        names.setdefault(unquote(name).lower(), unquote(text))
    if any(not text.isprintable() for text in names.values()):
        return None
    number = names.get(_NUMBER.lower(), "")
    transfer = Transfer(
        _METHOD.sub("", found[1]), names.get(_TAKES.lower(), ""), voucher=names.get(_REFERRER.lower(), "")
    )
    return transfer, int(number) if re.fullmatch("[0-9]{1,10}", number) else 0


async def carry_out(call: str, target: str, proven: str, questions: Questions, happenings: Happenings) -> int:
    """Have the caller call somebody else (REFER).

    Args:
        call: FreeSWITCH's name of the call.
        target: a SIP URI.
        proven: id of the authorization code that the caller knew; empty: none is asked for.
        questions: of the call.
        happenings: of the call.

    Returns:
        What came of it; 0: the call ended, or the phone did not say.
    """
    values = {"sip_refer_continue_after_reply": "true", _ANSWERED: "", _TOLD: "", _PROVEN: proven}
    await questions.ask(commands.set_variables(call, values))
    await questions.ask(commands.refer(call, target))
    for _ in range(int(WAIT_SECONDS / LOOK_SECONDS)):
        if (answered := _status(await questions.ask(commands.variable(call, _ANSWERED)))) >= 300:
            return answered
        if answered and (told := _status(await questions.ask(commands.variable(call, _TOLD)))):
            return told
        if await happenings.over_within(LOOK_SECONDS):
            return 0
    return 0


def told_at_the_end(headers: Mapping[str, str]) -> int:
    """What had become of a transfer when the call ended, from the event of that; 0: it is not known, or was none."""
    return next((status for name in (_TOLD, _ANSWERED) if (status := _status(headers.get(f"variable_{name}", "")))), 0)


def _status(text: str) -> int:
    return int(text) if re.fullmatch("[2-6][0-9]{2}", text.strip()) else 0
