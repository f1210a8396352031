"""The in-memory network does what scenarios rely on."""

from edge_agent.sip.message import Flow
from tests.support.hand_clock import HandClock
from tests.support.memory_network import Address, MemoryNetwork

A: Address = ("192.0.2.1", 1)
B: Address = ("192.0.2.2", 2)


class Ear:
    """Remembers what it heard, and when."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.heard: list[tuple[float, bytes]] = []

    def arrived(self, data: bytes, source: Address) -> None:
        assert source == A
        self.heard.append((round(self._clock.monotonic() - 1000, 3), data))


def joined() -> tuple[MemoryNetwork, Ear]:
    network = MemoryNetwork()
    ear = Ear(network.clock)
    network.join(B, ear)
    return network, ear


def test_messages_arrive_in_order_after_their_delay() -> None:
    network, ear = joined()
    network.send(b"1", A, B)
    network.send(b"2", A, B)
    assert ear.heard == []
    network.run()
    assert ear.heard == [(0.001, b"1"), (0.001, b"2")]


def test_what_the_script_loses_is_logged_and_not_delivered() -> None:
    network, ear = joined()
    network.loses = lambda data, source, target: data == b"1"
    network.send(b"1", A, B)
    network.send(b"2", A, B)
    network.run()
    assert [data for _, data in ear.heard] == [b"2"]
    assert [one.lost for one in network.log] == [True, False]


def test_time_passes_even_when_nothing_happens() -> None:
    network, _ = joined()
    before = network.clock.monotonic()
    network.run(7.5)
    assert network.clock.monotonic() - before == 7.5


def test_a_connected_address_is_seen_as_a_stream_until_it_breaks() -> None:
    network, _ = joined()
    number = network.connect(A)
    flow = network.flow_of(A)
    assert flow == Flow("tcp", *A, number)
    assert network.is_open(flow)
    network.disconnect(A)
    assert not network.is_open(flow)
    assert network.flow_of(A) == Flow("udp", *A)
