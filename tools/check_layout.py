"""The layout's own rules: no file whose name says nothing, no link in a document that leads nowhere; long files."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

SAYS_NOTHING: Final = {"util", "utils", "helper", "helpers", "common", "misc", "stuff"}
LONG_LINES: Final = 500
_LINK: Final = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")


def dead_links(document: Path, text: str) -> list[str]:
    """The links of a Markdown document to files that are not there; addresses of the web are not followed."""
    targets = [target for target in _LINK.findall(text) if "://" not in target and not target.startswith("mailto:")]
    return [target for target in targets if not (document.parent / target).exists()]


def main() -> int:
    """1 when a name says nothing or a link leads nowhere; long files are only listed."""
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
    dead = {path: dead_links(path, path.read_text(encoding="utf-8")) for path in paths if path.suffix == ".md"}
    for path, targets in dead.items():
        for target in targets:
            print(f"{path}: the link to {target} leads nowhere")
    return 1 if nameless or any(dead.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
