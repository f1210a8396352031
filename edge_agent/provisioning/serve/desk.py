"""Answers "may I have this file?" for every protocol alike: identify, look up, refuse, report.

A file is found by its whole name in a dictionary. A name with the MAC address of a known device finds that device's
file; any other MAC address finds nothing, is counted against the asker and reported as an unknown phone. Every refusal
is reported with its reason; the phone learns no more than that there is nothing for it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from contract.sync.events import PhoneFetched, PhoneRefused, RefusalReason, UnknownPhoneSeen
from edge_agent.clock import Clock
from edge_agent.ports import Reporter
from edge_agent.provisioning.access import Access, Proof, Protocol, Refusal
from edge_agent.provisioning.firmware import Shelf, StoredFile
from edge_agent.provisioning.identify import Certainty, Fact, Facts, Identifier
from edge_agent.provisioning.render import Library, RenderedFile
from edge_agent.provisioning.serve.limits import GuessGuard, RateLimit, ReportGate

logger: Final = logging.getLogger(__name__)


_REASONS: Final[Mapping[Refusal, RefusalReason]] = {
    Refusal.TOO_MANY_GUESSES: "too_many_guesses",
    Refusal.TOO_MANY_REQUESTS: "too_many_requests",
    Refusal.NETWORK_NOT_SERVED: "network_not_served",
    Refusal.NOT_APPROVED: "not_approved",
    Refusal.CLEAR_TEXT: "clear_text",
    Refusal.PROOF_NEEDED: "proof_needed",
    Refusal.WRONG_PASSWORD: "wrong_password",
    Refusal.WRONG_CERTIFICATE: "wrong_certificate",
    Refusal.NOT_TAKEN: "not_taken",
}
"""Refusals that are reported as such. A name that is not there is none: phones ask for many files that they can do
without; and an unknown phone is reported as one."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request for a file, whatever the protocol."""

    name: str
    """As asked for; leading slashes do not matter."""
    address: str
    """The asker's IP address."""
    protocol: Protocol
    user_agent: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    """TFTP options by lower-case name."""
    certificate_of: str = ""
    """The MAC address in a factory certificate that was checked; empty without one."""
    password_of: str = ""
    """The MAC address whose password was given; empty without one."""
    wrong_password: bool = False


class Desk:
    """The one place that decides which file a request gets.

    Args:
        identifier: tells who asks.
        reporter: hears of unknown phones, refusals and fetched files.
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
        self._refusals = ReportGate()
        self._fetches = ReportGate(max_reports=5000)
        self._addresses, self._phones = RateLimit(), RateLimit()
        self._library = Library()
        self._version = 1
        self.access = Access()
        """The site's rules."""
        self.on_fetched: Callable[[str, str], None] = lambda device_id, firmware: None
        """Told each time that a device has fetched a file of its own, and what it says that it runs."""
        self.shelf = Shelf(None)
        """Firmware files."""
        self.on_firmware: Callable[[str], None] = lambda device_id: None
        """Told each time that a device has got a firmware file whole."""
        self.own_file: Callable[[str, str], bytes | None] = lambda device_id, name: None
        """What a device itself sent under a name, which it may have back."""
        self.switch_port: Callable[[str], str] = lambda mac: ""
        """Where a phone is plugged in, by its MAC address, as far as it is known."""
        self.neighbour: Callable[[str], str] = lambda address: ""
        """The MAC address of who has an IP address, as far as the system knows; asked where only approved phones are
        served and the request itself does not say."""
        self.answers: Counter[str] = Counter()
        """How many requests ended how: `found`, or a `Refusal`."""

    def serve(self, library: Library, access: Access | None = None, version: int = 1) -> None:
        """From here on, answers come from this library, by these rules."""
        self._library = library
        self.access = access or Access()
        self._version = version

    @property
    def library(self) -> Library:
        """What is served now."""
        return self._library

    def may_be_stored(self, name: str) -> bool:
        """Whether a name, as asked for, can be that of a file which is sent from the disk."""
        return self.shelf.may_have(name.lstrip("/"))

    def sent(self, file: StoredFile) -> None:
        """A client has got a stored file to its end."""
        if file.device_id is not None:
            self.on_firmware(file.device_id)

    def ask(self, question: Question) -> RenderedFile | StoredFile | Refusal:
        """The file that a request gets, or why it gets none."""
        facts = self._identifier.identify(
            question.name.lstrip("/"), question.user_agent, question.options, question.certificate_of
        )
        answer = self._answer(question, facts)
        refused = answer if isinstance(answer, Refusal) else None
        self.answers[refused.value if refused else "found"] += 1
        # The name would hold the MAC address that a file with passwords is found by: the device's id says as much.
        logger.info(
            "provisioning_request",
            extra={
                "protocol": question.protocol,
                "address": question.address,
                "answer": refused.value if refused else "found",
                "device_id": None if isinstance(answer, Refusal) else answer.device_id,
            },
        )
        if isinstance(answer, Refusal):
            self._refused(question, facts, answer)
        elif isinstance(answer, RenderedFile) and answer.device_id is not None:
            self._fetched(question, facts, answer.device_id)
        return answer

    def may_upload(self, question: Question) -> str | Refusal:
        """Whose upload a request is, as its device's id, or why it is not taken."""
        facts = self._identifier.identify(question.name.lstrip("/"), question.user_agent, {}, question.certificate_of)
        answer = self._uploader(question, facts.mac.value)
        self.answers[answer.value if isinstance(answer, Refusal) else "uploaded"] += 1
        if isinstance(answer, Refusal):
            self._refused(question, facts, answer)
        return answer

    def plug_and_play(self, facts: Facts, address: str, user_agent: str) -> Refusal | None:
        """Whether a phone that asks by multicast is told where to fetch: None when it is, else why not."""
        now = self._clock.monotonic()
        mac = facts.mac.value
        known = self._library.device_id(mac) is not None
        refusal: Refusal | None = None
        if not self._addresses.allows(address, now, self.access.requests_per_address):
            refusal = Refusal.TOO_MANY_REQUESTS
        elif not self.access.serves(address):
            refusal = Refusal.NETWORK_NOT_SERVED
        elif not known:
            self._report_unknown(_report(facts, address, "sip", user_agent), now)
            refusal = None if self.access.answer_unknown and mac else Refusal.UNKNOWN_PHONE
            refusal = Refusal.NOT_APPROVED if self.access.approved_only else refusal
        self.answers[refusal.value if refusal else "told"] += 1
        if refusal is not None:
            self._refused(Question("", address, "sip", user_agent), facts, refusal)
        return refusal

    def seen_by_dhcp(self, facts: Facts, address: str, vendor_class: str) -> None:
        """A phone spoke DHCP; one that the site does not know is reported."""
        mac = facts.mac.value
        if facts.vendor.value and self._library.device_id(mac) is None and self.access.serves(address):
            self._report_unknown(_report(facts, address, "dhcp", vendor_class), self._clock.monotonic())

    def _answer(self, question: Question, facts: Facts) -> RenderedFile | StoredFile | Refusal:
        name, address = question.name.lstrip("/"), question.address
        now = self._clock.monotonic()
        if not self._addresses.allows(address, now, self.access.requests_per_address):
            return Refusal.TOO_MANY_REQUESTS
        if not self.access.serves(address):
            return Refusal.NETWORK_NOT_SERVED
        if self.access.approved_only and (refused := self._stranger(question, facts, now)) is not None:
            return refused
        file = self._library.find(name)
        if file is not None:
            secret = file.device_id is not None
            return (self._secret(question, file, now) or file) if secret else file
        mac = facts.mac.value
        if self.shelf.may_have(name):
            stored = self.shelf.find(name, lambda: mac or self.neighbour(address))
            if stored is not None:
                return stored
        device_id = self._library.device_id(mac)
        if device_id is not None and (own := self.own_file(device_id, name)) is not None:
            kept = RenderedFile.of(name, own, "application/octet-stream", device_id)
            return self._secret(question, kept, now) or kept
        if not mac or device_id is not None:
            return Refusal.NO_SUCH_FILE
        if self._guard.is_locked_out(address, now):
            return Refusal.TOO_MANY_GUESSES
        self._guard.guessed(address, mac, now)
        self._report_unknown(_report(facts, address, question.protocol, question.user_agent), now)
        return Refusal.UNKNOWN_PHONE

    def _stranger(self, question: Question, facts: Facts, now: float) -> Refusal | None:
        """Why someone who is no device of the site gets nothing; None when it is one."""
        mac = facts.mac.value or self.neighbour(question.address)
        if self._library.device_id(mac) is not None:
            return None
        if self._guard.is_locked_out(question.address, now):
            return Refusal.TOO_MANY_GUESSES
        if mac:
            self._guard.guessed(question.address, mac, now)
            known = facts if facts.mac.value else replace(facts, mac=Fact(mac, Certainty.LIKELY))
            self._report_unknown(_report(known, question.address, question.protocol, question.user_agent), now)
        return Refusal.NOT_APPROVED

    def _secret(self, question: Question, file: RenderedFile, now: float) -> Refusal | None:
        """Why a file with passwords is not given, or None."""
        mac = self._library.mac(file.device_id or "")
        if not self._phones.allows(mac, now, self.access.requests_per_phone):
            return Refusal.TOO_MANY_REQUESTS
        return self._proven(question, mac, now)

    def _proven(self, question: Question, mac: str, now: float) -> Refusal | None:
        if self._guard.is_locked_out(question.address, now):
            return Refusal.TOO_MANY_GUESSES
        if question.certificate_of and question.certificate_of != mac:
            return Refusal.WRONG_CERTIFICATE
        if question.wrong_password or (question.password_of and question.password_of != mac):
            self._guard.guessed(question.address, f"password of {mac}", now, every_time=True)
            return Refusal.WRONG_PASSWORD
        return self.access.may_have_secrets(question.address, question.protocol, _proof(question))

    def _uploader(self, question: Question, mac: str) -> str | Refusal:
        now = self._clock.monotonic()
        if not self._addresses.allows(question.address, now, self.access.requests_per_address):
            return Refusal.TOO_MANY_REQUESTS
        if not self.access.serves(question.address):
            return Refusal.NETWORK_NOT_SERVED
        device_id = self._library.device_id(mac)
        if device_id is None:
            return Refusal.NOT_TAKEN
        if not self._phones.allows(mac, now, self.access.requests_per_phone):
            return Refusal.TOO_MANY_REQUESTS
        return self._proven(question, mac, now) or device_id

    def _report_unknown(self, report: UnknownPhoneSeen, now: float) -> None:
        if self._gate.may_report(report.mac or report.address, now):
            port = report.switch_port or _text(self.switch_port(report.mac or ""))
            self._reporter.report(report.model_copy(update={"switch_port": port}))

    def _refused(self, question: Question, facts: Facts, why: Refusal) -> None:
        reason = _REASONS.get(why)
        if reason is None:
            return
        mac = facts.mac.value
        if self._refusals.may_report(f"{why} {mac or question.address}", self._clock.monotonic()):
            self._reporter.report(
                PhoneRefused(
                    reason=reason,
                    mac=mac or None,
                    device_id=self._library.device_id(mac),
                    address=_text(question.address),
                    protocol=question.protocol,
                    user_agent=_text(question.user_agent),
                )
            )

    def _fetched(self, question: Question, facts: Facts, device_id: str) -> None:
        self.on_fetched(device_id, facts.firmware.value)
        if self._fetches.may_report(f"{device_id} {self._version}", self._clock.monotonic()):
            self._reporter.report(
                PhoneFetched(
                    device_id=device_id,
                    address=_text(question.address),
                    protocol=question.protocol,
                    proof=_proof(question),
                    user_agent=_text(question.user_agent),
                    model=_text(facts.model.value),
                    firmware=_text(facts.firmware.value),
                    version=self._version,
                    switch_port=_text(facts.switch_port.value or self.switch_port(self._library.mac(device_id))),
                )
            )


def _proof(question: Question) -> Proof:
    return "certificate" if question.certificate_of else "password" if question.password_of else "none"


def _report(facts: Facts, address: str, protocol: Protocol, user_agent: str) -> UnknownPhoneSeen:
    return UnknownPhoneSeen(
        mac=facts.mac.value or None,
        vendor=_text(facts.vendor.value),
        model=_text(facts.model.value),
        firmware=_text(facts.firmware.value),
        user_agent=_text(user_agent),
        address=_text(address),
        protocol=protocol,
        certainty=facts.certainties(),
        switch_port=_text(facts.switch_port.value),
    )


def _text(value: str) -> str:
    """What came from the network, as a line of text that an event may hold."""
    return "".join(character for character in value if character.isprintable())[:255]
