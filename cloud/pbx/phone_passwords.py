"""The password of a phone's own administration: kept as a secret, written into its file, shown only when asked for."""

import re
from typing import Final
from uuid import UUID

from pydantic import SecretStr

from cloud.models import Device
from cloud.pbx.checks import get_for_change, invalid
from cloud.pbx.desk import Desk
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.errors import Conflict
from cloud.pbx.lines import new_password
from cloud.pbx.secrets import SecretVersion, reveal_secret
from contract.devices import Catalogue

_WRITABLE: Final = re.compile(r"[!-~]+")
"""What every phone's keypad and file can take: ASCII without spaces."""


def set_admin_password(desk: Desk, catalogue: Catalogue, device_id: UUID, password: SecretStr | None) -> SecretStr:
    """Give a phone a password for its own administration; its site is published, so that its file says it.

    Args:
        password: None: one is made here.

    Returns:
        The password.

    Raises:
        Invalid: the phone's file has no way to write it.
    """
    device = get_for_change(desk.session, Device, device_id)
    value = new_password(desk) if password is None else password
    clear = value.get_secret_value()
    if not _WRITABLE.fullmatch(clear):
        raise invalid("password", "Only letters, digits and signs of ASCII, without spaces")
    model = tenant_catalogue(desk.session, catalogue, device.tenant_id).find(device.model)
    if model is not None and (problem := model.refusal(clear)) is not None:
        raise invalid("password", f"The files of {model.label} cannot hold this: it {problem}")
    kept = desk.keep_secret(device.tenant_id, value, device.admin_secret_id)
    device.admin_secret_id, device.admin_secret_version = kept.secret_id, kept.version
    desk.flush()
    desk.record("device.admin_password_changed", "device", device.id, {}, device.tenant_id)
    desk.publish(device.site_id, f"Device {device.mac} got a new administrator's password")
    return value


def reveal_admin_password(desk: Desk, device_id: UUID) -> SecretStr:
    """The password of a phone's own administration; that it was shown, and to whom, is in the audit.

    Raises:
        Conflict: the phone has none of its own.
        SecretUnreadable: it cannot be opened.
    """
    device = get_for_change(desk.session, Device, device_id)
    if device.admin_secret_id is None or device.admin_secret_version is None:
        raise Conflict("The phone has no administrator's password of its own")
    value = reveal_secret(desk.session, desk.keys, SecretVersion(device.admin_secret_id, device.admin_secret_version))
    desk.record("device.admin_password_shown", "device", device.id, {}, device.tenant_id)
    return value


def remove_admin_password(desk: Desk, device_id: UUID) -> None:
    """Say nothing more about the password in the phone's file: the phone keeps the one that it has."""
    device = get_for_change(desk.session, Device, device_id)
    if device.admin_secret_id is None:
        return
    device.admin_secret_id = device.admin_secret_version = None
    desk.flush()
    desk.record("device.admin_password_removed", "device", device.id, {}, device.tenant_id)
    desk.publish(device.site_id, f"Device {device.mac} has no administrator's password any more")
