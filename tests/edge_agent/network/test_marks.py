"""What a marked socket sends is marked, of either family, and so is what its accepted connections send."""

import socket

import pytest

from edge_agent.network.marks import Dscp, mark
from edge_agent.sip.transport.udp import BOTH_FAMILIES, DualUdpSocket, UdpSocket

PEERS = [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), (BOTH_FAMILIES, "127.0.0.1"), (BOTH_FAMILIES, "::1")]


def receiving(address: str) -> socket.socket:
    six = ":" in address
    made = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(5)
    made.bind((address, 0))
    if six:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    else:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    return made


def mark_of(arriving: socket.socket) -> int:
    _, ((_, _, octet),), *_ = arriving.recvmsg(100, 100)
    return octet[0] >> 2


@pytest.mark.parametrize(("own", "peer"), PEERS)
async def test_datagrams_of_sip_are_marked_as_signalling(own: str, peer: str) -> None:
    kind = DualUdpSocket if own == BOTH_FAMILIES else UdpSocket
    sending = kind((own, 0), lambda data, source: None, lambda: None)
    with receiving(peer) as arriving:
        assert sending.send(b"SIP/2.0 200 OK\r\n\r\n", peer, arriving.getsockname()[1])
        assert mark_of(arriving) == 40
    sending.close()


def test_voice_has_its_own_mark_and_connections_that_are_accepted_inherit_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        mark(listening, Dscp.VOICE)
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 46 << 2
