"""A SIP site for tests: its configuration, and neighbours of the endpoint that remember what they were told."""

from dataclasses import dataclass, field, replace

from contract.dialplan import compile_plan
from contract.snapshot import DialPlan, InternalRule, Line, ServiceRule, Site, Snapshot, User
from contract.sync.events import AlarmChanged, CallEnded, Happening, RegistrationChanged
from edge_agent.ports import CallEnd, OpenCall, record_of
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.message import ha1
from edge_agent.sip.registrar import StoredBinding

DOMAIN = "demo.tandem.test"
REALM = "realm-1"
KEY = b"0123456789abcdef0123456789abcdef"


def password_of(username: str) -> str:
    """The digest password of a user of the test site."""
    return f"password-of-{username}"


def sip_config(*disabled: str, users: int = 4, algorithms: tuple[str, ...] = ("MD5",)) -> SipConfig:
    """Users 200, 201, … of the test site, each with one line `auth<username>`; *99 is the echo test.

    Args:
        disabled: usernames that may not register or call.
        users: how many.
        algorithms: digest algorithms in the order in which they are offered.
    """
    names = [str(200 + number) for number in range(users)]
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=DOMAIN, realm=REALM),
        users=tuple(
            User(
                user_id=f"user-{name}",
                username=name,
                display_name=f"Desk {name}",
                aliases=(f"desk{name}",),
                enabled=name not in disabled,
            )
            for name in names
        ),
        lines=tuple(
            Line(line_id=f"line-{name}", user_id=f"user-{name}", auth_username=f"auth{name}", password=f"s-{name}:1")
            for name in names
        ),
        dial_plan=DialPlan(
            rules=(
                InternalRule(rule_id="rule-1"),
                ServiceRule(rule_id="rule-2", name="Echo test", code="*99", service="echo_test"),
            )
        ),
    )
    return SipConfig(
        domain=DOMAIN,
        realm=REALM,
        plan=compile_plan(snapshot),
        digest_algorithms=algorithms,
        credentials={
            f"auth{name}": Credential(
                auth_username=f"auth{name}",
                line_id=f"line-{name}",
                user_id=f"user-{name}",
                device_id=None,
                ha1={a: ha1(a, f"auth{name}", REALM, password_of(name)) for a in ("MD5", "SHA-256")},
            )
            for name in names
        },
    )


@dataclass
class SiteLog:
    """A reporter and call journal that remember."""

    reports: list[Happening] = field(default_factory=list)
    open_calls: dict[str, OpenCall] = field(default_factory=dict)
    records: list[CallEnded] = field(default_factory=list)

    def report(self, what: Happening) -> None:
        """See `Reporter`."""
        self.reports.append(what)

    def opened(self, call: OpenCall) -> None:
        """See `CallJournal`."""
        self.open_calls[call.call_id] = call

    def joined(self, call: OpenCall, other_id: str) -> None:
        """See `CallJournal`."""
        self.opened(call)
        del self.open_calls[other_id]

    def closed(self, call: OpenCall, end: CallEnd) -> None:
        """See `CallJournal`."""
        del self.open_calls[call.call_id]
        self.records.append(record_of(call, end))

    def keep(self) -> None:
        """See `CallJournal`."""

    @property
    def registrations(self) -> list[RegistrationChanged]:
        """The reported registrations."""
        return [one for one in self.reports if isinstance(one, RegistrationChanged)]

    @property
    def alarms(self) -> list[AlarmChanged]:
        """The reported alarms."""
        return [one for one in self.reports if isinstance(one, AlarmChanged)]


@dataclass
class MemoryStore:
    """A binding store without a disk."""

    kept: dict[tuple[str, str], StoredBinding] = field(default_factory=dict)
    writable: bool = True
    commits: int = 0
    _changes: list[tuple[tuple[str, str], StoredBinding | None]] = field(default_factory=list)

    def load(self) -> list[StoredBinding]:
        """See `BindingStore`."""
        return list(self.kept.values())

    def put(self, binding: StoredBinding) -> None:
        """See `BindingStore`."""
        self._changes.append(((binding.user_id, binding.contact), replace(binding)))

    def remove(self, user_id: str, contact: str) -> None:
        """See `BindingStore`."""
        self._changes.append(((user_id, contact), None))

    def commit(self) -> bool:
        """See `BindingStore`."""
        if not self.writable and self._changes:
            return False
        for key, binding in self._changes:
            if binding is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = binding
        self.commits += bool(self._changes)
        self._changes.clear()
        return True


@dataclass
class MemoryRows:
    """Kept rows without a disk."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)
    writable: bool = True
    written: int = 0
    _changes: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def load(self, kind: str) -> dict[str, str]:
        """See `KeptRows`."""
        return {key: value for (one, key), value in self.kept.items() if one == kind}

    def put(self, kind: str, key: str, value: str) -> None:
        """See `KeptRows`."""
        self._changes[kind, key] = value

    def remove(self, kind: str, key: str) -> None:
        """See `KeptRows`."""
        self._changes[kind, key] = None

    def commit(self) -> bool:
        """See `KeptRows`."""
        if not self.writable and self._changes:
            return False
        for place, value in self._changes.items():
            self.written += 1
            if value is None:
                self.kept.pop(place, None)
            else:
                self.kept[place] = value
        self._changes.clear()
        return True
