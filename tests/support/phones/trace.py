"""What the text of SIP messages in a phone's own log tells: session descriptions, and how an INVITE was refused."""

import re
from typing import Final

from tests.support.phones.phone import Event, Seen

_STATUS: Final = re.compile(r"SIP/2\.0 (\d{3})")
_LINE_OF_SDP: Final = re.compile(r"[a-z]=")


class Trace:
    """Takes the log line by line.

    `refused` is the last status that refused an INVITE, whoever said it.
    """

    def __init__(self) -> None:
        self.refused = ""
        self._status = ""
        self._is_invite = False
        self._description: list[str] = []

    def take(self, line: str) -> list[Event]:
        """A session description that this line ends, if any."""
        if line.startswith("v=0") or (self._description and _LINE_OF_SDP.match(line)):
            self._description.append(line)
            return []
        found = self._ended()
        if status := _STATUS.match(line):
            self._status = status[1]
        elif line.startswith("INVITE "):
            self._status = ""
        elif line.startswith("CSeq:"):
            self._is_invite = line.endswith("INVITE")
            if self._is_invite and self._status >= "300" and self._status not in {"401", "407"}:
                self.refused = self._status
        return found

    def _ended(self) -> list[Event]:
        if not self._description:
            return []
        text, self._description = "\r\n".join(self._description) + "\r\n", []
        if not self._is_invite:
            return []
        return [Event(Seen.ANSWER if self._status else Seen.OFFER, text)]

    def take_refusal(self) -> str:
        """The status of a call that is over, which is then forgotten; empty for one that had been answered."""
        status, self.refused = self.refused, ""
        return status
