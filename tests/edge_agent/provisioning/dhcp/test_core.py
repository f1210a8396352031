"""The server's decisions, message by message."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contract.devices import load_catalogue
from edge_agent.provisioning.dhcp.answers import phone_options
from edge_agent.provisioning.dhcp.config import DhcpConfig, Interface, Range
from edge_agent.provisioning.dhcp.core import (
    MAX_PROBES,
    MESSAGES_PER_PHONE,
    Answer,
    Arrival,
    DhcpCore,
    DropReason,
    Keep,
    Probe,
    Site,
    Suspect,
)
from edge_agent.provisioning.dhcp.leases import CONFLICT_SECONDS, HOLD_SECONDS, Lease, Pool
from edge_agent.provisioning.dhcp.packet import Code, Kind, Message, Operation
from edge_agent.provisioning.dhcp.ports import SwitchPorts

OWN = IPv4Address("192.0.2.1")
LAN = Interface(2, "eth0", OWN, "02000000ff01")
WALL = 1_800_000_000.0
SMALL = Range(
    IPv4Network("192.0.2.0/24"),
    IPv4Address("192.0.2.10"),
    IPv4Address("192.0.2.12"),
    IPv4Address("192.0.2.254"),
    lease_seconds=600,
)
CATALOGUE = load_catalogue()
KNOWN = "001565000001"


def core(config: DhcpConfig | None = None, kept: tuple[Lease, ...] = (), *, alone: bool = True) -> DhcpCore:
    def plugin(mac: str, vendor_class: str) -> object:
        return CATALOGUE.plugins["yealink" if mac.startswith("001565") else "snom"] if vendor_class else None

    site = Site(
        plugin=plugin,  # type: ignore[arg-type]
        knows=lambda mac: mac == KNOWN,
        url=lambda _: "http://192.0.2.1:8090/",
        serves=lambda _: True,
        may_lease=lambda _: alone,
    )
    return DhcpCore(config or DhcpConfig((SMALL,)), site, kept, [str(OWN)])


def sent(kind: Kind, mac: str = "020000000001", **more: object) -> Message:
    return replace(Message(Operation.REQUEST, kind, 7, mac), **more)  # type: ignore[arg-type]


def heard(
    server: DhcpCore, message: Message, *, at: float = 0.0, source: str = "0.0.0.0", in_use: tuple[str, ...] = ()
) -> list[object]:
    """What came of a message, addresses looked at included."""
    actions: list[object] = list(server.receive(message, Arrival(LAN, IPv4Address(source)), at, WALL + at))
    while actions and isinstance(probe := actions[0], Probe):
        actions = list(server.probed(probe, in_use=str(probe.address) in in_use, wall=WALL + at))
    return actions


def lease_of(server: DhcpCore, mac: str = "020000000001", *, at: float = 0.0) -> IPv4Address:
    """The address that a phone gets by the whole exchange."""
    offer = heard(server, sent(Kind.DISCOVER, mac), at=at)[0]
    assert isinstance(offer, Answer)
    chosen = {int(Code.SERVER): OWN.packed, int(Code.REQUESTED_ADDRESS): offer.message.yours.packed}
    answer = heard(server, sent(Kind.REQUEST, mac, options=chosen), at=at)[0]
    assert isinstance(answer, Answer)
    assert (answer.message.kind, answer.message.yours) == (Kind.ACK, offer.message.yours)
    assert answer.lease is not None
    assert answer.lease.address == offer.message.yours
    return offer.message.yours


def asked_again(address: IPv4Address, mac: str = "020000000001") -> Message:
    return sent(Kind.REQUEST, mac, options={int(Code.REQUESTED_ADDRESS): address.packed})


def kind_of(actions: list[object]) -> Kind | None:
    return actions[0].message.kind if actions and isinstance(actions[0], Answer) else None


def test_a_phone_gets_an_address_and_the_same_one_again() -> None:
    server = core()
    address = lease_of(server)
    assert lease_of(server, "020000000002") != address
    assert lease_of(server, at=10_000) == address


def test_an_answer_says_all_that_a_client_needs() -> None:
    offer = heard(core(), sent(Kind.DISCOVER, options={int(Code.CLIENT_ID): b"\1id", int(Code.RELAY): b"\1\1a"}))[0]
    assert isinstance(offer, Answer)
    told = offer.message.options
    assert told[Code.SERVER] == OWN.packed
    assert int.from_bytes(told[Code.LEASE_TIME]) == 600
    assert [int.from_bytes(told[code]) for code in (Code.RENEWAL_TIME, Code.REBINDING_TIME)] == [300, 525]
    assert (told[Code.SUBNET_MASK], told[Code.ROUTER]) == (b"\xff\xff\xff\0", bytes((192, 0, 2, 254)))
    assert (told[Code.CLIENT_ID], told[Code.RELAY]) == (b"\1id", b"\1\1a")
    assert (str(offer.to), offer.port) == ("255.255.255.255", 68)


def test_only_phones_are_told_where_files_are() -> None:
    wanted = {int(Code.WANTED): bytes((66, 43, 150))}
    snom = {**wanted, int(Code.VENDOR_CLASS): b"snomD785"}
    server = core(DhcpConfig((SMALL,), voice_vlan=30))
    phone = heard(server, sent(Kind.DISCOVER, options=snom))[0]
    other = heard(server, sent(Kind.DISCOVER, "020000000002"))[0]
    assert isinstance(phone, Answer)
    assert isinstance(other, Answer)
    assert phone.message.options[66] == b"http://192.0.2.1:8090/"
    assert phone.message.options[43] == b"\x42\x16http://192.0.2.1:8090/\x84\x0230"
    assert phone.message.options[150] == OWN.packed
    assert not {66, 43, 150, 132} & other.message.options.keys()


def test_a_computer_that_boots_from_the_network_is_not_told_a_phones_server() -> None:
    options = {int(Code.WANTED): bytes((66, 67)), int(Code.VENDOR_CLASS): b"PXEClient:Arch:00000"}
    assert phone_options(sent(Kind.DISCOVER, options=options), None, "http://192.0.2.1/", OWN, None) == {}


def test_a_full_range_is_told_and_an_ended_lease_makes_room() -> None:
    server = core()
    for number in range(3):
        lease_of(server, f"02000000000{number}")
    assert heard(server, sent(Kind.DISCOVER, "0200000000aa")) == []
    assert (server.dropped[DropReason.FULL], server.full) == (1, {"192.0.2.0/24"})
    assert lease_of(server, "0200000000aa", at=601) == IPv4Address("192.0.2.10")
    assert server.full == set()


def test_an_address_in_use_is_left_alone_for_a_while() -> None:
    server = core()
    offer = heard(server, sent(Kind.DISCOVER), in_use=("192.0.2.10", "192.0.2.11"))[0]
    assert isinstance(offer, Answer)
    assert str(offer.message.yours) == "192.0.2.12"
    assert server.pools[0].free(WALL) == 0  # one is offered, two are somebody's
    assert server.pools[0].free(WALL + CONFLICT_SECONDS) == 3


def test_an_offer_that_nobody_takes_is_free_again() -> None:
    server = core()
    heard(server, sent(Kind.DISCOVER))
    assert server.pools[0].free(WALL) == 2
    assert server.pools[0].free(WALL + HOLD_SECONDS) == 3


def test_a_phone_that_declines_gets_another_and_one_that_declines_all_is_not_believed() -> None:
    server = core(DhcpConfig((replace(SMALL, last=IPv4Address("192.0.2.30")),)))
    seen = set()
    for _ in range(6):
        address = lease_of(server)
        seen.add(address)
        heard(
            server,
            sent(Kind.DECLINE, options={int(Code.SERVER): OWN.packed, int(Code.REQUESTED_ADDRESS): address.packed}),
        )
    assert len(seen) == 5
    assert server.dropped[DropReason.NO_LEASE] == 2


def test_a_released_address_is_free_and_only_its_own_phone_can_release_it() -> None:
    server = core()
    address = lease_of(server)
    release = sent(Kind.RELEASE, client=address, options={int(Code.SERVER): OWN.packed})
    assert heard(server, release, source="192.0.2.99") == []
    assert heard(server, replace(release, mac="0200000000bb"), source=str(address)) == []
    kept = heard(server, release, source=str(address))[0]
    assert isinstance(kept, Keep)
    assert kept.lease.ends == WALL


@pytest.mark.parametrize(
    ("address", "expected"), [("198.51.100.7", Kind.NAK), ("192.0.2.10", Kind.NAK), ("192.0.2.11", Kind.ACK)]
)
def test_a_phone_that_comes_back_keeps_its_address_or_is_told_that_it_may_not(address: str, expected: Kind) -> None:
    kept = (
        Lease(IPv4Address("192.0.2.10"), "0200000000cc", WALL + 500),
        Lease(IPv4Address("192.0.2.11"), "020000000001", WALL + 500),
    )
    assert kind_of(heard(core(kept=kept), asked_again(IPv4Address(address)))) is expected


def test_of_a_phone_that_it_does_not_know_the_server_says_nothing() -> None:
    server = core()
    assert heard(server, asked_again(IPv4Address("192.0.2.11"))) == []
    assert server.dropped[DropReason.NO_LEASE] == 1


def test_a_request_to_another_server_tells_that_there_is_one() -> None:
    server = core()
    heard(server, sent(Kind.DISCOVER))
    theirs = {int(Code.SERVER): IPv4Address("192.0.2.200").packed, int(Code.REQUESTED_ADDRESS): OWN.packed}
    assert heard(server, sent(Kind.REQUEST, options=theirs)) == [Suspect(LAN)]
    assert server.pools[0].free(WALL) == 3


def test_beside_another_server_nothing_new_is_given_and_what_was_given_stays() -> None:
    kept = (Lease(IPv4Address("192.0.2.10"), "020000000001", WALL + 500),)
    server = core(kept=kept, alone=False)
    assert heard(server, sent(Kind.DISCOVER, "0200000000dd")) == []
    renewal = sent(Kind.REQUEST, client=IPv4Address("192.0.2.10"))
    answer = heard(server, renewal, source="192.0.2.10")[0]
    assert isinstance(answer, Answer)
    assert (answer.message.kind, str(answer.to)) == (Kind.ACK, "192.0.2.10")


def test_reservations_are_kept_for_their_phones_beside_the_range_too() -> None:
    config = DhcpConfig((replace(SMALL, reservations={KNOWN: IPv4Address("192.0.2.11"), "0200000000ee": OWN}),))
    server = core(config)
    assert lease_of(server, KNOWN) == IPv4Address("192.0.2.11")
    assert {lease_of(server, f"02000000000{n}") for n in range(2)} == {
        IPv4Address("192.0.2.10"),
        IPv4Address("192.0.2.12"),
    }
    assert heard(server, sent(Kind.DISCOVER, "0200000000ff")) == []


def test_where_only_known_phones_are_served_the_others_get_nothing() -> None:
    server = core(DhcpConfig((SMALL,), known_only=True))
    assert heard(server, sent(Kind.DISCOVER)) == []
    assert server.dropped[DropReason.NOT_KNOWN] == 1
    assert lease_of(server, KNOWN) == IPv4Address("192.0.2.10")
    yealink = {int(Code.VENDOR_CLASS): b"yealink"}
    inform = sent(Kind.INFORM, "001565000009", client=IPv4Address("192.0.2.77"), options=yealink)
    assert heard(server, inform, source="192.0.2.77") == []
    beside = core(DhcpConfig(known_only=True, proxy_offers=True))
    assert heard(beside, sent(Kind.DISCOVER, options=yealink)) == []
    assert heard(beside, sent(Kind.DISCOVER, KNOWN, options=yealink)) != []


def test_through_a_relay_the_range_is_that_of_the_relay_and_the_port_of_the_switch_is_remembered() -> None:
    far = replace(
        SMALL,
        network=IPv4Network("198.51.100.0/24"),
        first=IPv4Address("198.51.100.10"),
        last=IPv4Address("198.51.100.20"),
        router=None,
    )
    server = core(DhcpConfig((far,)), alone=False)
    relay = IPv4Address("198.51.100.1")
    agent = {int(Code.RELAY): b"\1\6ge-0/3\2\6\0\1\2\3\4\5"}
    offer = heard(server, sent(Kind.DISCOVER, relay=relay, options=agent))[0]
    assert isinstance(offer, Answer)
    assert (str(offer.to), offer.port, offer.message.yours) == ("198.51.100.1", 67, IPv4Address("198.51.100.10"))
    chosen = {**agent, int(Code.SERVER): OWN.packed, int(Code.REQUESTED_ADDRESS): offer.message.yours.packed}
    heard(server, sent(Kind.REQUEST, relay=relay, options=chosen))
    assert server.switch_port("020000000001") == "00:01:02:03:04:05 / ge-0/3"


def test_ports_are_learned_of_every_phone_that_a_switch_speaks_for_and_of_so_many_only() -> None:
    ports = SwitchPorts(most=2)
    for number in range(3):
        agent = {int(Code.RELAY): b"\1\6ge-0/%d" % number}
        ports.learn(sent(Kind.DISCOVER, f"02000000000{number}", options=agent))
    ports.learn(sent(Kind.DISCOVER, "020000000002"))  # says nothing of a port: what was known stays
    assert [ports.of(f"02000000000{number}") for number in range(3)] == ["", "ge-0/1", "ge-0/2"]
    ports.learn(sent(Kind.REQUEST, "020000000001", options={int(Code.RELAY): b"\1\6ge-0/9"}))
    assert ports.of("020000000001") == "ge-0/9"


def test_a_relay_of_no_range_is_not_served() -> None:
    server = core()
    assert heard(server, sent(Kind.DISCOVER, relay=IPv4Address("203.0.113.1"))) == []
    assert server.dropped[DropReason.NO_RANGE] == 1


def test_an_inform_is_answered_without_a_lease_and_only_to_where_it_came_from() -> None:
    server = core(DhcpConfig())
    client = IPv4Address("192.0.2.77")
    inform = sent(Kind.INFORM, "001565000009", client=client, options={int(Code.VENDOR_CLASS): b"yealink"})
    answer = heard(server, inform, source="192.0.2.77")[0]
    assert isinstance(answer, Answer)
    assert (answer.message.kind, answer.message.yours, answer.to) == (Kind.ACK, IPv4Address(0), client)
    assert Code.LEASE_TIME not in answer.message.options
    assert answer.message.options[43] == b"http://192.0.2.1:8090/"
    assert heard(server, inform, source="192.0.2.66") == []


def test_offers_without_an_address_are_sent_where_the_site_wants_them_to_phones_that_say_what_they_are() -> None:
    discover = sent(Kind.DISCOVER, options={int(Code.VENDOR_CLASS): b"snomD785"})
    assert heard(core(DhcpConfig()), discover) == []
    server = core(DhcpConfig(proxy_offers=True))
    offer = heard(server, discover)[0]
    assert isinstance(offer, Answer)
    assert (offer.message.yours, offer.message.options[Code.VENDOR_CLASS]) == (IPv4Address(0), b"snomD785")
    assert heard(server, sent(Kind.DISCOVER, "020000000002")) == []


def test_a_phone_that_floods_is_not_heard_for_the_rest_of_the_minute() -> None:
    server = core()
    for _ in range(MESSAGES_PER_PHONE + 5):
        heard(server, sent(Kind.DISCOVER))
    assert server.dropped[DropReason.RATE_OF_PHONE] == 5
    assert heard(server, sent(Kind.DISCOVER), at=61) != []


def test_a_flood_of_forged_phones_is_bounded() -> None:
    server = core(DhcpConfig((replace(SMALL, last=IPv4Address("192.0.2.250")),)))
    arrival = Arrival(LAN, IPv4Address(0))
    for number in range(2000):
        server.receive(sent(Kind.DISCOVER, f"02{number:010x}"), arrival, 0.0, WALL)
    assert server.dropped[DropReason.RATE_OF_ALL] == 1500
    assert server.dropped[DropReason.FULL] + server.dropped[DropReason.BUSY] == 500 - 241
    assert MAX_PROBES >= 241


class Leasing(RuleBasedStateMachine):
    """Whatever phones do, no two have one address at one time, and nobody has one that is not to be given."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(replace(SMALL, reservations={"0": IPv4Address("192.0.2.11")}), (), (OWN,))
        self.now = WALL

    phones = st.sampled_from(["0", "1", "2", "3", "4"])

    @rule(mac=phones, seconds=st.integers(0, 400))
    def asks(self, mac: str, seconds: int) -> None:
        self.now += seconds
        address = self.pool.candidate(mac, None, self.now)
        if address is not None:
            self.pool.hold(address, mac, self.now)

    @rule(mac=phones, last=st.integers(8, 14))
    def takes(self, mac: str, last: int) -> None:
        address = IPv4Address(f"192.0.2.{last}")
        if self.pool.may_have(mac, address, self.now):
            others = [lease for lease in self.pool.leases() if lease.ends > self.now and lease.mac != mac]
            assert address not in {lease.address for lease in others}
            self.pool.bind(Lease(address, mac, self.now + 600))

    @rule(mac=phones, last=st.integers(8, 14))
    def declines(self, mac: str, last: int) -> None:
        self.pool.declined(mac, IPv4Address(f"192.0.2.{last}"), self.now)

    @invariant()
    def everybody_has_his_own(self) -> None:
        current = [lease for lease in self.pool.leases() if lease.ends > self.now]
        assert len({lease.address for lease in current}) == len({lease.mac for lease in current}) == len(current)
        for lease in current:
            assert IPv4Address("192.0.2.10") <= lease.address <= IPv4Address("192.0.2.12")
            assert (lease.mac == "0") or lease.address != IPv4Address("192.0.2.11")


TestLeasing = Leasing.TestCase
TestLeasing.settings = settings(max_examples=50, stateful_step_count=30)
