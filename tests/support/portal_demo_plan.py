"""The demo's main office as it makes calls: trunks, rules, numbers, places, groups, and what people set."""

from typing import Any, Final

from tests.support.api_world import Client
from tests.support.portal_demo_services import services

TRUNKS: Final = (
    {
        "gateway_id": "trunk-1",
        "name": "sipgate trunking",
        "host": "sipconnect.sipgate.de",
        "username": "2345678t0",
        "register_seconds": 600,
        "identity_in": "preferred",
        "numbers": {"style": "digits"},
        "incoming": {"style": "digits"},
        "caller_id": "+49301234500",
        "max_calls": 10,
    },
    {"gateway_id": "trunk-2", "name": "Second provider", "host": "sip.second.example", "options_seconds": 60},
)
GATEWAYS: Final = ({"gateway_id": "fxo", "name": "Analogue line", "host": "192.168.10.9", "caller_id": "+4930998877"},)


def make_plan(client: Client, site_id: str, users: dict[str, str]) -> None:
    """Save it all.

    Args:
        users: ids by extension.
    """
    path = f"/sites/{site_id}/dial-plan"
    document: dict[str, Any] = client.get(path).json["document"]
    document.update(
        trunks=TRUNKS,
        gateways=GATEWAYS,
        schedules=[
            {
                "schedule_id": "office",
                "name": "Office",
                "hours": [
                    {"days": [1, 2, 3, 4, 5], "start": 480, "end": 1050},
                    {"days": [6], "start": 540, "end": 780},
                ],
                "holidays": [{"day": "2026-12-25", "every_year": True, "name": "Christmas"}],
            }
        ],
        hunt_groups=[
            {
                "group_id": "sales",
                "name": "Sales",
                "extension": "500",
                "strategy": "longest_idle",
                "members": [users["200"], users["202"]],
                "fallback": "201",
            }
        ],
        voice_services=[
            {
                "kind": "conference",
                "service_id": "team",
                "name": "Team meeting",
                "extension": "600",
                "owner": users["200"],
                "asks_pin": True,
                "waits_for_moderator": True,
            },
            {"kind": "user_conferences", "service_id": "own", "name": "Own room", "extension": "8", "asks_pin": True},
            *services(users),
        ],
    )
    document.update(
        numbers=[
            {"number": "+49301234550", "destination": "500", "name": "Main number"},
            *({"number": f"+493012345{extension[1:]}", "destination": extension} for extension in sorted(users)),
            {"number": "+49301234577", "destination": "277", "name": "Former colleague"},
        ],
        locations=[
            {
                "location_id": "shop",
                "name": "Shop and bakehouse",
                "caller_id": "+49301234590",
                "civic": {"street": "Lange Straße", "house_number": "4", "postal_code": "10243", "city": "Berlin"},
            },
            {
                "location_id": "office",
                "name": "Office, second floor",
                "caller_id": "+49301234591",
                "address": "Lange Straße 6, 10243 Berlin, rear building, 2nd floor",
            },
        ],
        default_location_id="shop",
        emergency={"callback_minutes": 60, "notified_users": [users["200"]], "mail_to": ["safety@bakery.example"]},
        pickup_groups=[{"group_id": "shop", "name": "Shop", "members": [users["200"], users["201"], users["203"]]}],
    )
    saved(client.put(path, {"document": document}))
    saved(client.put(f"/sites/{site_id}/trunks/trunk-1/password", {"password": "only for demonstrations"}))
    choice = {"country": "DE", "area_code": "30"}
    document = saved(client.post(f"{path}/template", choice)).json["document"]
    saved(client.put(path, {"document": document}))


def saved(answer: Any) -> Any:
    """The answer, which is no refusal."""
    assert answer.status in {200, 201}, answer.body
    return answer
