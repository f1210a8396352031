"""The queues of a site at work: callers come, agents are rung, both talk, supervisors attend.

The dial plan tells by the call's arguments: `service` is the queue; for a supervisor `action` (`listen`, `whisper`,
`barge`) and `agent`, whose call it is.

    waits ──an agent answers──▶ talks ──either hangs up──▶ over
      ├──hangs up──▶ abandoned
      ├──no room, too long, the key, nobody logged in──▶ sent on, or told so and hung up
      └──wishes to be called back──▶ keeps the place ──an agent answers──▶ is called ──▶ talks
                                        ▲────────────── does not answer ◀──┘
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, Literal

from contract.snapshot import CallQueue, User
from contract.sync.queue_events import OfferResult, QueueCallEnded, QueueOutcome
from edge_agent.clock import Clock
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.queue.agents import REST_SECONDS, Agents, Talk
from edge_agent.media.applications.queue.calling_back import AgentGone, given_up, reach, tried, wished
from edge_agent.media.applications.queue.config import QueueConfig
from edge_agent.media.applications.queue.figures import QueueFigures
from edge_agent.media.applications.queue.kept import CallerFolder, KeptCaller, KeptWish
from edge_agent.media.applications.queue.story import CallerStory, ended_by_a_kill
from edge_agent.media.applications.queue.supervising import attend, may_attend
from edge_agent.media.applications.queue.talking import Talking
from edge_agent.media.applications.queue.waiting import Pastime, Standing, Waiting
from edge_agent.media.applications.tone import CONFIRMED, DECLINED
from edge_agent.media.bridging import bridge
from edge_agent.media.calling import NotReached, PhoneCaller, Ringing
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Languages
from edge_agent.ports import CallRefused, Transfer
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

_WISHES_OF_ONE: Final = 2
"""So many numbers are called back at one caller's wish."""
Choice = Literal["answered", "closed", "too_long", "left_by_key", "call_back"]


class CallQueues:
    """Every queue of a site.

    Args:
        languages: what is said.
        config: asked whenever something is decided.
        phones: rings agents.
        clock: how long callers wait.
        tokens: name the mixes that callers and agents talk in, and what became of each caller.
        report: told what became of each caller.
        kept: where callers are while it is not over.
        number_for: what is dialled to call a number back, for a queue's id; None: it may not be called.
        music: what callers hear who wait.
    """

    def __init__(
        self,
        languages: Languages,
        config: Callable[[], QueueConfig],
        phones: PhoneCaller,
        clock: Clock,
        tokens: Tokens,
        report: Callable[[QueueCallEnded], None],
        kept: Callable[[], CallerFolder | None],
        number_for: Callable[[str, str], str | None],
        music: HoldMusic,
    ) -> None:
        self._music = music
        self._languages, self._config, self._phones = languages, config, phones
        self._clock, self._tokens, self._report = clock, tokens, report
        self._kept, self._number_for = kept, number_for
        self._lines: dict[str, list[Waiting]] = {}
        """Who waits at each queue, the first one first."""
        self._figures: dict[str, QueueFigures] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._calling_back: dict[Waiting, asyncio.Task[None]] = {}
        self._talking: dict[str, Talking] = {}
        """Whom each agent talks with, by his id."""
        self._closed = False
        self.agents = Agents()

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Music and tones; what is spoken is loaded when it is first said."""
        return (self._music.shipped, CONFIRMED, DECLINED)

    def waiting(self, queue_id: str) -> list[Waiting]:
        """Who waits at a queue, the first one first."""
        return list(self._lines.get(queue_id, ()))

    def figures(self, queue_id: str) -> QueueFigures:
        """What became of its callers today."""
        today = self._clock.now().date()
        return self._figures.setdefault(queue_id, QueueFigures(today)).on(today)

    def changed(self) -> None:
        """Agents logged in or out, or the configuration is another."""
        config = self._config()
        self.agents.forget(list(config.users))
        self._dispatch()

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        told = session.arguments
        config = self._config()
        queue = config.queues.get(told.get("service", ""))
        if queue is None:
            return
        if (action := told.get("action")) is not None:
            work = self.agents.of(told.get("agent", ""), self._clock.monotonic())
            attends = work.talk is not None and may_attend(session, work.talk.queue_id, queue, config)
            await attend(session, work.talk if attends else None, action)
            return
        story = CallerStory(
            self._tokens.token(12),
            queue.service_id,
            queue.name,
            session.caller,
            session.caller_name,
            self._clock.now(),
        )
        await session.answer()
        waiting = Waiting(session, self._clock.monotonic(), story)
        try:
            if self._is_empty(queue):
                await self._send_on(session, queue, "closed", story)
            elif sum(one.session is not None for one in self.waiting(queue.service_id)) >= queue.most_waiting:
                await self._send_on(session, queue, "full", story)
            else:
                await self._serve(waiting, session, queue)
        finally:
            if waiting.session is not None:
                self._report(story.told(self._clock.now()))

    def restore(self, kept: Iterable[KeptCaller]) -> None:
        """Go on with whoever is to be called back, and tell of all others: their calls ended with an earlier process.

        Args:
            kept: in the order of their coming.
        """
        now = self._clock.now()
        for one in kept:
            if one.wish is None:
                self._report(ended_by_a_kill(one.told, now))
                continue
            since = self._clock.monotonic() - max(0.0, (now - one.told.came_at).total_seconds())
            waiting = Waiting(None, since, CallerStory.of(one.told), one.wish)
            self._lines.setdefault(one.told.queue_id, []).append(waiting)
            self._follow(waiting)

    async def close(self) -> None:
        """Ring and call nobody any longer: whoever is to be called back is so by the next process."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        ringing = [one.ringing for line in self._lines.values() for one in line if one.ringing is not None]
        tasks = [*self._calling_back.values(), *ringing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_empty(self, queue: CallQueue) -> bool:
        """Whether a caller had better not wait."""
        config = self._config()
        if not self._phones.can_ring or queue.service_id not in config.queues:
            return True
        return not queue.waits_for_agents and not config.logged_in(queue)

    async def _send_on(self, session: MediaSession, queue: CallQueue, why: QueueOutcome, story: CallerStory) -> None:
        """Somewhere else, or, if that leads nowhere, home."""
        self.figures(queue.service_id).overflowed += 1
        to = queue.nobody_to if why == "closed" and queue.nobody_to else queue.overflow_to
        story.left(why, self._clock.now(), to or "")
        if to is not None:
            await session.transfer(to)
        speech = self._languages.speech(queue.language)
        await session.play(*speech.phrase("queue_closed" if why == "closed" else "queue_full", "goodbye"))

    async def _serve(self, waiting: Waiting, session: MediaSession, queue: CallQueue) -> None:
        self._lines.setdefault(queue.service_id, []).append(waiting)
        self._note(waiting)
        figures = self.figures(queue.service_id)
        try:
            match await self._until_answered(waiting, session, queue):
                case "call_back":
                    await self._promise(waiting, session, queue)
                case "answered":
                    user_id, agent = waiting.agent.result()
                    waiting.story.answered(user_id, self._clock.now(), queue.wrap_up_seconds)
                    self._note(waiting)
                    figures.was_answered(self._clock.monotonic() - waiting.since)
                    self._left(queue.service_id, waiting)
                    await self._talk(waiting, session, user_id, agent, queue)
                case why:
                    self._left(queue.service_id, waiting)
                    await self._send_on(session, queue, why, waiting.story)
        except SessionEnded:
            if waiting.session is not None and waiting in self._lines.get(queue.service_id, ()):
                figures.was_abandoned(self._clock.monotonic() - waiting.since)
            raise
        finally:
            if waiting.session is not None:
                self._left(queue.service_id, waiting)
                if waiting.agent.done():
                    await self._let_go(*waiting.agent.result(), queue.wrap_up_seconds)

    def _left(self, queue_id: str, waiting: Waiting) -> None:
        """The caller waits no longer: nobody else is rung for them."""
        line = self._lines.get(queue_id, [])
        if waiting in line:
            line.remove(waiting)
            if not line:
                del self._lines[queue_id]
        if waiting.ringing is not None and not waiting.agent.done():
            # Before its first step it would leave the agents ringing for ever.
            asyncio.get_running_loop().call_soon(waiting.ringing.cancel)

    def _note(self, waiting: Waiting) -> None:
        """Have the disk know how the caller stands; nothing waits for it."""
        if (folder := self._kept()) is not None:
            folder.keep(waiting.kept(self._clock.now())).add_done_callback(_noted)

    async def _let_go(self, user_id: str, agent: MediaSession, wrap_up_seconds: float) -> None:
        """The caller's call is over: so is that of whoever answered."""
        now = self._clock.monotonic()
        work = self.agents.of(user_id, now)
        work.talk, work.idle_since = None, now
        work.wraps_up_until = now + wrap_up_seconds
        await agent.hang_up()
        self._dispatch()

    async def _until_answered(self, waiting: Waiting, session: MediaSession, queue: CallQueue) -> Choice:
        """Until an agent answered, or the caller waits no longer."""
        last = waiting.since + queue.longest_wait_seconds
        pastime = Pastime(
            session,
            waiting,
            queue,
            self._languages.speech(queue.language),
            self._clock,
            lambda: self._standing(waiting, queue),
            self._own_number(session),
            lambda number: self._number_for(queue.service_id, number),
            self._music,
        )
        choosing = asyncio.ensure_future(pastime.chosen())
        try:
            self._dispatch()
            while waiting.arranging or self._clock.monotonic() < last:
                # Now and then it is looked whether the last agent has left.
                left = min(max(0.05, last - self._clock.monotonic()), 1.0)
                wanted: set[asyncio.Future[Any]] = {choosing, waiting.agent}
                await asyncio.wait(wanted, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.agent.done() and choosing.done():
                    if not (number := await choosing):
                        return "left_by_key"
                    if await self._wishes(waiting, queue, number):
                        return "call_back"
                    choosing = asyncio.ensure_future(pastime.chosen())
                if waiting.agent.done():
                    return "answered"
                if self._is_empty(queue) and not waiting.arranging:
                    return "closed"
            return "too_long"
        finally:
            choosing.cancel()
            await asyncio.wait({choosing})

    def _own_number(self, session: MediaSession) -> str:
        """What calls the caller back, as far as he is known."""
        name = session.asserted or session.caller
        user = next((one for one in self._config().users.values() if one.username == name), None)
        return (user.extension if user is not None else None) or name

    def _standing(self, waiting: Waiting, queue: CallQueue) -> Standing:
        line = self._lines.get(queue.service_id, [])
        position = line.index(waiting) + 1 if waiting in line else 1
        ready = len(self._config().ready(queue))
        return Standing(position, self.figures(queue.service_id).expected_wait(position, ready))

    # -- ringing

    def _dispatch(self) -> None:
        """Ring whoever's turn it is, for everybody who waits and for whom nobody is rung yet."""
        if self._closed:
            return
        config, now = self._config(), self._clock.monotonic()
        wakes = self._lapse()
        for queue_id, line in list(self._lines.items()):
            queue = config.queues.get(queue_id)
            if queue is None or not self._phones.can_ring:
                continue
            ready = config.ready(queue)
            for waiting in line:
                if waiting.ringing is not None or waiting.agent.done() or not waiting.is_due(self._clock.now()):
                    continue
                if not (chosen := self.agents.next(queue, ready, now)):
                    if (free_at := self.agents.next_free_at(ready, now)) is not None:
                        wakes.append(free_at - now)
                    break
                for user_id in chosen:
                    work = self.agents.of(user_id, now)
                    work.ringing, work.rung, work.last_rung = True, work.rung + 1, now
                    waiting.story.offered(user_id, self._clock.now())
                waiting.ringing = asyncio.ensure_future(self._ring(waiting, queue, chosen))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wakes:
            self._timer = asyncio.get_running_loop().call_later(max(0.05, min(wakes)), self._dispatch)

    def _lapse(self) -> list[float]:
        """Give up wishes that nobody had time for; in how many seconds the others are to be looked at again."""
        now = self._clock.now()
        wakes: list[float] = []
        for waiting in [one for line in self._lines.values() for one in line]:
            wish = waiting.wish
            if wish is None or waiting.session is not None or waiting.ringing is not None or waiting.agent.done():
                continue
            if wish.until > now:
                at = wish.until if wish.not_before is None or wish.not_before <= now else wish.not_before
                wakes.append((at - now).total_seconds())
                continue
            waiting.story.left("too_long", now, "")
            waiting.wish = None
            self._note(waiting)
            self.figures(waiting.story.queue_id).overflowed += 1
            self._left(waiting.story.queue_id, waiting)
            if (task := self._calling_back.pop(waiting, None)) is not None:
                task.cancel()
            self._report(waiting.story.told(now))
        return wakes

    async def _ring(self, waiting: Waiting, queue: CallQueue, chosen: list[str]) -> None:
        """Ring these agents at once; the first to answer has the caller, the others ring no longer."""
        users = self._config().users
        calls = {asyncio.ensure_future(self._call(waiting, queue, users[one])): one for one in chosen}
        taken = False
        try:
            left = set(calls)
            while left and not taken:
                done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    session = task.result()
                    if session is None:
                        continue
                    if taken or waiting.agent.done() or waiting not in self.waiting(queue.service_id):
                        await session.hang_up()
                        continue
                    taken = True
                    now = self._clock.monotonic()
                    work = self.agents.of(calls[task], now)
                    work.talk = Talk(queue.service_id, session, f"queue-{self._tokens.token(8)}", now)
                    waiting.story.offer_over(calls[task], self._clock.now(), "answered")
                    waiting.agent.set_result((calls[task], session))
        finally:
            await self._stop_ringing(waiting, calls, taken)

    async def _stop_ringing(
        self, waiting: Waiting, calls: Mapping[asyncio.Task[MediaSession | None], str], taken: bool
    ) -> None:
        now = self._clock.monotonic()
        result: OfferResult
        for task, user_id in calls.items():
            work = self.agents.of(user_id, now)
            work.ringing, result = False, "other"
            if task.done() and not task.cancelled() and task.exception() is None and task.result() is None:
                work.rests_until = now + REST_SECONDS
                result = "no_answer"
            waiting.story.offer_over(user_id, self._clock.now(), result)
            task.cancel()
        waiting.ringing = None
        for call in await asyncio.gather(*calls, return_exceptions=True):
            if not taken and not isinstance(call, BaseException) and call is not None:
                await call.hang_up()
        self._dispatch()

    async def _call(self, waiting: Waiting, queue: CallQueue, user: User) -> MediaSession | None:
        """An agent's call, once he answers; None: he does not."""

        def transfers(transfer: Transfer, told: Callable[[int], None]) -> None:
            talking = self._talking.get(user.user_id)
            if talking is None or talking.waiting is not waiting:
                raise CallRefused("there is nobody yet to be sent elsewhere")
            talking.send_on(transfer, told, lambda: self._note(waiting))

        shown = Ringing(
            user.username, waiting.story.number, f"{queue.name}: {waiting.story.shown}", transfers=transfers
        )
        try:
            async with asyncio.timeout(queue.ring_seconds):
                return await self._phones.ring(shown)
        except (TimeoutError, NotReached):
            return None

    # -- talking

    async def _talk(
        self, waiting: Waiting, session: MediaSession, user_id: str, agent: MediaSession, queue: CallQueue
    ) -> None:
        began = self._clock.monotonic()
        talk = self.agents.of(user_id, began).talk
        self._talking[user_id] = talking = Talking(waiting, session)
        try:
            if talk is not None:
                await bridge(session, agent, talk.room)
                await talking.sent()
        finally:
            del self._talking[user_id]
            seconds = self._clock.monotonic() - began + queue.wrap_up_seconds
            self.figures(queue.service_id).was_handled(seconds)

    # -- calling back

    async def _wishes(self, waiting: Waiting, queue: CallQueue, number: str) -> bool:
        """The caller wishes to be called back; False: that cannot be promised, or an agent has just answered."""
        dialled = self._number_for(queue.service_id, number)
        if dialled is None or not self._has_room(waiting, queue, dialled):
            return False
        now = self._clock.now()
        waiting.wish = wished(number, dialled, queue, now)
        try:
            if (folder := self._kept()) is not None:
                await folder.keep(waiting.kept(now))
        except OSError as error:
            log.error("queue_wish_not_kept", extra={"reason": str(error)})  # noqa: TRY400 - the name says it all
            waiting.wish = None
        if waiting.agent.done():
            waiting.wish = None
        return waiting.wish is not None

    def _has_room(self, waiting: Waiting, queue: CallQueue, dialled: str) -> bool:
        """Whether one more wish can be kept, or there is one for this number."""
        others = [one for one in self.waiting(queue.service_id) if one is not waiting and one.wish is not None]
        if any(_is_for(one, dialled) for one in others):
            return True
        own = sum(one.story.number == waiting.story.number for one in others)
        return len(others) < queue.most_waiting and own < _WISHES_OF_ONE

    async def _promise(self, waiting: Waiting, session: MediaSession, queue: CallQueue) -> None:
        """Say goodbye; the caller's place is kept. One who had wished so for this number before keeps that place."""
        line, wish = self._lines.get(queue.service_id, []), waiting.wish
        if wish is not None and any(one is not waiting and _is_for(one, wish.dialled) for one in line):
            waiting.story.left("left_by_key", self._clock.now(), wish.number)
            waiting.wish = None
            self._note(waiting)
            self._left(queue.service_id, waiting)
        else:
            waiting.session = None
        try:
            with suppress(SessionEnded):
                speech = self._languages.speech(queue.language)
                await session.play(*speech.phrase("queue_call_back_promised", "goodbye"))
        finally:
            await session.hang_up()
            if waiting.session is None:
                self._follow(waiting)

    def _follow(self, waiting: Waiting) -> None:
        task = asyncio.get_running_loop().create_task(self._until_called_back(waiting))
        self._calling_back[waiting] = task
        task.add_done_callback(lambda _: self._calling_back.pop(waiting, None))

    async def _until_called_back(self, waiting: Waiting) -> None:
        """Each agent who answers has the caller called, until that succeeded or was tried often enough."""
        while waiting.wish is not None:
            user_id, agent = await waiting.agent
            queue = self._config().queues.get(waiting.story.queue_id)
            try:
                if queue is not None:
                    with suppress(SessionEnded):
                        await self._call_back(waiting, queue, user_id, agent)
            finally:
                waiting.agent = asyncio.get_running_loop().create_future()
                await self._let_go(user_id, agent, queue.wrap_up_seconds if queue is not None else 0.0)
        self._report(waiting.story.told(self._clock.now()))

    async def _call_back(self, waiting: Waiting, queue: CallQueue, user_id: str, agent: MediaSession) -> None:
        """One attempt: after it there is no wish any more, or one that is to be tried again."""
        wish, figures = waiting.wish, self.figures(queue.service_id)
        if wish is None:
            return
        speech = self._languages.speech(queue.language)
        try:
            customer = await reach(self._phones, agent, queue, wish, speech)
        except AgentGone:
            moment = self._clock.monotonic()
            self.agents.of(user_id, moment).rests_until = moment + max(REST_SECONDS, queue.wrap_up_seconds)
            self._not_reached(waiting, wish, given_up(wish, self._clock.now()))
            return
        now = self._clock.now()
        if customer is None:
            self._not_reached(waiting, wish, tried(wish, queue, now))
            await agent.play(*speech.phrase("not_reached"))
            return
        waiting.wish = None
        waiting.story.answered(user_id, now, queue.wrap_up_seconds, called_back=wish.number)
        self._note(waiting)
        self._left(queue.service_id, waiting)
        figures.was_answered(self._clock.monotonic() - waiting.since)
        try:
            await self._talk(waiting, customer, user_id, agent, queue)
        finally:
            await customer.hang_up()

    def _not_reached(self, waiting: Waiting, wish: KeptWish, again: KeptWish | None) -> None:
        """An attempt came to nothing, and what is left of the wish; None: it was the last one."""
        waiting.wish = again
        if again is None:
            waiting.story.left("not_reached", self._clock.now(), wish.number)
            self.figures(waiting.story.queue_id).overflowed += 1
            self._left(waiting.story.queue_id, waiting)
        self._note(waiting)


def _is_for(waiting: Waiting, dialled: str) -> bool:
    return waiting.session is None and waiting.wish is not None and waiting.wish.dialled == dialled


def _noted(written: asyncio.Future[None]) -> None:
    if not written.cancelled() and (error := written.exception()) is not None:
        log.warning("queue_caller_not_kept", extra={"reason": str(error)})
