"""A real agent, as the operating system runs it: `python -m edge_agent run` on a state folder of the test."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from contract.snapshot import Snapshot
from edge_agent.status import is_running, read_status
from edge_agent.sync.identity import EdgeKeys, HubAddress, Identity, save_identity
from edge_agent.sync.secret_store import SecretStore
from edge_agent.sync.store import SnapshotStore
from edge_agent.tokens import SystemTokens
from tests.support.waiting import eventually

ENGINE: Final = os.environ.get("TANDEM_TEST_ENGINE", "embedded")
"""Of media, where a test asks for none."""
CLOUD_AWAY = HubAddress(host="127.0.0.1", quic_port=9, websocket_url="wss://127.0.0.1:9/channel")


def prepare_state(
    folder: Path, snapshot: Snapshot | None, secrets: Mapping[str, str], identity: Identity | None = None
) -> Identity:
    """A state folder as an enrolled agent leaves it behind; its cloud is away unless `identity` leads to one."""
    identity = identity or Identity("edge-1", "site-1", CLOUD_AWAY, _some_ca(), EdgeKeys.generate())
    save_identity(folder, identity)
    if snapshot is not None:
        SnapshotStore(folder / "snapshot").save(snapshot)
        store = SecretStore(folder / "secrets.bin", identity.storage_key(), SystemTokens())
        store.add({ref: SecretStr(value) for ref, value in secrets.items()})
    return identity


def _some_ca() -> str:
    key, name = (
        Ed25519PrivateKey.generate(),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a cloud that is away")]),
    )
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(days=36_500))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, None).public_bytes(Encoding.PEM).decode()


class EdgeProcess:
    """One run of the agent; ports are free ones unless `environment` says otherwise.

    Args:
        state_dir: its state folder.
        environment: further settings.
        python: what runs it.
        tree: the folder whose `edge_agent` runs; None for the project's own.
    """

    def __init__(
        self,
        state_dir: Path,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
        tree: Path | None = None,
    ) -> None:
        self.state_dir = state_dir
        self.output = state_dir.with_name(state_dir.name + ".output")
        self.errors = state_dir.with_name(state_dir.name + ".errors")
        settings = {
            "TANDEM_EDGE_STATE_DIR": str(state_dir),
            "TANDEM_EDGE_SIP_ADDRESS": "127.0.0.1",
            "TANDEM_EDGE_SIP_UDP_PORT": "0",
            "TANDEM_EDGE_SIP_TCP_PORT": "0",
            "TANDEM_EDGE_SIP_TLS_PORT": "0",
            "TANDEM_EDGE_SIP_SITES_PORT": "0",
            "TANDEM_EDGE_PROVISIONING_ADDRESS": "127.0.0.1",
            "TANDEM_EDGE_PROVISIONING_TFTP_PORT": "0",
            "TANDEM_EDGE_PROVISIONING_HTTPS_PORT": "0",
            "TANDEM_EDGE_PROVISIONING_PLUG_AND_PLAY_PORT": "0",
            "TANDEM_EDGE_PROVISIONING_HTTP_PORT": "0",
            "TANDEM_EDGE_MEDIA_RELAY": "own",
            "TANDEM_EDGE_LOG_FORMAT": "json",
            "TANDEM_EDGE_SUPERVISION_HEARTBEAT_SECONDS": "0.2",
            "TANDEM_EDGE_MEDIA_ENGINE": ENGINE,
            **(environment or {}),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_EDGE_")}
        with self.output.open("w") as output, self.errors.open("a") as errors:
            command = [python, "-m", "edge_agent", "run"]
            self.process = subprocess.Popen(command, env={**kept, **settings}, cwd=tree, stdout=output, stderr=errors)

    def ready(self, within: float = 150.0) -> dict[str, Any]:
        """What the newest ready line says; that long, because a process that is too slow is started once more."""

        def newest() -> dict[str, Any] | None:
            assert self.process.poll() is None, self.errors.read_text()[-3000:]
            lines = [line for line in self.output.read_text().splitlines() if line.startswith("ready ")]
            return json.loads(lines[-1].removeprefix("ready ")) if lines else None

        try:
            return eventually(newest, within, "the agent is ready") or {}
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.status()}\n{self.errors.read_text()[-5000:]}") from None

    def ports(self) -> dict[str, int]:
        """Bound ports by name."""
        ports: dict[str, int] = self.ready()["ports"]
        return ports

    def status(self) -> dict[str, Any]:
        """What `tandem-edge status --json` prints."""
        status = read_status(self.state_dir)
        content = status.model_dump(mode="json") if status else {}
        return {**content, "running": is_running(self.state_dir)}

    def kill(self) -> None:
        """kill -9 of the agent alone."""
        self.process.kill()
        self.process.wait(10)

    def stop(self, within: float = 10.0) -> int:
        """Ask it to stop; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
