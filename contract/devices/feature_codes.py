"""The site's feature codes as settings of its phones: the weakest level above a model's defaults."""

from collections.abc import Mapping
from typing import Final

from contract.devices.model import Value
from contract.devices.resolution import EVERY, Level

_ELSEWHERE: Final = {"voicemail": "calls/voicemail_number", "music_on_hold": "calls/music_on_hold"}
"""Codes whose setting is not `codes/<feature>`."""
_SWITCHED_OFF_BY_ITSELF: Final = ("forward_always", "forward_busy", "forward_no_answer", "forward_unregistered")
"""Features that the same code without a destination switches off: `codes/<feature>_off`."""


def feature_code_level(codes: Mapping[str, str]) -> Level:
    """What the dial plan says to every phone of the site.

    Args:
        codes: feature → what is dialled for it; one that no plug-in has a setting for reaches no phone.
    """
    settings: dict[str, Value] = {_ELSEWHERE.get(name, f"codes/{name}"): code for name, code in codes.items()}
    settings |= {f"codes/{name}_off": codes[name] for name in _SWITCHED_OFF_BY_ITSELF if name in codes}
    return Level("dial_plan", {EVERY: settings})
