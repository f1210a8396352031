"""What routing goes by that the edge itself knows: whose turn it is, who is in a call or called last, what rings, and
which ways out do not work."""

from __future__ import annotations

from dataclasses import replace

from contract.dialplan import CompiledPlan, SiteState
from edge_agent.sip.config import SipConfig
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.proxy.appearances import Appearances
from edge_agent.sip.proxy.callbacks import Callbacks
from edge_agent.sip.proxy.desks import Desks
from edge_agent.sip.proxy.hunting import Hunting
from edge_agent.sip.proxy.last_callers import LastCallers
from edge_agent.sip.proxy.outages import Outages
from edge_agent.sip.proxy.parties import Parties
from edge_agent.sip.proxy.pickup import Pickups


class LocalState:
    """The site's state, completed for one call at a time.

    Args:
        hunting: whose turn it is in hunt groups.
        parties: who is in which call.
        pickups: what rings and can be picked up.
        desks: who is logged in where.
        kept: keeps who called last.
        plan: of the site.
        callbacks: which phones called for help.
    """

    def __init__(
        self,
        hunting: Hunting,
        parties: Parties,
        pickups: Pickups,
        desks: Desks,
        kept: KeptRows,
        plan: CompiledPlan,
        callbacks: Callbacks,
    ) -> None:
        self.hunting = hunting
        self.pickups = pickups
        self.desks = desks
        self.outages = Outages()
        """Told which gateways and trunks do not work now."""
        self._parties = parties
        self.last_callers = LastCallers(kept, plan)
        self.callbacks = callbacks

    @property
    def appearances(self) -> Appearances:
        """Places of shared lines."""
        return self._parties.appearances

    def restore(self) -> None:
        """Take up what an earlier process kept."""
        self.hunting.restore()
        self.last_callers.restore()
        self.callbacks.restore()

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration, or what users changed at the site."""
        self.hunting.configure(config.plan)
        self.last_callers.configure(config.plan)
        self.desks.configure(config)

    def of(self, state: SiteState) -> SiteState:
        """The state that a new call goes by.

        Args:
            state: what users set.
        """
        state = self.outages.state(self.hunting.state(state))
        in_call = state.no_second_call
        if in_call:
            in_call = frozenset(user_id for user_id in in_call if self._parties.of_user(user_id))
        if in_call or self.last_callers.by_user:
            state = replace(state, in_call=in_call, last_caller=self.last_callers.by_user)
        if self._parties.unreached:
            state = replace(state, last_unreached=self._parties.unreached)
        if (appearances := self._parties.appearances) and (full_lines := appearances.full_lines()):
            state = replace(state, full_lines=full_lines)
        if called_for_help := self.callbacks.elins():
            state = replace(state, called_for_help=called_for_help)
        return state

    def sweep(self) -> None:
        """To be called every few seconds."""
        self.last_callers.sweep()
        self.callbacks.sweep()
