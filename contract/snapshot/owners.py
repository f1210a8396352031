"""The owners of mailboxes, of messages and of faxes, and what is wrong with them."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Protocol

from pydantic import AfterValidator, Field

from contract.snapshot.user import User
from contract.values import Id


def _each_once(owners: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({one for one in owners if owners.count(one) > 1}):
        raise ValueError(f"the owner {twice[0]} is named twice")
    return owners


Owners = Annotated[tuple[Id, ...], Field(max_length=50), AfterValidator(_each_once)]
"""User ids, each once."""


class Owned(Protocol):
    """A mailbox of several users."""

    @property
    def service_id(self) -> str:
        """Its id."""
        ...

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def owners(self) -> tuple[str, ...]:
        """User ids."""
        ...


def owner_problems(mailboxes: Iterable[Owned], users: Sequence[User], kind: str) -> Iterable[str]:
    """Owners who are not there, and mailboxes that have the id of a user's.

    Args:
        mailboxes: of one kind.
        users: of the site.
        kind: what people call such a mailbox.
    """
    user_ids = {user.user_id for user in users}
    for mailbox in mailboxes:
        for owner in mailbox.owners:
            if owner not in user_ids:
                yield f"dial_plan: {kind} {mailbox.name} has the unknown owner {owner}"
        if mailbox.service_id in user_ids:
            yield f"dial_plan: {kind} {mailbox.name} has the id of a user: {mailbox.service_id}"
