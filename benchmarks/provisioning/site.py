"""The edge's provisioning server alone, for a site of many phones: prints its ports, then serves until it is killed."""

import asyncio
import sys
from pathlib import Path

from pydantic import SecretStr

from contract.devices import load_catalogue
from contract.sync.events import Happening
from edge_agent.clock import SystemClock
from edge_agent.provisioning.config import Account, DeviceConfig, ProvisioningConfig, Registrar
from edge_agent.provisioning.server import ProvisioningAddresses, ProvisioningServer


class _Nobody:
    """Hears what happens, and keeps nothing."""

    def report(self, what: Happening) -> None:
        """Forget it."""


def phone(number: int) -> DeviceConfig:
    """One of the site's phones."""
    account = Account(
        1, str(number), f"a{number}", SecretStr("a-password"), f"Phone {number}", Registrar("192.0.2.1", "d.test")
    )
    return DeviceConfig(f"d{number}", f"805ec0{number:06x}", "yealink/t54w", accounts=(account,))


async def serve(phones: int, folder: Path) -> None:
    """Render every phone, write the same bytes for the peers, and serve."""
    server = ProvisioningServer(ProvisioningAddresses("127.0.0.1", 0, 0), load_catalogue(), _Nobody(), SystemClock())
    await server.prepare(ProvisioningConfig(1, devices=tuple(phone(number) for number in range(phones))))
    server.commit()
    for number in range(phones):
        name = f"{phone(number).mac}.cfg"
        file = server.desk.library.find(name)
        assert file is not None
        (folder / name).write_bytes(file.body)
    await server.start()
    sys.stdout.write(f"{server.ports['http']} {server.ports['tftp']}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
