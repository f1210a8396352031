"""Write every golden file anew, from what the code gives now; the difference is for a person to review."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Writer:
    """A module that writes the golden files of its subject, or prints the one that `target` names."""

    module: str
    arguments: tuple[str, ...] = ()
    target: str | None = None


WRITERS: Final = (
    Writer("contract.schema"),
    Writer("cloud.api", ("openapi",), "tests/golden/openapi.json"),
    Writer("tests.golden.devices"),
    Writer("tools.write_device_models"),
    Writer("tools.write_settings"),
    Writer("tools.write_prompts"),
)


def main() -> int:
    """The first writer that fails decides."""
    for writer in WRITERS:
        command = [sys.executable, "-m", writer.module, *writer.arguments]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE if writer.target else None)
        if done.returncode:
            return done.returncode
        if writer.target:
            Path(writer.target).write_bytes(done.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
