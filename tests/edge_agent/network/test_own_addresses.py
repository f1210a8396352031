"""The machine knows its own addresses, and which of them phones are told."""

import ipaddress

from edge_agent.network.own_addresses import own_addresses, reachable_host


def test_loopback_is_always_one_of_the_machines_addresses() -> None:
    addresses = own_addresses()
    assert "127.0.0.1" in addresses
    assert all(ipaddress.IPv4Address(address) for address in addresses)


def test_what_the_settings_say_comes_before_what_is_bound() -> None:
    assert reachable_host("0.0.0.0", "pbx.example") == "pbx.example"
    assert reachable_host("192.0.2.7", "") == "192.0.2.7"
