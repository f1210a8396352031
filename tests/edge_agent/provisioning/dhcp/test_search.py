"""The search for other servers, and what is kept on the disk."""

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

from edge_agent.provisioning.dhcp.config import Interface
from edge_agent.provisioning.dhcp.lease_store import LeaseStore
from edge_agent.provisioning.dhcp.leases import Lease
from edge_agent.provisioning.dhcp.packet import Code, Kind, Message, Operation, parse
from edge_agent.provisioning.dhcp.search import Pace, Search
from edge_agent.provisioning.dhcp.sockets import arp_table

LAN = Interface(2, "eth0", IPv4Address("192.0.2.1"), "02000000ff01")
THEIRS = IPv4Address("192.0.2.200")
PACE = Pace()


def look(search: Search, now: float, *, answered: bool = False) -> float:
    """One look to its end; when it was over."""
    while not search.looking:
        now = search.deadline
        search.advance(99, now)
    if answered:
        offer = {int(Code.SERVER): THEIRS.packed}
        search.received(Message(Operation.REPLY, Kind.OFFER, 99, LAN.mac, options=offer), THEIRS, now)
    while search.looking:
        now = search.deadline
        search.advance(99, now)
    return now


def test_nothing_is_leased_before_the_first_look_is_over() -> None:
    search = Search(LAN, 0.0, PACE)
    assert not search.clear
    question = search.advance(99, 0.0)
    assert question is not None
    assert (parse(question).kind, parse(question).mac) == (Kind.DISCOVER, LAN.mac)
    assert not search.clear
    look(search, 0.0)
    assert search.clear


def test_a_server_that_answers_counts_at_once_and_until_two_looks_were_quiet() -> None:
    search = Search(LAN, 0.0, PACE)
    now = look(search, 0.0, answered=True)
    assert not search.clear
    assert search.deadline == now + PACE.every_beside_another
    now = look(search, now)
    assert not search.clear
    now = look(search, now)
    assert search.clear
    assert search.deadline == now + PACE.every


def test_only_an_answer_to_the_question_counts() -> None:
    search = Search(LAN, 0.0, PACE)
    search.advance(99, 0.0)
    offer = Message(Operation.REPLY, Kind.OFFER, 98, LAN.mac)
    assert not search.received(offer, THEIRS, 1.0)
    assert not search.received(replace(offer, transaction=99, mac="020000000001"), THEIRS, 1.0)
    assert search.received(replace(offer, transaction=99), THEIRS, 1.0)


def test_a_question_that_could_not_be_asked_is_no_look() -> None:
    search = Search(LAN, 0.0, PACE)
    look(search, 0.0)
    search.hurry(10.0)
    search.advance(99, 10.0)
    search.failed(10.0)
    assert not search.clear


def test_leases_are_found_again_and_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "leases.db"
    lease = Lease(IPv4Address("192.0.2.10"), "001565000001", 1.5, "yealink", "ge-0/3")
    store = LeaseStore(path)
    store.keep([lease, replace(lease, mac="001565000002", address=IPv4Address("192.0.2.11"))])
    store.keep([replace(lease, address=IPv4Address("192.0.2.12"))])
    store.close()
    found = LeaseStore(path)
    assert {(str(one.address), one.mac) for one in found.load()} == {
        ("192.0.2.12", "001565000001"),
        ("192.0.2.11", "001565000002"),
    }
    found.close()
    path.write_bytes(b"no database" * 100)
    fresh = LeaseStore(path)
    assert fresh.load() == ()
    assert (tmp_path / "leases.db.damaged").exists()
    fresh.close()


def test_only_who_answered_is_in_the_arp_table(tmp_path: Path) -> None:
    path = tmp_path / "arp"
    path.write_text(
        "IP address HW type Flags HW address Mask Device\n"
        "192.0.2.10 0x1 0x2 00:15:65:00:00:01 * eth0\n"
        "192.0.2.11 0x1 0x0 00:00:00:00:00:00 * eth0\n"
    )
    assert arp_table(path) == {("192.0.2.10", "eth0"): "001565000001"}
    assert arp_table(tmp_path / "none") == {}
