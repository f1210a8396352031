"""How the mailboxes of a site answer, and what they keep."""

from typing import Annotated

from pydantic import Field

from contract.snapshot.pattern import Dialled
from contract.values import Frozen

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$")]
"""RFC 5646."""


class VoicemailPolicy(Frozen):
    """What a site decides about its voicemail."""

    language: Language = "en"
    """What is said to callers and owners; a language that is not shipped is English."""
    longest_seconds: Annotated[int, Field(ge=10, le=3600)] = 300
    """Of one message."""
    shortest_seconds: Annotated[int, Field(ge=1, le=10)] = 1
    """What is shorter is no message."""
    silence_seconds: Annotated[int, Field(ge=0, le=60)] = 10
    """A message ends when nobody speaks for so long; 0: never."""
    messages: Annotated[int, Field(ge=1, le=2000)] = 200
    """In one mailbox, in all its folders; beyond it callers are told that it is full."""
    deleted_days: Annotated[int, Field(ge=0, le=365)] = 7
    """How long deleted messages can be taken back."""
    kept_days: Annotated[int, Field(ge=0, le=3650)] = 0
    """How long all others are kept; 0: until they are deleted."""
    operator: Dialled = ""
    """What key 0 calls; empty: it does nothing."""
