"""Redirect services in the portal: an account is made and tried, and a phone says how far its vendor is told."""

import pytest
from playwright.sync_api import expect

from cloud.functions.push_redirects import handler as push_redirects
from cloud.functions.records import LambdaContext, claim_records, sqs_event
from cloud.models import RedirectAccount
from cloud.pbx.database import Scope
from tests.support.api_things import furnish
from tests.support.api_world import ApiWorld
from tests.support.customers import TOKENS
from tests.support.portal import Visit
from tests.support.redirect_services import PASSWORD, USERNAME, StandIn, redirect_service

pytestmark = pytest.mark.peer("chromium")


def work(world: ApiWorld, service: StandIn) -> None:
    """Do what is due, at the stand-in."""
    with world.databases.api.session(Scope(tenant_id=world.ours.tenant_id)) as session:
        for account in session.query(RedirectAccount):
            account.api_url = service.api_url
    client = push_redirects.new_client(private_allowed=True, timeout_seconds=5)
    services = world.services
    handle = push_redirects.compose(
        world.databases.worker, services.keys, world.clock, TOKENS, client, services.catalogue
    )
    while bodies := claim_records(world.databases.worker, push_redirects.KINDS, world.clock.now()):
        handle(sqs_event("push_redirects", bodies), LambdaContext("push_redirects", "r"))


def test_an_account_is_made_and_its_log_in_tried(msp: Visit, world: ApiWorld) -> None:
    page = msp.page
    page.get_by_role("link", name="Redirect services").click()
    page.get_by_role("button", name="New account").first.click()
    form = page.get_by_role("form", name="New redirect account")
    form.get_by_role("combobox", name="Service").click()
    page.get_by_role("option", name="Snom SRAPS").click()
    form.get_by_label("Access key id").fill(USERNAME)
    form.get_by_label("Access key secret").fill(PASSWORD)
    form.get_by_role("button", name="Create account").click()
    table = page.get_by_role("table", name="Redirect accounts")
    expect(table).to_contain_text("Not tried")
    table.get_by_role("button", name="Test Snom SRAPS").click()
    expect(table).to_contain_text("Being tried")
    with redirect_service("snom_sraps") as service:
        work(world, service)
    expect(table).to_contain_text("Works")
    assert PASSWORD not in page.content()


def test_a_phone_of_another_account_says_so_and_can_be_told_again(msp: Visit, world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    world.admin.patch(f"/redirect-accounts/{things['redirect_account_id']}", {"password": PASSWORD})
    world.admin.patch(f"/sites/{things['site_id']}", {"provisioning": {"server_name": "phones.example"}})
    with redirect_service("yealink_rps") as service:
        service.others = {"00-15-65-AA-BB-CC"}
        work(world, service)
        msp.go(f"/sites/{things['site_id']}/devices")
        devices = msp.page.get_by_role("table", name="Devices")
        expect(devices).to_contain_text("Locked to another account")
        service.others = set()
        devices.get_by_role("button", name="Tell the service of 00:15:65:AA:BB:CC again").click()
        expect(devices).to_contain_text("Being redirected")
        work(world, service)
        expect(devices).to_contain_text("Redirected")
        assert service.phones == {"00-15-65-AA-BB-CC": "https://phones.example:8443/"}
