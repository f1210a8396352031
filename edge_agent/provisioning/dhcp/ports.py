"""At which switch port phones are, as switches and relays say it (option 82), whoever gives them their addresses."""

from collections import OrderedDict
from typing import Final

from edge_agent.provisioning.dhcp.core import switch_port
from edge_agent.provisioning.dhcp.packet import Code, Message

MAX_PHONES: Final = 4096


class SwitchPorts:
    """Remembers the last port of each phone; of too many phones the longest silent is forgotten."""

    def __init__(self, most: int = MAX_PHONES) -> None:
        self._most = most
        self._ports: OrderedDict[str, str] = OrderedDict()

    def learn(self, message: Message) -> None:
        """What a client's message says of its port, if anything."""
        port = switch_port(message.options.get(Code.RELAY, b""))
        if not port:
            return
        self._ports[message.mac] = port
        self._ports.move_to_end(message.mac)
        while len(self._ports) > self._most:
            self._ports.popitem(last=False)

    def of(self, mac: str) -> str:
        """The phone's port; empty where nobody said one."""
        return self._ports.get(mac, "")
