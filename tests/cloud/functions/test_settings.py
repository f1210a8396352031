"""The functions read their environment once and name everything that is wrong with it; their entry points work."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from cloud.functions.deliver_webhooks import handler as deliver_webhooks
from cloud.functions.ingest_events import handler as ingest_events
from cloud.functions.publish_sites import handler as publish_sites
from cloud.functions.push_redirects import handler as push_redirects
from cloud.functions.records import LambdaContext, claim_records, sqs_event
from cloud.functions.renew_certificates import handler as renew_certificates
from cloud.functions.send_mails import handler as send_mails
from cloud.functions.settings import DeliverySettings, FunctionSettings, SettingsProblem
from cloud.pbx.publishing import PUBLISH_SITE, newest_version, request_publish
from tests.support.customers import TOKENS, Customer, HandClock
from tests.support.postgres import Databases

MODULES = (publish_sites, ingest_events, deliver_webhooks, push_redirects, renew_certificates, send_mails)


@pytest.fixture
def environment(databases: Databases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """What Lambda would say; each handler is composed anew, and its connections are closed afterwards."""
    monkeypatch.setenv("TANDEM_DATABASE_URL", databases.urls.worker)
    monkeypatch.setenv("TANDEM_KEY_FILE", str(tmp_path / "key"))
    opened = []
    for module in MODULES:
        module._composed.cache_clear()
        original = module.Database

        def keep(url: str, pool_size: int = 1, original: type = original) -> object:
            opened.append(original(url, pool_size=pool_size))
            return opened[-1]

        monkeypatch.setattr(module, "Database", keep)
    yield monkeypatch
    for module in MODULES:
        module._composed.cache_clear()
    for database in opened:
        database.close()


def test_every_missing_and_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANDEM_DATABASE_URL", raising=False)
    monkeypatch.setenv("TANDEM_WEBHOOK_TIMEOUT_SECONDS", "-1")
    with pytest.raises(SettingsProblem) as refused:
        DeliverySettings.from_environment()
    assert "TANDEM_DATABASE_URL" in str(refused.value)
    assert "TANDEM_WEBHOOK_TIMEOUT_SECONDS" in str(refused.value)


def test_the_retry_schedule_is_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_DATABASE_URL", "postgresql://secret-password@host/tandem")
    monkeypatch.setenv("TANDEM_WEBHOOK_RETRY_SECONDS", "[0.1, 2]")
    settings = DeliverySettings.from_environment()
    assert settings.webhook_retry_seconds == (0.1, 2.0)
    assert "secret-password" not in repr(settings)


def test_the_schedule_unless_told_otherwise_begins_with_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_DATABASE_URL", "postgresql://host/tandem")
    monkeypatch.delenv("TANDEM_WEBHOOK_RETRY_SECONDS", raising=False)
    schedule = DeliverySettings.from_environment().webhook_retry_seconds
    assert schedule[:6] == (5, 300, 1800, 7200, 18000, 36000)
    assert not DeliverySettings.from_environment().webhook_allow_private
    assert FunctionSettings.from_environment().pool_size == 1


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-2])
def test_an_entry_point_composes_itself_from_the_environment(
    environment: pytest.MonkeyPatch, module: ModuleType
) -> None:
    context = LambdaContext(function_name="f", aws_request_id="r")
    assert module.handler({"Records": []}, context) == {"batchItemFailures": []}


def test_the_entry_point_publishes(
    environment: pytest.MonkeyPatch, databases: Databases, customer: Customer, clock: HandClock
) -> None:
    with databases.api.session(customer.scope) as session:
        request_publish(session, TOKENS, customer.site_id, "test")
    bodies = claim_records(databases.worker, [PUBLISH_SITE], clock.now())
    context = LambdaContext(function_name="publish_sites", aws_request_id="r")
    assert publish_sites.handler(sqs_event("publish_sites", bodies), context) == {"batchItemFailures": []}
    with databases.hub.session(customer.scope) as session:
        assert newest_version(session, customer.site_id) is not None


def test_delivering_without_a_key_service_is_refused_by_name(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TANDEM_KEY_FILE")
    with pytest.raises(SettingsProblem, match="TANDEM_KMS_KEY_ARN or TANDEM_KEY_FILE"):
        deliver_webhooks.handler({"Records": []}, LambdaContext(function_name="f", aws_request_id="r"))
