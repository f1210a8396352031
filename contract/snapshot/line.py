"""A line: a user's identity on a device, with credentials of its own."""

from typing import Annotated

from pydantic import Field

from contract.values import Frozen, Id, SecretRef, SipUser, Text


class Line(Frozen):
    """What one account on one phone registers with."""

    line_id: Id
    user_id: Id
    device_id: Id | None = None
    """None: a soft phone that no device of the site stands for."""
    position: Annotated[int, Field(ge=1, le=64)] = 1
    """The account's place on the device, from 1."""
    label: Text = ""
    """What the phone shows beside the key; empty means the user's display name."""
    auth_username: SipUser
    """The digest user name; unique at the site."""
    password: SecretRef
