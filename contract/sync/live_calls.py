"""Calls in progress, as an edge tells of them when it is asked; their records come when they end."""

from typing import Annotated, Final

from pydantic import Field

from contract.values import Frozen, Text, UtcTime

MAX_SHOWN: Final = 200


class CallInProgress(Frozen):
    """One call that has not ended."""

    sip_call_id: Annotated[str, Field(max_length=1024)]
    """What its messages are asked for by."""
    caller: Text
    callee: Text
    """What was dialled."""
    caller_user_id: str | None = None
    callee_user_id: str | None = None
    started_at: UtcTime
    answered_at: UtcTime | None = None
    """None: nobody has answered yet."""


class CallsInProgress(Frozen):
    """The newest calls in progress at an edge, the newest first."""

    calls: Annotated[tuple[CallInProgress, ...], Field(max_length=MAX_SHOWN)] = ()
    total: Annotated[int, Field(ge=0)] = 0
    """How many there are, those that are not shown included."""
