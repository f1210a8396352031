"""A ticketing system hears of the site: signed, again after a failure, never again after 410."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from cloud.local.api_client import ApiClient
from cloud.local.system import LocalSystem
from tests.support.raw_sip import RawPhone
from tests.support.waiting import eventually
from tests.support.webhook_receiver import Delivery, WebhookReceiver
from tests.system.conftest import Site, settings_for

EVENTS = ["edge.offline", "edge.online", "phone.registered", "call.ended"]


@pytest.fixture
def lab_system(tmp_path: Path) -> Iterator[LocalSystem]:
    """A system that may deliver to loopback addresses, and tries again soon."""
    lab = {
        "TANDEM_API_INSECURE_WEBHOOKS": "true",
        "TANDEM_WEBHOOK_ALLOW_PRIVATE": "true",
        "TANDEM_WEBHOOK_RETRY_SECONDS": "[0.2, 0.2, 0.2, 0.2]",
    }
    running = LocalSystem(settings_for(tmp_path / "lab", **lab), None, None, lambda _: None)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def verified(delivery: Delivery, secret: str) -> dict[str, Any]:
    """The event, as the specification's own library accepts it."""
    event: dict[str, Any] = Webhook(secret).verify(delivery.body, delivery.headers)
    assert event == json.loads(delivery.body)
    return event


def endpoint(api: ApiClient, site: Site, receiver: WebhookReceiver, events: list[str]) -> dict[str, Any]:
    return hook(api, site, receiver.url, events)


def hook(api: ApiClient, site: Site, url: str, events: list[str]) -> dict[str, Any]:
    body = {"tenant_id": site.running.tenant_id, "url": url, "event_types": events}
    made: dict[str, Any] = api.post("/webhook-endpoints", body)
    return made


def hang_up_at_once(phone: RawPhone, dialled: str) -> int:
    """A call that nobody answers, because nobody is registered."""
    return phone.invite(dialled).status


def test_a_ticketing_system_hears_signed_events_and_again_after_it_answered_500(lab_system: LocalSystem) -> None:
    site = Site(lab_system).without_mailboxes()
    with WebhookReceiver(answer=lambda number: 500 if number == 0 else 204) as receiver:
        secret = endpoint(site.api, site, receiver, EVENTS)["secret"]
        with site.phone(0) as phone:
            assert phone.register().status == 200
            assert hang_up_at_once(phone, site.accounts[1].username) == 480

        def heard() -> set[str]:
            return {verified(d, secret)["type"] for d in receiver.deliveries if d.answered == 204}

        eventually(lambda: {"phone.registered", "call.ended"} <= heard(), what="events of the phone and the call")
        lab_system.parts["edge"].stop()
        eventually(lambda: "edge.offline" in heard(), within=20, what="edge.offline")
        lab_system.start_part("edge")
        eventually(lambda: "edge.online" in heard(), within=20, what="edge.online")

        ids = [delivery.headers["webhook-id"] for delivery in receiver.deliveries]
        assert receiver.deliveries[0].answered == 500
        assert ids.count(ids[0]) == 2, "the delivery that failed came again, under the same id"
        assert len(set(ids)) == len(ids) - 1, "and nothing else came twice"
        kept = [verified(delivery, secret) for delivery in receiver.deliveries if delivery.answered == 204]
        (ended,) = (event for event in kept if event["type"] == "call.ended")
        assert ended["data"]["callee"] == site.accounts[1].username


def test_an_endpoint_that_answered_410_never_hears_again(lab_system: LocalSystem) -> None:
    site = Site(lab_system).without_mailboxes()
    with WebhookReceiver(answer=lambda _: 410) as gone, WebhookReceiver() as witness:
        closed = endpoint(site.api, site, gone, ["call.ended"])
        endpoint(site.api, site, witness, ["call.ended"])
        with site.phone(0) as phone:
            hang_up_at_once(phone, site.accounts[1].username)
            eventually(
                lambda: not site.api.get(f"/webhook-endpoints/{closed['id']}")["enabled"], what="the endpoint disabled"
            )
            hang_up_at_once(phone, site.accounts[1].username)
        eventually(lambda: len(witness.deliveries) == 2, what="both calls at the endpoint that stayed")
        assert len(gone.deliveries) == 1
        shown = site.api.get(f"/webhook-endpoints/{closed['id']}")
        assert "410" in shown["disabled_reason"]


def test_a_private_address_is_refused_unless_a_setting_allows_it(site: Site) -> None:
    with WebhookReceiver() as receiver:
        made = hook(site.api, site, receiver.url.replace("http://", "https://"), ["call.ended"])
        with site.phone(0) as phone:
            hang_up_at_once(phone, site.accounts[1].username)

        def refusals() -> list[str]:
            rows = site.api.items(f"/webhook-deliveries?tenant_id={site.running.tenant_id}")
            return [row["error"] for row in rows if row["error"]]

        assert "address" in eventually(refusals, what="a delivery that was refused")[0]
        assert receiver.deliveries == []
        site.api.delete(f"/webhook-endpoints/{made['id']}")
