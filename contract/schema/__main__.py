"""Write snapshot.json and messages.json into this folder."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from contract.snapshot import Snapshot
from contract.sync.messages import Message


def exported() -> dict[str, str]:
    """File name → JSON Schema text of each promise."""
    schemas = {
        "snapshot.json": Snapshot.model_json_schema(),
        "messages.json": TypeAdapter(Message).json_schema(),
    }
    return {name: json.dumps(schema, indent=2, sort_keys=True) + "\n" for name, schema in schemas.items()}


if __name__ == "__main__":
    for name, text in exported().items():
        (Path(__file__).parent / name).write_text(text, encoding="utf-8")
