"""A site for tests of calling features: one edge for a module, whose cloud is reached or cut while it runs, and six
users for each test, so that what one test sets is nobody else's."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from cloud.local.baresip import Baresip
from cloud.pbx.default_dial_plan import default_dial_plan
from contract.snapshot import (
    Device,
    DialPattern,
    FindMe,
    Forwarding,
    Gateway,
    HuntGroup,
    Line,
    OutsideRule,
    PhonebookEntry,
    PickupGroup,
    Site,
    Snapshot,
    User,
)
from contract.sync.events import CallEnded
from edge_agent.clock import SystemClock
from edge_agent.sync.state_store import StateStore
from tests.support.heard_tone import heard_hz
from tests.support.phones.baresip import BaresipPhone
from tests.support.phones.phone import Phone, Seen
from tests.support.phones.site import DOMAIN, PeerSite
from tests.support.raw_sip import RawPhone
from tests.support.reachable_cloud import ReachableCloud
from tests.support.sipp import Sipp, SippAccount
from tests.support.waiting import eventually

SITE_ID: Final = "6f2c1f6e-54a5-4d6c-9a35-0c53a4a2f7a1"
SECONDS: Final = 3
"""How long each member of a hunt group, and each place of find-me, is rung."""


class Desks(NamedTuple):
    """The extensions of one test, and the permissions of their users."""

    caller: str
    """Has a phone with lamps for `callee` and `third`."""
    callee: str
    """In one pickup group with `other`."""
    third: str
    """Picks up everybody's calls, calls out, and may use the intercom."""
    other: str
    """May log in at the phones of others."""
    sought: str
    """Is looked for at his own phone and at the one of `third` at once, then at the one of `other`."""
    away: str
    """His phone rings for `SECONDS` before a call goes on."""

    def group(self, strategy: str) -> str:
        """The extension of the hunt group of `callee`, `third` and `other` with that strategy."""
        return str(int(self.caller) + 6 + STRATEGIES.index(strategy))


STRATEGIES: Final = ("parallel", "serial", "round_robin", "longest_idle")


def desks(count: int) -> list[Desks]:
    """So many sets of extensions."""
    return [Desks(*(str(first + at) for at in range(6))) for first in range(2000, 2000 + 10 * count, 10)]


def snapshot(sets: list[Desks], gateway_port: int) -> Snapshot:
    """The dial plan that every site begins with, users, groups, and a gateway to what begins with 0."""
    plan = default_dial_plan(UUID(SITE_ID))
    out = OutsideRule(
        rule_id="out",
        name="Out",
        category="local",
        patterns=(DialPattern(prefix="0"),),
        gateways=("pri",),
        permissions=("LocalDialing",),
    )
    return Snapshot(
        version=1,
        site=Site(site_id=SITE_ID, tenant_id="tenant-1", name="Features", domain=DOMAIN, realm="realm-1"),
        users=tuple(_user(one, number) for one in sets for number in one),
        lines=tuple(
            Line(
                line_id=f"line-{n}",
                user_id=f"user-{n}",
                device_id=f"device-{n}" if n == one.caller else None,
                auth_username=f"auth{n}",
                password=f"s-{n}:1",
            )
            for one in sets
            for n in one
        ),
        devices=tuple(_phone_with_lamps(one) for one in sets),
        phonebook=(PhonebookEntry(entry_id="e-1", name="Plumber", numbers=("+41791112233",)),),
        dial_plan=plan.model_copy(
            update={
                "rules": (*plan.rules, out),
                "pickup_groups": tuple(
                    PickupGroup(
                        group_id=f"front-{one.caller}",
                        name=f"Front {one.caller}",
                        members=(f"user-{one.callee}", f"user-{one.other}"),
                    )
                    for one in sets
                ),
                "hunt_groups": tuple(_group(one, strategy) for one in sets for strategy in STRATEGIES),
                "gateways": (Gateway(gateway_id="pri", name="PRI", host="127.0.0.1", port=gateway_port),),
            }
        ),
    )


def _user(of: Desks, number: str) -> User:
    permissions = {of.third: ("CallPickup", "Intercom", "LocalDialing"), of.other: ("HotDesking",)}
    places = (
        FindMe(destination=of.third, order="at_the_same_time", seconds=SECONDS),
        FindMe(destination=of.other, order="if_no_response", seconds=30),
    )
    forwarding = {
        of.sought: Forwarding(find_me=places, ring_seconds=SECONDS),
        of.away: Forwarding(ring_seconds=SECONDS),
    }
    return User(
        user_id=f"user-{number}",
        username=number,
        display_name=f"Desk {number}",
        extension=number,
        permissions=permissions.get(number, ()),
        forwarding=forwarding.get(number, Forwarding()),
    )


def _phone_with_lamps(of: Desks) -> Device:
    lamps = {
        f"line_key/{key}/{name}": value
        for key, number in ((2, of.callee), (3, of.third))
        for name, value in (("type", "blf"), ("value", number))
    }
    return Device(
        device_id=f"device-{of.caller}", mac=f"00156500{of.caller}", model="yealink/t54w", name="Lamps", settings=lamps
    )


def _group(of: Desks, strategy: str) -> HuntGroup:
    return HuntGroup.model_validate(
        {
            "group_id": f"group-{of.group(strategy)}",
            "name": f"Group {of.group(strategy)}",
            "extension": of.group(strategy),
            "strategy": strategy,
            "members": tuple(f"user-{number}" for number in (of.callee, of.third, of.other)),
            "ring_seconds": SECONDS,
        }
    )


class FeatureSite:
    """The running edge of a module.

    Args:
        folder: for all that it writes.
        count: how many tests have it at most.
    """

    def __init__(self, folder: Path, count: int = 40) -> None:
        self.outside = RawPhone(("127.0.0.1", 0), "0791112233", "", "", timeout=10)
        """Somebody who calls by the gateway."""
        sets = desks(count)
        self._fresh: Iterator[Desks] = iter(sets)
        what = snapshot(sets, self.outside.port)
        self.cloud = ReachableCloud(folder / "cloud", what)
        with ExitStack() as unless_up:
            unless_up.push(self.outside.__exit__)
            unless_up.callback(self.cloud.close)
            self.peer = PeerSite(folder, (number for one in sets for number in one), what, self.cloud)
            unless_up.pop_all()
        self.outside.target = ("127.0.0.1", self.peer.ports["sip_udp"])

    def fresh(self) -> Desks:
        """Extensions that no test has had."""
        return next(islice(self._fresh, 1))

    def have(self, cloud: str) -> None:
        """Let the edge reach its cloud (`reached`), or take it away (`cut`), and wait until it knows."""
        if cloud == "reached":
            self.cloud.reach()
        else:
            self.cloud.cut()
        self.cloud.is_known_to(self.peer.edge)

    def calls(self) -> list[CallEnded]:
        """Every call's record."""
        return self.cloud.calls(self.peer.state_dir)

    def stop(self) -> None:
        """End it."""
        self.peer.stop()
        self.cloud.close()
        self.outside.__exit__(None, None, None)


class FeatureOffice(ExitStack):
    """The users and phones of one test."""

    def __init__(self, site: FeatureSite, folder: Path) -> None:
        super().__init__()
        self.site, self.desks, self.folder = site, site.fresh(), folder

    def keep(self, key: str, value: str) -> None:
        """Write a user's setting, as a phone or the portal does; the edge has to be started again."""
        store = StateStore.open(self.site.peer.state_dir / "state.db", "edge-1", SystemClock())
        store.write(key, value)
        store.close()

    def phone(self, number: str, kind: type[Phone] = BaresipPhone, name: str = "") -> Phone:
        """A real phone, registered; `name` tells several of one user apart."""
        phone = kind(
            f"{kind.__name__}-{number}{name}", self.site.peer.account(number, "udp"), self.site.peer.surroundings
        )
        self.enter_context(phone).wait_for(Seen.REGISTERED)
        phone.forget()
        return phone

    def baresip(self, number: str, name: str = "", tone_hz: int = 440) -> Baresip:
        """A baresip whose events tell more than a `Phone`'s, and whose sound is listened to; see `phone`."""
        account = self.site.peer.account(number, "udp")
        phone = Baresip(self.folder / f"own-{number}{name}", account, tone_hz=tone_hz, recording=True)
        self.enter_context(phone).registered()
        return phone

    def sipp(self, scenario: str, number: str, third: str, event: str) -> Sipp:
        """A sipp with the account of a number that answers any NOTIFY."""
        account = self.site.peer.account(number, "udp")
        row = SippAccount(number, account.auth_username, account.password, DOMAIN).row(third, event)
        return self.enter_context(
            Sipp(self.folder, scenario, account.registrar, (row,), answers_notifies=True),
        )

    def hear_each_other(self, one: Baresip, other: Baresip) -> None:
        """Wait until each hears the other's tone."""
        for who, whom in ((one, other), (other, one)):
            heard = who.folder
            eventually(
                lambda heard=heard, whom=whom: heard_hz(heard) == whom.tone_hz,  # type: ignore[misc]
                30,
                f"{who.account.username} hears {whom.account.username}",
            )

    def dial(self, phone: Baresip, code: str) -> None:
        """Dial a code that a tone answers."""
        phone.dial(f"sip:{code}@{DOMAIN}")
        phone.wait_for("CALL_ESTABLISHED")
        phone.wait_for("CALL_CLOSED")

    def refused(self, phone: Baresip, number: str) -> str:
        """Dial a number that does not take the call; what the phone says of its end."""
        phone.dial(f"sip:{number}@{DOMAIN}")
        return str(phone.wait_for("CALL_CLOSED")["param"])

    def records(self, count: int) -> list[CallEnded]:
        """So many records of calls of this test's users."""

        def ended() -> list[CallEnded]:
            found = [one for one in self.site.calls() if one.caller in self.desks]
            return found if len(found) >= count else []

        return eventually(ended, 20, "the calls' records")
