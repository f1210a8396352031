"""aioftp speaks the protocol (RFC 959); every file that it thinks it reads from a disk comes from the desk.

Any login is accepted, as phones come with the vendor's own: which files there are for whom is the desk's business, and
FTP proves nothing. Nothing can be listed or written.
"""

import asyncio
import io
import logging
import stat as modes
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import aioftp

from edge_agent.provisioning.access import Refusal
from edge_agent.provisioning.firmware import StoredFile
from edge_agent.provisioning.render import RenderedFile
from edge_agent.provisioning.serve.desk import Desk, Question

MAX_CONNECTIONS: Final = 200
IDLE_SECONDS: Final = 60.0
SOCKET_SECONDS: Final = 30.0
MAX_NAME: Final = 256

# The library logs every command with its argument: names of files with passwords, and the passwords of logins.
logging.getLogger("aioftp.server").setLevel(logging.CRITICAL)


class _Stat(NamedTuple):
    st_size: int
    st_mtime: float = 0.0
    st_ctime: float = 0.0
    st_nlink: int = 1
    st_mode: int = modes.S_IFREG | 0o444


class FtpServer:
    """Serves a desk's files on one address.

    Args:
        desk: which file a request gets.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._server: aioftp.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port that is bound (0 asks for a free one).

        Raises:
            OSError: the port cannot be bound.
        """
        desk = self._desk

        class Files(_Files):
            """The desk's files, as one connection sees them."""

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(desk, *args, **kwargs)

        server = aioftp.Server(
            _AnyUser(),
            idle_timeout=IDLE_SECONDS,
            socket_timeout=SOCKET_SECONDS,
            wait_future_timeout=5.0,
            maximum_connections=MAX_CONNECTIONS,
            path_io_factory=Files,
        )
        await server.start(host, port)
        self._server = server
        return int(server.server_port)

    async def stop(self) -> None:
        """Close the port and every connection. May be called twice."""
        if self._server is not None:
            await self._server.close()
            self._server = None


class _AnyUser(aioftp.AbstractUserManager):
    """Everybody may come in, and read."""

    def __init__(self) -> None:
        super().__init__()
        self._user = aioftp.User(base_path="/", permissions=[aioftp.Permission("/", readable=True, writable=False)])

    async def get_user(self, login: str) -> tuple[Any, aioftp.User | None, str]:
        if login == "anonymous":
            return self.GetUserResponse.OK, self._user, "welcome"
        return self.GetUserResponse.PASSWORD_REQUIRED, self._user, "password required"

    async def authenticate(self, user: aioftp.User, password: str) -> bool:
        return True

    async def notify_logout(self, user: aioftp.User) -> None:
        return None


class _Files(aioftp.AbstractPathIO[Path]):
    """A folder with nothing to see, in which whoever knows a file's name finds it."""

    def __init__(self, desk: Desk, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._desk = desk
        self._asked: tuple[str, RenderedFile | StoredFile | None] | None = None
        """What was asked for last: the library looks several times at a file before it reads it."""
        self._sending: tuple[BinaryIO, StoredFile] | None = None
        """The file on the disk that is read."""

    def _find(self, path: Path) -> RenderedFile | StoredFile | None:
        name = str(path)[:MAX_NAME].lstrip("/")
        if self._asked is None or self._asked[0] != name:
            address = str(self.connection.client_host) if self.connection is not None else ""
            answer = self._desk.ask(Question(name, address, "ftp"))
            self._asked = (name, None if isinstance(answer, Refusal) else answer)
        return self._asked[1]

    async def exists(self, path: Path) -> bool:
        return await self.is_dir(path) or self._find(path) is not None

    async def is_dir(self, path: Path) -> bool:
        # Phones that go from folder to folder find those of firmware, whichever there are.
        return str(path) == "/" or self._desk.shelf.is_folder(str(path)[:MAX_NAME].strip("/"))

    async def is_file(self, path: Path) -> bool:
        return not await self.is_dir(path) and self._find(path) is not None

    async def stat(self, path: Path) -> Any:
        file = None if await self.is_dir(path) else self._find(path)
        if file is None:
            return _Stat(0, st_mode=modes.S_IFDIR | 0o555)
        return _Stat(file.size_bytes if isinstance(file, StoredFile) else len(file.body))

    async def _open(self, path: Path, mode: str) -> Any:
        file = self._find(path)
        self._asked = None
        if file is None or mode != "rb":
            raise aioftp.PathIOError(reason=None)
        if isinstance(file, RenderedFile):
            return io.BytesIO(file.body)
        try:
            opened = await asyncio.to_thread(file.path.open, "rb")
        except OSError:
            raise aioftp.PathIOError(reason=None) from None
        self._sending = (opened, file)
        return opened

    def list(self, path: Path) -> AsyncIterable[Path]:
        return _Nothing()

    async def seek(self, file: BinaryIO, offset: int, whence: int = io.SEEK_SET) -> int:
        return file.seek(offset, whence)

    async def read(self, file: BinaryIO, block_size: int) -> bytes:
        block = file.read(block_size)
        if not block and self._sending is not None and self._sending[0] is file:
            self._desk.sent(self._sending[1])
        return block

    async def close(self, file: BinaryIO) -> None:
        file.close()
        self._sending = None

    async def write(self, file: BinaryIO, data: bytes) -> int:
        raise aioftp.PathIOError(reason=None)

    async def mkdir(self, path: Path, *, parents: bool = False, exist_ok: bool = False) -> None:
        raise aioftp.PathIOError(reason=None)

    async def rmdir(self, path: Path) -> None:
        raise aioftp.PathIOError(reason=None)

    async def unlink(self, path: Path) -> None:
        raise aioftp.PathIOError(reason=None)

    async def rename(self, source: Path, destination: Path) -> Path:
        raise aioftp.PathIOError(reason=None)


class _Nothing(aioftp.AbstractAsyncLister[Path]):
    async def __anext__(self) -> Path:
        raise StopAsyncIteration
