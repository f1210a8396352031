"""The demo's main office answers calls: an attendant, queues with their history, and what else has a number."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from cloud.models import QueueCall
from cloud.pbx.edges import KnownEdge
from tests.support.customers import TOKENS, HandClock
from tests.support.postgres import Databases

AGENTS: Final = ("201", "200", "202", "203", "205")
"""Extensions of who answers the queue Support."""
_NIGHT: Final = {"kind": "voicemail", "mailbox": "620"}
_CALLERS: Final = ("+49301234777", "+49301234888", "+49301234999", "+4989555123", "+4940777456")
_OUTCOMES: Final = ("answered", "answered", "answered", "abandoned", "answered", "too_long", "answered", "left_by_key")


def services(users: dict[str, str]) -> list[dict[str, Any]]:
    """Voice services.

    Args:
        users: ids by extension.
    """
    keys = (
        ("1", {"kind": "dial", "destination": "610"}, "Support"),
        ("2", {"kind": "dial", "destination": "611"}, "Sales"),
        ("3", {"kind": "menu", "menu_id": "orders"}, "Orders"),
        ("9", {"kind": "name"}, "By name"),
        ("0", {"kind": "operator"}, "Reception"),
    )
    orders = (
        ("1", {"kind": "dial", "destination": "203"}, "Today’s orders"),
        ("2", {"kind": "voicemail", "mailbox": "620"}, "Leave an order"),
        ("*", {"kind": "back"}, "Back"),
    )
    welcome = "Good day, this is the bakery. For our support, press one."
    menus = [
        {
            "menu_id": "day",
            "name": "By day",
            "greeting": {"kind": "spoken", "text": welcome},
            "keys": [{"key": key, "action": action, "label": label} for key, action, label in keys],
            "direct_extensions": True,
            "no_input": {"times": 2, "then": {"kind": "operator"}},
        },
        {
            "menu_id": "orders",
            "name": "Orders",
            "keys": [{"key": key, "action": action, "label": label} for key, action, label in orders],
        },
        {
            "menu_id": "night",
            "name": "Closed",
            "greeting": {"kind": "standard", "phrase": "closed"},
            "no_input": {"times": 0, "then": _NIGHT},
        },
    ]
    agents = [{"user_id": users[one], "skill": 9 - place} for place, one in enumerate(AGENTS)]
    return [
        {
            "kind": "attendant",
            "service_id": "main",
            "name": "Main number",
            "extension": "550",
            "menus": menus,
            "first_menu": "day",
            "by_time": [
                {"menu_id": "night", "during": {"schedule_id": "office", "periods": ["after_hours", "holiday"]}}
            ],
            "operator": "200",
        },
        {
            "kind": "queue",
            "service_id": "support",
            "name": "Support",
            "extension": "610",
            "strategy": "skills",
            "agents": agents,
            "supervisors": [users["200"]],
            "begin_logged_in": True,
            "wrap_up_seconds": 60,
            "overflow_to": "620",
            "leave_key": "0",
        },
        {
            "kind": "queue",
            "service_id": "sales",
            "name": "Sales",
            "extension": "611",
            "agents": agents[1:2],
            "supervisors": [users["200"]],
            "nobody_to": "620",
        },
        {
            "kind": "mailbox",
            "service_id": "orders",
            "name": "Orders",
            "extension": "620",
            "owners": [users["200"], users["203"]],
        },
        {
            "kind": "fax",
            "service_id": "office-fax",
            "name": "Office fax",
            "extension": "390",
            "owners": [users["200"], users["202"]],
            "station": "+49 30 1234390",
        },
        {"kind": "park", "service_id": "park", "name": "Park", "extension": "700", "orbits": ["701", "702", "703"]},
        {
            "kind": "paging",
            "service_id": "all",
            "name": "Shop and bakehouse",
            "extension": "710",
            "members": [users["201"], users["203"]],
        },
        {
            "kind": "announcement",
            "service_id": "hours",
            "name": "Opening hours",
            "extension": "720",
            "says": {"kind": "spoken", "text": "We are open from eight to half past five."},
        },
    ]


def queue_history(databases: Databases, clock: HandClock, edge: KnownEdge, users: dict[str, str]) -> None:
    """Callers of the last hours, the latest a few minutes ago.

    Args:
        users: ids by extension.
    """
    now = clock.now()
    rows = []
    for place in range(72):
        outcome = _OUTCOMES[(place * 5 + place // 7) % len(_OUTCOMES)]
        came = now - timedelta(minutes=9 + 11 * place + (place * place) % 9)
        agent = users[AGENTS[place % 4]]
        waited = timedelta(seconds=4 + (place * 13) % 46)
        left = came + waited
        answered = outcome == "answered"
        offer = {
            "user_id": agent,
            "at": (left - timedelta(seconds=4)).isoformat(),
            "seconds": 4,
            "result": "answered" if answered else "no_answer",
        }
        rows.append(
            QueueCall(
                id=TOKENS.id(),
                tenant_id=edge.tenant_id,
                site_id=edge.site_id,
                edge_id=edge.edge_id,
                call_id=f"queue-call-{place}",
                queue_id="sales" if place % 6 == 5 else "support",
                queue_name="Sales" if place % 6 == 5 else "Support",
                caller=_CALLERS[place % len(_CALLERS)],
                caller_name="Mill" if place % len(_CALLERS) == 0 else "",
                came_at=came,
                answered_at=left if answered else None,
                ended_at=left + timedelta(seconds=60 + (place * 37) % 300) if answered else left,
                outcome=outcome,
                sent_to="620" if outcome in ("too_long", "left_by_key") else "",
                agent_id=UUID(agent) if answered else None,
                wrap_up_seconds=30.0 if answered else 0.0,
                offers=[offer] if place % 3 != 2 or answered else [],
            )
        )
    with databases.worker.session(edge.scope) as session:
        session.add_all(rows)
