"""Phones of a made-up site, a reporter that remembers, and a reader of `key = value` files."""

from collections.abc import Mapping

from pydantic import SecretStr

from contract.devices import Value
from contract.sync.events import Happening
from edge_agent.provisioning.config import Account, DeviceConfig, ProvisioningConfig, Registrar

REGISTRAR = Registrar(host="192.0.2.10", domain="demo.tandem.test")
YEALINK_MAC = "805ec0000200"
GENERIC_MAC = "020000000201"
PASSWORD = "planted-password-7f3a"
SERVER_URL = "http://192.0.2.10:8090"
ADMIN_PASSWORD = "planted-admin-91c2"


class RecordedReporter:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.reports: list[Happening] = []

    def report(self, what: Happening) -> None:
        """Remember it."""
        self.reports.append(what)


def account(position: int = 1, number: str = "200", name: str = "Reception", password: str = PASSWORD) -> Account:
    """One line."""
    return Account(position, number, f"line-{number}", SecretStr(password), name, REGISTRAR)


def yealink(
    model: str = "t54w",
    mac: str = YEALINK_MAC,
    settings: Mapping[str, Value] | None = None,
    accounts: tuple[Account, ...] | None = None,
) -> DeviceConfig:
    """A Yealink phone with one line."""
    return phone(f"yealink/{model}", mac, settings, accounts)


def phone(
    model: str, mac: str, settings: Mapping[str, Value] | None = None, accounts: tuple[Account, ...] | None = None
) -> DeviceConfig:
    """A phone of any model, with one line."""
    return DeviceConfig(
        device_id=f"device-{mac}",
        mac=mac,
        model=model,
        name="Front desk",
        settings=settings or {},
        accounts=accounts if accounts is not None else (account(),),
        admin_password=SecretStr(ADMIN_PASSWORD),
    )


def generic(mac: str = GENERIC_MAC, accounts: tuple[Account, ...] | None = None) -> DeviceConfig:
    """A generic phone with one line."""
    lines = accounts if accounts is not None else (account(1, "201", "Workshop"),)
    return DeviceConfig(f"device-{mac}", mac, "generic/sip", accounts=lines)


def site(*devices: DeviceConfig, version: int = 1, time_zone: str = "Europe/Berlin") -> ProvisioningConfig:
    """A site's configuration."""
    return ProvisioningConfig(version, time_zone, devices, SERVER_URL)


def key_values(body: bytes) -> dict[str, str]:
    """What a phone reads of a file of `key = value` lines.

    Raises:
        AssertionError: a line is neither that nor a comment, or a key stands there twice.
    """
    found: dict[str, str] = {}
    for line in body.decode().split("\n"):
        if not line.strip() or line.startswith(("#", "include:")):
            continue
        key, separator, value = line.partition("=")
        assert separator, line
        assert key.strip() not in found, line
        found[key.strip()] = value.strip()
    return found
