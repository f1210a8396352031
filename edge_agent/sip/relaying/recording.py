"""Which calls are recorded, by the site's rules and by the wish of its users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from contract.snapshot import RecordingPolicy, RecordingRule
from edge_agent.ports import CallRefused, RecordingOrder

NO_PORT: Final = "no port of the media relay is free"
NO_ADDRESS: Final = "the media relay has no address of its own"
BROWSER: Final = "a browser is in it, whose media no relay passes on"
RECORD_CALLS: Final = "RecordCalls"
"""The permission to have one's own calls recorded."""


class CallsTold(Protocol):
    """What is known of the calls in progress, by the Call-ID of the side towards the site."""

    def talking(self, call_id: str) -> frozenset[str]:
        """Ids of the users who are in a call."""
        ...

    def tell(self, call_id: str, sentence: str) -> None:
        """A sentence for the record of a call, with the moment."""
        ...

    def missed(self, why: str | None) -> None:
        """Why a call that a rule wants recorded cannot be; None: one can be again."""
        ...


class NoCalls:
    """Nothing is known of any call; see `CallsTold`."""

    def talking(self, call_id: str) -> frozenset[str]:
        """See `CallsTold`."""
        del call_id
        return frozenset()

    def tell(self, call_id: str, sentence: str) -> None:
        """See `CallsTold`."""

    def missed(self, why: str | None) -> None:
        """See `CallsTold`."""


class MayNotRecord(CallRefused):
    """Who wants a recording has no permission for that, or wants one to end that a rule began."""

    status = 403
    reason = "Forbidden"


class NotRecordable(CallRefused):
    """The media of a call does not go by our relay, or is encrypted for its ends only."""

    status = 488
    reason = "Not Acceptable Here"


class RecordingRules:
    """The rules of a site.

    Args:
        calls: says who is in a call, and tells its record.
        name: gives each recording its id.
    """

    def __init__(self, calls: CallsTold | None = None, name: Callable[[], str] = lambda: "") -> None:
        self.calls: CallsTold = calls or NoCalls()
        self._name = name
        self._policy = RecordingPolicy()
        self._spared: frozenset[str] = frozenset()
        self._askers: frozenset[str] = frozenset()
        self._groups: Mapping[str, frozenset[str]] = {}

    def configure(
        self,
        policy: RecordingPolicy,
        spared: frozenset[str],
        askers: frozenset[str] = frozenset(),
        groups: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """Go by these rules from the next call on.

        Args:
            policy: of the site.
            spared: numbers whose calls are never recorded, so that nothing stands in the way of calls for help.
            askers: ids of the users who may have their calls recorded.
            groups: ids of the users in each group that rules may name.
        """
        self._policy, self._spared, self._askers = policy, spared, askers
        self._groups = groups or {}

    @property
    def keys(self) -> str:
        """What is pressed during a call to have it recorded; empty: nothing is."""
        return self._policy.on_demand.keys or "" if self._askers else ""

    def may_record(self, trunk_id: str, called: str, call_id: str = "") -> bool:
        """Whether a call has to go by the relay, since it may have to be recorded: who answers is not known yet.

        Args:
            trunk_id: by which trunk.
            called: the number outside that the site calls; empty: it is called.
            call_id: of the side towards the site, where it calls.
        """
        if called in self._spared:
            return False
        return bool(self._fits(trunk_id, bool(called))) or self._may_ask(call_id if called else "")

    def _may_ask(self, call_id: str) -> bool:
        """Whether somebody in a call may want it recorded; empty: in one whose users are not known yet."""
        return bool(self._askers) and (not call_id or not self._askers.isdisjoint(self.calls.talking(call_id)))

    def order(self, trunk_id: str, call_id: str, *, outward: bool, missing: str = "") -> RecordingOrder | None:
        """How a call that was answered is recorded; None: it is not.

        Args:
            trunk_id: by which trunk.
            call_id: of the side towards the site.
            outward: whether the site calls.
            missing: why it cannot be recorded; empty: it can be.
        """
        users = self.calls.talking(call_id)
        for rule in self._fits(trunk_id, outward):
            if self._is_of(rule, users):
                return self.ordered(rule, call_id, missing)
        return None

    @property
    def records_any(self) -> bool:
        """Whether any call may be recorded, by a rule or on demand."""
        return bool(self._askers) or any(rule.enabled for rule in self._policy.rules)

    @property
    def on_demand(self) -> bool:
        """Whether anybody may have his calls recorded."""
        return bool(self._askers)

    def may_want(self, users: frozenset[str], dialled: str) -> bool:
        """Whether one of these users may want a call recorded that the proxy lets through.

        Args:
            users: ids of those whose phones are in it.
            dialled: what the caller dialled.
        """
        return dialled not in self._spared and not self._askers.isdisjoint(users)

    def inside(self, users: frozenset[str], dialled: str) -> RecordingRule | None:
        """The rule by which a call from phone to phone of the site is recorded; None: it is not.

        Args:
            users: ids of those whose phones they are.
            dialled: what the caller dialled.
        """
        if dialled in self._spared:
            return None
        rules = (rule for rule in self._policy.rules if rule.enabled and rule.calls != "trunk")
        return next((rule for rule in rules if self._is_of(rule, users)), None)

    def by_gateway(
        self, gateway_id: str, users: frozenset[str], dialled: str, *, outward: bool
    ) -> RecordingRule | None:
        """The rule by which a call between a phone of the site and a gateway is recorded; None: it is not.

        Args:
            gateway_id: by which gateway.
            users: ids of those whose phone it is.
            dialled: what the caller dialled.
            outward: whether the site calls.
        """
        if dialled in self._spared:
            return None
        return next((rule for rule in self._fits(gateway_id, outward) if self._is_of(rule, users)), None)

    def ordered(self, rule: RecordingRule, call_id: str, missing: str = "") -> RecordingOrder | None:
        """How an answered call is recorded by a rule that fits it, which its record is told; None: it cannot be.

        Args:
            rule: it.
            call_id: of its record.
            missing: why it cannot be recorded; empty: it can be.
        """
        self.calls.missed(missing or None)
        if missing:
            self.calls.tell(call_id, f"not_recorded: {missing}")
            return None
        self.calls.tell(call_id, f"recorded: by the rule {rule.name}")
        return RecordingOrder(self._name(), announce=rule.announcement == "before")

    def _is_of(self, rule: RecordingRule, users: frozenset[str]) -> bool:
        """Whether a rule is for calls of one of these users; one for groups that are empty or gone is for nobody."""
        if not rule.user_ids and not rule.group_ids:
            return True
        return not users.isdisjoint(rule.user_ids) or any(
            not users.isdisjoint(self._groups.get(one, ())) for one in rule.group_ids
        )

    def asked(self, users: frozenset[str]) -> RecordingOrder:
        """How a call is recorded that one of these users wants recorded.

        Raises:
            MayNotRecord: none of them may.
        """
        if self._askers.isdisjoint(users):
            raise MayNotRecord("nobody in the call has the permission RecordCalls")
        return RecordingOrder(self._name(), announce=self._policy.on_demand.announcement == "before")

    def _fits(self, trunk_id: str, outward: bool) -> list[RecordingRule]:
        direction = "out" if outward else "in"
        return [
            rule
            for rule in self._policy.rules
            if rule.enabled
            and rule.calls != "inside"
            and rule.direction in ("both", direction)
            and (not rule.trunk_ids or trunk_id in rule.trunk_ids)
        ]
