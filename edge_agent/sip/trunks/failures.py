"""What a provider's refusal means: that the way failed, so that another is tried, or that whom we called said no."""

from __future__ import annotations

from typing import Final

from edge_agent.sip.message import BadMessage, Message
from edge_agent.sip.message.name_addr import parse_params, split_commas

_WAY_FAILED: Final = frozenset({401, 403, 407, 408, 430, 500, 502, 503, 504})
"""Refusals of the account and of the network."""
_NETWORK_CAUSES: Final = frozenset({3, 6, 25, 27, 34, 38, 41, 42, 43, 44, 46, 47, 58, 63, 66, 79, 99, 102, 111, 127})
"""Q.850 causes of no route, no channel, congestion and failures of the network."""
_PARTY_CAUSES: Final = {
    1: 404,
    17: 486,
    18: 480,
    19: 480,
    20: 480,
    21: 603,
    22: 410,
    26: 404,
    28: 484,
    31: 480,
}
"""Q.850 causes that are about whom we called, with the status that says so (RFC 3398 §7.2.4.1)."""


def passed_on(status: int, response: Message | None, fail_over_on: tuple[int, ...]) -> int:
    """The status that goes back to the proxy for a call that was refused.

    Args:
        status: of the refusal; 408 for silence, 503 for what could not be reached.
        response: the refusal, whose Reason (RFC 3326) says more than its status; None: there was none.
        fail_over_on: what the trunk's settings say besides.

    Returns:
        503 where the way failed, upon which the dial plan's next gateway is tried.
    """
    cause = cause_of(response) if response is not None else 0
    if cause in _NETWORK_CAUSES or status in fail_over_on:
        return 503
    if cause in _PARTY_CAUSES and status in _WAY_FAILED:
        return _PARTY_CAUSES[cause]
    return 503 if status in _WAY_FAILED or status < 400 else status


def cause_of(response: Message) -> int:
    """The Q.850 cause that a Reason header gives (RFC 3326 §2); 0: none that can be read."""
    for line in response.all(b"reason"):
        try:
            for value in split_commas(line):
                protocol, semicolon, rest = value.partition(b";")
                cause = parse_params(semicolon + rest, "Reason").get(b"cause") or b""
                if protocol.strip().upper() == b"Q.850" and cause.isdigit() and len(cause) < 4:
                    return int(cause)
        except BadMessage:
            continue
    return 0
