"""What every voice service of a site has that is reached by a number of its own."""

from typing import Annotated

from pydantic import Field

from contract.values import Extension, Frozen, Id, SipUser, Text


class Served(Frozen):
    """A number of the site that an application answers; the kinds are in `contract.snapshot.voice_service`."""

    service_id: Id
    name: Text
    extension: Extension
    aliases: Annotated[tuple[SipUser, ...], Field(max_length=32)] = ()
    enabled: bool = True
    permission: str | None = None
    """The permission that the caller needs; None means anyone, also from outside."""

    @property
    def names(self) -> tuple[str, ...]:
        """What is dialled for it."""
        return (self.extension, *self.aliases)
