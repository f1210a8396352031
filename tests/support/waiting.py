"""Waiting for a condition with a deadline; the only place in the tests where waiting happens."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], within: float = 10.0, what: str = "") -> T:
    """The first truthy value of `check`, asked again and again for at most `within` seconds."""
    pause, deadline = threading.Event(), time.monotonic() + within
    while not (value := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or check}")
        pause.wait(0.01)
    return value


async def eventually_async(check: Callable[[], T], within: float = 10.0, what: str = "") -> T:
    """As `eventually`, letting the event loop run between the questions."""
    pause, deadline = asyncio.Event(), time.monotonic() + within
    while not (value := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or check}")
        try:
            await asyncio.wait_for(pause.wait(), 0.01)
        except TimeoutError:
            continue
    return value
