"""baresip 1.0 (Debian package baresip) behind the verbs of a phone; it is run by `cloud.local.baresip`."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from cloud.local.baresip import Baresip, PhoneAccount, PhoneError
from tests.support.phones.phone import PATIENCE, Event, Phone, Seen, Surroundings

_EVENTS: Final = {
    "REGISTER_OK": Seen.REGISTERED,
    "CALL_INCOMING": Seen.INCOMING,
    "CALL_RINGING": Seen.RINGING,
    "CALL_ESTABLISHED": Seen.ANSWERED,
    "CALL_CLOSED": Seen.CLOSED,
    "CALL_RTPESTAB": Seen.HEARD,
}
_NO_REPLACES: Final = "baresip 1.0 has no attended transfer in its console and knows no Replaces"


class BaresipPhone(Phone):
    """One baresip. What it was sent in a re-INVITE is read from its trace, for it has no event for being held."""

    program: ClassVar[str] = "baresip"
    unable: ClassVar[Mapping[str, str]] = {
        "no answer": "baresip 1.0 refuses a ringing call as busy only, and rings until the caller gives up",
        "attended transfer": _NO_REPLACES,
    }

    def __init__(self, name: str, account: PhoneAccount, surroundings: Surroundings) -> None:
        super().__init__(name, account, surroundings)
        self._read = 0
        self._calls: set[str] = set()

    def start(self) -> None:
        self._read = 0
        authority = self.surroundings.authority
        self._baresip = Baresip(self.folder, self.account, expires_seconds=60, authority=authority)
        self._baresip.__enter__()
        try:
            # It registers before its control socket is open, so that the event may be missed.
            self._baresip.registered(PATIENCE)
        except PhoneError:
            self._baresip.__exit__()
            raise
        self._seen.append(Event(Seen.REGISTERED))

    def stop(self) -> None:
        self._baresip.__exit__()

    def poll(self) -> list[Event]:
        told = self._baresip.take_events()
        found = [Event(_EVENTS[event["type"]], _status(event)) for event in told if event.get("type") in _EVENTS]
        return found + self._descriptions()

    def _descriptions(self) -> list[Event]:
        """What the messages say that came and went since the last time."""
        messages, self._read = self._baresip.traffic_since(self._read)
        found = []
        for one in messages:
            if not one.body.startswith(b"v=0"):
                continue
            text = one.body.decode("utf-8", "replace")
            invite = one.start_line.startswith("INVITE ")
            if invite and one.call_id in self._calls and not one.sent:
                held = re.search(r"(?m)^a=(sendonly|inactive)", text)
                found.append(Event(Seen.HELD if held else Seen.RESUMED))
            elif invite:
                found.append(Event(Seen.OFFER, text))
            elif one.start_line.startswith("SIP/2.0 200") and one.call_id not in self._calls:
                self._calls.add(one.call_id)
                found.append(Event(Seen.ANSWER, text))
        return found

    def register(self) -> None:
        """Switched off and on: its console has no command for it."""
        self.stop()
        self.start()

    def call(self, number: str) -> None:
        self._baresip.dial(self.uri(number))

    def answer(self) -> None:
        self._baresip.command("accept")

    def decline(self) -> None:
        self._baresip.hang_up()

    def let_it_ring(self) -> None:
        """It rings on."""

    def hang_up(self) -> None:
        self._baresip.hang_up()

    def hold(self) -> None:
        self._baresip.command("hold")

    def resume(self) -> None:
        self._baresip.command("resume")

    def transfer(self, number: str) -> None:
        self._baresip.command("transfer", self.uri(number))

    def said(self) -> str:
        return self._baresip.log()[-3000:]


def _status(event: dict[str, object]) -> str:
    found = re.match(r"(\d{3}) ", str(event.get("param", "")))
    return found[1] if found else ""
