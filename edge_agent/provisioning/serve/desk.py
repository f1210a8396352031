"""Answers "may I have this file?" for every protocol alike: identify, look up, refuse, report.

A file is found by its whole name in a dictionary. A name with the MAC address of a known device finds that device's
file; any other MAC address finds nothing, is counted against the asker and reported as an unknown phone.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from contract.sync.events import UnknownPhoneSeen
from edge_agent.clock import Clock
from edge_agent.ports import Reporter
from edge_agent.provisioning.identify import Facts, Identifier
from edge_agent.provisioning.render import Library, RenderedFile
from edge_agent.provisioning.serve.limits import GuessGuard, ReportGate

logger: Final = logging.getLogger(__name__)

Protocol = Literal["tftp", "http"]


class Refusal(StrEnum):
    """Why a file was not given."""

    NO_SUCH_FILE = "no_such_file"
    UNKNOWN_PHONE = "unknown_phone"
    TOO_MANY_GUESSES = "too_many_guesses"


@dataclass(frozen=True, slots=True)
class Question:
    """One request for a file, whatever the protocol."""

    name: str
    """As asked for; leading slashes do not matter."""
    address: str
    """The asker's IP address."""
    protocol: Protocol
    user_agent: str = ""


class Desk:
    """The one place that decides which file a request gets.

    Args:
        identifier: tells who asks.
        reporter: hears of unknown phones.
        clock: for the limits.
        guard: who has guessed too often.
        gate: which reports are news.
    """

    def __init__(
        self,
        identifier: Identifier,
        reporter: Reporter,
        clock: Clock,
        guard: GuessGuard | None = None,
        gate: ReportGate | None = None,
    ) -> None:
        self._identifier = identifier
        self._reporter = reporter
        self._clock = clock
        self._guard = guard or GuessGuard()
        self._gate = gate or ReportGate()
        self._library = Library()
        self.answers: Counter[str] = Counter()
        """How many requests ended how: `found`, or a `Refusal`."""

    def serve(self, library: Library) -> None:
        """From here on, answers come from this library."""
        self._library = library

    def ask(self, question: Question) -> RenderedFile | Refusal:
        """The file that a request gets, or why it gets none."""
        answer = self._answer(question)
        self.answers[answer.value if isinstance(answer, Refusal) else "found"] += 1
        # The name would hold the MAC address that a file with passwords is found by: the device's id says as much.
        logger.info(
            "provisioning_request",
            extra={
                "protocol": question.protocol,
                "address": question.address,
                "answer": answer.value if isinstance(answer, Refusal) else "found",
                "device_id": None if isinstance(answer, Refusal) else answer.device_id,
            },
        )
        return answer

    def _answer(self, question: Question) -> RenderedFile | Refusal:
        name = question.name.lstrip("/")
        now = self._clock.monotonic()
        file = self._library.find(name)
        if file is not None:
            if file.device_id is not None and self._guard.is_locked_out(question.address, now):
                return Refusal.TOO_MANY_GUESSES
            return file
        facts = self._identifier.identify(name, question.user_agent)
        mac = facts.mac.value
        if not mac or self._library.device_id(mac) is not None:
            return Refusal.NO_SUCH_FILE
        if self._guard.is_locked_out(question.address, now):
            return Refusal.TOO_MANY_GUESSES
        self._guard.guessed(question.address, mac, now)
        if self._gate.may_report(mac, now):
            self._reporter.report(_report(question, facts))
        return Refusal.UNKNOWN_PHONE


def _report(question: Question, facts: Facts) -> UnknownPhoneSeen:
    return UnknownPhoneSeen(
        mac=facts.mac.value,
        vendor=_text(facts.vendor.value),
        model=_text(facts.model.value),
        firmware=_text(facts.firmware.value),
        user_agent=_text(question.user_agent),
        address=_text(question.address),
        protocol=question.protocol,
    )


def _text(value: str) -> str:
    """What came from the network, as a line of text that an event may hold."""
    return "".join(character for character in value if character.isprintable())[:255]
