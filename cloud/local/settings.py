"""What `make run` is told: ports and folder, each with a free default."""

import argparse
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

DEFAULT_STATE_DIR: Final = Path(os.environ.get("TANDEM_STATE_DIR", ".run"))


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each part listens; 0 takes a free one."""

    api: int = 8080
    api_tls: int = 8443
    hub_quic: int = 8444
    hub_websocket: int = 8444
    sip: int = 5060
    sip_tls: int = 5061
    tftp: int = 6969
    provisioning: int = 8090
    provisioning_tls: int = 8490

    @classmethod
    def any(cls) -> Self:
        """Whatever is free."""
        return cls(0, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Settings of one machine.

    Args:
        state_dir: keeps database, keys, the edge's state and logs.
        host: address that API and hub listen on.
        edge_host: address that phones reach the edge at.
        ports: of each part.
        database_url: an administrator's address of another PostgreSQL; empty starts our own.
        demo: whether a demo site with an edge is brought up.
        portal: whether the portal is built and served.
        installer: whether the agent's bundle is built and served.
    """

    state_dir: Path
    host: str
    edge_host: str
    ports: Ports
    database_url: str
    demo: bool
    portal: bool
    installer: bool
    environment: dict[str, str]
    """What the child processes inherit."""

    @classmethod
    def from_arguments(cls, arguments: list[str]) -> Self:
        """Read the command line, with defaults from the environment (`TANDEM_STATE_DIR`, `DATABASE_URL`)."""
        parser = argparse.ArgumentParser(prog="make run", description="Bring up the whole system on this machine.")
        parser.add_argument("--state-dir", type=Path, default=DEFAULT_STATE_DIR)
        parser.add_argument("--host", default="127.0.0.1", help="address that API, portal and hub listen on")
        parser.add_argument("--edge-host", default="127.0.0.1", help="address that phones reach the edge at")
        parser.add_argument("--any-ports", action="store_true", help="take whatever ports are free")
        parser.add_argument("--no-demo", action="store_true", help="no demo site and no edge")
        parser.add_argument("--no-portal", action="store_true", help="do not build the portal")
        parser.add_argument("--no-installer", action="store_true", help="do not build the agent's bundle")
        defaults = Ports()
        names = tuple(field.name.replace("_", "-") for field in fields(Ports))
        for name in names:
            default = getattr(defaults, name.replace("-", "_"))
            parser.add_argument(f"--{name}-port", type=int, default=None, metavar="PORT", help=f"default {default}")
        given = parser.parse_args(arguments)
        base = Ports.any() if given.any_ports else defaults
        chosen = {name.replace("-", "_"): getattr(given, f"{name.replace('-', '_')}_port") for name in names}
        return cls(
            state_dir=given.state_dir.resolve(),
            host=given.host,
            edge_host=given.edge_host,
            ports=Ports(**{name: getattr(base, name) if port is None else port for name, port in chosen.items()}),
            database_url=os.environ.get("DATABASE_URL", ""),
            demo=not given.no_demo,
            portal=not given.no_portal,
            installer=not given.no_installer,
            environment=dict(os.environ),
        )
