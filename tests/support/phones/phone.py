"""What every driver of a real phone can be told to do, and what it says that happened."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final, Self

from cloud.local.baresip import PhoneAccount

PATIENCE: Final = 15.0
"""Seconds that a phone has for anything, on a machine that does much else."""


class Seen(StrEnum):
    """What a phone noticed."""

    REGISTERED = "registered"
    INCOMING = "incoming call"
    RINGING = "the other end rings"
    ANSWERED = "call answered"
    CLOSED = "call closed"
    HELD = "put on hold by the other end"
    RESUMED = "taken off hold by the other end"
    HEARD = "audio came in"
    OFFER = "session description of the caller"
    ANSWER = "session description of the callee"
    LAMP = "message lamp"
    PRESENCE = "presence of somebody who is watched"


@dataclass(frozen=True)
class Event:
    """One thing that a phone noticed; `detail` is the status of a closed call (`486`), or a session description."""

    what: Seen
    detail: str = ""


class NotSeen(AssertionError):
    """A phone did not notice in time what it should have."""


@dataclass
class Surroundings:
    """Where phones live.

    Args:
        folder: for what they write.
        target: `host:port` that they send everything to, by transport.
        authority: file of the authority that signed the edge's certificate.
        domain: of every address of record.
    """

    folder: Path
    target: Mapping[str, str]
    authority: Path
    domain: str


class Phone(ABC):
    """One running phone with one account; use as a context manager.

    A phone that cannot do a thing says so in `unable`: the scenario's name and why. What it says there is about the
    phone, never about the edge.

    Args:
        name: unique, for its folder.
        account: what it registers with.
        surroundings: where it lives.
        ringing_seconds: how long it rings before it gives up, where a phone can be told so.
    """

    program: ClassVar[str]
    """What has to be on the machine."""
    unable: ClassVar[Mapping[str, str]] = {}
    busy_status: ClassVar[int] = 486
    """What it says when a call is declined."""
    no_answer_status: ClassVar[int] = 480
    """What it says when nobody answers."""

    def __init__(
        self, name: str, account: PhoneAccount, surroundings: Surroundings, ringing_seconds: int = 120
    ) -> None:
        self.ringing_seconds = ringing_seconds
        self.name, self.account, self.surroundings = name, account, surroundings
        self.folder = surroundings.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self._seen: list[Event] = []
        self.registrations = 0
        """How often it was registered or renewed that, by what was noticed so far."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> None:
        """Begin to run, and to register."""

    @abstractmethod
    def stop(self) -> None:
        """End."""

    @abstractmethod
    def poll(self) -> list[Event]:
        """What was noticed since the last time."""

    @abstractmethod
    def call(self, number: str) -> None:
        """Call a number of the site."""

    @abstractmethod
    def answer(self) -> None:
        """Take the call that rings."""

    @abstractmethod
    def decline(self) -> None:
        """Refuse the call that rings as busy."""

    @abstractmethod
    def let_it_ring(self) -> None:
        """Nobody takes the call that rings: what the phone does then."""

    @abstractmethod
    def hang_up(self) -> None:
        """End the call, or take back one that is not yet answered."""

    @abstractmethod
    def hold(self) -> None:
        """Put the other end on hold."""

    @abstractmethod
    def resume(self) -> None:
        """Take the other end off hold."""

    @abstractmethod
    def transfer(self, number: str) -> None:
        """Send the other end to a number (RFC 5589 §6)."""

    def join(self) -> None:
        """Bring the other ends of the first and the second call together (RFC 5589 §7)."""
        raise NotImplementedError(self.unable["attended transfer"])

    @abstractmethod
    def said(self) -> str:
        """The end of what it wrote, for who looks for a failure's cause."""

    # -- waiting

    def wait_for(self, what: Seen, within: float = PATIENCE) -> Event:
        """The first event of that kind, which is then forgotten.

        Raises:
            NotSeen: it did not come in time.
        """
        pause, deadline = threading.Event(), time.monotonic() + within
        while True:
            self._notice()
            for at, event in enumerate(self._seen):
                if event.what is what:
                    return self._seen.pop(at)
            if time.monotonic() > deadline:
                seen = ", ".join(f"{event.what} {event.detail[:40]!r}" for event in self._seen) or "nothing"
                raise NotSeen(f"{self.name}: {what} not within {within:g} s, only: {seen}\n{self.said()}")
            pause.wait(0.02)

    def closed(self, within: float = PATIENCE) -> int:
        """Wait for a call's end; the status that it ended with, 0 where it had been answered."""
        return int(self.wait_for(Seen.CLOSED, within).detail or 0)

    def forget(self) -> None:
        """What was noticed up to now is of no interest."""
        self._notice()
        self._seen.clear()

    def registers_beyond(self, count: int, within: float) -> None:
        """Wait until it has been registered more often than that, all by itself.

        Raises:
            NotSeen: it did not happen in time.
        """
        deadline = time.monotonic() + within
        while self.registrations <= count:
            self.wait_for(Seen.REGISTERED, max(0.0, deadline - time.monotonic()))

    def _notice(self) -> None:
        events = self.poll()
        self.registrations += sum(event.what is Seen.REGISTERED for event in events)
        self._seen += events

    def uri(self, number: str) -> str:
        """The address of record of a number."""
        return f"sip:{number}@{self.surroundings.domain}"


@dataclass
class Lines:
    """The lines of a growing file, as they come."""

    path: Path
    _at: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def new(self) -> list[str]:
        """The whole lines written since the last time."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._at)
            data = file.read()
        self._at += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode("utf-8", "replace").rstrip("\r") for line in whole]
