"""What happens beside a call for help: where its phone is, who is told of it, and the way back to it.

Nothing here may hold up the call: whatever cannot be found out is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from contract.snapshot import EmergencyLocation
from contract.sync.events import EmergencyCalled
from edge_agent.clock import Clock
from edge_agent.ports import Reporter
from edge_agent.sip.config import SipConfig
from edge_agent.sip.dialog.dialog import contact_of
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import BadMessage, Message
from edge_agent.sip.proxy.callbacks import Callbacks
from edge_agent.sip.proxy.calls import LiveCall, printable

_LONGEST: Final = 255

Alert = Callable[[tuple[str, ...], str], None]
"""Shows a text on the phones of these users."""


@dataclass(frozen=True, slots=True)
class CallerForHelp:
    """Who calls for help, as far as that can be told.

    Args:
        binding: of the phone; None: it is not registered.
        location_id: where it is; None: nobody said.
    """

    binding: Binding | None
    location_id: str | None


class EmergencyCalls:
    """Looks after calls for help.

    Args:
        location: phones.
        callbacks: told whom to call back.
        reporter: tells the cloud.
        alert: tells the site.
        clock: the moment of a call.
        config: of the site.
    """

    def __init__(
        self,
        location: Location,
        callbacks: Callbacks,
        reporter: Reporter,
        alert: Alert,
        clock: Clock,
        config: SipConfig,
    ) -> None:
        self._location = location
        self._callbacks = callbacks
        self._reporter = reporter
        self._alert = alert
        self._clock = clock
        self._config = config

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config

    def caller_of(self, request: Message) -> CallerForHelp:
        """Which phone it is, by where the INVITE came from: it may have proven nothing."""
        flow = request.flow
        binding = next((one for one in self._location.all() if one.flow == flow), None)
        device_id = binding.device_id if binding is not None else None
        return CallerForHelp(binding, self._config.device_locations.get(device_id) if device_id else None)

    def called(self, request: Message, caller: CallerForHelp, number: str, call: LiveCall) -> None:
        """The call leaves: tell everybody, and remember the way back."""
        config, binding, opened = self._config, caller.binding, call.opened
        plan = config.plan
        place = plan.locations.get(caller.location_id or "") or plan.locations.get(plan.default_location_id or "")
        user_id = opened.caller_user_id or (binding.user_id if binding is not None else None)
        if place is not None and plan.callback_minutes:
            try:
                contact = binding.contact if binding is not None else contact_of(request).text
            except BadMessage:
                contact = b""
            if contact:
                seconds = plan.callback_minutes * 60
                self._callbacks.called(place.caller_id, contact, request.flow, user_id, seconds)
        user = config.users.get(user_id) if user_id is not None else None
        who = f"{user.display_name} ({user.extension or user.username})" if user is not None else opened.caller
        self._reporter.report(
            EmergencyCalled(
                call_id=opened.call_id,
                number=printable(number, _LONGEST),
                caller=printable(who, _LONGEST),
                user_id=user_id,
                device_id=binding.device_id if binding is not None else None,
                source=request.flow.source,
                location_id=place.location_id if place is not None else None,
                location_name=place.name if place is not None else "",
                address=printable(place.address, 1024) if place is not None else "",
                caller_id=place.caller_id if place is not None else "",
            )
        )
        if config.notified_of_emergencies:
            self._alert(config.notified_of_emergencies, self._text(number, who, request.flow.source, place))

    def _text(self, number: str, who: str, source: str, place: EmergencyLocation | None) -> str:
        at = self._clock.now().astimezone(self._config.plan.zone)
        where = f" at {place.name}" if place is not None else ""
        address = f", {place.address}" if place is not None and place.address else ""
        return printable(f"EMERGENCY CALL to {number} by {who}{where}{address} (phone {source}, {at:%H:%M:%S})", 1024)
