"""Which requests are calls for help: recognised before digest, permission, lock-out and shedding."""

from __future__ import annotations

from typing import Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import BadMessage, Message, Uri
from edge_agent.sip.proxy.telephone import bare

_SOS: Final = b"service:sos"
"""RFC 5031 §4.2."""
_IN_DIALOG_HEADROOM: Final = 1.5
_EMERGENCY_HEADROOM: Final = 2.0


class Emergencies:
    """Knows what is dialled for help.

    Args:
        config: with the numbers.
    """

    def __init__(self, config: SipConfig) -> None:
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._first = config.emergency_numbers[0] if config.emergency_numbers else ""
        self._numbers = frozenset(number.encode() for number in config.emergency_numbers)

    def is_call(self, request: Message, uri: Uri) -> bool:
        """Whether this begins an emergency call: by its number, at whatever host, or as `urn:service:sos`."""
        if not self._numbers or request.method != b"INVITE" or request.to_tag:
            return False
        if uri.scheme == b"tel":
            return bare(uri) in self._numbers
        return uri.user in self._numbers or is_sos(uri)

    def dialled(self, uri: Uri) -> str:
        """What the dial plan is asked for."""
        return self._first if is_sos(uri) else uri.dialled

    def headroom(self, request: Message) -> float:
        """How far beyond the limit of transactions a request is still taken; emergencies are refused last."""
        if request.to_tag:
            return _IN_DIALOG_HEADROOM
        try:
            return _EMERGENCY_HEADROOM if self.is_call(request, request.request_uri()) else 1.0
        except BadMessage:
            return 1.0


def is_sos(uri: Uri) -> bool:
    """Whether a URI is the emergency service or a part of it."""
    if uri.scheme != b"urn":
        return False
    name = uri.opaque.lower()
    return name == _SOS or name.startswith(_SOS + b".")
