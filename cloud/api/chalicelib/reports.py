"""/registrations, /calls, /emergencies, /alarms, /events and /audit: what happened, as it was reported or done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime, Field

from cloud import models
from cloud.api.chalicelib.fields import LINE, PathId, Shown, SiteFilter
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import alarms, audit_log, call_quality, call_recordings, calls, emergencies, events, registrations
from cloud.pbx.call_quality import Word

router = new_router()

UserFilter = Annotated[UUID | None, Query(description="Only what concerns this user")]
After = Annotated[AwareDatetime | None, Query(description="Not before this moment")]
Before = Annotated[AwareDatetime | None, Query(description="Before this moment")]


class Registration(Shown):
    """A binding that an edge holds: this line can be reached at this contact."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    edge_id: UUID
    user_id: UUID
    line_id: UUID
    device_id: UUID | None
    contact: str
    user_agent: str
    source: str
    transport: str
    expires_at: datetime | None
    registered_at: datetime
    refreshed_at: datetime


class RegistrationPage(Shown):
    """Some of the registrations."""

    items: list[Registration]
    next: str | None = None


class CallRecordingShown(Shown):
    """A recording of a call."""

    id: UUID
    began_at: datetime
    seconds: float
    announced: bool = Field(description="Whether both sides were told at the beginning")
    audio: call_recordings.Place = Field(description="Where its sound is")


class CallRecord(Shown):
    """A call detail record (CDR)."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    edge_id: UUID
    call_id: str
    sip_call_id: str
    caller: str
    callee: str
    caller_user_id: UUID | None
    callee_user_id: UUID | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    disposition: str
    status: int = Field(description="The final SIP status that the caller got")
    interrupted: bool = Field(description="The edge stopped during the call; the record was closed at its next start")
    reasons: list[str]
    recordings: list[CallRecordingShown] = Field(description="In the order in which they began; empty: none is kept")


class CallQuality(Shown):
    """How well one side of a call was heard; null is what nobody measured."""

    at: datetime
    source: Literal["engine", "relay", "phone"] = Field(
        description="Who measured: the voice services, the relay that the media went through, or a phone (RFC 6035)"
    )
    heard: Literal["caller", "callee"] | None = Field(description="Whose media it is; null: not known which of them")
    user_id: UUID | None = Field(description="Whose phone measured")
    codec: str
    packets: int | None = Field(description="That came")
    lost: int | None = Field(description="Packets that never came")
    lost_percent: float | None
    late_percent: float | None = Field(description="That came too late to be heard")
    jitter_ms: float | None
    longest_jitter_ms: float | None
    round_trip_ms: float | None
    mos: float | None = Field(description="Estimated opinion of a listener, 1 to 5 (ITU-T G.107)")
    word: Word | None = Field(description="What the opinion means: `good` from 4.03 on, `fair` from 3.6 on, or `poor`")


class CallDetail(CallRecord):
    """A call detail record with how well its sides were heard."""

    quality: list[CallQuality] = Field(description="In the order in which it was told; empty: nobody told")


class CallPage(Shown):
    """Some of the calls, the latest first."""

    items: list[CallRecord]
    next: str | None = None


class Alarm(Shown):
    """Something at a site that needs a person."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    edge_id: UUID
    alarm: str
    severity: str
    text: str
    raised_at: datetime
    cleared_at: datetime | None = Field(description="null: it is open")


class AlarmPage(Shown):
    """Some of the alarms, the latest first."""

    items: list[Alarm]
    next: str | None = None


class Event(Shown):
    """One event as an edge sent it."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    edge_id: UUID
    sequence: int
    kind: str
    at: datetime = Field(description="When it happened, by the edge's clock")
    received_at: datetime
    payload: dict[str, Any]


class EmergencyCall(Shown):
    """A call for help, as it was told when it began."""

    id: UUID
    tenant_id: UUID
    site_id: UUID
    edge_id: UUID
    call_id: str = Field(description="Of the record that the call ends in")
    at: datetime
    number: str = Field(description="What was dialled")
    caller: str
    user_id: UUID | None
    device_id: UUID | None
    source: str = Field(description="Address and port of the phone")
    location_id: str | None = Field(description="Of the site's dial plan; null: none is known")
    location_name: str
    address: str = Field(description="The dispatchable location")
    caller_id: str = Field(description="The number that stands for the place (ELIN)")


class EmergencyPage(Shown):
    """Some of the calls for help, the latest first."""

    items: list[EmergencyCall]
    next: str | None = None


class EventPage(Shown):
    """Some of the events, the latest first."""

    items: list[Event]
    next: str | None = None


class AuditEntry(Shown):
    """One change that somebody made."""

    id: UUID
    msp_id: UUID | None
    tenant_id: UUID | None
    at: datetime
    account_id: UUID | None
    actor: str
    action: str
    resource: str
    resource_id: str
    changes: dict[str, Any] = Field(description="Field → [before, after]; never a secret's value")
    source: str


class AuditPage(Shown):
    """Some of the changes, the latest first."""

    items: list[AuditEntry]
    next: str | None = None


@router.get("/registrations", **operation("listRegistrations", "reports", "List live registrations", "tenant_admin"))
def list_registrations(
    work: Current, limit: Limit = 50, cursor: Cursor = None, site_id: SiteFilter = None, user_id: UserFilter = None
) -> RegistrationPage:
    now = work.services.clock.now()
    page = registrations.list_registrations(
        work.session, page_request(limit, cursor), now, site_id=site_id, user_id=user_id
    )
    return RegistrationPage(
        items=[Registration.model_validate(row) for row in page.items], next=encode_cursor(page.next)
    )


@router.get("/calls", **operation("listCalls", "reports", "List calls, the latest first", "user"))
def list_calls(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    site_id: SiteFilter = None,
    user_id: UserFilter = None,
    after: After = None,
    before: Before = None,
) -> CallPage:
    page = calls.list_calls(
        work.session,
        page_request(limit, cursor),
        site_id=site_id,
        user_id=user_id,
        after=after,
        before=before,
        only=work.only_user,
    )
    return CallPage(items=_calls(work, page.items), next=encode_cursor(page.next))


@router.get("/calls/<record_id>", **operation("getCall", "reports", "Get a call", "user"))
def get_call(work: Current, record_id: PathId) -> CallDetail:
    call = calls.get_call(work.session, record_id, only=work.only_user)
    told = [_quality(one) for one in call_quality.quality_of(work.session, call)]
    (shown,) = _calls(work, [call])
    return CallDetail.model_validate({**shown.model_dump(), "quality": told})


def _calls(work: Current, rows: Sequence[models.CallRecord]) -> list[CallRecord]:
    recorded = call_recordings.recordings_of(work.session, rows, work.services.clock.now())
    uploading = call_recordings.sites_that_upload(work.session, {row.site_id for row in rows if recorded[row.id]})

    made = ("id", "began_at", "seconds", "announced")
    fields = [name for name in CallRecord.model_fields if name != "recordings"]
    return [
        CallRecord.model_validate(
            {name: getattr(row, name) for name in fields}
            | {
                "recordings": [
                    {name: getattr(one, name) for name in made} | {"audio": call_recordings.place_of(one, uploading)}
                    for one in recorded[row.id]
                ]
            }
        )
        for row in rows
    ]


def _quality(told: models.CallQuality) -> CallQuality:
    shown = {name: getattr(told, name) for name in CallQuality.model_fields if name != "word"}
    return CallQuality(**shown, word=call_quality.word_of(told.mos))


@router.get(
    "/emergencies", **operation("listEmergencies", "reports", "List calls for help, the latest first", "tenant_admin")
)
def list_emergencies(
    work: Current, limit: Limit = 50, cursor: Cursor = None, site_id: SiteFilter = None
) -> EmergencyPage:
    page = emergencies.list_emergencies(work.session, page_request(limit, cursor), site_id=site_id)
    return EmergencyPage(items=[EmergencyCall.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.get("/alarms", **operation("listAlarms", "reports", "List alarms, the latest first", "tenant_admin"))
def list_alarms(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    site_id: SiteFilter = None,
    state: Annotated[Literal["open", "cleared"] | None, Query(description="Only open ones, or only those over")] = None,
) -> AlarmPage:
    page = alarms.list_alarms(work.session, page_request(limit, cursor), site_id=site_id, state=state)
    return AlarmPage(items=[Alarm.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.get(
    "/events", **operation("listEvents", "reports", "List what edges reported, the latest first", "tenant_admin")
)
def list_events(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    site_id: SiteFilter = None,
    kind: Annotated[
        Literal["registration", "call", "emergency", "alarm", "unknown_phone"] | None,
        Query(description="Only of this kind"),
    ] = None,
) -> EventPage:
    page = events.list_events(work.session, page_request(limit, cursor), site_id=site_id, kind=kind)
    return EventPage(items=[Event.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.get("/audit", **operation("listAudit", "reports", "List changes, the latest first", "tenant_admin"))
def list_audit(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    resource: Annotated[
        str | None, Query(max_length=64, pattern=LINE, description="Only of this kind of thing")
    ] = None,
    resource_id: Annotated[str | None, Query(max_length=64, pattern=LINE, description="Only of this thing")] = None,
) -> AuditPage:
    page = audit_log.list_audit(work.session, page_request(limit, cursor), resource=resource, resource_id=resource_id)
    return AuditPage(items=[AuditEntry.model_validate(row) for row in page.items], next=encode_cursor(page.next))
