"""Fax mailboxes: numbers that take faxes for a user or several, who are sent them by mail."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.owners import Owners, owner_problems
from contract.snapshot.served import Served
from contract.snapshot.user import User


class Fax(Served):
    """Whoever sends a fax to its number has it stored at the site, and mailed to its owners."""

    kind: Literal["fax"] = "fax"
    owners: Owners = ()
    """User ids: one user's own fax mailbox has one, that of a group several."""
    station: Annotated[str, Field(pattern=r"^[0-9A-Za-z+ .()-]{0,20}$")] = ""
    """What the machine that sends is told of who receives (CSI, ITU-T T.30); empty: the extension."""
    t38: bool = False
    """Whether T.38 may be taken up; else fax goes over the audio (G.711). A trunk's media relay carries no T.38."""


def fax_problems(services: Sequence[Served], users: Sequence[User]) -> Iterable[str]:
    """Owners who are not there, and fax mailboxes that have the id of a user."""
    return owner_problems((one for one in services if isinstance(one, Fax)), users, "fax mailbox")


def fax_warnings(services: Sequence[Served]) -> Iterable[str]:
    """Fax mailboxes of nobody."""
    for fax in services:
        if isinstance(fax, Fax) and fax.enabled and not fax.owners:
            yield f"{fax.name} has no owners: nobody is sent its faxes"
