"""The layout's own rules: no file whose name says nothing; a list of files that grew long."""

import subprocess
import sys
from pathlib import Path
from typing import Final

SAYS_NOTHING: Final = {"util", "utils", "helper", "helpers", "common", "misc", "stuff"}
LONG_LINES: Final = 500


def main() -> int:
    """1 when a name says nothing; long files are only listed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True
    )
    paths = [path for path in map(Path, listed.stdout.splitlines()) if path.exists()]
    code = [path for path in paths if path.suffix in {".py", ".ts", ".tsx"}]
    nameless = [path for path in code if path.stem.lower() in SAYS_NOTHING or SAYS_NOTHING & set(path.parts)]
    for path in nameless:
        print(f"{path}: the name does not say what it is for")
    for path in code:
        if (lines := path.read_text(encoding="utf-8").count("\n")) > LONG_LINES:
            print(f"long: {path} has {lines} lines; has it one job?")
    return 1 if nameless else 0


if __name__ == "__main__":
    sys.exit(main())
