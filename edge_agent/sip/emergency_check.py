"""Once a day: is there a way out of the site for a call for help that works?

Every gateway is asked, twice if need be, also those that are not asked otherwise. A number for help that leads nowhere,
or to gateways that do not answer only, is an alarm until that is mended.
"""

from __future__ import annotations

from typing import Final

from contract.sync.events import AlarmChanged
from edge_agent.ports import Reporter
from edge_agent.sip.config import SipConfig
from edge_agent.sip.proxy.outages import Outages
from edge_agent.sip.transaction import TimerWheel
from edge_agent.sip.user_agent.qualify import Qualifier

ALARM: Final = "emergency_route_missing"
_FIRST_SECONDS: Final = 30.0
_DAY_SECONDS: Final = 86_400.0
_ANSWER_SECONDS: Final = 35.0
"""Longer than Timer F (RFC 3261 §17.1.2.2)."""
_ASK: Final = 0
_ASK_AGAIN: Final = 1
_JUDGE: Final = 2
_LONGEST_TEXT: Final = 1024


class EmergencyCheck:
    """Looks after the ways out for calls for help.

    Args:
        wheel: of the process.
        qualifier: asks gateways.
        outages: knows which gateways and trunks do not work.
        reporter: told of the alarm.
        config: of the site.
    """

    def __init__(
        self, wheel: TimerWheel, qualifier: Qualifier, outages: Outages, reporter: Reporter, config: SipConfig
    ) -> None:
        self._wheel = wheel
        self._qualifier = qualifier
        self._outages = outages
        self._reporter = reporter
        self._config = config
        self._told = ""

    def start(self, now: float) -> None:
        """Begin; the first look is soon."""
        self._wheel.add(_FIRST_SECONDS, self, _ASK, now)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config
        self.judge()

    def expired(self, kind: int, now: float) -> None:
        """The next part of the check."""
        if kind == _JUDGE:
            self.judge()
            self._wheel.add(_DAY_SECONDS - 2 * _ANSWER_SECONDS, self, _ASK, now)
            return
        if self._config.emergency_numbers:
            self._qualifier.ask_gateways(now)
        self._wheel.add(_ANSWER_SECONDS, self, _ASK_AGAIN if kind == _ASK else _JUDGE, now)

    def judge(self) -> None:
        """Tell what is wrong now, if that is something else than was told."""
        problem = "; ".join(self._problems())[:_LONGEST_TEXT]
        if problem == self._told:
            return
        self._told = problem
        self._reporter.report(
            AlarmChanged(
                alarm=ALARM, severity="critical", active=bool(problem), text=problem or "every number leads out"
            )
        )

    def _problems(self) -> list[str]:
        plan, down = self._config.plan, self._outages.down
        found: list[str] = []
        for number in self._config.emergency_numbers:
            rule = plan.emergency.get(number)
            if rule is None and (number in plan.dialled or number in plan.groups or number in plan.services):
                continue  # it rings inside the site, as a works fire brigade does
            ways = [one for one in (rule[0].gateways if rule is not None else ()) if one in plan.gateways]
            if not ways:
                found.append(f"{number} leads nowhere: no gateway is switched on for it")
            elif down.issuperset(ways):
                names = ", ".join(plan.gateways[one].name for one in ways)
                found.append(f"{number} leads to gateways that do not answer only: {names}")
        return found
