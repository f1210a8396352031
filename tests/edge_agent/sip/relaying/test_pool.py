"""Ports of relayed media: those that another relay opened ahead before those of the pool's own range."""

from edge_agent.ports import PortsAhead, RelayedStream
from edge_agent.sip.relaying.pool import RelayPool, TakenPorts

IN, OUT = "10.0.0.1", "198.51.100.1"


class Carrier:
    """Is told and does nothing."""

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """See `MediaRelay`."""


def test_ports_that_are_open_ahead_for_the_hosts_are_taken_once_whichever_end_is_where() -> None:
    pool = RelayPool(Carrier(), 17408, 17415)
    ahead = (PortsAhead("a", (IN, OUT), (20000, 20010)), PortsAhead("b", (IN, IN), (20002, 20004)))
    pool.offer(ahead)
    assert pool.take((OUT, IN)) == TakenPorts((20010, 20000), "a")
    pool.offer(ahead)  # whoever offers has not heard of it yet
    assert pool.take((IN, OUT)) == TakenPorts((17408, 17410))
    assert pool.counts["none_ahead"] == 1
    assert pool.take((IN, IN)) == TakenPorts((20002, 20004), "b")


def test_only_ports_of_the_pools_own_range_come_back_to_it() -> None:
    pool = RelayPool(Carrier(), 17408, 17411)
    pool.offer([PortsAhead("a", (IN, IN), (20000, 20002))])
    first, second = pool.take((IN, IN)), pool.take((IN, IN))
    assert first is not None
    assert second is not None
    assert (first.ahead_id, second.ahead_id, pool.take((IN, IN))) == ("a", "", None)
    pool.closed(_Nobody(), [first, second])
    pool.offer([])
    assert pool.take((IN, IN)) == second
    assert pool.take((IN, IN)) is None


class _Nobody:
    def streams(self) -> tuple[RelayedStream, ...]:
        """None."""
        return ()
