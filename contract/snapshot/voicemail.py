"""How the mailboxes of a site answer, and what they keep."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contract.snapshot.pattern import Dialled
from contract.values import Frozen, Id, Text

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$")]
"""RFC 5646."""


class DistributionList(Frozen):
    """Mailboxes that everybody of the site can send a message to at once."""

    number: Annotated[str, Field(pattern=r"^[0-9]{2,6}$")]
    """What is pressed for it behind a star; one digit is a user's own list."""
    name: Text
    members: Annotated[tuple[Id, ...], Field(max_length=200)] = ()
    """Mailboxes: ids of users, or of voice services that are mailboxes. Those that are gone are passed over."""


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
    recordings_leave: bool = False
    """Whether recordings may leave the site: for the portal and for mails. What is known of messages always goes."""
    operator: Dialled = ""
    """What key 0 calls; empty: it does nothing."""
    lists: Annotated[tuple[DistributionList, ...], Field(max_length=50)] = ()
    """For everybody who has a mailbox."""

    @model_validator(mode="after")
    def _names_each_list_once(self) -> Self:
        numbers = [one.number for one in self.lists]
        if twice := sorted({one for one in numbers if numbers.count(one) > 1}):
            raise ValueError(f"the list {twice[0]} is there twice")
        return self
