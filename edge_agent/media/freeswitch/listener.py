"""Where FreeSWITCH brings its calls: one connection each, from its dialplan's `socket` application (async, full)."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Final

from edge_agent.media.freeswitch.esl import EslError, EslReader
from edge_agent.media.freeswitch.session import FreeSwitchSession
from edge_agent.media.server import serve
from edge_agent.media.session import Application, EndCause
from edge_agent.ports import QualityTold
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

NO_SUCH_NUMBER: Final = "UNALLOCATED_NUMBER"
NO_ROOM: Final = "NORMAL_CIRCUIT_CONGESTION"
SPARE_CONNECTIONS: Final = 16
"""Connections beyond the sessions: calls that are being refused, or that have ended and linger."""
_READ_BYTES: Final = 64 * 1024


class FreeSwitchListener:
    """Gives each call that FreeSWITCH brings to the application whose number was dialled.

    Args:
        applications: by the number that is dialled.
        most_sessions: calls at one time; more are refused as congestion (503).
        tokens: names executions.
        known_seconds: within this a new connection must have said which call it is for.
        measured: hears how well each answered call was heard.
    """

    def __init__(
        self,
        applications: Mapping[str, Application],
        most_sessions: int,
        tokens: Tokens,
        known_seconds: float = 5.0,
        measured: QualityTold = lambda quality: None,
    ) -> None:
        self._applications, self._most_sessions, self._tokens = applications, most_sessions, tokens
        self._known_seconds, self._measured = known_seconds, measured
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self._sessions: set[FreeSwitchSession] = set()
        self._expected: dict[str, asyncio.Future[FreeSwitchSession]] = {}
        self.calls = 0
        """How many calls are up."""
        self.refused: Counter[str] = Counter()
        """Connections and calls that were not served, by reason."""

    async def open(self, host: str, port: int) -> int:
        """Listen for FreeSWITCH; the port, where `port` is 0 a free one. Raises `OSError`."""
        self._server = await asyncio.start_server(self._connected, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def call_ids(self) -> frozenset[str]:
        """UUIDs of the calls that are here, or expected."""
        return frozenset(session.call_id for session in self._sessions) | self._expected.keys()

    def expect(self, call_id: str) -> "asyncio.Future[FreeSwitchSession]":
        """A call that was placed will be brought here: it is for whoever placed it, not for an application."""
        expected: asyncio.Future[FreeSwitchSession] = asyncio.get_running_loop().create_future()
        self._expected[call_id] = expected
        expected.add_done_callback(lambda _: self._expected.pop(call_id, None))
        return expected

    async def close(self) -> None:
        """Listen no more, hang up every call."""
        if self._server is not None:
            self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(self._conversations) > self._most_sessions + SPARE_CONNECTIONS:
                self.refused["too_many_connections"] += 1
            else:
                await self._hear(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = FreeSwitchSession(writer.write, self._tokens, self._measured)
        application = asyncio.create_task(self._served(session, writer))
        self._sessions.add(session)
        try:
            session.open()
            await self._read(reader, session)
        except (EslError, OSError) as error:
            self.refused["unreadable"] += 1
            log.warning("freeswitch_connection_unusable", extra={"reason": str(error)})
            session.end(EndCause.FAILED)
        except asyncio.CancelledError:
            session.end(EndCause.LOCAL)
            raise
        finally:
            session.lost()
            self._sessions.discard(session)
            await asyncio.wait([application])
            if (fault := application.exception()) is not None:
                log.error("media_application_faulty", exc_info=fault)

    async def _read(self, reader: asyncio.StreamReader, session: FreeSwitchSession) -> None:
        messages = EslReader()
        while data := await reader.read(_READ_BYTES):
            for message in messages.feed(data):
                session.receive(message)

    async def _served(self, session: FreeSwitchSession, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._known_seconds):
                await session.known.wait()
        except TimeoutError:
            self.refused["call_unknown"] += 1
            writer.close()
            return
        if session.ended:
            return
        if (expected := self._expected.get(session.call_id)) is not None and not expected.done():
            expected.set_result(session)
            self.calls += 1
            await session.over()
            self.calls -= 1
            return
        if session.wanted_place:
            named = (one for one in self._sessions if not one.ended and one.is_named_by(session.wanted_place))
            if (replaced := next(named, None)) is None:
                self._refuse(session, "no_such_call", NO_SUCH_NUMBER)
                return
            session.take_place(replaced)
        application = self._applications.get(session.called)
        if application is None:
            self._refuse(session, "no_such_application", NO_SUCH_NUMBER)
        elif self.calls >= self._most_sessions:
            self._refuse(session, "too_many_sessions", NO_ROOM)
        else:
            self.calls += 1
            try:
                await serve(application, session)
            finally:
                self.calls -= 1

    def _refuse(self, session: FreeSwitchSession, reason: str, cause: str) -> None:
        self.refused[reason] += 1
        session.turn_away(cause)
