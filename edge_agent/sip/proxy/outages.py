"""Which gateways and trunks are known not to work now: the dial plan passes over them."""

from __future__ import annotations

from dataclasses import replace

from contract.dialplan import SiteState


class Outages:
    """Told by whoever asks gateways and trunks how they are, each of its own."""

    __slots__ = ("_by_teller", "_down")

    def __init__(self) -> None:
        self._by_teller: dict[str, frozenset[str]] = {}
        self._down: frozenset[str] = frozenset()

    def tell(self, teller: str, gateway_ids: frozenset[str]) -> None:
        """These do not work now; what the same teller said before no longer counts."""
        self._by_teller[teller] = gateway_ids
        self._down = frozenset().union(*self._by_teller.values())

    @property
    def down(self) -> frozenset[str]:
        """Ids of those that do not work now."""
        return self._down

    def state(self, state: SiteState) -> SiteState:
        """The state that a new call goes by."""
        return replace(state, gateways_down=state.gateways_down | self._down) if self._down else state
