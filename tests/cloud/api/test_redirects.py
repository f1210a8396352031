"""Accounts at vendors' redirect services, as their administrators handle them."""

from sqlalchemy import select

from cloud.models import Job
from cloud.pbx.database import Scope
from cloud.pbx.redirects import sync_redirects
from tests.support.api_things import furnish
from tests.support.api_world import ApiWorld
from tests.support.customers import TOKENS

NEW = {"service": "yealink_ymcs", "username": "client-id", "password": "planted client secret"}


def kinds(world: ApiWorld) -> set[str]:
    with world.databases.worker.session(Scope(tenant_id=world.ours.tenant_id)) as session:
        return set(session.scalars(select(Job.kind).where(Job.state == "pending")))


def test_an_account_has_the_services_address_and_never_shows_its_password(world: ApiWorld) -> None:
    made = world.admin.post("/redirect-accounts", NEW)
    assert made.status == 201, made.body
    assert made.json["api_url"] == "https://eu-api.ymcs.yealink.com"
    assert made.json["phones_url"] == "https://{host}:8443/"
    path = f"/redirect-accounts/{made.json['id']}"
    world.admin.patch(path, {"password": "planted client secret 2"})
    seen = [made.body, *(world.admin.get(one).body for one in (path, "/redirect-accounts", "/audit"))]
    assert not any(b"planted" in body for body in seen)
    assert "sync_redirects" in kinds(world)


def test_a_tenant_has_one_account_for_each_vendor(world: ApiWorld) -> None:
    assert world.admin.post("/redirect-accounts", NEW).status == 201
    again = world.admin.post("/redirect-accounts", {**NEW, "service": "yealink_rps"})
    assert (again.status, again.fields) == (422, {"service"})
    assert world.admin.post("/redirect-accounts", {**NEW, "service": "snom_sraps"}).status == 201
    assert world.stranger.post("/redirect-accounts", NEW).status == 201


def test_every_wrong_address_is_named(world: ApiWorld) -> None:
    wrong = {**NEW, "api_url": "http://plain.test/", "phones_url": "https://{hots}/"}
    answer = world.admin.post("/redirect-accounts", wrong)
    assert (answer.status, answer.fields) == (422, {"api_url", "phones_url"})
    assert world.msp.post("/redirect-accounts", NEW).fields == {"tenant_id"}
    assert world.admin.post("/redirect-accounts", {**NEW, "username": 'a"b'}).status == 422


def test_a_password_is_not_sent_to_another_address_unless_it_is_given_again(world: ApiWorld) -> None:
    path = f"/redirect-accounts/{world.admin.post('/redirect-accounts', NEW).json['id']}"
    elsewhere = {"api_url": "https://elsewhere.test/"}
    answer = world.admin.patch(path, elsewhere)
    assert (answer.status, answer.fields) == (422, {"password"})
    assert world.admin.patch(path, {**elsewhere, "password": "another"}).json["api_url"] == elsewhere["api_url"]


def test_the_log_in_is_tried_by_a_function_and_a_change_forgets_how_it_went(world: ApiWorld) -> None:
    path = f"/redirect-accounts/{world.admin.post('/redirect-accounts', NEW).json['id']}"
    checking = world.admin.post(f"{path}/check")
    assert (checking.status, checking.json["check_state"]) == (202, "pending")
    assert "check_redirect" in kinds(world)
    assert world.admin.patch(path, {"username": "other"}).json["check_state"] == ""


def test_a_device_shows_what_its_redirect_service_is_told(world: ApiWorld) -> None:
    things = furnish(world, world.admin, world.ours)
    path = f"/devices/{things['device_id']}"
    assert world.admin.get(path).json["redirect"] is None
    assert world.admin.post(f"{path}/redirect").status == 409
    world.admin.patch(f"/sites/{things['site_id']}", {"provisioning": {"server_name": "phones.example"}})
    with world.databases.worker.session(Scope(tenant_id=world.ours.tenant_id)) as session:
        sync_redirects(session, world.services.catalogue, TOKENS, world.ours.tenant_id, world.clock.now())
    shown = world.admin.get(path).json["redirect"]
    assert (shown["state"], shown["url"]) == ("pending", "https://phones.example:8443/")
    assert world.admin.get("/devices").json["items"][0]["redirect"] == shown
    assert world.admin.post(f"{path}/redirect").status == 202
    account = world.admin.get(f"/redirect-accounts/{things['redirect_account_id']}").json
    assert account["phones"] == {"pending": 1}
    listed = world.admin.get(f"/device-redirects?redirect_account_id={account['id']}&state=pending").json["items"]
    assert [one["mac"] for one in listed] == ["001565aabbcc"]
