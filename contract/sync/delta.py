"""What changed between two snapshots of one site: `apply(old, diff(old, new)) == new`, for any two.

Absence is explicit: a section that is not listed is unchanged, a removed record is named in `removed`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from contract.snapshot import Snapshot, canonical_json, manifest, parse_snapshot
from contract.snapshot.snapshot import RECORD_SECTIONS, SECTIONS, SnapshotProblems
from contract.values import Digest, Frozen, Id


class DeltaMismatch(ValueError):
    """The delta does not fit the snapshot it was applied to; ask for the whole snapshot instead."""


class Replaced(Frozen):
    """The section's whole new content."""

    change: Literal["replaced"] = "replaced"
    section: Literal["site", "device_levels", "dial_plan"]
    content: dict[str, Any]


class Records(Frozen):
    """Records that are new or different, and the ids of those that are gone."""

    change: Literal["records"] = "records"
    section: Literal["users", "lines", "devices", "device_plugins", "phonebook", "firmware", "blobs", "other_sites"]
    upserted: tuple[dict[str, Any], ...] = ()
    removed: tuple[Id, ...] = ()


class SnapshotDelta(Frozen):
    """From one version of a site's snapshot to another."""

    schema_version: Literal[1] = 1
    from_version: Annotated[int, Field(ge=1)]
    to_version: Annotated[int, Field(ge=1)]
    changes: tuple[Annotated[Replaced | Records, Field(discriminator="change")], ...] = ()
    sections: dict[str, Digest]
    """The digest of every section after the change: proof that both sides hold the same."""


def diff(old: Snapshot, new: Snapshot) -> SnapshotDelta:
    """The changes that lead from `old` to `new`."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    changes: list[Replaced | Records] = []
    for section in SECTIONS:
        if _same(before[section], after[section]):
            continue
        if key := RECORD_SECTIONS.get(section):
            known = {record[key]: record for record in before[section]}
            wanted = {record[key]: record for record in after[section]}
            upserted = tuple(
                record for id_, record in wanted.items() if id_ not in known or not _same(known[id_], record)
            )
            removed = tuple(id_ for id_ in known if id_ not in wanted)
            changes.append(Records(section=section, upserted=upserted, removed=removed))
        else:
            changes.append(Replaced(section=section, content=after[section]))
    return SnapshotDelta(
        from_version=old.version, to_version=new.version, changes=tuple(changes), sections=manifest(new)
    )


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; to Python 0 and False are equal, to a phone's file they are not."""
    return bool(one == other) and canonical_json(one) == canonical_json(other)


def apply(old: Snapshot, delta: SnapshotDelta) -> Snapshot:
    """The snapshot that `delta` leads to.

    Raises:
        DeltaMismatch: it starts from another version, or its result is not what the sender holds.
    """
    if old.version != delta.from_version:
        raise DeltaMismatch(f"the delta starts from version {delta.from_version}, here is {old.version}")
    content = old.model_dump(mode="json")
    content["version"] = delta.to_version
    for change in delta.changes:
        if isinstance(change, Replaced):
            content[change.section] = change.content
            continue
        key = RECORD_SECTIONS[change.section]
        records = {record[key]: record for record in content[change.section]}
        for removed in change.removed:
            records.pop(removed, None)
        try:
            records.update({record[key]: record for record in change.upserted})
            content[change.section] = [records[id_] for id_ in sorted(records)]
        except (KeyError, TypeError):
            raise DeltaMismatch(f"a record of {change.section} has no usable {key}") from None
    try:
        new = parse_snapshot(content)
    except SnapshotProblems as error:
        raise DeltaMismatch(str(error)) from None
    if manifest(new) != delta.sections:
        raise DeltaMismatch("the result differs from what the sender holds")
    return new
