"""The API's description: valid, complete, and what is checked in for the portal's typed client."""

from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from cloud.api.__main__ import openapi_text
from cloud.api.app import make_api
from cloud.api.chalicelib.openapi import describe
from cloud.api.chalicelib.tokens import ROLES

GOLDEN = Path(__file__).parents[2] / "golden" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(make_api())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_the_document_is_what_is_checked_in() -> None:
    assert openapi_text() == GOLDEN.read_text(), "rewrite it: python -m cloud.api openapi > tests/golden/openapi.json"


def test_every_operation_says_what_it_is_who_may_use_it_and_how_it_fails(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert len(operation["tags"]) == 1, where
        assert all(role in ROLES for need in operation["security"] for role in need["bearer"]), where
        problems = [code for code in operation["responses"] if code >= "400"]
        assert "500" in problems, where
        assert not operation["security"] or {"401", "403"} <= set(problems), where
        success = [code for code in operation["responses"] if code < "300"]
        assert len(success) == 1, where
        assert success == ["204"] or operation["responses"][success[0]]["content"], where


def test_every_list_is_paged_or_complete(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        if operation["operationId"].startswith("list"):
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert {"limit", "cursor"} <= names or operation["operationId"] == "listDeviceModels", f"{method} {path}"
