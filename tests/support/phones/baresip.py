"""baresip 1.0 (Debian package baresip) behind the verbs of a phone; it is run by `cloud.local.baresip`."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from cloud.local.baresip import Baresip, PhoneAccount
from tests.support.phones.phone import Event, Phone, Seen, Surroundings

_EVENTS: Final = {
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
    no_answer_status: ClassVar[int] = 486
    """Also when its time for ringing is over."""
    unable: ClassVar[Mapping[str, str]] = {
        "attended transfer": _NO_REPLACES,
    }

    def __init__(
        self, name: str, account: PhoneAccount, surroundings: Surroundings, ringing_seconds: int = 120
    ) -> None:
        super().__init__(name, account, surroundings, ringing_seconds)
        self._read = 0
        self._calls: set[str] = set()
        self._registering: set[str] = set()

    def start(self) -> None:
        self._read = 0
        self._baresip = Baresip(
            self.folder,
            self.account,
            expires_seconds=60,
            authority=self.surroundings.authority,
            ringing_seconds=self.ringing_seconds,
        )
        self._baresip.__enter__()

    def stop(self) -> None:
        self._baresip.__exit__()

    def poll(self) -> list[Event]:
        told = self._baresip.take_events()
        found = [Event(_EVENTS[event["type"]], _status(event)) for event in told if event.get("type") in _EVENTS]
        return found + self._traffic()

    def _traffic(self) -> list[Event]:
        """What the messages say that came and went since the last time."""
        messages, self._read = self._baresip.traffic_since(self._read)
        found = []
        for one in messages:
            if one.start_line.startswith("REGISTER "):
                self._registering.add(one.call_id)
            elif one.start_line.startswith("SIP/2.0 200") and one.call_id in self._registering:
                found.append(Event(Seen.REGISTERED))
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

    def call(self, number: str) -> None:
        self._baresip.dial(self.uri(number))

    def answer(self) -> None:
        self._baresip.command("accept")

    def decline(self) -> None:
        self._baresip.hang_up()

    def let_it_ring(self) -> None:
        """It gives up by itself."""

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
