"""What an edge knows and the cloud does not keep: the messages of a call, its counters. Asked of the edge at once."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from cloud.api.chalicelib.authorizer import scope_of
from cloud.api.chalicelib.fields import PathId
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current, Work
from cloud.pbx.questions import NothingRemembered, ask_edge, call_to_ask_about
from contract.sync.dhcp import DhcpStatus
from contract.sync.ladder import Ladder
from contract.sync.live_calls import CallsInProgress
from contract.sync.questions import CALL_LADDER, CALL_PCAP, DHCP_STATUS, FIGURES, LIVE_CALLS, EdgeFigures

router = new_router()

SipCallId = Annotated[str, Query(max_length=1024, description="Of one of the calls in progress")]

CAPTURE_FILE = "application/octet-stream"
"""What API Gateway hands out as bytes to those who accept just this."""


@router.get(
    "/sites/<site_id>/calls/<record_id>/ladder",
    **operation("getCallLadder", "reports", "The SIP messages of a call, asked of its edge", "tenant_admin"),
)
def get_call_ladder(work: Current, site_id: PathId, record_id: PathId) -> Ladder:
    return Ladder.model_validate_json(_ask_about_call(work, site_id, record_id, CALL_LADDER))


@router.get(
    "/sites/<site_id>/calls/<record_id>/ladder.pcap",
    **operation("getCallCapture", "reports", "The same as a capture file for Wireshark", "tenant_admin"),
)
def get_call_capture(work: Current, site_id: PathId, record_id: PathId) -> Response[str]:
    file = _ask_about_call(work, site_id, record_id, CALL_PCAP)
    named = {"Content-Disposition": f'attachment; filename="call-{record_id}.pcap"', "Cache-Control": "no-store"}
    response = Response(200, CAPTURE_FILE, file, headers=named)
    response.base64_encoded = True  # as it came from the edge; the gateway makes bytes of it
    return response


@router.get(
    "/edges/<edge_id>/live-calls",
    **operation("getLiveCalls", "edges", "Calls in progress at an edge, asked of it", "tenant_admin"),
)
def get_live_calls(work: Current, edge_id: PathId) -> CallsInProgress:
    return CallsInProgress.model_validate_json(_ask(work, edge_id, LIVE_CALLS))


@router.get(
    "/edges/<edge_id>/live-calls/ladder",
    **operation(
        "getLiveCallLadder", "edges", "The SIP messages of a call in progress, asked of its edge", "tenant_admin"
    ),
)
def get_live_call_ladder(work: Current, edge_id: PathId, sip_call_id: SipCallId = "") -> Ladder:
    answer = _ask(work, edge_id, CALL_LADDER, {"sip_call_id": sip_call_id})
    if not answer:
        raise NothingRemembered
    return Ladder.model_validate_json(answer)


@router.get(
    "/edges/<edge_id>/figures",
    **operation("getEdgeFigures", "edges", "Counters and gauges of an edge, asked of it", "tenant_admin"),
)
def get_edge_figures(work: Current, edge_id: PathId) -> EdgeFigures:
    return EdgeFigures.model_validate_json(_ask(work, edge_id, FIGURES))


@router.get(
    "/edges/<edge_id>/dhcp",
    **operation("getEdgeDhcp", "edges", "Leases and other DHCP servers, asked of an edge", "tenant_admin"),
)
def get_edge_dhcp(work: Current, edge_id: PathId) -> DhcpStatus:
    return DhcpStatus.model_validate_json(_ask(work, edge_id, DHCP_STATUS))


def _ask_about_call(work: Work, site_id: PathId, record_id: PathId, question: str) -> str:
    services = work.services
    call = call_to_ask_about(work.session, site_id, record_id)
    edge_id, arguments = call.edge_id, {"sip_call_id": call.sip_call_id}
    work.session.commit()
    scope = scope_of(work.claims)
    answer = ask_edge(services.database, scope, services.tokens, services.clock, edge_id, question, arguments)
    if not answer:
        raise NothingRemembered
    return answer


def _ask(work: Work, edge_id: UUID, question: str, arguments: dict[str, str] | None = None) -> str:
    services = work.services
    work.session.commit()  # the connection is not kept while the edge thinks
    scope = scope_of(work.claims)
    return ask_edge(services.database, scope, services.tokens, services.clock, edge_id, question, arguments or {})
