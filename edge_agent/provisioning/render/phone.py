"""What a template may see: one phone, frozen, with every setting resolved and no more than it needs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from contract.devices import RECORD_KEY, DeviceModel, Resolved, Value, resolve
from edge_agent.provisioning.config import Account, DeviceConfig, Registrar
from edge_agent.provisioning.render.time_zone import PhoneTimeZone


@dataclass(frozen=True, slots=True, repr=False)
class AccountView:
    """One account, its password in clear: a template's business only."""

    position: int
    username: str
    auth_username: str
    password: str
    display_name: str
    label: str
    registrar: Registrar
    appearances: int = 0
    """Of a shared line; 0: it is not shared."""


@dataclass(frozen=True, slots=True, repr=False)
class DeviceView:
    """The device itself."""

    mac: str
    name: str
    admin_password: str
    fetch_user: str
    fetch_password: str
    """By which it proves who it is when it fetches its files; both are empty where nothing asks for them."""


@dataclass(frozen=True, slots=True, repr=False)
class Phone:
    """Everything that a device's templates are rendered with."""

    device: DeviceView
    model: DeviceModel
    accounts: Mapping[int, AccountView]
    """By position, from 1."""
    settings: Mapping[str, Resolved]
    """Every setting by its path."""
    account_settings: tuple[Resolved, ...]
    """Settings that are written once for each account."""
    device_settings: tuple[Resolved, ...]
    """Settings that are written once."""
    record_key: int
    """The line key that records the call because somebody of the phone may, from 1; 0: none does by itself."""
    time_zone: PhoneTimeZone
    server_url: str
    """Where phones fetch by HTTP or HTTPS, without a slash at its end; empty when it is not known."""

    def names(self) -> dict[str, object]:
        """The names that a template knows."""
        return {name: getattr(self, name) for name in Phone.__dataclass_fields__} | {"phone": self}


def phone(
    config: DeviceConfig,
    model: DeviceModel,
    time_zone: PhoneTimeZone,
    server_url: str = "",
    unwritable: frozenset[str] = frozenset(),
) -> Phone:
    """One phone as its templates see it.

    Args:
        config: the device.
        model: its model.
        time_zone: of the site.
        server_url: where phones fetch.
        unwritable: characters that its file cannot hold; names for people go without them.

    Raises:
        SettingsRefused: the model does not take the device's settings.
    """
    settings = resolve(model, config.settings, config.levels)
    written = [each for each in settings.values() if each.setting.parameter is not None]
    return Phone(
        device=DeviceView(
            mac=config.mac,
            name=one_line(config.name, unwritable),
            admin_password=_reveal(config.admin_password),
            fetch_user=config.mac if config.fetch_password else "",
            fetch_password=_reveal(config.fetch_password),
        ),
        model=model,
        accounts={account.position: _account(account, unwritable) for account in config.accounts},
        settings=settings,
        account_settings=tuple(each for each in written if "{account}" in (each.setting.parameter or "")),
        device_settings=tuple(each for each in written if "{account}" not in (each.setting.parameter or "")),
        record_key=_record_key(settings, {account.position for account in config.accounts}),
        time_zone=time_zone,
        server_url=server_url,
    )


def _record_key(settings: Mapping[str, Resolved], lines: Collection[int]) -> int:
    """The first line key that nobody has given a meaning, unless a key records already."""
    wanted = settings.get(RECORD_KEY)
    types: dict[int, Value] = {}
    while (number := len(types) + 1) and (key := settings.get(f"line_key/{number}/type")) is not None:
        types[number] = key.value
    if wanted is None or not wanted.value or "record" in types.values():
        return 0
    return min((number for number, type_ in types.items() if type_ == "automatic" and number not in lines), default=0)


def one_line(text: str, unwritable: frozenset[str] = frozenset()) -> str:
    """A name for people on one line: every run of white space is one space, what cannot be written is gone."""
    return " ".join("".join(c if c.isprintable() and c not in unwritable else " " for c in text).split())


def _reveal(password: SecretStr | None) -> str:
    return password.get_secret_value() if password else ""


def _account(account: Account, unwritable: frozenset[str]) -> AccountView:
    display_name = one_line(account.display_name, unwritable)
    return AccountView(
        position=account.position,
        username=account.username,
        auth_username=account.auth_username,
        password=account.password.get_secret_value(),
        display_name=display_name,
        label=one_line(account.label, unwritable) or display_name,
        registrar=account.registrar,
        appearances=account.appearances,
    )
