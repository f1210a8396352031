"""The snapshot: everything one site needs to run, complete, immutable and versioned.

Neighbours may rely on: records of a section are sorted by their id and unique, references inside a snapshot
resolve, and two equal snapshots have the same digest.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from contract.snapshot.blob import Blob
from contract.snapshot.consistency import (
    firmware_problems,
    name_problems,
    reference_problems,
    site_problems,
    sound_problems,
)
from contract.snapshot.device import Device
from contract.snapshot.device_levels import DeviceLevels
from contract.snapshot.device_plugin import DevicePlugin
from contract.snapshot.dial_plan import DialPlan
from contract.snapshot.firmware import Firmware
from contract.snapshot.line import Line
from contract.snapshot.other_site import OtherSite
from contract.snapshot.phonebook import PhonebookEntry
from contract.snapshot.site import Site
from contract.snapshot.user import User
from contract.values import Digest, Frozen

SCHEMA_VERSION: Final = 1

RECORD_SECTIONS: Final = {
    "users": "user_id",
    "lines": "line_id",
    "devices": "device_id",
    "device_plugins": "vendor",
    "phonebook": "entry_id",
    "firmware": "firmware_id",
    "blobs": "digest",
    "other_sites": "site_id",
}
"""Sections that are lists of records, with the field that names a record."""
SECTIONS: Final = ("site", *RECORD_SECTIONS, "device_levels", "dial_plan")
"""Every section of schema version 1, in order."""


class SnapshotProblems(ValueError):
    """What arrived is no valid snapshot of a schema known here."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Snapshot(Frozen):
    """One published configuration of one site."""

    schema_version: Literal[1] = 1
    version: Annotated[int, Field(ge=1)]
    """Counts up by one for each publication of the site."""
    site: Site
    users: Annotated[tuple[User, ...], Field(max_length=20_000)] = ()
    lines: Annotated[tuple[Line, ...], Field(max_length=50_000)] = ()
    devices: Annotated[tuple[Device, ...], Field(max_length=20_000)] = ()
    device_plugins: Annotated[tuple[DevicePlugin, ...], Field(max_length=16)] = ()
    phonebook: Annotated[tuple[PhonebookEntry, ...], Field(max_length=10_000)] = ()
    firmware: Annotated[tuple[Firmware, ...], Field(max_length=500)] = ()
    blobs: Annotated[tuple[Blob, ...], Field(max_length=5000)] = ()
    """Every file that anything in the snapshot names by its digest."""
    other_sites: Annotated[tuple[OtherSite, ...], Field(max_length=500)] = ()
    """Those of the tenant that can be reached edge to edge."""
    device_levels: DeviceLevels = DeviceLevels()
    dial_plan: DialPlan = DialPlan()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        problems = [
            *_order_problems(self),
            *reference_problems(self.users, self.lines, self.devices, self.device_levels, self.dial_plan),
            *name_problems(self.users, self.lines, self.devices, self.dial_plan),
            *firmware_problems(self.devices, self.firmware, self.blobs),
            *sound_problems(self.dial_plan, self.users, self.blobs),
            *site_problems(self.site.site_id, self.other_sites, self.dial_plan),
        ]
        if problems:
            raise ValueError("; ".join(problems[:20]))
        return self

    def secret_refs(self) -> frozenset[str]:
        """Every secret version that the site needs."""
        refs = {line.password for line in self.lines}
        refs.update(device.admin_password for device in self.devices if device.admin_password)
        refs.update(trunk.password_ref for trunk in self.dial_plan.trunks if trunk.password_ref)
        if self.site.sip_certificate is not None:
            refs.add(self.site.sip_certificate.key)
        return frozenset(refs)


def _order_problems(snapshot: Snapshot) -> Iterable[str]:
    for section, key in RECORD_SECTIONS.items():
        ids = [getattr(record, key) for record in getattr(snapshot, section)]
        if any(a >= b for a, b in itertools.pairwise(ids)):
            yield f"{section}: records must be sorted by {key} and unique"
    groups = [group.group_id for group in snapshot.device_levels.groups]
    if any(a >= b for a, b in itertools.pairwise(groups)):
        yield "device_levels: groups must be sorted by group_id and unique"


def parse_snapshot(data: object) -> Snapshot:
    """A snapshot from decoded JSON.

    Args:
        data: what `json.loads` gave.

    Raises:
        SnapshotProblems: naming every field that is wrong, or the schema version that is not known here.
    """
    if isinstance(data, dict) and data.get("schema_version") != SCHEMA_VERSION:
        raise SnapshotProblems(
            (f"schema_version {data.get('schema_version')!r} is not known here; {SCHEMA_VERSION} is",)
        )
    try:
        # From JSON text, because strings must become tuples, times and bytes as they do on the wire.
        return Snapshot.model_validate_json(json.dumps(data))
    except ValidationError as error:
        found = tuple(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise SnapshotProblems(found[:50]) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise SnapshotProblems((f"not JSON data: {type(error).__name__}",)) from None


def canonical_json(value: Any) -> bytes:
    """The one JSON text of a value: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def manifest(snapshot: Snapshot) -> dict[str, Digest]:
    """The digest of each section, by its name."""
    content = snapshot.model_dump(mode="json")
    return {section: hashlib.sha256(canonical_json(content[section])).hexdigest() for section in SECTIONS}


def snapshot_digest(snapshot: Snapshot) -> Digest:
    """One digest over schema version and manifest: equal exactly when the configuration is, whatever its version."""
    return hashlib.sha256(
        canonical_json({"schema_version": snapshot.schema_version, "sections": manifest(snapshot)})
    ).hexdigest()
