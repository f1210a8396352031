"""Sockets and timers for DHCP: the servers' port, the clients' port while other servers are looked for, the disk.

No raw socket: a client without an address is answered by broadcast, and whether an address is in use shows in the
system's own ARP table after a datagram to it. All that is needed beyond an ordinary process are ports 67 and 68.
"""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final, Literal, assert_never

from contract.sync.dhcp import MAX_SHOWN_LEASES, DhcpLease, DhcpState, DhcpStatus, OtherServer
from edge_agent.clock import Clock
from edge_agent.provisioning.dhcp.config import DhcpConfig, Interface
from edge_agent.provisioning.dhcp.core import (
    CLIENT_PORT,
    SERVER_PORT,
    Action,
    Answer,
    Arrival,
    DhcpCore,
    DropReason,
    Keep,
    Probe,
    Site,
    Suspect,
)
from edge_agent.provisioning.dhcp.lease_store import LeasesNotKept, LeaseStore
from edge_agent.provisioning.dhcp.leases import Lease
from edge_agent.provisioning.dhcp.packet import EVERYBODY, MAX_BYTES, Message, PacketRefused, parse, serialise
from edge_agent.provisioning.dhcp.ports import SwitchPorts
from edge_agent.provisioning.dhcp.search import Pace, Search
from edge_agent.provisioning.dhcp.sockets import (
    ANCILLARY_BYTES,
    arp_table,
    bound_socket,
    interface_index,
    send_by,
)
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

PROBE_SECONDS: Final = 0.5
"""How long an address has to answer ARP before it counts as free."""
INTERFACES_SECONDS: Final = 30.0
"""How often at least the machine's interfaces are looked at again."""
MAX_WAITING: Final = 2048
"""Answers that wait for the disk."""
MESSAGES_AT_ONCE: Final = 64
_DISCARD_PORT: Final = 9

Alarm = Literal["dhcp_other_server", "dhcp_range_full", "dhcp_failed", "dhcp_leases_not_kept"]
ALARMS: Final[tuple[Alarm, ...]] = ("dhcp_other_server", "dhcp_range_full", "dhcp_failed", "dhcp_leases_not_kept")


class DhcpServer:
    """Answers DHCP as long as a configuration says so.

    Args:
        site: the rest of provisioning; `may_lease` is the server's own affair and is set here.
        store: where leases are kept; opened when DHCP is served for the first time.
        clock, tokens: the time, and numbers of questions.
        interfaces: the machine's interfaces at this moment.
        alarm: told what is wrong, by name, or None when it is not any more.
        pace: of the search for other servers.
    """

    def __init__(
        self,
        site: Callable[[Callable[[Interface], bool]], Site],
        store: Path,
        clock: Clock,
        tokens: Tokens,
        interfaces: Callable[[], Sequence[Interface]],
        alarm: Callable[[Alarm, str | None], None],
        pace: Pace | None = None,
    ) -> None:
        self._site = site(self._may_lease)
        self._path, self._clock, self._tokens = store, clock, tokens
        self._interfaces, self._alarm = interfaces, alarm
        self._pace = pace or Pace()
        self._core: DhcpCore | None = None
        self._store: LeaseStore | None = None
        self._socket: socket.socket | None = None
        self._asking: socket.socket | None = None
        self._by_index: dict[int, Interface] = {}
        self._searches: dict[int, Search] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[Answer | Keep] = []
        self._writing: asyncio.Task[None] | None = None
        self._problem = ""
        self._config = DhcpConfig()
        self._ports = SwitchPorts()
        self.heard: Callable[[Message], None] = lambda message: None
        """Told of each client's message that was answered or not."""
        self.dropped: Counter[DropReason] = Counter()

    async def serve(self, config: DhcpConfig | None) -> None:
        """From here on, answer as this says; None: not at all. A port that cannot be had is an alarm, no error."""
        if config is None:
            await self.stop()
            for name in ALARMS:
                self._alarm(name, None)
            return
        try:
            kept = self._kept() if config.ranges else ()
            self._config = config
            self._look_at_interfaces(config)
            own = [str(each.address) for each in self._by_index.values()]
            self._core = DhcpCore(config, self._site, kept, own)
            self._listen()
        except (OSError, LeasesNotKept) as error:
            await self.stop()
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._problem = f"DHCP is not served: {reason}"
            self._alarm("dhcp_failed", self._problem)
            return
        self._problem = ""
        self._alarm("dhcp_failed", None)
        self._search()

    async def stop(self) -> None:
        """Close everything; leases that wait for the disk are written. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for each in (self._socket, self._asking):
            self._close(each)
        self._asking = None
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        self._socket = None
        self._core = None
        self._searches.clear()
        if self._store is not None:
            self._store.close()
            self._store = None

    def switch_port(self, mac: str) -> str:
        """Where a phone is plugged in, as far as a switch or relay said so."""
        leased = self._core.switch_port(mac) if self._core is not None else ""
        return self._ports.of(mac) or leased

    def status(self) -> DhcpStatus:
        """How it stands."""
        core, wall = self._core, self._wall()
        if core is None:
            return DhcpStatus(state="failed" if self._problem else "off", problem=self._problem[:255])
        leases = sorted(
            (lease.address, lease, pool) for pool in core.pools for lease in pool.leases() if lease.ends > wall
        )
        looked = [each.looked_at for each in self._searches.values() if each.looked_at is not None]
        return DhcpStatus(
            state=self._state(),
            leases=tuple(
                DhcpLease(
                    address=str(lease.address),
                    mac=lease.mac,
                    vendor_class=lease.vendor_class,
                    switch_port=lease.switch_port,
                    reserved=pool.is_reserved(lease),
                    ends_at=datetime.fromtimestamp(lease.ends, UTC),
                )
                for _, lease, pool in leases[:MAX_SHOWN_LEASES]
            ),
            pool_size=sum(pool.size for pool in core.pools),
            pool_free=sum(pool.free(wall) for pool in core.pools),
            others=tuple(
                OtherServer(
                    address=str(seen.server),
                    interface=search.interface.name,
                    offered=str(seen.offered) if int(seen.offered) else None,
                    seen_at=self._moment(seen.at),
                )
                for search in self._searches.values()
                for seen in search.others.values()
            ),
            looked_at=self._moment(max(looked)) if looked else None,
            dropped={str(reason): count for reason, count in sorted((self.dropped + core.dropped).items())},
        )

    # Starting

    def _kept(self) -> tuple[Lease, ...]:
        if self._store is None:
            self._store = LeaseStore(self._path)
        now = tuple(lease for pool in self._core.pools for lease in pool.leases()) if self._core is not None else ()
        return (*self._store.load(), *now)

    def _look_at_interfaces(self, config: DhcpConfig) -> None:
        self._by_index = {each.index: each for each in self._interfaces()}
        served = {
            index: each
            for index, each in self._by_index.items()
            if any(each.address in described.network for described in config.ranges)
        }
        now = self._clock.monotonic()
        self._searches = {
            index: old
            if (old := self._searches.get(index)) is not None and old.interface == interface
            else Search(interface, now, self._pace)
            for index, interface in served.items()
        }

    def _listen(self) -> None:
        if self._socket is None:
            self._socket = bound_socket(SERVER_PORT, shared=False)
            asyncio.get_running_loop().add_reader(self._socket, self._readable, self._socket)

    # What comes in

    def _readable(self, readable: socket.socket) -> None:
        for _ in range(MESSAGES_AT_ONCE):
            try:
                data, ancillary, _, source = readable.recvmsg(MAX_BYTES, ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # the answer of a client that has gone (ICMP)
            interface = self._by_index.get(interface_index(ancillary) or 0)
            if interface is None or self._core is None:
                continue
            try:
                message = parse(data)
            except PacketRefused:
                self.dropped[DropReason.MALFORMED] += 1
                continue
            self._received(readable, message, Arrival(interface, IPv4Address(source[0])))

    def _received(self, on: socket.socket, message: Message, arrival: Arrival) -> None:
        core, search = self._core, self._searches.get(arrival.interface.index)
        now = self._clock.monotonic()
        if on is self._asking:
            if search is not None and arrival.source != arrival.interface.address:
                if search.received(message, arrival.source, now):
                    log.warning("dhcp_other_server", extra={"server": str(arrival.source)})
                self._tell_of_others()
            return
        if core is None:
            return
        if any(each.owns(message) for each in self._searches.values()):
            self.dropped[DropReason.OWN] += 1
            return
        self._perform(core.receive(message, arrival, now, self._wall()))
        self._ports.learn(message)
        self.heard(message)
        self._tell_of_fullness()

    # What goes out

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Answer(lease=None):
                    self._send(action)
                case Answer() | Keep():
                    self._keep(action)
                case Probe():
                    self._probe(action)
                case Suspect(interface):
                    search = self._searches.get(interface.index)
                    if search is not None:
                        search.hurry(self._clock.monotonic())
                        self._schedule()
                case other:
                    assert_never(other)

    def _send(self, answer: Answer) -> None:
        data = serialise(answer.message, answer.limit)
        if self._socket is None:
            return
        try:
            send_by(self._socket, data, (str(answer.to), answer.port), answer.interface)
        except OSError as error:
            log.warning("dhcp_not_sent", extra={"error": error.strerror})

    def _keep(self, what: Answer | Keep) -> None:
        """Send it after what it says is on the disk, together with others that wait."""
        if len(self._waiting) >= MAX_WAITING:
            self.dropped[DropReason.BUSY] += 1
            return
        self._waiting.append(what)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())
            self._writing.add_done_callback(self._written)

    async def _write(self) -> None:
        while self._waiting and self._store is not None:
            batch, self._waiting = self._waiting, []
            leases = [each.lease for each in batch if each.lease is not None]
            try:
                await asyncio.to_thread(self._store.keep, leases)
            except LeasesNotKept as error:
                # Nobody is told: the phones ask again, and find the disk well or not.
                self._alarm("dhcp_leases_not_kept", str(error))
                continue
            self._alarm("dhcp_leases_not_kept", None)
            for each in batch:
                if isinstance(each, Answer):
                    self._send(each)

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("dhcp_write_failed", extra={"error": type(error).__name__})

    def _probe(self, probe: Probe) -> None:
        """Have the system ask for the address by ARP, and look later what it found."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.setblocking(False)
            send_by(asking, b"", (str(probe.address), _DISCARD_PORT), probe.arrival.interface)
        asyncio.get_running_loop().call_later(PROBE_SECONDS, self._probed, probe)

    def _probed(self, probe: Probe) -> None:
        if self._core is None:
            return
        who = arp_table().get((str(probe.address), probe.arrival.interface.name), "")
        in_use = bool(who) and who != probe.request.mac
        self._perform(self._core.probed(probe, in_use=in_use, wall=self._wall()))
        self._tell_of_fullness()

    # Other servers

    def _may_lease(self, interface: Interface) -> bool:
        search = self._searches.get(interface.index)
        return search is not None and search.clear

    def _search(self) -> None:
        """Ask whom it is time to ask, and come again; an interface may have come or gone."""
        self._timer = None
        self._look_at_interfaces(self._config)
        now = self._clock.monotonic()
        for search in self._searches.values():
            question = search.advance(int(self._tokens.token(4), 16), now)
            if question is not None:
                self._ask(question, search, now)
        if self._asking is not None and not any(search.looking for search in self._searches.values()):
            self._close(self._asking)
            self._asking = None
        self._tell_of_others()
        self._schedule()

    def _ask(self, question: bytes, search: Search, now: float) -> None:
        try:
            if self._asking is None:
                self._asking = bound_socket(CLIENT_PORT, shared=True)
                asyncio.get_running_loop().add_reader(self._asking, self._readable, self._asking)
            send_by(self._asking, question, (str(EVERYBODY), SERVER_PORT), search.interface)
        except OSError as error:
            # Not knowing whether there is another server, nothing new is leased.
            search.failed(now)
            where = f"other DHCP servers cannot be looked for on {search.interface.name}: {error.strerror}"
            self._alarm("dhcp_failed", where)
        else:
            self._alarm("dhcp_failed", None)

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._core is not None:
            deadline = min((search.deadline for search in self._searches.values()), default=float("inf"))
            wait = min(max(0.05, deadline - self._clock.monotonic()), INTERFACES_SECONDS)
            self._timer = asyncio.get_running_loop().call_later(wait, self._search)

    # What is told

    def _tell_of_others(self) -> None:
        found = [
            f"{seen.server} on {search.interface.name}"
            for search in self._searches.values()
            for seen in search.others.values()
        ]
        text = f"another DHCP server answers: {', '.join(found)}; the edge gives no addresses there" if found else None
        self._alarm("dhcp_other_server", text)

    def _tell_of_fullness(self) -> None:
        full = self._core.full if self._core is not None else set()
        self._alarm("dhcp_range_full", f"no address is left in {', '.join(sorted(full))}" if full else None)

    def _state(self) -> DhcpState:
        if self._core is None or not self._core.config.ranges:
            return "proxy"
        searches = self._searches.values()
        if any(search.others for search in searches):
            return "withdrawn"
        return "serving" if all(search.clear for search in searches) else "looking"

    def _wall(self) -> float:
        return self._clock.now().timestamp()

    def _moment(self, monotonic: float) -> datetime:
        return datetime.fromtimestamp(self._wall() - (self._clock.monotonic() - monotonic), UTC)

    @staticmethod
    def _close(closing: socket.socket | None) -> None:
        if closing is not None:
            asyncio.get_running_loop().remove_reader(closing)
            closing.close()
