"""infra/terraform against a mocked AWS where Terraform is, and its words against the code's everywhere."""

import os
import re
import shutil
from pathlib import Path

import pytest

from cloud.api.settings import PREFIX as API_PREFIX
from cloud.api.settings import Settings as ApiSettings
from cloud.functions.send_mails.settings import MailSettings
from cloud.functions.settings import PREFIX as FUNCTION_PREFIX
from cloud.functions.settings import DeliverySettings, FunctionSettings, RelaySettings
from cloud.hub.settings import PREFIX as HUB_PREFIX
from cloud.hub.settings import Settings as HubSettings
from cloud.models.upgrading import OWNER, PROCESS_ROLES
from cloud.objects.s3 import CHECKSUM_HEADER, PREFIX
from tests.support.s3_stand_in import CORS_HEADERS
from tools import check_terraform
from tools.build_functions import function_names

SOURCES = sorted(check_terraform.ROOT.rglob("*.tf"))
SMALL = (check_terraform.ROOT / "environments" / "small" / "main.tf").read_text()


def test_without_the_program_it_is_said_by_name_and_is_no_failure(tmp_path: Path) -> None:
    said = check_terraform.check(check_terraform.ROOT, {"PATH": str(tmp_path)})
    assert said == ["NOT RUN: terraform (the program is not on this machine)"]


def test_a_provider_folder_that_was_promised_and_is_empty_is_a_failure(tmp_path: Path) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("NOT RUN: terraform (the program is not on this machine)")
    environ = {**os.environ, "TERRAFORM_PLUGIN_DIR": str(tmp_path)}
    with pytest.raises(check_terraform.StepFailed, match="init"):
        check_terraform.check(check_terraform.ROOT, environ)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(check_terraform.ROOT)))
def test_every_variable_and_output_is_described(source: Path) -> None:
    blocks = re.findall(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', source.read_text(), re.MULTILINE | re.DOTALL)
    assert [name for _, name, body in blocks if "description" not in body] == []
    assert [name for kind, name, body in blocks if kind == "variable" and "type " not in body] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(check_terraform.ROOT)))
def test_every_any_resource_in_a_policy_says_why(source: Path) -> None:
    text = source.read_text()
    for found in re.finditer(r'Resource\s*=\s*(\["\*"\]|"\*")', text):
        statement = text[max(0, found.start() - 600) : found.end() + 60]
        assert "#" in statement, f"{source.name}: an unexplained Resource *"


def test_wildcard_actions_are_only_refusals_or_a_keys_own_administration() -> None:
    for source in SOURCES:
        for found in re.finditer(r'Action\s*=.*"(\w+:\*|\*)"', source.read_text()):
            before = source.read_text()[max(0, found.start() - 200) : found.start()]
            assert '"Deny"' in before or found[1] == "kms:*", f"{source.name}: {found[0]}"


def test_the_api_is_told_exactly_what_it_needs_and_nothing_it_does_not_know() -> None:
    told = set(re.findall(rf"^\s+(?:TANDEM_AWS_SECRET_)?({API_PREFIX}\w+)\s+=", SMALL, re.MULTILINE))
    known = {f"{API_PREFIX}{name.upper()}": field for name, field in ApiSettings.model_fields.items()}
    assert told <= set(known)
    assert {name for name, field in known.items() if field.is_required()} <= told
    assert {f"{API_PREFIX}KMS_KEY_ARN", f"{API_PREFIX}CA_PEM"} <= told


def test_the_hub_is_told_what_it_needs_and_nothing_it_does_not_know() -> None:
    told = set(re.findall(rf"^\s+(?:TANDEM_AWS_FILE_)?({HUB_PREFIX}\w+)\s+=", SMALL, re.MULTILINE))
    HubSettings.model_validate({name.removeprefix(HUB_PREFIX).lower(): "8443" for name in told})


def test_the_bucket_lets_browsers_send_what_a_presigned_place_wants_and_roles_touch_what_the_store_keeps() -> None:
    modules = check_terraform.ROOT / "modules"
    cors = re.search(r"allowed_headers = \[(.*?)\]", (modules / "storage" / "main.tf").read_text())
    assert cors is not None
    assert set(re.findall(r"[\w-]+", cors[1])) == CORS_HEADERS
    assert CHECKSUM_HEADER in CORS_HEADERS
    for module in ("api", "hub"):
        text = (modules / module / "main.tf").read_text()
        assert set(re.findall(r'\$\{var\.objects_bucket_arn\}/([^"]*)"', text)) == {f"{PREFIX}/*"}


def test_the_functions_are_told_only_what_they_know() -> None:
    told = set(re.findall(r"\b(TANDEM_(?!API_|HUB_|AWS_)\w+)\s+=", SMALL))
    assert "TANDEM_DATABASE_URL" in told
    known = {**DeliverySettings.model_fields, **MailSettings.model_fields}
    assert told <= {f"{FUNCTION_PREFIX}{name.upper()}" for name in known}


def test_the_relay_is_told_of_every_queue_that_it_fills_and_of_no_other() -> None:
    relay = re.search(r"\brelay_jobs = \{(.*?)\n    \}", SMALL, re.DOTALL)
    assert relay is not None
    sends_to = re.search(r"sends_to\s+= \[(.*?)\]", relay[1])
    assert sends_to is not None
    told = {f"{target}_queue_url" for target in re.findall(r"\w+", sends_to[1])}
    assert told == RelaySettings.model_fields.keys() - FunctionSettings.model_fields.keys()


def test_the_databases_roles_are_the_codes() -> None:
    text = (check_terraform.ROOT / "modules" / "database" / "main.tf").read_text()
    declared = re.search(r"\broles\s+= toset\(\[(.*?)\]\)", text)
    assert declared is not None
    assert set(re.findall(r"\w+", declared[1])) == set(PROCESS_ROLES)
    assert f'"{OWNER}"' in text


def test_every_function_is_a_lambda() -> None:
    assert {f"cloud.functions.{name}.handler:handler" for name in function_names()} <= set(
        re.findall(r'"(cloud\.functions\.[\w.]+:handler)"', SMALL)
    )
