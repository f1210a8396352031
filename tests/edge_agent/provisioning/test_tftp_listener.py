"""Requests on the well-known port: what begins, what is refused, what is dropped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.devices import load_catalogue
from edge_agent.provisioning.identify import Identifier
from edge_agent.provisioning.render import Renderer
from edge_agent.provisioning.serve.desk import Desk
from edge_agent.provisioning.serve.tftp import packet
from edge_agent.provisioning.serve.tftp.listener import Begin, Drop, DropReason, Listener, Reply
from edge_agent.provisioning.serve.tftp.packet import ErrorCode
from tests.support.hand_clock import HandClock
from tests.support.site_phones import RecordedReporter, site, yealink

CATALOGUE = load_catalogue()
IDENTIFIER = Identifier(CATALOGUE)
LIBRARY = Renderer(CATALOGUE).render(site(yealink()))
READ = packet.request("805EC0000200.cfg", "octet")


@pytest.fixture
def listener() -> Listener:
    return make_listener()


def make_listener() -> Listener:
    desk = Desk(IDENTIFIER, RecordedReporter(), HandClock())
    desk.serve(LIBRARY)
    return Listener(desk, max_transfers=3, max_transfers_per_address=2)


def error_of(listener: Listener, data: bytes) -> packet.ErrorPacket:
    outcome = listener.receive(data, ("192.0.2.1", 1000))
    assert isinstance(outcome, Reply)
    parsed = packet.parse(outcome.data)
    assert isinstance(parsed, packet.ErrorPacket)
    return parsed


def test_a_known_phone_begins_a_transfer(listener: Listener) -> None:
    outcome = listener.receive(READ, ("192.0.2.1", 1000))
    assert isinstance(outcome, Begin)
    assert outcome.peer == ("192.0.2.1", 1000)


@pytest.mark.parametrize("name", ["805ec0999999.cfg", "no-such-file", "../../etc/passwd", ""])
def test_what_is_not_there_is_file_not_found(listener: Listener, name: str) -> None:
    assert error_of(listener, packet.request(name, "octet")).code == ErrorCode.FILE_NOT_FOUND


def test_a_write_is_refused_whatever_its_name(listener: Listener) -> None:
    write = b"\0\2805ec0000200.cfg\0octet\0"
    assert error_of(listener, write) == packet.ErrorPacket(ErrorCode.ACCESS_VIOLATION, "This server takes no files")


def test_who_guesses_too_much_is_refused_access(listener: Listener) -> None:
    codes = [error_of(listener, packet.request(f"805ec09999{n:02x}.cfg", "octet")).code for n in range(31)]
    assert codes == [ErrorCode.FILE_NOT_FOUND] * 30 + [ErrorCode.ACCESS_VIOLATION]


def test_the_same_request_again_while_it_is_served_is_dropped(listener: Listener) -> None:
    listener.receive(READ, ("192.0.2.1", 1000))
    assert listener.receive(READ, ("192.0.2.1", 1000)) == Drop(DropReason.REPEATED)


def test_one_address_and_all_together_have_so_many_transfers_and_no_more(listener: Listener) -> None:
    def ask(host: int, port: int) -> object:
        return listener.receive(READ, (f"192.0.2.{host}", port))

    assert isinstance(ask(1, 1), Begin)
    assert isinstance(ask(1, 2), Begin)
    assert ask(1, 3) == Drop(DropReason.ADDRESS_BUSY)
    assert isinstance(ask(2, 1), Begin)
    assert ask(3, 1) == Drop(DropReason.BUSY)
    listener.ended(("192.0.2.1", 1))
    assert isinstance(ask(3, 1), Begin)
    assert listener.dropped == {DropReason.ADDRESS_BUSY: 1, DropReason.BUSY: 1}
    assert listener.transfers == 3


def test_an_error_packet_is_never_answered(listener: Listener) -> None:
    error = packet.error_packet(ErrorCode.NOT_DEFINED, "x")
    assert listener.receive(error, ("192.0.2.1", 1)) == Drop(DropReason.ERROR)


def test_an_acknowledgement_to_the_well_known_port_is_an_unknown_transfer(listener: Listener) -> None:
    assert error_of(listener, packet.acknowledgement(1)).code == ErrorCode.UNKNOWN_TRANSFER


@given(st.binary(max_size=600))
def test_any_datagram_has_an_outcome(data: bytes) -> None:
    assert isinstance(make_listener().receive(data, ("192.0.2.1", 1)), Begin | Reply | Drop)
