"""Leases on the disk: written and flushed before a phone is told that an address is its own (RFC 2131 §2.2).

One transaction for each batch, with `synchronous=FULL`, so that neither kill -9 nor a power cut loses a lease that a
phone has. A damaged file is set aside and a new one begun: the conflict check keeps addresses in use from being given.
"""

import logging
import sqlite3
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from edge_agent.provisioning.dhcp.leases import Lease
from edge_agent.provisioning.errors import ProvisioningError

log = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS leases (
    address TEXT PRIMARY KEY, mac TEXT NOT NULL, ends REAL NOT NULL, vendor_class TEXT NOT NULL,
    switch_port TEXT NOT NULL
) WITHOUT ROWID
"""
MAX_ROWS: Final = 20_000


class LeasesNotKept(ProvisioningError):
    """The disk would not take leases, so that nobody may be told about them."""


class LeaseStore:
    """One file of leases; used by one thread at a time.

    Args:
        path: the file; made when missing, set aside as `<name>.damaged` when it is not readable.

    Raises:
        LeasesNotKept: not even a new file can be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._database = _open(path)
            except sqlite3.DatabaseError:
                log.warning("dhcp_leases_damaged", extra={"path": str(path)})
                for suffix in ("", "-wal", "-shm"):
                    part = path.with_name(path.name + suffix)
                    if part.exists():
                        part.replace(part.with_name(part.name + ".damaged"))
                self._database = _open(path)
        except (OSError, sqlite3.Error) as error:
            raise LeasesNotKept(f"leases cannot be kept: {type(error).__name__}") from error

    def load(self) -> tuple[Lease, ...]:
        """Every lease that was kept; a row that is none is left out."""
        found = []
        for address, mac, ends, vendor_class, switch_port in self._database.execute(
            "SELECT address, mac, ends, vendor_class, switch_port FROM leases LIMIT ?", (MAX_ROWS,)
        ):
            try:
                found.append(Lease(IPv4Address(address), str(mac), float(ends), str(vendor_class), str(switch_port)))
            except ValueError:
                continue
        return tuple(found)

    def keep(self, leases: Iterable[Lease]) -> None:
        """Write leases; they are on the disk when this returns.

        Raises:
            LeasesNotKept: none of them is.
        """
        rows = [(str(each.address), each.mac, each.ends, each.vendor_class, each.switch_port) for each in leases]
        try:
            with self._database:
                self._database.executemany("DELETE FROM leases WHERE mac = ?", [(row[1],) for row in rows])
                self._database.executemany("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise LeasesNotKept(f"leases cannot be kept: {type(error).__name__}") from error

    def close(self) -> None:
        """Release the file."""
        self._database.close()


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=2.0, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(_SCHEMA)
        if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check failed")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database
