"""Paging: whoever calls speaks to the phones of many, which answer by themselves and are heard by nobody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contract.snapshot import Paging, User
from edge_agent.media.applications.tone import BEEP, DECLINED
from edge_agent.media.calling import NotReached, PhoneCaller, Ringing
from edge_agent.media.errors import MulticastFailed, NobodyLeft, SessionEnded
from edge_agent.media.session import MediaSession, Mix, MulticastTo, Prompt, Seat
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 10.0
"""How long a phone has that is to answer by itself."""
GATHER_SECONDS: Final = 2.0
"""How long whoever calls waits for the phones that take longer than the first one; later ones join all the same."""


@dataclass(frozen=True, slots=True)
class PagingConfig:
    """What the application goes by: the groups, and the users of the site, by id."""

    groups: Mapping[str, Paging] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    listening: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Those who have a phone that listens to the group's multicast address, by group."""


def paging_config(
    services: Iterable[object], users: Iterable[User], listening: Mapping[str, Collection[str]] | None = None
) -> PagingConfig:
    """What a site's configuration means for it.

    Args:
        services: every voice service of the site.
        users: of the site.
        listening: ids of users who have a phone that listens to a group, by the group's id.
    """
    groups = {one.service_id: one for one in services if isinstance(one, Paging) and one.enabled}
    return PagingConfig(groups, {user.user_id: user for user in users if user.enabled}, listening or {})


class PagingGroups:
    """The paging groups of a site.

    Args:
        config: asked at the beginning of each call.
        phones: rings those who are paged.
        tokens: names mixes.
    """

    def __init__(self, config: Callable[[], PagingConfig], phones: PhoneCaller, tokens: Tokens) -> None:
        self._config, self._phones, self._tokens = config, phones, tokens
        self._streaming: set[tuple[str, int]] = set()
        """Where a page goes at this moment."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The tones."""
        return (BEEP, DECLINED)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        config, told = self._config(), session.arguments
        group = config.groups.get(told.get("service", ""))
        if group is None:
            return
        await session.answer()
        members = [
            user
            for member in group.members
            if (user := config.users.get(member)) is not None and member != told.get("user")
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(group.longest_seconds):
                await self._page(session, group, members, config.listening.get(group.service_id, ()))

    async def _page(
        self, session: MediaSession, group: Paging, members: list[User], listening: Collection[str]
    ) -> None:
        name = f"page-{self._tokens.token(8)}"
        mix = await session.join(name)
        with contextlib.ExitStack() as streams:
            if (to := group.multicast) is not None:
                place = (to.address, to.port)
                if place in self._streaming:  # two voices in one stream would be noise
                    await self._decline(session)
                    return
                self._streaming.add(place)
                streams.callback(self._streaming.discard, place)
                try:
                    streams.enter_context(mix.multicast(MulticastTo(*place, to.codec, to.hops)))
                except MulticastFailed as error:
                    log.warning("multicast_failed", extra={"group": group.service_id, "problem": str(error)})
                    to = None
                else:
                    members = [user for user in members if user.user_id not in listening]
            await self._speak(session, group, mix, name, members, streamed=to is not None)

    async def _speak(
        self, session: MediaSession, group: Paging, mix: Mix, name: str, members: list[User], *, streamed: bool
    ) -> None:
        """One page, from the ringing of the first phone to its end."""
        begun = asyncio.Event()
        """The tone has sounded: who answers later hears one of his own."""
        inside: set[MediaSession] = set()
        """Those who answered."""
        ringing = [asyncio.create_task(self._member(session, group, user, name, begun, inside)) for user in members]
        over: asyncio.Future[Any] = asyncio.ensure_future(session.over())
        try:
            if not await self._somebody_answers(inside, ringing, over, streamed=streamed):
                await self._decline(session)
                return
            begun.set()
            if group.beep:
                with contextlib.suppress(NobodyLeft):
                    await mix.play(BEEP)
            while not over.done() and (streamed or not all(task.done() for task in ringing)):
                await asyncio.wait(
                    {over, *(task for task in ringing if not task.done())}, return_when="FIRST_COMPLETED"
                )
        finally:
            over.cancel()
            for task in ringing:
                task.cancel()
            if ringing:
                await asyncio.wait(ringing)

    async def _decline(self, session: MediaSession) -> None:
        await session.leave()
        await session.play(DECLINED)

    async def _somebody_answers(
        self,
        inside: Collection[MediaSession],
        ringing: list[asyncio.Task[None]],
        over: asyncio.Future[Any],
        *,
        streamed: bool,
    ) -> bool:
        """Wait until all who are going to have answered, for a short while at most after the first or the stream."""
        waited, step = 0.0, 0.1
        while not over.done() and len(inside) < sum(not task.done() for task in ringing):
            if streamed or inside:
                waited += step
                if waited >= GATHER_SECONDS:
                    break
            await asyncio.wait({over, *ringing}, timeout=step, return_when="FIRST_COMPLETED")
            if all(task.done() for task in ringing):
                break
        return streamed or bool(inside)

    async def _member(
        self,
        session: MediaSession,
        group: Paging,
        user: User,
        mix: str,
        begun: asyncio.Event,
        inside: set[MediaSession],
    ) -> None:
        """One who is paged, from the ringing of his phones until he or whoever pages hangs up."""
        name = f"{group.name}: {session.caller_name or session.caller}"
        wanted = Ringing(user.username, group.extension, name, "urgent" if group.urgent else "page")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                called = await self._phones.ring(wanted)
        except (TimeoutError, NotReached):
            return
        try:
            if begun.is_set() and group.beep:
                await called.play(BEEP)
            await called.join(mix, Seat(muted=True))
            inside.add(called)
            await called.over()
        except SessionEnded:
            return
        finally:
            inside.discard(called)
            await called.hang_up()
