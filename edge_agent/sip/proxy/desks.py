"""Who is logged in at which phone: a line that somebody else uses calls, and is called, as him."""

from __future__ import annotations

from contract.dialplan.hot_desks import HotDesk
from edge_agent.clock import Clock
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import escaped_user
from edge_agent.sip.proxy.names import Shown, quoted


class Desks:
    """Tells whose phone a line is now.

    Args:
        location: bindings; they stay those of the line's own user.
        clock: somebody is logged in for a while only.
        config: with the site's state.
    """

    def __init__(self, location: Location, clock: Clock, config: SipConfig) -> None:
        self._location = location
        self._clock = clock
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration, or state."""
        self._config = config
        self._desks = config.state.hot_desks

    def user_of(self, line: Credential) -> str:
        """Who uses a line: whoever is logged in there and may call, or its own user."""
        desk = self._desks.get(line.line_id)
        if desk is None or not self._counts(desk):
            return line.user_id
        return desk.user_id

    def phones_of(self, user_id: str, now: float) -> list[Binding]:
        """Where a user is reached: his own phones that nobody else uses, and those at which he is logged in."""
        found = self._location.of_user(user_id, now)
        if not self._desks:
            return found
        desks = {line_id: desk for line_id, desk in self._desks.items() if self._counts(desk)}
        found = [one for one in found if one.line_id not in desks or desks[one.line_id].user_id == user_id]
        for line_id, desk in desks.items():
            if desk.user_id == user_id and desk.host_id != user_id:
                found += [one for one in self._location.of_user(desk.host_id, now) if one.line_id == line_id]
        return found

    def shown(self, user_id: str) -> Shown:
        """What others are shown of who calls from another's phone: his name and address."""
        user = self._config.users[user_id]
        address = b"<sip:" + escaped_user(user.username) + b"@" + self._config.domain.encode() + b">"
        return Shown(quoted(user.display_name) + address, inside_only=False)

    def _counts(self, desk: HotDesk) -> bool:
        user = self._config.users.get(desk.user_id)
        return user is not None and user.enabled and desk.lasts(self._clock.now())
