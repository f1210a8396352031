"""A control connection to FreeSWITCH's event socket: prove who we are, then ask."""

import asyncio
import contextlib
from typing import Final, Self

from pydantic import SecretStr

from edge_agent.media.errors import MediaError
from edge_agent.media.freeswitch import commands
from edge_agent.media.freeswitch.conference import Questions
from edge_agent.media.freeswitch.esl import (
    ApiResponse,
    AuthRequest,
    CommandReply,
    DisconnectNotice,
    EslError,
    EslReader,
    Event,
)

RELOADED: Final = "+OK [Success]"
"""The answer to `reloadxml` that means it; every other, +OK too, says what is wrong with the file."""
_READ_BYTES: Final = 64 * 1024
_ANSWER_SECONDS: Final = 10.0


class ControlLost(MediaError):
    """FreeSWITCH is not there, or does not answer."""


class FreeSwitchControl:
    """One connection; `open` makes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._questions = Questions(writer.write)
        self._jobs: dict[str, asyncio.Future[str]] = {}
        self._asked = asyncio.Event()
        self._proven: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    async def open(cls, host: str, port: int, password: SecretStr, within: float = _ANSWER_SECONDS) -> Self:
        """Connect and log in.

        Args:
            host: of the event socket.
            port: of the event socket.
            password: of the event socket.
            within: seconds.

        Raises:
            ControlLost: nobody is there, or the password is refused.
        """
        try:
            async with asyncio.timeout(within), contextlib.AsyncExitStack() as unless_in_use:
                control = cls(*await asyncio.open_connection(host, port))
                unless_in_use.push_async_callback(control.close)
                await control._asked.wait()
                control._writer.write(commands.password(password))
                if await control._proven:
                    control._writer.write(commands.jobs_events())
                    unless_in_use.pop_all()
                    return control
        except (OSError, TimeoutError) as error:
            raise ControlLost(f"FreeSWITCH does not answer at port {port}") from error
        raise ControlLost(f"the FreeSWITCH at port {port} has another password: it is not the agent's own")

    async def ask(self, command: bytes, within: float = _ANSWER_SECONDS) -> str:
        """What FreeSWITCH answers to an `api` command.

        Raises:
            ControlLost: it does not, within so many seconds.
        """
        try:
            async with asyncio.timeout(within):
                answer = await self._questions.ask(command)
        except TimeoutError as error:
            raise ControlLost("FreeSWITCH does not answer any more") from error
        if self._reading.done():
            raise ControlLost("the connection to FreeSWITCH has ended")
        return answer

    async def job(self, name: str, command: bytes) -> str:
        """What comes of a job in the background, however long it takes.

        Raises:
            ControlLost: FreeSWITCH is gone before.
        """
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._jobs[name] = done
        try:
            if self._reading.done():
                raise ControlLost("the connection to FreeSWITCH has ended")
            self._writer.write(command)
            await asyncio.wait([done])
        finally:
            del self._jobs[name]
        if done.cancelled():
            raise ControlLost("the connection to FreeSWITCH has ended")
        return done.result()

    def tell(self, command: bytes) -> None:
        """Ask for something, and let the answer be."""
        self._questions.tell(command)

    def _done(self, name: str, outcome: str) -> None:
        job = self._jobs.get(name)
        if job is not None and not job.done():
            job.set_result(outcome)

    async def over(self) -> None:
        """Wait until the connection is."""
        await asyncio.wait([self._reading])

    async def close(self) -> None:
        """Let go of the connection."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        messages = EslReader()
        try:
            while data := await reader.read(_READ_BYTES):
                for message in messages.feed(data):
                    match message:
                        case AuthRequest():
                            self._asked.set()
                        case CommandReply() if not self._proven.done():
                            self._proven.set_result(message.ok)
                        case Event("BACKGROUND_JOB", headers, body):
                            self._done(headers.get("Job-UUID", ""), body)
                        case ApiResponse(body):
                            self._questions.answered(body)
                        case DisconnectNotice(linger=False):
                            return
                        case _:
                            pass
        except (EslError, OSError):
            return
        finally:
            self._asked.set()
            if not self._proven.done():
                self._proven.set_result(False)
            self._questions.end()
            for job in self._jobs.values():
                job.cancel()
