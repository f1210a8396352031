"""The whole system on one machine: which parts there are, in which order they start, and what each is told."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cloud.clock import SystemClock
from cloud.errors import CloudError
from cloud.local import demo_site
from cloud.local.api_client import ApiClient
from cloud.local.keys import LocalKeys
from cloud.local.part import Ended, Part
from cloud.local.ports import Wanted, settle
from cloud.local.postgres import DatabaseUrls, PostgresServer, find_binaries, prepare_database
from cloud.local.running import DemoPhone, RunningSystem, forget_running, write_running
from cloud.local.settings import LocalSettings
from cloud.tokens import SystemTokens

ADMIN_EMAIL: Final = "admin@demo.tandem.test"
OBJECTS_FOLDER: Final = "objects"
"""Of firmware and other large files, in the state folder."""
READY_SECONDS: Final = 60.0
RESTART_SECONDS: Final = 1.0


class LocalFailed(CloudError):
    """The system could not be brought up; the text says what is wrong."""


def _wanted_ports(settings: LocalSettings) -> dict[str, Wanted]:
    ports, host, edge = settings.ports, settings.host, settings.edge_host
    wanted: dict[str, Wanted] = {
        "api": (host, ports.api, ("tcp",)),
        "api_tls": (host, ports.api_tls, ("tcp",)),
        "hub_quic": (host, ports.hub_quic, ("udp",)),
        "hub_websocket": (host, ports.hub_websocket, ("tcp",)),
    }
    if settings.demo:
        wanted["sip"] = (edge, ports.sip, ("tcp", "udp"))
        wanted["sip_tls"] = (edge, ports.sip_tls, ("tcp",))
        wanted["tftp"] = (edge, ports.tftp, ("udp",))
        wanted["provisioning"] = (edge, ports.provisioning, ("tcp",))
        wanted["provisioning_tls"] = (edge, ports.provisioning_tls, ("tcp",))
    return wanted


class LocalSystem:
    """Database, API with portal, hub, functions and the edge of a demo site.

    Args:
        settings: folder, hosts and ports.
        portal: the built portal, or None.
        installer: folder with install.sh and the agent's bundle, or None.
        show: told, for people, what happens.
    """

    def __init__(
        self,
        settings: LocalSettings,
        portal: Path | None,
        installer: Path | None,
        show: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.ended: queue.SimpleQueue[Ended | None] = queue.SimpleQueue()
        """The main thread's inbox: parts that ended, or None to stop."""
        self.parts: dict[str, Part] = {}
        self.running: RunningSystem | None = None
        self.site: demo_site.DemoSite | None = None
        self._portal, self._installer = portal, installer
        self._show = show
        self._state = settings.state_dir
        self._state.mkdir(parents=True, exist_ok=True)
        self._logs = self._state / "logs"
        self._logs.mkdir(mode=0o700, exist_ok=True)
        self.ports = settle(_wanted_ports(settings), self._state / "ports.json")
        self._postgres: PostgresServer | None = None
        self.urls: DatabaseUrls | None = None
        clock = SystemClock()
        self.keys = LocalKeys.open(self._state / "keys", SystemTokens(clock), clock.now())
        """Made at the first start and kept."""
        self._certificate = self._issue_certificate(clock)

    @property
    def api_url(self) -> str:
        """Portal and API, on this machine."""
        return f"http://{self.settings.host}:{self.ports['api']}"

    @property
    def secure_url(self) -> str:
        """The API with TLS, by a certificate of the cloud's own authority: where edges enroll."""
        return f"https://{self.settings.host}:{self.ports['api_tls']}"

    def start(self) -> None:
        """Bring everything up; returns when all is ready. Call from the main thread.

        Raises:
            LocalFailed, PartFailed, PostgresMissing, PostgresFailed: what did not start, and the end of its log.
        """
        self.start_database()
        urls = self.urls
        assert urls is not None  # noqa: S101  start_database sets it
        self._add("api", ["-m", "cloud.local.api_server", *self._api_arguments()], self._api_environment(urls))
        self._add("hub", ["-m", "cloud.hub"], self._hub_environment(urls))
        self._add("functions", ["-m", "cloud.local.functions"], self._functions_environment(urls))
        self._ensure_admin(urls)
        for name in ("api", "hub", "functions"):
            self.start_part(name)
        for name in ("api", "hub", "functions"):
            self.parts[name].wait_ready(READY_SECONDS)
        if self.settings.demo:
            self._start_demo()

    def _ensure_admin(self, urls: DatabaseUrls) -> None:
        """The first account; there already when the data is from an earlier run."""
        command = [sys.executable, "-m", "cloud.api", "bootstrap", ADMIN_EMAIL]
        done = subprocess.run(
            command,
            env=self._api_environment(urls),
            input=self.keys.admin_password + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalFailed(f"the first account could not be made: {done.stderr.strip()[-400:]}")

    def _start_demo(self) -> None:
        api = ApiClient(self.api_url)
        api.log_in(ADMIN_EMAIL, self.keys.admin_password)
        site = self.site = demo_site.ensure(api, self._state / "demo.json")
        edge_state = self._state / "edge"
        edge_environment = self._edge_environment(edge_state)
        if not (edge_state / "identity.json").exists():
            code = demo_site.enrollment_code(api, site)
            # By standard input: what stands in the arguments every user of the machine may read.
            command = [sys.executable, "-m", "edge_agent", "enroll", "-"]
            done = subprocess.run(
                command, env=edge_environment, input=code + "\n", capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise LocalFailed(f"the demo site's edge could not enroll: {(done.stdout + done.stderr).strip()}")
        self._add("edge", ["-m", "edge_agent", "run"], edge_environment)
        self.start_part("edge")
        self.parts["edge"].wait_ready(READY_SECONDS)
        demo_site.wait_applied(api, site, READY_SECONDS)
        self.running = self._describe(site, edge_state)
        write_running(self._state, self.running)

    def _describe(self, site: demo_site.DemoSite, edge_state: Path) -> RunningSystem:
        urls, edge = self.urls, self.parts["edge"].pid
        assert urls is not None  # noqa: S101  everything is up
        assert edge is not None  # noqa: S101  everything is up
        first, second = (
            DemoPhone(
                name=phone.name,
                mac=phone.mac,
                file=phone.file,
                username=phone.username,
                host=self.settings.edge_host,
                tftp_port=self.ports["tftp"],
                http_port=self.ports["provisioning"],
            )
            for phone in site.phones
        )
        return RunningSystem(
            pid=os.getpid(),
            api_url=self.api_url,
            secure_url=self.secure_url,
            email=ADMIN_EMAIL,
            password=self.keys.admin_password,
            tenant_id=site.tenant_id,
            site_id=site.site_id,
            edge_id=site.edge_id,
            edge_pid=edge,
            edge_state_dir=str(edge_state),
            sip_host=self.settings.edge_host,
            sip_port=self.ports["sip"],
            phones=(first, second),
            database_urls={name: getattr(urls, name) for name in ("owner", "api", "hub", "worker")},
            pids={name: part.pid for name, part in self.parts.items() if part.pid is not None},
        )

    def start_database(self) -> None:
        """PostgreSQL with the newest schema: our own, or the one of DATABASE_URL."""
        if self.settings.database_url:
            administrator = self.settings.database_url
        else:
            if self._postgres is None:
                binaries = find_binaries(self.settings.environment.get("PG_BIN", ""))
                self._postgres = PostgresServer(self._state / "postgres", binaries)
            self._show("database: starting")
            administrator = self._postgres.start()
        self.urls = prepare_database(administrator, "tandem")
        self._show("database: ready")

    def stop_database(self, *, kill: bool = False) -> None:
        """Stop our own PostgreSQL."""
        if self._postgres is not None:
            if kill:
                self._postgres.kill()
            else:
                self._postgres.stop()

    def _add(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        command = [sys.executable, *arguments]
        self.parts[name] = Part(name, command, environment, self._logs / f"{name}.log", self._part_changed)

    def _part_changed(self, part: Part) -> None:
        self._show(f"{part.name}: {part.state}")

    def start_part(self, name: str) -> None:
        """Start one part, again if it ended; does not wait until it is ready."""
        self.parts[name].start(self.ended)

    def supervise(self) -> None:
        """Start whatever ends again, until None lies in `ended`. Call from the main thread."""
        pause = threading.Event()
        while (ended := self.ended.get()) is not None:
            self._show(f"{ended.part.name}: ended with {ended.status}, starting again")
            pause.wait(RESTART_SECONDS)  # what fails at start would spin
            ended.part.start(self.ended)

    def stop(self) -> None:
        """Stop everything in order: those who use others first."""
        forget_running(self._state)
        for name in ("edge", "functions", "hub", "api"):
            if name in self.parts:
                self.parts[name].stop()
        self.stop_database()

    def _issue_certificate(self, clock: SystemClock) -> tuple[Path, Path]:
        """A new certificate for the API's TLS listener at each start."""
        leaf = self.keys.issue("tandem-api", self.settings.host, clock.now())
        certificate, key = self.keys.folder / "api.crt", self.keys.folder / "api.key"
        certificate.write_bytes(leaf.certificate_pem)
        key.touch(mode=0o600)
        key.write_bytes(leaf.key_pem)
        return certificate, key

    def _api_arguments(self) -> list[str]:
        certificate, key = self._certificate
        return [self.settings.host, str(self.ports["api"]), str(self.ports["api_tls"]), str(certificate), str(key)]

    def _api_environment(self, urls: DatabaseUrls) -> dict[str, str]:
        told = {
            "DATABASE_URL": urls.api,
            "TOKEN_KEY": self.keys.token_key,
            "KEY_FILE": str(self.keys.secrets_key_file),
            "CA_FILE": str(self.keys.authority_certificate_file),
            "HUB_HOST": self.settings.host,
            "HUB_QUIC_PORT": str(self.ports["hub_quic"]),
            "HUB_WEBSOCKET_URL": f"wss://{self.settings.host}:{self.ports['hub_websocket']}/channel",
            "PUBLIC_URL": self.api_url,
            "ENROLLMENT_URL": self.secure_url,
            "OBJECTS_FOLDER": str(self._state / OBJECTS_FOLDER),
            **({"PORTAL_DIR": str(self._portal)} if self._portal else {}),
            **({"INSTALLER_DIR": str(self._installer)} if self._installer else {}),
        }
        lab = self.settings.environment.get("TANDEM_API_INSECURE_WEBHOOKS")
        return self._told("TANDEM_API_", {**told, **({"INSECURE_WEBHOOKS": lab} if lab else {})})

    def _hub_environment(self, urls: DatabaseUrls) -> dict[str, str]:
        told = {
            "DATABASE_URL": urls.hub,
            "HOST": self.settings.host,
            "QUIC_PORT": str(self.ports["hub_quic"]),
            "WEBSOCKET_PORT": str(self.ports["hub_websocket"]),
            "AUTHORITY_FILE": str(self.keys.authority_file),
            "SECRETS_KEY_FILE": str(self.keys.secrets_key_file),
            "OBJECTS_FOLDER": str(self._state / OBJECTS_FOLDER),
        }
        return self._told("TANDEM_HUB_", told)

    def _functions_environment(self, urls: DatabaseUrls) -> dict[str, str]:
        # Webhook settings of labs and tests (TANDEM_WEBHOOK_…) are inherited.
        own = {
            "TANDEM_DATABASE_URL": urls.worker,
            "TANDEM_KEY_FILE": str(self.keys.secrets_key_file),
            "TANDEM_OBJECTS_FOLDER": str(self._state / OBJECTS_FOLDER),
            "TANDEM_PORTAL_URL": self.api_url,
        }
        return {**self.settings.environment, **own}

    def _told(self, prefix: str, told: dict[str, str]) -> dict[str, str]:
        """The inherited environment with a part's settings; nothing else that looks like one of its settings."""
        inherited = {name: value for name, value in self.settings.environment.items() if not name.startswith(prefix)}
        inherited.pop("DATABASE_URL", None)
        return {**inherited, **{f"{prefix}{name}": value for name, value in told.items()}}

    def _edge_environment(self, state: Path) -> dict[str, str]:
        host = self.settings.edge_host
        told = {
            "STATE_DIR": str(state),
            "SIP_ADDRESS": host,
            "SIP_UDP_PORT": str(self.ports["sip"]),
            "SIP_TCP_PORT": str(self.ports["sip"]),
            "SIP_TLS_PORT": str(self.ports["sip_tls"]),
            "SIP_SITES_PORT": "off",
            "SIP_ADVERTISED_HOST": host,
            "PROVISIONING_ADDRESS": host,
            "PROVISIONING_TFTP_PORT": str(self.ports["tftp"]),
            "PROVISIONING_HTTP_PORT": str(self.ports["provisioning"]),
            "PROVISIONING_HTTPS_PORT": str(self.ports["provisioning_tls"]),
            "PROVISIONING_PLUG_AND_PLAY_PORT": str(self.ports["sip"]),
            "MEDIA_ADDRESS": host,
        }
        return self._told("TANDEM_EDGE_", told)
