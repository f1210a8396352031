"""What templates of sipXcom's plug-ins may name: `phone`, `cfg` and a few more, as plain mappings."""

from collections.abc import Iterable, Mapping

from contract.devices import Resolved
from contract.devices.velocity import Value
from edge_agent.provisioning.render.phone import AccountView, Phone


def velocity_names(names: Mapping[str, object]) -> dict[str, Value]:
    """The names of a template, from those that our own templates have.

    A line's settings are written for each account; a file that devices share sees no phone.
    """
    shared: dict[str, Value] = {"dollar": "$", "serverUrl": names.get("server_url", "")}
    phone = names.get("phone")
    if not isinstance(phone, Phone):
        return shared
    lines = [_line(account, phone.account_settings) for _, account in sorted(phone.accounts.items())]
    settings = _settings(phone.device_settings)

    def recursive(given: Value = None) -> Value:
        return given if isinstance(given, list) else settings

    about = {
        "serialNumber": phone.device.mac,
        "description": phone.device.name,
        "adminPassword": phone.device.admin_password,
        "modelId": phone.model.name,
        "maxLines": phone.model.lines,
        "lines": lines,
        "settings": settings,
        "timeZone": {"name": phone.time_zone.name, "offsetMinutes": phone.time_zone.offset_minutes},
    }
    cfg = {
        "lines": lines,
        "settings": settings,
        "getSettings": recursive,
        "getRecursiveSettings": recursive,
        "getEndpointSettings": recursive,
    }
    return {**shared, "phone": about, "gateway": about, "cfg": cfg}


def _line(account: AccountView, settings: Iterable[Resolved]) -> dict[str, Value]:
    registrar = account.registrar
    return {
        "position": account.position,
        "uri": f"sip:{account.username}@{registrar.domain}",
        "userId": account.username,
        "authorizationId": account.auth_username,
        "password": account.password,
        "displayName": account.display_name,
        "label": account.label,
        "registrationServer": registrar.domain,
        "registrationPort": registrar.port,
        "outboundProxy": registrar.host,
        "transport": registrar.transport,
        "user": {"userName": account.username, "displayName": account.display_name, "sipPassword": account.password},
        "settings": _settings(settings),
    }


def _settings(settings: Iterable[Resolved]) -> list[Value]:
    return [
        {
            "name": each.setting.path.rpartition("/")[2],
            "path": each.setting.path,
            "profileName": (each.setting.parameter or "").removeprefix("{account}/"),
            "label": each.setting.label,
            "value": each.written,
        }
        for each in settings
    ]
