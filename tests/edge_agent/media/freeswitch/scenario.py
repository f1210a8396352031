"""A recorded scenario of several calls of FreeSWITCH, spoken again: calls that came, and calls that were placed."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack

from edge_agent.media.calling import Ringing
from edge_agent.media.freeswitch.session import FreeSwitchSession
from edge_agent.media.session import Application
from tests.edge_agent.media.freeswitch.test_listener import freeswitch, listening, spoken_together
from tests.support import esl_recordings


class Scenario:
    """Its legs, and a `PhoneCaller` by which the calls are had that were placed.

    Args:
        legs: recordings, whose times count from the same moment.
        placed: those of them that the agent placed.
    """

    can_ring = True

    def __init__(self, legs: tuple[str, ...], placed: tuple[str, ...] = ()) -> None:
        self._placed = placed
        self._frames = {leg: esl_recordings.frames(leg) for leg in legs}
        self._expected: dict[str, asyncio.Future[FreeSwitchSession]] = {}
        """Calls that are placed, by whom they are to."""

    async def ring(self, wanted: Ringing) -> FreeSwitchSession:
        """See `PhoneCaller`: everybody who is rung answers."""
        session = await self._expected[wanted.username]
        session.takes_transfers(wanted.transfers)
        return session

    async def speak(self, applications: Mapping[str, Application], *, killed: bool = False) -> None:
        """Speak every leg again, and see that nothing else is asked of FreeSWITCH.

        Args:
            applications: by what is dialled.
            killed: the recording ends in the middle of the calls.
        """
        async with AsyncExitStack() as stack:
            listener, port = await stack.enter_async_context(listening(applications))
            for leg in self._placed:
                self._expected[self._told(leg, "Channel-Destination-Number")] = listener.expect(
                    self._told(leg, "Unique-ID")
                )
            peers = [await stack.enter_async_context(freeswitch(port)) for _ in self._frames]
            await spoken_together(list(zip(peers, self._frames.values(), strict=True)))
            if not killed:
                for peer in peers:
                    assert await peer.rest() == []

    def _told(self, leg: str, name: str) -> str:
        """A header of what FreeSWITCH told of a call at its beginning."""
        data = next(frame.data for frame in self._frames[leg] if frame.from_freeswitch)
        found = re.search(rf"\n{name}: (\S+)".encode(), data)
        assert found is not None
        return found[1].decode()
