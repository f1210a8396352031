"""A SIP server under load, and the site whose phones load it; the same phones for every server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.cpu import cpu_seconds
from benchmarks.sip.load.plan import Account
from contract.snapshot import DialPlan, InternalRule, Line, ServiceRule, Site, Snapshot, User

DOMAIN: Final = "demo.tandem.test"
REALM: Final = "realm-1"
HOST: Final = "127.0.0.1"
USERS: Final = 10_200
FIRST_USER: Final = 10_000


@dataclass(frozen=True, slots=True)
class SipServer:
    """A server that runs.

    Args:
        name: for people.
        ports: by transport (`udp`, `tcp`, `tls`).
        counted: process ids by what they are; the first is what ratios are taken of, the last one is everything.
    """

    name: str
    ports: Mapping[str, int]
    counted: Mapping[str, Callable[[], list[int]]]

    def spent(self) -> dict[str, float]:
        """CPU seconds so far, by what is counted."""
        return {what: cpu_seconds(pids()) for what, pids in self.counted.items()}

    def all_spent(self) -> float:
        """CPU seconds of everything that the server consists of."""
        return cpu_seconds(list(self.counted.values())[-1]())


def accounts(count: int = USERS) -> tuple[Account, ...]:
    """The first `count` phones."""
    users = range(FIRST_USER, FIRST_USER + count)
    return tuple(Account(str(user), f"auth{user}", f"password-{user}") for user in users)


def snapshot() -> Snapshot:
    """The site with all its users, each with a line, the default rules and the echo test."""
    everybody = accounts()
    return Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Office", domain=DOMAIN, realm=REALM),
        users=tuple(
            User(user_id=f"user-{one.user}", username=one.user, display_name=f"Desk {one.user}", extension=one.user)
            for one in everybody
        ),
        lines=tuple(
            Line(
                line_id=f"line-{one.user}",
                user_id=f"user-{one.user}",
                auth_username=one.auth_username,
                password=f"s-{one.user}:1",
            )
            for one in everybody
        ),
        dial_plan=DialPlan(
            rules=(
                InternalRule(rule_id="internal"),
                ServiceRule(rule_id="echo", name="Echo test", code="*99", service="echo_test"),
            )
        ),
    )


def snapshot_secrets() -> dict[str, str]:
    """What the snapshot's references stand for."""
    return {f"s-{one.user}:1": one.password for one in accounts()}
