"""What is wrong at the site at this moment, told to the cloud once when it begins and once when it is over."""

from typing import Literal

from contract.sync.events import AlarmChanged
from edge_agent.ports import Reporter

Severity = Literal["information", "warning", "critical"]
_LONGEST_TEXT = 1024


class Alarms:
    """The active alarms of this edge, by name; one name may be active for several subjects (processes) at once."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._active: dict[str, dict[str, str]] = {}

    def active(self) -> dict[str, str]:
        """The text of each active alarm, by its name."""
        return {name: "; ".join(texts.values()) for name, texts in sorted(self._active.items())}

    def begin(self, alarm: str, severity: Severity, text: str, subject: str = "") -> None:
        """Something is wrong; said again only when the text is another."""
        text = text[:_LONGEST_TEXT]
        subjects = self._active.setdefault(alarm, {})
        if subjects.get(subject) != text:
            subjects[subject] = text
            self._reporter.report(AlarmChanged(alarm=alarm, severity=severity, active=True, text=text))

    def end(self, alarm: str, subject: str = "") -> None:
        """It is over; told when it is over for every subject."""
        subjects = self._active.get(alarm)
        if subjects is None or subjects.pop(subject, None) is None or subjects:
            return
        del self._active[alarm]
        self._tell_over(alarm)

    def forget(self, alarm: str) -> None:
        """An earlier run of the agent left this alarm active: it is over until it is found again."""
        if alarm not in self._active:
            self._tell_over(alarm)

    def _tell_over(self, alarm: str) -> None:
        self._reporter.report(AlarmChanged(alarm=alarm, severity="information", active=False, text="over"))
