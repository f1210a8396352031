"""A provider with some life in it, for looking at the portal: sites in every state, phones, calls, webhooks."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import update

from cloud.api.app import make_app
from cloud.api.chalicelib.services import Services
from cloud.api.wsgi import make_wsgi
from cloud.models import (
    Alarm,
    CallRecord,
    Device,
    DeviceRedirect,
    DeviceVisit,
    Edge,
    Msp,
    Registration,
    UnknownPhone,
    WebhookDelivery,
)
from cloud.pbx.accounts import AccountFields, create_account
from cloud.pbx.audit import Actor
from cloud.pbx.blobs import Files
from cloud.pbx.database import PLATFORM, Scope
from cloud.pbx.desk import Desk
from cloud.pbx.edges import KnownEdge, find_edge, lose_lease, record_applied, record_rejected, take_lease
from cloud.pbx.phone_history import Kind, note
from cloud.pbx.publishing import publish_site
from cloud.pbx.webhooks import announce
from tests.support.api_world import Client, log_in, make_services, uploads_in
from tests.support.customers import TOKENS, HandClock
from tests.support.portal_demo_firmware import make_firmware
from tests.support.portal_demo_plan import make_plan
from tests.support.portal_demo_recordings import keep_recordings
from tests.support.portal_demo_services import queue_history
from tests.support.portal_demo_sounds import make_sounds
from tests.support.postgres import Databases

ADMIN_EMAIL: Final = "technician@provider.tandem.test"
ADMIN_PASSWORD: Final = "only for demonstrations"
USER_EMAIL: Final = "reception@bakery.tandem.test"
USER_PASSWORD: Final = "only for demonstrations, too"
_QUOTA_BYTES: Final = 50_000_000
_USERS: Final[tuple[tuple[str, str, list[str]], ...]] = (
    ("200", "Reception", ["info"]),
    ("201", "Workshop", []),
    ("202", "Accounting", ["billing"]),
    ("203", "Warehouse", []),
    ("204", "Meeting room", []),
    ("205", "Front door", ["door"]),
)
_CALLS: Final = (
    (4, 0, "201", "200", "answered", 200, 124),
    (19, 1, "200", "*99", "answered", 200, 33),
    (47, 2, "202", "201", "no_answer", 480, None),
    (66, 3, "203", "200", "busy", 486, None),
    (94, 4, "205", "200", "answered", 200, 41),
    (131, 0, "200", "299", "failed", 404, None),
    (180, 1, "201", "203", "cancelled", 487, None),
    (244, 2, "202", "200", "answered", 200, 1310),
)


@dataclass
class Demo:
    """What was made, and the API's parts to serve it with."""

    services: Services
    site_id: str
    endpoint_id: str
    databases: Databases
    edge: KnownEdge
    """Of the main office; it is online."""
    clock: HandClock
    users: dict[str, str]
    """Ids of the main office's, by extension."""


class _Making:
    def __init__(self, databases: Databases, folder: Path) -> None:
        self.databases = databases
        self.clock = HandClock()
        files = Files(*uploads_in(folder, self.clock), _QUOTA_BYTES)
        self.services = make_services(databases, self.clock, files=files)
        self.client = Client(make_wsgi(make_app(self.services), uploads=uploads_in(folder, self.clock)))

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.client.post(path, body)
        assert answer.status in {200, 201, 202}, answer.body
        return answer.json

    def technician(self) -> None:
        """A provider, and who works there."""
        msp_id = TOKENS.id()
        with self.databases.api.session(PLATFORM) as session:
            session.add(Msp(id=msp_id, name="Demo provider"))
            session.flush()
            desk = Desk(session, Actor("demo"), self.clock, TOKENS, self.services.keys)
            fields = AccountFields(
                "msp_admin", ADMIN_EMAIL, SecretStr(ADMIN_PASSWORD), display_name="Technician", msp_id=msp_id
            )
            create_account(desk, self.services.gate.passwords, fields, "platform_admin")
        self.client = self.client.as_(log_in(self.client, ADMIN_EMAIL, ADMIN_PASSWORD))

    def publish(self, scope: Scope, site: Any, cause: str) -> None:
        publish_site(self.databases.worker, scope, UUID(site["id"]), cause)

    def edge(self, scope: Scope, site: Any, name: str, minutes: float | None) -> KnownEdge:
        """An enrolled edge: online when `minutes` is None, else gone for so long."""
        made = self.post("/edges", {"site_id": site["id"], "name": name})
        now = self.clock.now()
        with self.databases.api.session(scope) as session:
            session.execute(update(Edge).where(Edge.id == UUID(made["id"])).values(enrolled_at=now - timedelta(days=9)))
        with self.databases.hub.session(scope) as session:
            edge = find_edge(session, made["id"])
            assert edge is not None
            began = now - timedelta(minutes=minutes or 200)
            take_lease(
                session,
                edge,
                hub=name,
                now=began,
                seconds=86_400,
                transport="quic",
                address="198.51.100.23:40112",
                agent_version="0.1.0",
            )
            if minutes is not None:
                lose_lease(session, edge, name, began)
        return edge

    def applied(self, scope: Scope, edge: KnownEdge, version: int, minutes: float) -> None:
        with self.databases.hub.session(scope) as session:
            record_applied(session, edge, version, "digest", self.clock.now() - timedelta(minutes=minutes))


def make_demo(databases: Databases, folder: Path) -> Demo:
    """Everything.

    Args:
        folder: for large files.
    """
    making = _Making(databases, folder)
    making.technician()
    bakery = making.post("/tenants", {"name": "Bakery", "domain": "bakery.tandem.test"})
    clinic = making.post("/tenants", {"name": "Clinic", "domain": "clinic.tandem.test"})
    school = making.post("/tenants", {"name": "School", "domain": "school.tandem.test"})
    site = making.post("/sites", {"tenant_id": bakery["id"], "name": "Main office", "time_zone": "Europe/Berlin"})
    edge, users = _main_office(making, Scope(tenant_id=UUID(bakery["id"])), site)
    make_sounds(making.client, bakery, site["id"], users)
    account = {"role": "user", "email": USER_EMAIL, "password": USER_PASSWORD, "display_name": "Reception"}
    making.post("/accounts", {**account, "tenant_id": bakery["id"], "user_id": users["200"]})
    _others(making, bakery, clinic, school)
    _redirects(making, bakery, clinic)
    endpoint = _webhooks(making, bakery)
    return Demo(making.services, site["id"], endpoint, databases, edge, making.clock, users)


def _main_office(making: _Making, scope: Scope, site: Any) -> tuple[KnownEdge, dict[str, str]]:
    users: dict[str, str] = {}
    dhcp = {
        "ranges": [{"network": "192.168.10.0/24", "first": "192.168.10.100", "last": "192.168.10.150"}],
        "voice_vlan": 20,
    }
    rules = {"dhcp": dhcp, "server_name": "phones.bakery.example"}
    assert making.client.patch(f"/sites/{site['id']}", {"provisioning": rules}).status == 200
    for extension, name, aliases in _USERS[:4]:
        fields = {"site_id": site["id"], "username": extension, "extension": extension, "display_name": name}
        users[extension] = making.post("/users", {**fields, "aliases": aliases})["id"]
    making.publish(scope, site, "4 users were created")
    lines: dict[str, Any] = {}
    for extension, name, mac, model in (
        ("200", "Reception phone", "805ec0000200", "yealink/t54w"),
        ("201", "Workshop phone", "020000000201", "generic/sip"),
        ("202", "Accounting phone", "805ec0000202", "yealink/t46u"),
    ):
        body = {"site_id": site["id"], "mac": mac, "model": model, "name": name, "user_id": users[extension]}
        answer = making.client.post("/devices", body)
        device = answer.json if answer.status == 201 else making.post("/devices", {**body, "model": "yealink/t54w"})
        lines[extension] = device["lines"][0]
    making.publish(scope, site, "3 devices were created")
    for extension, name, aliases in _USERS[4:]:
        fields = {"site_id": site["id"], "username": extension, "extension": extension, "display_name": name}
        users[extension] = making.post("/users", {**fields, "aliases": aliases, "enabled": extension != "204"})["id"]
    making.publish(scope, site, "User 205 was created")
    make_plan(making.client, site["id"], users)
    edge = making.edge(scope, site, "Edge of the main office", None)
    making.applied(scope, edge, 3, 3)
    _reports(making, scope, edge, users, lines)
    _history(making, scope, edge, lines)
    pause = {"presence": "paused", "reason": "Lunch"}
    assert making.client.put(f"/sites/{site['id']}/queues/support/agents/{users['202']}", pause).status == 204
    queue_history(making.databases, making.clock, edge, users)
    leave = {"voicemail": {"recordings_leave": True}, "recording": {"upload": True}}
    assert making.client.patch(f"/sites/{site['id']}", leave).status == 200
    keep_recordings(making.databases, making.services, making.clock, edge, users["200"])
    return edge, users


def _reports(making: _Making, scope: Scope, edge: KnownEdge, users: dict[str, str], lines: dict[str, Any]) -> None:
    now = making.clock.now()
    of_edge: dict[str, Any] = {"tenant_id": edge.tenant_id, "site_id": edge.site_id, "edge_id": edge.edge_id}
    rows: list[Any] = []
    agents = {"200": "Yealink SIP-T54W 96.86.0.100", "201": "baresip v1.0.0", "202": "Yealink SIP-T46U 108.86.0.20"}
    for extension, line in lines.items():
        if extension == "202":
            continue
        address = f"192.0.2.{extension}"
        rows.append(
            Registration(
                id=TOKENS.id(),
                **of_edge,
                user_id=UUID(users[extension]),
                line_id=UUID(line["id"]),
                device_id=UUID(line["device_id"]),
                contact=f"sip:{line['auth_username']}@{address}:5060",
                user_agent=agents[extension],
                source=f"{address}:5060",
                transport="udp",
                expires_at=now + timedelta(hours=1),
                registered_at=now - timedelta(hours=5),
                refreshed_at=now - timedelta(minutes=4),
            )
        )
    for place, (minutes, seconds, caller, callee, disposition, status, talk) in enumerate(_CALLS):
        began = now - timedelta(minutes=minutes, seconds=seconds * 11)
        answered = began + timedelta(seconds=6) if talk is not None else None
        rows.append(
            CallRecord(
                id=TOKENS.id(),
                **of_edge,
                call_id=f"call-{place}",
                sip_call_id=f"f81d4fae7dec{place:04}",
                caller=caller,
                callee=callee,
                caller_user_id=UUID(users[caller]),
                callee_user_id=UUID(users[callee]) if callee in users else None,
                started_at=began,
                answered_at=answered,
                ended_at=(answered or began) + timedelta(seconds=talk or 21),
                disposition=disposition,
                status=status,
                interrupted=False,
                reasons=[f"{callee} is an extension of this site", "The user's registered phones are called"],
            )
        )
    for mac, model, address, times in (
        ("805ec00003a1", "T54W", "192.0.2.41", 6),
        ("0004f2ab10c7", "", "192.0.2.44", 2),
    ):
        rows.append(
            UnknownPhone(
                id=TOKENS.id(),
                **of_edge,
                identity=mac,
                mac=mac,
                vendor="yealink" if model else "",
                model=model,
                firmware="96.86.0.100" if model else "",
                user_agent="",
                address=address,
                protocol="tftp" if model else "http",
                switch_port="floor-1 / ge-0/21" if model else "",
                first_seen_at=now - timedelta(hours=2),
                last_seen_at=now - timedelta(minutes=7),
                times_seen=times,
            )
        )
    rows.append(
        Alarm(
            id=TOKENS.id(),
            **of_edge,
            alarm="trunk_down",
            severity="warning",
            text="Second provider: no answer from sip.second.example since 07:12",
            raised_at=now - timedelta(minutes=42),
        )
    )
    rows.append(
        Alarm(
            id=TOKENS.id(),
            **of_edge,
            alarm="process_restarted",
            severity="warning",
            text="The media process was started again",
            raised_at=now - timedelta(hours=30),
            cleared_at=now - timedelta(hours=29),
        )
    )
    with making.databases.worker.session(scope) as session:
        session.add_all(rows)


_HAPPENED: Final[tuple[tuple[Kind, float, dict[str, str | int]], ...]] = (
    ("adopted", 4200, {"address": "192.0.2.200", "protocol": "dhcp", "switch_port": "floor-1 / ge-0/14"}),
    (
        "fetched",
        4198,
        {"address": "192.0.2.200", "protocol": "http", "proof": "none", "firmware": "96.86.0.70", "version": 2},
    ),
    ("registered", 4197, {"address": "192.0.2.200:5060", "transport": "udp"}),
    ("refused", 1600, {"address": "203.0.113.9", "protocol": "tftp", "reason": "clear_text"}),
    ("deferred", 9, {"text": "it is in a call"}),
    ("asked", 4, {}),
    (
        "fetched",
        3,
        {"address": "192.0.2.200", "protocol": "https", "proof": "password", "firmware": "96.86.0.100", "version": 3},
    ),
    ("applied", 3, {"address": "192.0.2.200:5060", "transport": "udp"}),
)
"""What happened to the reception's phone, and how many minutes ago."""


def _history(making: _Making, scope: Scope, edge: KnownEdge, lines: dict[str, Any]) -> None:
    now = making.clock.now()
    device_id = UUID(lines["200"]["device_id"])
    with making.databases.worker.session(scope) as session:
        device = session.get_one(Device, device_id)
        for kind, minutes, detail in _HAPPENED:
            note(session, TOKENS, device, now - timedelta(minutes=minutes), kind, detail)
        session.add(
            DeviceVisit(
                device_id=device_id,
                tenant_id=edge.tenant_id,
                site_id=edge.site_id,
                address="192.0.2.200",
                protocol="https",
                proof="password",
                firmware="96.86.0.100",
                switch_port="floor-1 / ge-0/14",
                fetched_at=now - timedelta(minutes=3),
                fetched_version=3,
                resync_state="registered",
                resync_at=now - timedelta(minutes=3),
            )
        )


def _redirects(making: _Making, bakery: Any, clinic: Any) -> None:
    """Accounts at two vendors' services, with phones that are told, wait, and are locked to others."""
    now = making.clock.now()
    accounts = [
        making.post(
            "/redirect-accounts", {"tenant_id": tenant["id"], "service": service, "username": name, "password": "x"}
        )
        for tenant, service, name in (
            (bakery, "yealink_ymcs", "bakery-client"),
            (bakery, "grandstream_gdms", "api-107/bakery"),
            (clinic, "snom_sraps", "key-3f"),
        )
    ]
    states = (("pushed", "", 7), ("pending", "", 1), ("failed", "claimed", 1))
    for place, account in enumerate(accounts[:2]):
        with making.databases.worker.session(Scope(tenant_id=UUID(account["tenant_id"]))) as session:
            for state, problem, many in states:
                session.add_all(
                    DeviceRedirect(
                        id=TOKENS.id(),
                        tenant_id=UUID(account["tenant_id"]),
                        account_id=UUID(account["id"]),
                        mac=f"02{place:02x}{states.index((state, problem, many)):02x}{number:06x}",
                        url="https://phones.bakery.example:8443/",
                        state=state,
                        problem=problem,
                        attempts=1,
                        attempted_at=now,
                    )
                    for number in range(many)
                )


def _others(making: _Making, bakery: Any, clinic: Any, school: Any) -> None:
    def site_of(tenant: Any, name: str) -> tuple[Scope, Any]:
        body = {"tenant_id": tenant["id"], "name": name, "time_zone": "Europe/Berlin"}
        scope, site = Scope(tenant_id=UUID(tenant["id"])), making.post("/sites", body)
        making.publish(scope, site, "The site was created")
        return scope, site

    scope, site = site_of(bakery, "Shop at the station")
    making.applied(scope, making.edge(scope, site, "Edge", 17), 1, 300)
    scope, site = site_of(clinic, "Practice")
    edge = making.edge(scope, site, "Edge", None)
    making.applied(scope, edge, 1, 600)
    making.client.patch(f"/sites/{site['id']}", {"time_zone": "Europe/Vienna"})
    making.publish(scope, site, "The time zone was changed")
    scope, site = site_of(clinic, "Laboratory")
    edge = making.edge(scope, site, "Edge", None)
    with making.databases.hub.session(scope) as session:
        record_rejected(session, edge, 1, ["SIP: port 5060 is in use at 192.0.2.1"], making.clock.now())
    scope, site = site_of(school, "Gymnasium")
    making.post("/edges", {"site_id": site["id"], "name": "Edge"})
    _, site = site_of(school, "Boarding house")
    make_firmware(making.client, making.databases.worker, making.clock, school, site)


def _webhooks(making: _Making, tenant: Any) -> str:
    body = {
        "tenant_id": tenant["id"],
        "url": "https://hooks.bakery.tandem.test/telephony",
        "description": "Opens the customer's file",
        "event_types": ["call.ended", "edge.offline", "edge.online"],
    }
    endpoint = making.post("/webhook-endpoints", body)
    now = making.clock.now()
    with making.databases.worker.session(Scope(tenant_id=UUID(tenant["id"]))) as session:
        for kind in ("edge.online", "edge.offline", "call.ended"):
            announce(session, TOKENS, UUID(tenant["id"]), kind, now - timedelta(minutes=9), {"site_id": "demo"})
        session.flush()
        outcomes = iter([("delivered", 200, ""), ("delivered", 204, ""), ("failed", 500, "")])
        for delivery in session.query(WebhookDelivery):
            state, status, error = next(outcomes)
            delivery.state, delivery.response_status, delivery.error = state, status, error
            delivery.attempts = 9 if state == "failed" else 1
            delivery.last_attempt_at = now
    other = {"tenant_id": tenant["id"], "url": "https://status.bakery.tandem.test/in", "enabled": False}
    making.post("/webhook-endpoints", other)
    return str(endpoint["id"])
