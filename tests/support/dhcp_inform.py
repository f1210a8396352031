"""A phone that has its address asks for the rest: `python -m tests.support.dhcp_inform ADDRESS MAC VENDOR_CLASS PORT`.

PORT is what its switch adds (option 82); empty: it adds nothing.

Prints the options of the answer as JSON, in hexadecimal, by number.
"""

import json
import socket
import sys
from ipaddress import IPv4Address

from edge_agent.provisioning.dhcp.packet import Code, Kind, Message, Operation, parse, serialise


def main(address: str, mac: str, vendor_class: str, port: str) -> None:
    """Ask, and print the answer."""
    options = {int(Code.VENDOR_CLASS): vendor_class.encode(), int(Code.WANTED): bytes((66, 160))}
    if port:
        options[int(Code.RELAY)] = bytes((1, len(port))) + port.encode()
    inform = Message(Operation.REQUEST, Kind.INFORM, 7, mac, client=IPv4Address(address), options=options)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        phone.bind((address, 68))
        phone.settimeout(1.0)
        for _ in range(10):
            phone.sendto(serialise(inform), ("255.255.255.255", 67))
            try:
                answer = parse(phone.recv(2048))
            except TimeoutError:
                continue
            print(json.dumps({code: value.hex() for code, value in answer.options.items()}))
            return
    sys.exit("no answer")


if __name__ == "__main__":
    main(*sys.argv[1:5])
