"""Write the list of device models in docs/devices.md anew, from the device plug-ins."""

import sys
from pathlib import Path
from typing import Final

from contract.devices import Plugin, load_catalogue

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "devices.md"
BEGIN: Final = "<!-- The list from here on is made by `python -m tools.write_device_models`. -->\n"
END: Final = "<!-- End of the list. -->\n"


def listed() -> str:
    """The list: one row for each vendor."""
    head = "| vendor | models (lines) | files, in the order of asking | told to fetch again by | to start again by |\n"
    rows = "".join(map(_row, load_catalogue().plugins.values()))
    return f"{head}| --- | --- | --- | --- | --- |\n{rows}"


def document(text: str) -> str:
    """The document with the list as it is now."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}{listed()}{END}{after}"


def _row(plugin: Plugin) -> str:
    models = ", ".join(f"{_short(model.label, plugin.label)} ({model.lines})" for model in plugin.models.values())
    names: dict[str, None] = {}
    for model in plugin.models.values():
        names |= dict.fromkeys(spec.name for spec in model.files)
    shown = [f"`{name.replace('{', '<').replace('}', '>')}`" for name in names]
    if len(shown) > 6:
        shown = [*shown[:6], "…"]
    events = [f"`{event}`" if event else "—" for event in (plugin.resync_event, plugin.reboot_event)]
    return f"| {plugin.label} | {models} | {', '.join(shown)} | {' | '.join(events)} |\n"


def _short(label: str, vendor: str) -> str:
    return label.removeprefix(f"{vendor} ").removeprefix("SIP-")


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
