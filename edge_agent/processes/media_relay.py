"""`edge_agent.ports.MediaRelay` between processes: what the SIP process wants carried is an order to media, and which
ports are open ahead is one to SIP."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from edge_agent.ports import PortsAhead, RelayedStream
from edge_agent.processes.child import UnknownOrder
from edge_agent.processes.link import Answer
from edge_agent.processes.newest_order import NewestOrder

CARRY: Final = "carry"
PORTS_AHEAD: Final = "ports_ahead"
KEY_PRESSED: Final = "key_pressed"
_STREAMS: Final = TypeAdapter(tuple[RelayedStream, ...])
_AHEAD: Final = TypeAdapter(tuple[PortsAhead, ...])

T = TypeVar("T")


class ProcessMediaRelay:
    """Passes on what is to be carried, the newest only; a media process that is away hears it at the next time.

    Args:
        order: has the media process do something at once.
    """

    def __init__(self, order: Callable[[str, dict[str, str]], Awaitable[Answer]]) -> None:
        self._order = NewestOrder(order, CARRY)

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """See `MediaRelay`."""
        self._order.say({"streams": _STREAMS.dump_json(streams).decode()})


class ProcessPortsAhead:
    """Passes on which ports are open ahead, the newest only.

    Args:
        order: has the SIP process do something at once.
    """

    def __init__(self, order: Callable[[str, dict[str, str]], Awaitable[Answer]]) -> None:
        self._order = NewestOrder(order, PORTS_AHEAD)

    def offer(self, ahead: tuple[PortsAhead, ...]) -> None:
        """Exactly these."""
        self._order.say({"ahead": _AHEAD.dump_json(ahead).decode()})


def ordered_streams(arguments: dict[str, str]) -> tuple[RelayedStream, ...]:
    """What an order to carry says.

    Raises:
        UnknownOrder: it says nothing that can be carried.
    """
    return _read(_STREAMS, arguments.get("streams", ""), "streams to carry")


def ordered_ahead(arguments: dict[str, str]) -> tuple[PortsAhead, ...]:
    """Which ports an order says to be open ahead.

    Raises:
        UnknownOrder: it does not.
    """
    return _read(_AHEAD, arguments.get("ahead", ""), "ports ahead")


def _read(adapter: "TypeAdapter[tuple[T, ...]]", text: str, what: str) -> tuple[T, ...]:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        found: list[Any] = list(error.errors(include_input=False))
        raise UnknownOrder(f"no {what}: {found[0]['type']}") from None
