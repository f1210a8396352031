"""One run: phones made from a plan, their wires watched, calls or registrations begun until all have ended."""

import secrets
import select
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from benchmarks.sip.load.messages import Malformed, header
from benchmarks.sip.load.phones import Answerer, Phone
from benchmarks.sip.load.plan import Account, Outcome, Plan
from benchmarks.sip.load.wire import ConnectionEnded, StreamWire, UdpWire, Wire, any_server

LOOK_SECONDS: Final = 0.1
"""How often is looked for messages without an answer."""
_REGISTER_SECONDS: Final = 30.0


class NotReady(Exception):
    """The phones that take part in calls could not register; the text says why."""


class Run:
    """The phones of a plan: within `with`, first `prepare`, then `work`, then `leave`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._poll = select.epoll()
        self._handlers: dict[int, tuple[Wire, Callable[[bytes, float], None]]] = {}
        self._as_phones = self._handlers
        self._tls = any_server() if plan.transport == "tls" else None
        self._free: deque[Phone] = deque()
        self._answerers: list[Answerer] = []
        self._callee_of: dict[Phone, bytes] = {}
        self.outcome = Outcome()
        self._run = secrets.token_hex(6)
        calls = plan.scenario == "call"
        half = len(plan.phones) // 2 if calls else len(plan.phones)
        self._phones = self._made(plan.phones[:half])
        self._callees = self._made(plan.phones[half:]) if calls else []

    def prepare(self) -> None:
        """Register who takes part in calls.

        Raises:
            NotReady: not all could.
        """
        if self._plan.scenario == "register":
            self._free.extend(self._phones)
            return
        self._everybody(Phone.register)
        self._answer()
        self._callee_of = {caller: callee.who.aor for caller, callee in zip(self._phones, self._callees, strict=True)}
        self._free.extend(self._phones)

    def work(self) -> Outcome:
        """What the plan says, to its end."""
        plan = self._plan
        begin = Phone.register if plan.scenario == "register" else self._call
        began, used = time.monotonic(), time.process_time()
        self._until_done(plan.count, begin, plan.rate, self._phones, plan.give_up_seconds)
        self.outcome.seconds = time.monotonic() - began
        self.outcome.cpu_seconds = time.process_time() - used
        return self.outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for wire, _handle in self._handlers.values():
            wire.close()
        self._poll.close()

    def leave(self) -> None:
        """Take the phones' contacts back, unless the plan says to keep them.

        Raises:
            NotReady: not all could be taken back.
        """
        if not self._plan.keep:
            self._handlers.update(self._as_phones)
            self._answerers.clear()
            self._everybody(lambda phone, now: phone.register(now, expires=0))

    def _everybody(self, begin: Callable[[Phone, float], None]) -> None:
        everybody = [*self._phones, *self._callees]
        self.outcome.clear()
        self._free.clear()
        self._free.extend(everybody)
        self._until_done(len(everybody), begin, None, everybody, _REGISTER_SECONDS)
        if self.outcome.failed:
            raise NotReady(f"{self.outcome.failed} of {len(everybody)}: {self.outcome.reasons}")
        self.outcome.clear()
        self._free.clear()

    # -- making phones

    def _made(self, accounts: tuple[Account, ...]) -> list[Phone]:
        plan, name = self._plan, self._plan.transport.upper()
        shared = self._wire() if plan.transport == "udp" else None
        made = []
        for account in accounts:
            wire = shared or self._wire()
            phone = Phone(account, plan.domain, name, wire, self._run, self.outcome, self._free.append)
            made.append(phone)
            if shared is None:
                self._handlers[wire.fileno()] = wire, phone.received
        if shared is not None:
            by_user = {phone.who.user: phone for phone in made}

            def spread(message: bytes, now: float) -> None:
                origin = header(message, b"From")
                by_user[origin[origin.index(b"sip:") + 4 : origin.index(b"@")]].received(message, now)

            self._handlers[shared.fileno()] = shared, spread
        return made

    def _wire(self) -> Wire:
        host, port = self._plan.host, self._plan.port
        wire = UdpWire(host, port) if self._plan.transport == "udp" else StreamWire(host, port, self._tls)
        self._poll.register(wire.fileno(), select.EPOLLIN)
        return wire

    def _answer(self) -> None:
        """From now on the callees answer."""
        self._as_phones = dict(self._handlers)
        for number in {phone.wire.fileno() for phone in self._callees}:
            wire = self._handlers[number][0]
            contacts = {phone.who.user: phone.who.contact for phone in self._callees if phone.wire is wire}
            answerer = Answerer(contacts, wire, self._plan.transport == "udp", self.outcome)
            self._answerers.append(answerer)
            self._handlers[number] = wire, answerer.received

    def _call(self, phone: Phone, now: float) -> None:
        phone.call(self._callee_of[phone], now)

    # -- the loop

    def _until_done(
        self,
        count: int,
        begin: Callable[[Phone, float], None],
        rate: float | None,
        phones: list[Phone],
        give_up_seconds: float,
    ) -> None:
        outcome, free, poll, handlers = self.outcome, self._free, self._poll.poll, self._handlers
        begun = 0
        first = now = time.monotonic()
        look_at = now + LOOK_SECONDS
        while outcome.succeeded + outcome.failed < count:
            due = count if rate is None else min(count, int((now - first) * rate) + 1)
            while begun < due and free:
                begun += 1
                begin(free.popleft(), now)
            pause = look_at - now if rate is None or begun >= count else min(first + begun / rate, look_at) - now
            for number, _ in poll(max(0.0, pause)):
                wire, handle = handlers[number]
                now = time.monotonic()
                try:
                    for message in wire.receive():
                        handle(message, now)
                except (Malformed, ConnectionEnded, KeyError, ValueError, OSError) as problem:
                    raise NotReady(f"{type(problem).__name__}: {problem}") from problem
            now = time.monotonic()
            if now >= look_at:
                look_at = now + LOOK_SECONDS
                for phone in phones:
                    phone.look(now, give_up_seconds)
                for answerer in self._answerers:
                    answerer.look(now)
