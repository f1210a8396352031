"""The media server: takes calls from a SIP user agent and gives each to the application that it asked for."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from edge_agent.media.errors import MediaError, NoSuchApplication, SessionEnded
from edge_agent.media.session import Application, EndCause, MediaSession
from edge_agent.ports import CallLeg, CallRefused

log = logging.getLogger(__name__)


class Endable(MediaSession, Protocol):
    """A session that whoever runs the application can end."""

    def end(self, cause: EndCause) -> None:
        """Hang up; does nothing when the call is over."""
        ...


class EngineSession(Endable, Protocol):
    """A session as its engine gives it: an application's view, and what the call's SIP side has to say."""

    def replace(self, other: MediaSession) -> None:
        """It takes another call's place once it is answered, and has its arguments."""
        ...

    def confirmed(self, description: bytes | None) -> None:
        """The caller acknowledged our answer."""
        ...

    def reoffered(self, offer: bytes | None) -> bytes:
        """The caller wants another session; `CallRefused` leaves it as it is."""
        ...

    def ended_by_peer(self, cause: EndCause) -> None:
        """The call is over; frees what it held."""
        ...


class MediaServer:
    """The media plane of a feature server (`edge_agent.ports.MediaPlane`).

    `applications` are looked up by the user part of the Request-URI; `make_session` is the engine.
    """

    def __init__(
        self, applications: Mapping[str, Application], make_session: Callable[[CallLeg], EngineSession]
    ) -> None:
        self._applications, self._make_session = applications, make_session
        self._calls: dict[CallLeg, tuple[EngineSession, asyncio.Task[None]]] = {}

    @property
    def calls(self) -> int:
        """How many calls are up."""
        return len(self._calls)

    def offered(self, leg: CallLeg) -> None:
        """A call came; raises `CallRefused` when no application or no room is there for it."""
        replaced = self._calls.get(leg.replaces) if leg.replaces is not None else None
        called = leg.called if leg.replaces is None else leg.replaces.called
        application = self._applications.get(called)
        if application is None:
            raise NoSuchApplication(f"no application {called[:40]!r}")
        session = self._make_session(leg)
        if replaced is not None:
            session.replace(replaced[0])
        task = asyncio.get_running_loop().create_task(serve(application, session))
        self._calls[leg] = session, task
        task.add_done_callback(lambda done: self._served(leg, done))

    def confirmed(self, leg: CallLeg, answer: bytes | None) -> None:
        """The caller acknowledged our answer to the call."""
        if (call := self._calls.get(leg)) is None:
            return
        try:
            call[0].confirmed(answer)
        except CallRefused as error:
            log.warning("media_answer_unusable", extra={"reason": str(error)})
            call[0].end(EndCause.FAILED)

    def reoffered(self, leg: CallLeg, offer: bytes | None) -> bytes:
        """The caller wants another session; raises `CallRefused` when it stays as it is."""
        if (call := self._calls.get(leg)) is None:
            raise CallRefused("the call is over")
        return call[0].reoffered(offer)

    def ended(self, leg: CallLeg, cause: str) -> None:
        """The call is over."""
        if (call := self._calls.get(leg)) is not None:
            call[0].ended_by_peer(EndCause(cause))

    async def close(self) -> None:
        """Hang up every call and wait until its application has ended."""
        calls = list(self._calls.values())
        for session, _ in calls:
            session.end(EndCause.LOCAL)
        await asyncio.gather(*(task for _, task in calls), return_exceptions=True)

    def _served(self, leg: CallLeg, task: asyncio.Task[None]) -> None:
        self._calls.pop(leg, None)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("media_application_faulty", exc_info=fault)


async def serve(application: Application, session: Endable) -> None:
    """Let an application serve a call; however it ends, the call is over then."""
    cause = EndCause.FAILED
    try:
        await application.run(session)
        cause = EndCause.LOCAL
    except SessionEnded as ended:
        log.info("media_session_ended", extra={"cause": ended.cause})
    except MediaError as error:
        log.error("media_application_failed", extra={"reason": str(error)})  # noqa: TRY400 - the name says it all
    finally:
        session.end(cause)
