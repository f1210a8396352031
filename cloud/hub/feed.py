"""Notifications from the database: the wake-up. The truth is what sessions read when they are woken, and polling."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

import psycopg

log = logging.getLogger(__name__)

CHANNEL: Final = "tandem_site"
_LOOK_UP_SECONDS: Final = 0.5
"""How long the thread listens before it looks whether it should stop."""
_RECONNECT_SECONDS: Final = 1.0


class Listens(Protocol):
    """What gives a connection that listens: `cloud.pbx.database.Database`."""

    def listen(self, *channels: str) -> psycopg.Connection[Any]:
        """An autocommit connection that has issued LISTEN for each of the channels."""
        ...


class Feed:
    """Listens on `tandem_site` in a thread of its own, and connects again for ever.

    Args:
        database: gives connections.
        woken: called in that thread with a site id.
        missed: called in that thread after every (re)connection: notifications may have been missed before.
    """

    def __init__(self, database: Listens, woken: Callable[[str], object], missed: Callable[[], object]) -> None:
        self._database = database
        self._woken = woken
        self._missed = missed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-feed", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; returns when the thread is over."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._database.listen(CHANNEL) as connection:
                    self._missed()
                    self._listen(connection)
            except psycopg.Error as error:
                log.warning("feed_lost", extra={"problem": type(error).__name__})
                self._stop.wait(_RECONNECT_SECONDS)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        while not self._stop.is_set():
            for notification in connection.notifies(timeout=_LOOK_UP_SECONDS):
                self._woken(notification.payload)
                if self._stop.is_set():
                    return
