"""/devices/…/admin-password: the password of a phone's own administration."""

from typing import Annotated

from pydantic import Field, SecretStr

from cloud.api.chalicelib.fields import PathId, Sent, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import phone_passwords

router = new_router()


class NewAdminPassword(Sent):
    """A phone's password to be."""

    password: Annotated[SecretStr, Field(min_length=8, max_length=32)] | None = Field(
        None, description="ASCII without spaces. Absent: one is made here"
    )


class AdminPassword(Shown):
    """A phone's password, in clear."""

    password: str


@router.post(
    "/devices/<device_id>/admin-password",
    **operation(
        "setDeviceAdminPassword",
        "devices",
        "Give a phone a password for its own administration; its file tells it to the phone",
        "tenant_admin",
    ),
)
def set_admin_password(work: Current, device_id: PathId, body: NewAdminPassword) -> AdminPassword:
    kept = phone_passwords.set_admin_password(work.desk, work.services.catalogue, device_id, body.password)
    return AdminPassword(password=kept.get_secret_value())


@router.post(
    "/devices/<device_id>/admin-password/reveal",
    **operation(
        "revealDeviceAdminPassword",
        "devices",
        "Show the password of a phone's own administration; the audit says who saw it",
        "tenant_admin",
    ),
)
def reveal_admin_password(work: Current, device_id: PathId) -> AdminPassword:
    shown = phone_passwords.reveal_admin_password(work.desk, device_id)
    return AdminPassword(password=shown.get_secret_value())


@router.delete(
    "/devices/<device_id>/admin-password",
    **operation(
        "removeDeviceAdminPassword",
        "devices",
        "Leave a phone's administration the password it has",
        "tenant_admin",
        204,
    ),
)
def remove_admin_password(work: Current, device_id: PathId) -> None:
    phone_passwords.remove_admin_password(work.desk, device_id)
