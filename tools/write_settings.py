"""Write what people read about the settings of the SIP process from their declarations: a page, and the example's end.

`pages()` gives both texts; a test compares them with what is checked in.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from edge_agent.settings import EXAMPLE_FILE, Settings, environment_name, section_names, setting_names
from edge_agent.sip_settings import Section, allowed_in, unit_of

PAGE: Final = Path("docs/settings.md")
MARK: Final = "# What follows is written from edge_agent/sip_settings.py by tools/write_settings.py.\n"
_HEAD: Final = f"""# Settings of the SIP process

Bounds, timers and rules of registrar and proxy at one machine, in `/etc/tandem-edge/edge.toml` or in the environment
(`sip.limits.headers` is `{environment_name("sip.limits.headers")}`). They are read at the start; a value that is not
taken is refused with its name and range (`tandem-edge check-config`). What belongs to a customer's site is set in the
portal. The other settings stand in [edge.example.toml](../edge_agent/edge.example.toml) with their meaning.

Written by `python -m tools.write_settings` from `edge_agent/sip_settings.py`.
"""


_TABLE_HEAD: Final = "| setting | default | range | unit | what |\n| --- | --- | --- | --- | --- |\n"


def pages() -> dict[Path, str]:
    """The text of each file."""
    kept, _, _ = EXAMPLE_FILE.read_text(encoding="utf-8").partition(MARK)
    return {PAGE: _page(), EXAMPLE_FILE: kept + MARK + "".join(_example())}


def _written(value: Any) -> str:
    """A default in TOML, which writes these values as JSON does."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _sections() -> Iterator[tuple[str, str]]:
    """The sections that are declared with their ranges, and what each is."""
    for name in section_names():
        if name.count(".") == 1:
            kind: Any = Settings
            for part in name.split("."):
                kind = kind.model_fields[part].annotation
            yield name, _first_line(kind)


def _first_line(kind: type[Section]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _page() -> str:
    text = _HEAD
    for section, meaning in _sections():
        text += f"\n## `[{section}]`\n\n{meaning}\n\n{_TABLE_HEAD}"
        for name, field in setting_names().items():
            if name.startswith(section + "."):
                short = name.rpartition(".")[2]
                what = (field.description or "").replace("|", "\\|")
                text += (
                    f"| `{short}` | `{_written(field.default)}` | {allowed_in(field)} | {unit_of(field)} | {what} |\n"
                )
    return text


def _example() -> Iterator[str]:
    for section, meaning in _sections():
        yield f"\n# {meaning.partition(' (`')[0].rstrip('.')}.\n[{section}]\n"
        for name, field in setting_names().items():
            if name.startswith(section + "."):
                allowed = f"{allowed_in(field)} {unit_of(field)}".rstrip()
                yield f"# {field.description} ({allowed})\n{name.rpartition('.')[2]} = {_written(field.default)}\n"


def main() -> None:
    """Write them."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
