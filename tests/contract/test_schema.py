"""The exported JSON Schema is the code's."""

import json
from pathlib import Path

import jsonschema

import contract.schema
from contract.schema.__main__ import exported
from tests.support.example_site import small_site


def test_the_checked_in_schema_is_what_the_models_say() -> None:
    folder = Path(contract.schema.__file__).parent
    for name, text in exported().items():
        assert (folder / name).read_text(encoding="utf-8") == text, f"{name} is old: run `make golden`"


def test_a_snapshot_satisfies_the_exported_schema() -> None:
    jsonschema.validate(json.loads(small_site().model_dump_json()), json.loads(exported()["snapshot.json"]))
