"""What an edge reports becomes rows exactly once, however often it arrives, and tenants hear of it."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from cloud.functions.records import LambdaContext
from cloud.models import (
    Alarm,
    CallRecord,
    Device,
    DeviceHappening,
    DevicePlugin,
    DeviceVisit,
    EmergencyCall,
    EventRow,
    PhoneRefusal,
    PhoneUpload,
    Registration,
    Site,
    UnknownPhone,
)
from cloud.pbx.call_quality import quality_of, word_of
from cloud.pbx.inbox import keep_events
from cloud.pbx.phone_history import KEPT
from cloud.pbx.publishing import latest_snapshot
from contract.devices.archive import pack, unpack
from contract.sync.events import (
    AlarmChanged,
    CallEnded,
    EmergencyCalled,
    EventBody,
    Happening,
    PhoneFetched,
    PhoneRefused,
    PhoneResync,
    PhoneUploaded,
    RegistrationChanged,
    UnknownPhoneSeen,
)
from contract.sync.messages import Event
from contract.sync.quality import MAX_OF_CALL, CallQuality
from tests.cloud.functions.conftest import Functions
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock, add_phone, add_user
from tests.support.device_archives import GOOD, packed
from tests.support.postgres import Databases
from tests.support.scripted_receiver import ScriptedReceiver

USER, LINE = str(TOKENS.id()), str(TOKENS.id())


def arrive(databases: Databases, edge: EdgeAtSite, clock: HandClock, first: int, *happened: Happening) -> None:
    events = [
        Event(epoch="e1", sequence=first + n, body=EventBody(at=clock.now(), what=what))
        for n, what in enumerate(happened)
    ]
    with databases.hub.session(edge.known.scope) as session:
        keep_events(session, TOKENS, edge.known, events, clock.now())


def registered(clock: HandClock, **changes: Any) -> RegistrationChanged:
    values: dict[str, Any] = {
        "state": "registered",
        "user_id": USER,
        "line_id": LINE,
        "contact": "sip:200@192.0.2.7:5060",
        "user_agent": "Yealink SIP-T54W",
        "expires_at": clock.now() + timedelta(hours=1),
    }
    return RegistrationChanged(**{**values, **changes})


def call(clock: HandClock, call_id: str = "c1") -> CallEnded:
    return CallEnded(
        call_id=call_id,
        sip_call_id="abc@192.0.2.7",
        caller="200",
        callee="201",
        caller_user_id=USER,
        started_at=clock.now(),
        answered_at=clock.now(),
        ended_at=clock.now() + timedelta(seconds=3),
        disposition="answered",
        status=200,
        reasons=("internal",),
    )


def types(receiver: ScriptedReceiver) -> list[str]:
    return [json.loads(request.body)["type"] for request in receiver.received]


def test_a_binding_appears_is_refreshed_and_goes_with_one_webhook_for_coming_and_going(
    databases: Databases,
    functions: Functions,
    edge: EdgeAtSite,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    arrive(databases, edge, clock, 1, registered(clock))
    came = clock.now()
    functions.ingest()
    arrive(databases, edge, clock, 2, registered(clock, expires_at=clock.advance(600) + timedelta(hours=1)))
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        row = session.query(Registration).one()
        assert (str(row.user_id), row.registered_at, row.refreshed_at) == (USER, came, clock.now())
        assert row.expires_at == clock.now() + timedelta(hours=1)
    arrive(databases, edge, clock, 3, registered(clock, state="removed", expires_at=None))
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        assert session.query(Registration).count() == 0
    functions.deliver()
    assert sorted(types(receiver)) == ["phone.registered", "phone.unregistered"]


def test_a_call_record_sent_twice_under_different_numbers_is_one_call_and_one_webhook(
    databases: Databases,
    functions: Functions,
    edge: EdgeAtSite,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    arrive(databases, edge, clock, 1, call(clock), call(clock))
    arrive(databases, edge, clock, 1, call(clock))
    functions.ingest()
    arrive(databases, edge, clock, 7, call(clock))
    functions.ingest()
    functions.deliver()
    with databases.api.session(edge.known.scope) as session:
        row = session.query(CallRecord).one()
        assert (row.caller, row.callee, row.disposition, row.reasons) == ("200", "201", "answered", ["internal"])
        assert all(event.ingested_at is not None for event in session.query(EventRow))
    assert types(receiver) == ["call.ended"]
    data = json.loads(receiver.received[0].body)["data"]
    assert (data["call_id"], data["site_id"], data["status"]) == ("c1", str(edge.known.site_id), 200)


def test_how_a_call_was_heard_is_found_by_its_record_whichever_of_them_comes_first_and_is_bounded(
    databases: Databases, functions: Functions, edge: EdgeAtSite, clock: HandClock
) -> None:
    first = CallQuality(
        sip_call_id="abc@192.0.2.7", source="relay", heard="callee", packets=99, lost=1, lost_percent=1.0, mos=4.2
    )
    late = CallQuality(sip_call_id="abc@192.0.2.7", source="phone", user_id=USER, mos=3.7)
    other = CallQuality(sip_call_id="other@192.0.2.7", source="engine", mos=1.0)
    arrive(databases, edge, clock, 1, first, other, call(clock))
    clock.advance(1)
    arrive(databases, edge, clock, 4, late)
    arrive(databases, edge, clock, 1, first)
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        found = quality_of(session, session.query(CallRecord).one())
        assert [(one.source, one.heard, one.mos) for one in found] == [("relay", "callee", 4.2), ("phone", None, 3.7)]
        assert (found[0].lost_percent, found[1].user_id, found[1].packets) == (1.0, UUID(USER), None)
        assert [word_of(one.mos) for one in found] == ["good", "fair"]
    arrive(databases, edge, clock, 5, *[late] * 20)
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        assert len(quality_of(session, session.query(CallRecord).one())) == MAX_OF_CALL


def test_a_call_for_help_sent_twice_is_kept_and_told_once_with_where_it_came_from(
    databases: Databases,
    functions: Functions,
    edge: EdgeAtSite,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    called = EmergencyCalled(
        call_id="help-1",
        number="112",
        caller="Desk 200 (200)",
        source="192.0.2.7:5060",
        location_id="floor-2",
        location_name="Floor 2",
        address="Main Street 1, floor 2",
        caller_id="+41441112202",
    )
    arrive(databases, edge, clock, 1, called, called)
    functions.ingest()
    functions.deliver()
    with databases.api.session(edge.known.scope) as session:
        row = session.query(EmergencyCall).one()
        assert (row.number, row.location_name, row.at, row.user_id) == ("112", "Floor 2", clock.now(), None)
    assert types(receiver) == ["emergency.called"]
    told = json.loads(receiver.received[0].body)["data"]
    assert (told["address"], told["caller_id"]) == ("Main Street 1, floor 2", "+41441112202")


def test_an_alarm_opens_once_and_is_cleared(
    databases: Databases, functions: Functions, edge: EdgeAtSite, clock: HandClock
) -> None:
    def alarm(active: bool, text: str) -> AlarmChanged:
        return AlarmChanged(alarm="process_restarted", severity="warning", active=active, text=text)

    arrive(databases, edge, clock, 1, alarm(True, "once"), alarm(True, "twice"))
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        row = session.query(Alarm).one()
        assert (row.text, row.cleared_at) == ("twice", None)
    arrive(databases, edge, clock, 3, alarm(False, "over"), alarm(True, "again"))
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        assert sorted(row.cleared_at is None for row in session.query(Alarm)) == [False, True]


def test_an_unknown_phone_is_counted_until_it_becomes_known(
    databases: Databases, functions: Functions, edge: EdgeAtSite, customer: Customer, clock: HandClock
) -> None:
    seen = UnknownPhoneSeen(mac="001565aabbcc", vendor="Yealink", address="192.0.2.7", protocol="tftp")
    other = UnknownPhoneSeen(address="192.0.2.8", protocol="http")
    arrive(databases, edge, clock, 1, seen, seen, other)
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        found = {row.identity: row.times_seen for row in session.query(UnknownPhone)}
        assert found == {"001565aabbcc": 2, "192.0.2.8": 1}
        add_phone(session, customer, add_user(session, customer, "200"), functions.keys, "pw", "001565aabbcc")
    arrive(databases, edge, clock, 4, seen)
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        assert session.query(UnknownPhone).where(UnknownPhone.identity == "001565aabbcc").one().times_seen == 2


def test_a_phone_of_another_site_that_turns_up_here_is_shown(
    databases: Databases, functions: Functions, edge: EdgeAtSite, customer: Customer, clock: HandClock
) -> None:
    elsewhere = Customer(customer.msp_id, customer.tenant_id, TOKENS.id())
    with databases.api.session(edge.known.scope) as session:
        session.add(Site(id=elsewhere.site_id, tenant_id=customer.tenant_id, name="Elsewhere"))
        session.flush()
        add_phone(session, elsewhere, add_user(session, elsewhere, "300"), functions.keys, "pw", "001565aabbcc")
    arrive(databases, edge, clock, 1, UnknownPhoneSeen(mac="001565aabbcc", address="192.0.2.7", protocol="tftp"))
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        assert session.query(UnknownPhone).one().site_id == customer.site_id


def test_an_event_that_cannot_be_taken_in_is_marked_and_stands_in_nobodys_way(
    databases: Databases, functions: Functions, edge: EdgeAtSite, clock: HandClock
) -> None:
    arrive(databases, edge, clock, 1, registered(clock, line_id="not-an-id"), call(clock, "c2"))
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        problems = [row.problem for row in session.query(EventRow).order_by(EventRow.sequence)]
        assert problems[0] is not None
        assert problems[1] is None
        assert session.query(CallRecord).one().call_id == "c2"


def test_a_contact_that_no_index_takes_is_marked_and_stands_in_nobodys_way(
    functions: Functions, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock
) -> None:
    endless = "".join(chr(0x4E00 + (n * 7919) % 20000) for n in range(1024))
    arrive(databases, edge, clock, 1, registered(clock, contact=endless), call(clock))
    functions.ingest()
    with databases.api.session(customer.scope) as session:
        problems = [row.problem for row in session.query(EventRow).order_by(EventRow.sequence)]
        assert session.query(CallRecord).count() == 1
    assert problems == ["the database refuses it: a text is too long for an index", None]


def test_an_event_of_a_kind_not_known_here_is_marked(
    databases: Databases, functions: Functions, edge: EdgeAtSite, clock: HandClock
) -> None:
    arrive(databases, edge, clock, 1, call(clock))
    with databases.worker.session(edge.known.scope) as session:
        session.query(EventRow).one().payload = {"at": "2026-01-01T00:00:00Z", "what": {"kind": "from_the_future"}}
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        row = session.query(EventRow).one()
        assert row.problem == "not an event known here: 1 problems"


def test_on_its_schedule_the_function_looks_for_itself(
    databases: Databases, functions: Functions, edge: EdgeAtSite, clock: HandClock
) -> None:
    arrive(databases, edge, clock, 1, call(clock))
    context = LambdaContext(function_name="ingest_events", aws_request_id="r")
    assert functions.ingester({"source": "aws.events"}, context) == {"batchItemFailures": []}
    with databases.api.session(edge.known.scope) as session:
        assert session.query(CallRecord).count() == 1


def test_a_burst_of_calls_is_taken_in_completely(
    databases: Databases, functions: Functions, edge: EdgeAtSite, clock: HandClock
) -> None:
    arrive(databases, edge, clock, 1, *(call(clock, f"c{n}") for n in range(450)))
    functions.ingest()
    with databases.api.session(edge.known.scope) as session:
        assert session.query(CallRecord).count() == 450


def new_device(databases: Databases, customer: Customer, mac: str, model: str) -> UUID:
    device_id = TOKENS.id()
    with databases.api.session(customer.scope) as session:
        session.add(Device(id=device_id, tenant_id=customer.tenant_id, site_id=customer.site_id, mac=mac, model=model))
    return device_id


def test_a_phone_is_followed_from_the_order_over_its_fetch_to_its_registration(
    functions: Functions, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock
) -> None:
    device_id = new_device(databases, customer, "805ec0000001", "yealink/t54w")
    named = str(device_id)
    arrive(
        databases,
        edge,
        clock,
        1,
        PhoneResync(device_id=named, state="asked"),
        PhoneFetched(device_id=named, address="192.0.2.7", protocol="https", proof="password", version=2),
        PhoneResync(device_id=named, state="fetched"),
        PhoneUploaded(device_id=named, name="boot.log", size=5, content=b"boot\n"),
        PhoneUploaded(device_id=named, name="boot.log", size=6, content=b"again\n"),
        PhoneRefused(reason="clear_text", mac="805ec0000001", device_id=named, address="192.0.2.7", protocol="tftp"),
        PhoneRefused(reason="clear_text", mac="805ec0000001", device_id=named, address="192.0.2.7", protocol="tftp"),
        PhoneFetched(device_id=str(TOKENS.id()), address="192.0.2.7", protocol="http", version=2),
    )
    functions.ingest()
    with databases.worker.session(customer.scope) as session:
        visit = session.get_one(DeviceVisit, device_id)
        assert (visit.resync_state, visit.proof, visit.fetched_version) == ("fetched", "password", 2)
        assert session.query(PhoneUpload).one().content == b"again\n"
        assert session.query(PhoneRefusal).one().times_seen == 2
    arrive(databases, edge, clock, 9, registered(clock, device_id=named))
    functions.ingest()
    arrive(databases, edge, clock, 10, registered(clock, device_id=named))  # refreshed: nothing new happened
    arrive(databases, edge, clock, 11, registered(clock, device_id=named, state="expired"))
    functions.ingest()
    with databases.worker.session(customer.scope) as session:
        assert session.get_one(DeviceVisit, device_id).resync_state == "registered"
        happened = session.query(DeviceHappening).order_by(DeviceHappening.id).all()
        assert [(one.kind, one.times) for one in happened] == [
            ("asked", 1),
            ("fetched", 1),
            ("sent", 2),
            ("refused", 2),
            ("applied", 1),
            ("registered", 1),
            ("unregistered", 1),
        ]
        assert happened[1].detail == {"address": "192.0.2.7", "protocol": "https", "proof": "password", "version": 2}
        assert happened[3].detail["reason"] == "clear_text"
        assert happened[-1].detail["reason"] == "expired"


def test_of_each_phone_only_the_latest_happenings_are_kept(
    functions: Functions, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock
) -> None:
    flooding, other = (new_device(databases, customer, f"805ec000000{n}", "yealink/t54w") for n in (1, 2))

    def fetched(device_id: UUID, version: int) -> PhoneFetched:
        return PhoneFetched(device_id=str(device_id), address="192.0.2.7", protocol="http", version=version)

    arrive(databases, edge, clock, 1, fetched(other, 1), *(fetched(flooding, n) for n in range(1, KEPT + 31)))
    functions.ingest()
    with databases.worker.session(customer.scope) as session:
        kept = session.query(DeviceHappening).filter_by(device_id=flooding).order_by(DeviceHappening.id).all()
        assert [one.detail["version"] for one in kept] == list(range(31, KEPT + 31))
        assert session.query(DeviceHappening).filter_by(device_id=other).count() == 1


def test_an_announced_phone_of_an_uploaded_plug_in_becomes_known(
    functions: Functions, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock
) -> None:
    with databases.api.session(customer.scope) as session:
        content = pack(unpack(packed(GOOD), "acme"))
        plugin = DevicePlugin(
            id=TOKENS.id(),
            tenant_id=customer.tenant_id,
            vendor="acme",
            label="Acme",
            models=["one"],
            content=content,
            digest="0" * 64,
        )
        session.add(plugin)
    device_id = new_device(databases, customer, "02acac000001", "announced/any")
    said = UnknownPhoneSeen(mac="02acac000001", vendor="acme", model="One", address="192.0.2.7", protocol="dhcp")
    arrive(databases, edge, clock, 1, said)
    functions.ingest()
    with databases.worker.session(customer.scope) as session:
        assert session.get_one(Device, device_id).model == "acme/one"


def test_an_announced_phone_becomes_known_when_it_says_what_it_is_and_its_site_is_published(
    functions: Functions, databases: Databases, customer: Customer, edge: EdgeAtSite, clock: HandClock
) -> None:
    device_id = new_device(databases, customer, "805ec0000001", "announced/any")
    silent = UnknownPhoneSeen(mac="805ec0000001", address="192.0.2.7", protocol="tftp")
    arrive(databases, edge, clock, 1, silent)
    functions.ingest()
    with databases.worker.session(customer.scope) as session:
        assert session.query(UnknownPhone).count() == 1
    said = UnknownPhoneSeen(
        mac="805ec0000001", vendor="yealink", model="SIP-T54W", firmware="96.86", address="192.0.2.7", protocol="http"
    )
    arrive(databases, edge, clock, 2, said)
    functions.ingest()
    with databases.worker.session(customer.scope) as session:
        assert session.get_one(Device, device_id).model == "yealink/t54w"
        assert session.query(UnknownPhone).count() == 0
        came = session.query(DeviceHappening).one()
        assert (came.kind, came.detail["address"], came.detail["protocol"]) == ("came", "192.0.2.7", "http")
    functions.publish()
    with databases.worker.session(customer.scope) as session:
        snapshot = latest_snapshot(session, customer.site_id)
        assert snapshot is not None
        assert {device.mac for device in snapshot.devices} == {"805ec0000001"}
