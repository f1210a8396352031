"""A site with a public address, and homes behind NATs of their own (nftables): one network namespace for each of them.

To be used in a process that was started by `unshare --map-root-user --net`, whose namespace is the site's. Every home
has the same addresses inside, as homes have; they lead nowhere from the site, nor the site's inside ones from a home.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Literal

from tests.support.waiting import eventually

INSIDE: Final = "10.0.0.1"
"""The edge, in the office."""
PUBLIC: Final = "203.0.113.1"
"""The edge, from anywhere else."""
HOME_PHONES: Final = ("192.168.1.20", "192.168.1.21")
Kind = Literal["cone", "symmetric"]
"""What a NAT does with ports: keep them where it can, or take another at random for each destination."""
_NEW_NETWORK: Final = 0x40000000
_MASQUERADE: Final = {"cone": "masquerade", "symmetric": "masquerade fully-random"}


def run(command: str, inside: int | None = None) -> None:
    """A command in the network of a process; None: in our own. It must succeed."""
    entered = ["nsenter", "--target", str(inside), "--net"] if inside is not None else []
    done = subprocess.run([*entered, *command.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)


@contextmanager
def inside_of(process: int) -> Iterator[None]:
    """Sockets that this thread opens and programs that it starts meanwhile are in the network of that process."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open("rb") as own, Path(f"/proc/{process}/ns/net").open("rb") as other:
        assert libc.setns(other.fileno(), _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(own.fileno(), _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())


def office() -> None:
    """The site's networks, in our own namespace: an office, and a bridge that is the internet."""
    run("ip link set lo up")
    for name, address in (("office", f"{INSIDE}/24"), ("internet", f"{PUBLIC}/24")):
        run(f"ip link add {name} type bridge")
        run(f"ip address add {address} dev {name}")
        run(f"ip link set {name} up")


def station(stack: ExitStack, address: str, bridge: str, gateway: str = "", router: int | None = None) -> int:
    """A machine of its own with one address, so that all that it sends comes from there; the process that keeps it.

    Args:
        stack: ends it.
        address: its own.
        bridge: the network that it is in.
        gateway: where everything else is; empty: nowhere.
        router: in whose namespace the bridge is; None: in our own.
    """
    made = _network(stack)
    port = "port" + address.rsplit(".", 1)[1]
    run(f"ip link add {port} type veth peer name eth0", router)
    run(f"ip link set eth0 netns {made}", router)
    run(f"ip link set {port} master {bridge} up", router)
    run("ip link set lo up", made)
    run(f"ip address add {address}/24 dev eth0", made)
    run("ip link set eth0 up", made)
    if gateway:
        run(f"ip route add default via {gateway}", made)
    return made


class Home:
    """A router with NAT, and the network behind it.

    Args:
        stack: ends it.
        number: the last byte of its outside address; it takes the next ten, one after the other.
        kind: of NAT.
        forgets_seconds: after which the NAT forgets a UDP flow that is silent.
    """

    def __init__(self, stack: ExitStack, number: int, kind: Kind, forgets_seconds: int = 120) -> None:
        self.router = _network(stack)
        self._number = number
        run(f"ip link add home{number} type veth peer name wan")
        run(f"ip link set wan netns {self.router}")
        run(f"ip link set home{number} master internet up")
        policy = f"{{ unreplied : {forgets_seconds}, replied : {forgets_seconds} }}"
        for command in (
            "ip link set lo up",
            f"ip address add {self.outside}/24 dev wan",
            "ip link set wan up",
            "ip link add lan type bridge",
            "ip address add 192.168.1.1/24 dev lan",
            "ip link set lan up",
            "nft add table ip nat",
            "nft add chain ip nat out { type nat hook postrouting priority 100; }",
            f"nft add rule ip nat out oifname wan {_MASQUERADE[kind]}",
            f"nft add ct timeout ip nat short {{ protocol udp; l3proto ip; policy = {policy}; }}",
            "nft add chain ip nat forget { type filter hook prerouting priority -100; }",
            "nft add rule ip nat forget ip protocol udp ct timeout set short",
        ):
            run(command, self.router)
        with inside_of(self.router):
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
        self.phones = [station(stack, one, "lan", "192.168.1.1", self.router) for one in HOME_PHONES]
        """The namespace of each phone there."""

    @property
    def outside(self) -> str:
        """Its address, as the site sees it."""
        return f"203.0.113.{self._number}"

    def rebind(self) -> None:
        """The router comes back with another address: whatever its NAT gave before is forgotten."""
        run(f"ip address del {self.outside}/24 dev wan", self.router)
        self._number += 1
        run(f"ip address add {self.outside}/24 dev wan", self.router)


def _network(stack: ExitStack) -> int:
    """Another network namespace; the process that keeps it."""
    process = stack.enter_context(subprocess.Popen(["unshare", "--net", "sleep", "infinity"]))
    stack.callback(process.kill)
    own = Path("/proc/self/ns/net").readlink()
    eventually(lambda: Path(f"/proc/{process.pid}/ns/net").readlink() != own, 30, "another network")
    return process.pid
