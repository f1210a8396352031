"""One of each thing that the API shows, at one tenant: what an endpoint's path can name."""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from cloud.models import (
    Alarm,
    CallQuality,
    CallRecord,
    CallRecording,
    EmergencyCall,
    EventRow,
    PhoneRefusal,
    PhoneUpload,
    Registration,
    UnknownPhone,
    VoicemailMessage,
    WebhookDelivery,
)
from cloud.pbx.database import Scope
from cloud.pbx.edges import KnownEdge
from cloud.pbx.publishing import publish_site
from cloud.pbx.state import merge_records
from cloud.pbx.webhooks import announce
from contract.sync.mailbox_events import FaxSheets
from contract.sync.state import Stamp, StateRecord
from tests.support.api_world import ApiWorld, Client
from tests.support.customers import TOKENS, Customer, enrolled_edge
from tests.support.device_archives import GOOD, packed
from tests.support.fax_files import tiff
from tests.support.left_messages import TellingEdge, sound
from tests.support.told_recordings import bring_sound, call_sound, conference_sound, recorded, recorded_conference

_CALL = "call-1"
ECHO_ANSWERS = {"call": {"dialled": "*99", "caller": "200"}, "outcome": "service", "target": "echo_test"}


def bring(client: Client, content: bytes, tenant_id: str | None = None) -> str:
    """Announce a file and bring it to its place; its digest.

    Args:
        tenant_id: whose it is; None: the client's own tenant's.
    """
    digest = hashlib.sha256(content).hexdigest()
    announced = {"digest": digest, "size_bytes": len(content), "tenant_id": tenant_id}
    place = _made(client, "/firmware-files", announced)["place"]
    if place is not None:
        answer = client.call("PUT", place["url"].partition("8080")[2], headers=place["headers"], raw=content)
        assert answer.status == 204, answer.body
    return digest


def _left_message(
    world: ApiWorld, customer: Customer, edge: KnownEdge, user_id: UUID, content: bytes, **more: Any
) -> str:
    """A message in a mailbox; its id in the API."""
    telling = TellingEdge(world.databases, edge, world.clock, epoch=f"e-{len(content)}")
    digest = hashlib.sha256(content).hexdigest()
    assert telling.tell(telling.message(user_id, content, digest[:16], listed=True, **more)) == [None]
    assert world.services.files is not None
    assert telling.send(world.services.files.store, content).complete
    with world.databases.api.session(customer.scope) as session:
        return str(session.scalars(select(VoicemailMessage.id).where(VoicemailMessage.digest == digest)).one())


def _recorded_call(world: ApiWorld, customer: Customer, edge: KnownEdge) -> str:
    """A recording of the call that `report` makes a record of; its id in the API."""
    content, files = call_sound(), world.services.files
    told = recorded(world.clock, content, _CALL, "recording-1")
    assert TellingEdge(world.databases, edge, world.clock, epoch="e2").tell(told) == [None]
    assert files is not None
    assert bring_sound(world.databases, edge, files.store, world.services.keys, world.clock, content).complete
    with world.databases.api.session(customer.scope) as session:
        return str(session.scalars(select(CallRecording.id).where(CallRecording.room_id.is_(None))).one())


def _recorded_conference(world: ApiWorld, customer: Customer, edge: KnownEdge) -> str:
    """A recording of a conference; its edge's name of it."""
    content, files, name = conference_sound(), world.services.files, "0123456789abcdef"
    told = recorded_conference(world.clock, content, name)
    assert TellingEdge(world.databases, edge, world.clock, epoch="e3").tell(told) == [None]
    assert files is not None
    assert bring_sound(world.databases, edge, files.store, world.services.keys, world.clock, content).complete
    return name


def _waits_for(world: ApiWorld, client: Client, customer: Customer, user: str) -> str:
    """Somebody whom the user is called back for; his id."""
    site, now = customer.site_id, world.clock.now()
    other = str(_made(client, "/users", {"site_id": str(site), "username": "waited-for"})["id"])
    stamp = Stamp(wall_ms=int(now.timestamp() * 1000), node="edge-1")
    value = str(int((now + timedelta(hours=1)).timestamp()))
    record = StateRecord(key=f"call_back/{other}/{user}", value=value, stamp=stamp)
    with world.databases.api.session(customer.scope) as session:
        merge_records(session, customer.tenant_id, site, [record], now)
    return other


def furnish(world: ApiWorld, client: Client, customer: Customer, mac: str = "001565aabbcc") -> dict[str, str]:
    """Make one of each at `customer`, as its administrator `client`; ids by the name that paths and bodies use.

    Args:
        mac: of the device.
    """
    site = str(customer.site_id)
    user = client.get(f"/users?site_id={site}").json["items"][0]["id"]
    device = _made(client, "/devices", {"site_id": site, "mac": mac, "model": "yealink/t54w", "user_id": user})
    group = _made(client, "/device-groups", {"name": "Office", "device_ids": [device["id"]]})
    archive = base64.b64encode(packed(GOOD)).decode()
    plugin = _made(client, "/device-plugins", {"vendor": "acme", "archive": archive})
    digest = bring(client, b"firmware of a phone")
    firmware = _made(
        client,
        "/firmware",
        {
            "vendor": "yealink",
            "models": ["t54w"],
            "firmware_version": "96.86.0.70",
            "files": [{"name": "96.86.0.70.rom", "digest": digest}],
        },
    )
    rings = [{"name": "Everyone", "starts_at": "2026-01-01T00:00:00Z"}]
    rollout = _made(client, "/firmware-rollouts", {"firmware_id": firmware["id"], "rings": rings})
    assertion = _made(client, f"/sites/{site}/call-assertions", {"name": "Echo", "content": ECHO_ANSWERS})
    entry = _made(client, f"/sites/{site}/phonebook", {"name": "Plumber", "numbers": ["+41441112233"]})
    waltz = _made(client, "/sounds", {"digest": bring(client, sound(0.5)), "name": "Waltz"})
    pool = _made(client, "/number-pools", {"name": "Block", "first": "+41445556600", "count": 20})
    _made(client, f"/sites/{site}/sip-certificate", {})
    plan = client.get(f"/sites/{site}/dial-plan").json["document"]
    plan["trunks"] = [{"gateway_id": "provider", "name": "Provider", "host": "sip.example.test", "username": "office"}]
    plan["voice_services"] = [
        {"kind": "conference", "service_id": "team", "name": "Team", "extension": "8000", "owner": user},
        {
            "kind": "authorization",
            "service_id": "codes",
            "name": "Codes",
            "extension": "8001",
            "codes": [{"code_id": "code-1", "name": "Reception"}],
        },
        {
            "kind": "queue",
            "service_id": "support",
            "name": "Support",
            "extension": "8002",
            "agents": [{"user_id": user}],
            "supervisors": [user],
        },
    ]
    assert client.put(f"/sites/{site}/dial-plan", {"document": plan}).status == 200
    password = client.put(f"/sites/{site}/trunks/provider/password", {"password": "the provider's password"})
    assert password.status == 200, password.body
    edge = _made(client, "/edges", {"site_id": site})
    redirects = _made(
        client, "/redirect-accounts", {"service": "yealink_rps", "username": "dealer", "password": "dealer's password"}
    )
    endpoint = _made(client, "/webhook-endpoints", {"url": "https://hooks.tandem.test/here"})
    account = _made(
        client,
        "/accounts",
        {"role": "tenant_admin", "email": f"{mac}@tandem.test", "password": "correct horse battery"},
    )
    things = {
        "msp_id": str(customer.msp_id),
        "tenant_id": str(customer.tenant_id),
        "site_id": site,
        "user_id": user,
        "device_id": device["id"],
        "group_id": group["id"],
        "plugin_id": plugin["id"],
        "firmware_id": firmware["id"],
        "rollout_id": rollout["id"],
        "redirect_account_id": redirects["id"],
        "assertion_id": assertion["id"],
        "entry_id": entry["id"],
        "pool_id": pool["id"],
        "sound_id": waltz["id"],
        "line_id": device["lines"][0]["id"],
        "edge_id": edge["id"],
        "endpoint_id": endpoint["id"],
        "account_id": account["id"],
        "version": "1",
        "gateway_id": "provider",
        "room_id": "team",
        "queue_id": "support",
        "supervisor_id": user,
        "service_id": "codes",
        "code_id": "code-1",
        "digit": "3",
        "vendor": "yealink",
        "model": "t54w",
    }
    assert (
        client.patch(f"/sites/{site}", {"voicemail": {"recordings_leave": True}, "recording": {"upload": True}}).status
        == 200
    )
    things["other_id"] = _waits_for(world, client, customer, user)
    known = enrolled_edge(world.databases.api, customer, world.clock.now()).known
    things["message_id"] = _left_message(world, customer, known, UUID(user), sound())
    things["fax_id"] = _left_message(world, customer, known, UUID(user), tiff(), fax=FaxSheets(pages=1))
    things["call_recording_id"] = _recorded_call(world, customer, known)
    things["recording_id"] = _recorded_conference(world, customer, known)
    publish_site(world.databases.worker, customer.scope, customer.site_id, "first")
    order = client.post(f"/sites/{site}/resync", {"device_ids": [device["id"]]})
    assert order.status == 202, order.body
    things["job_id"] = order.json["id"]
    return {
        **things,
        **report(world, customer, {name: UUID(things[name]) for name in ("edge_id", "line_id", "device_id")}),
    }


def report(world: ApiWorld, customer: Customer, things: dict[str, UUID]) -> dict[str, str]:
    """What an edge reports, as rows: a registration, a call, an alarm, an event, an unknown phone, a delivery."""
    now = world.clock.now()
    of_edge: dict[str, Any] = {
        "tenant_id": customer.tenant_id,
        "site_id": customer.site_id,
        "edge_id": things["edge_id"],
    }
    phone = UnknownPhone(
        id=TOKENS.id(),
        **of_edge,
        identity="001565000001",
        mac="001565000001",
        vendor="yealink",
        model="t54w",
        firmware="",
        user_agent="",
        address="192.0.2.7",
        protocol="tftp",
        first_seen_at=now,
        last_seen_at=now,
        times_seen=1,
    )
    call = new_call(world, customer, things["edge_id"], _CALL)
    registration = Registration(
        id=TOKENS.id(),
        **of_edge,
        user_id=customer.users[0],
        line_id=things["line_id"],
        device_id=None,
        contact="sip:200@192.0.2.8",
        user_agent="",
        source="192.0.2.8:5060",
        transport="udp",
        expires_at=now + timedelta(hours=1),
        registered_at=now,
        refreshed_at=now,
    )
    alarm = Alarm(
        id=TOKENS.id(), **of_edge, alarm="process_restarted", severity="warning", text="It did", raised_at=now
    )
    event = EventRow(id=TOKENS.id(), **of_edge, epoch="e", sequence=1, kind="alarm", at=now, payload={"kind": "alarm"})
    emergency = EmergencyCall(
        id=TOKENS.id(),
        **of_edge,
        call_id="help-1",
        at=now,
        number="112",
        caller="Desk 200 (200)",
        source="192.0.2.8:5060",
        location_name="Floor 1",
        address="Main Street 1, floor 1",
        caller_id="+41441112201",
    )
    refusal = PhoneRefusal(
        id=TOKENS.id(),
        **of_edge,
        reason="clear_text",
        identity="001565000002",
        mac="001565000002",
        device_id=None,
        address="192.0.2.7",
        protocol="tftp",
        user_agent="",
        first_seen_at=now,
        last_seen_at=now,
        times_seen=1,
    )
    upload = PhoneUpload(
        id=TOKENS.id(),
        tenant_id=customer.tenant_id,
        site_id=customer.site_id,
        device_id=things["device_id"],
        name="boot.log",
        size=5,
        content=b"boot\n",
        sent_at=now,
    )
    heard = CallQuality(
        id=TOKENS.id(),
        tenant_id=customer.tenant_id,
        site_id=customer.site_id,
        edge_id=call.edge_id,
        sip_call_id=call.sip_call_id,
        at=now,
        source="engine",
        heard="caller",
        codec="PCMA",
        packets=490,
        lost=10,
        lost_percent=2.0,
        mos=4.1,
    )
    with world.databases.worker.session(Scope(tenant_id=customer.tenant_id)) as session:
        session.add_all([phone, registration, alarm, emergency, call, heard, refusal, upload])
        announce(session, TOKENS, customer.tenant_id, "edge.online", now, {})
        delivery = session.scalars(select(WebhookDelivery)).one()
        delivery.state = "delivered"
    with world.databases.hub.session(Scope(tenant_id=customer.tenant_id)) as session:
        session.add(event)
    return {
        "phone_id": str(phone.id),
        "record_id": str(call.id),
        "delivery_id": str(delivery.id),
        "registration_id": str(registration.id),
        "alarm_id": str(alarm.id),
        "emergency_id": str(emergency.id),
        "event_id": str(event.id),
        "refusal_id": str(refusal.id),
        "upload_id": str(upload.id),
    }


def new_call(
    world: ApiWorld, customer: Customer, edge_id: UUID, call_id: str, caller: UUID | None = None
) -> CallRecord:
    """A finished call of the tenant's first user, or of `caller`."""
    return finished_call(customer, edge_id, call_id, world.clock.now(), caller or customer.users[0])


def finished_call(
    customer: Customer, edge_id: UUID, call_id: str, now: datetime, caller: UUID | None = None
) -> CallRecord:
    """A call that ended just now."""
    return CallRecord(
        id=TOKENS.id(),
        tenant_id=customer.tenant_id,
        site_id=customer.site_id,
        edge_id=edge_id,
        call_id=call_id,
        sip_call_id=call_id,
        caller="200",
        callee="*99",
        caller_user_id=caller,
        callee_user_id=None,
        started_at=now,
        answered_at=now,
        ended_at=now,
        disposition="answered",
        status=200,
        interrupted=False,
        reasons=[],
    )


def _made(client: Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(path, body)
    assert answer.status == 201, answer.body
    return answer.json
