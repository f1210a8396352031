"""Group mailboxes: a number that takes messages, which several users listen to."""

from collections.abc import Iterable, Sequence
from typing import Literal

from contract.snapshot.owners import Owners, owner_problems
from contract.snapshot.served import Served
from contract.snapshot.user import User


class GroupMailbox(Served):
    """Whoever calls its number leaves a message; calls that hunt groups and queues give up may be sent to it."""

    kind: Literal["mailbox"] = "mailbox"
    owners: Owners = ()
    """User ids: their lamps tell of its messages, which are the same to all of them."""


def mailbox_problems(services: Sequence[Served], users: Sequence[User]) -> Iterable[str]:
    """Owners who are not there, and mailboxes that have the id of a user's."""
    return owner_problems((one for one in services if isinstance(one, GroupMailbox)), users, "mailbox")


def mailbox_warnings(services: Sequence[Served]) -> Iterable[str]:
    """Mailboxes that nobody listens to."""
    for mailbox in services:
        if isinstance(mailbox, GroupMailbox) and mailbox.enabled and not mailbox.owners:
            yield f"{mailbox.name} has no owners: nobody is told of its messages"
