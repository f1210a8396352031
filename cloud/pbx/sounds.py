"""Sound files that a tenant keeps by name, and who uses each of them."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, cast, func, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.orm import Session

from cloud.models import Blob, DialPlan, Site, Sound, Tenant, User
from cloud.pbx.blobs import Files
from cloud.pbx.checks import get_or_refuse, invalid, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.errors import Conflict, TooMany
from cloud.pbx.sound_files import playable_seconds
from contract import snapshot as contract
from contract.values import Digest

MOST_SOUNDS: Final = 500
"""Of one tenant."""
_NAMED_AT_ONCE: Final = 5
"""How many of those who use a file an error names."""


@dataclass(frozen=True, slots=True)
class Use:
    """Where a file is used.

    Args:
        site_id: at which site.
        site: its name.
        what: by what there, such as `queue Support`.
    """

    site_id: UUID
    site: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} at {self.site}"


@dataclass(frozen=True, slots=True)
class SoundView:
    """A sound file with who uses it.

    Args:
        id: None for a file that is used and was never put into the list; it goes when nothing uses it any more.
    """

    id: UUID | None
    tenant_id: UUID
    name: str
    digest: Digest
    size_bytes: int
    seconds: float | None
    created_at: datetime
    used_by: Sequence[Use]


def list_sounds(session: Session, tenant_id: UUID | None) -> Sequence[SoundView]:
    """Every sound file of a tenant by name, those last that are used only; none of a tenant that is not there.

    Raises:
        Invalid: which tenant is not said.
    """
    if tenant_id is None:
        raise invalid("tenant_id", "Say which tenant the files are of")
    uses = uses_of(session, tenant_id)
    listed = session.execute(_with_sizes().where(Sound.tenant_id == tenant_id)).all()
    views = [_view(sound, size, uses) for sound, size in listed]
    others = set(uses) - {view.digest for view in views}
    blobs = session.scalars(select(Blob).where(Blob.tenant_id == tenant_id, Blob.digest.in_(others)))
    views += [
        SoundView(None, tenant_id, "", row.digest, row.size_bytes, None, row.created_at, uses[row.digest])
        for row in blobs
    ]
    return sorted(views, key=lambda view: (view.id is None, view.name.casefold(), view.digest))


def get_sound(session: Session, sound_id: UUID) -> SoundView:
    """One sound file."""
    sound = get_or_refuse(session, Sound, sound_id)
    _, size = session.execute(_with_sizes().where(Sound.id == sound.id)).one()
    return _view(sound, size, uses_of(session, sound.tenant_id))


def keep_sound(desk: Desk, files: Files | None, tenant_id: UUID | None, digest: Digest, name: str) -> SoundView:
    """Put a file that was brought into the list; one that is there already gets this name.

    Raises:
        Invalid: no such tenant, or the file is not there, or no edge can play it.
        TooMany: the list is full.
    """
    tenant = _tenant(desk.session, tenant_id)
    seconds = playable_seconds(desk.session, files, tenant.id, digest)
    sound = desk.session.scalar(select(Sound).where(Sound.tenant_id == tenant.id, Sound.digest == digest))
    if sound is None:
        count = desk.session.scalar(select(func.count()).where(Sound.tenant_id == tenant.id)) or 0
        if count >= MOST_SOUNDS:
            raise TooMany(f"A tenant keeps at most {MOST_SOUNDS} sound files; delete one that is not needed any more")
        sound = Sound(id=desk.tokens.id(), tenant_id=tenant.id, digest=digest, name=name, seconds=seconds)
        desk.session.add(sound)
        desk.flush()
        desk.record("sound.created", "sound", sound.id, {"name": [None, name]}, tenant.id)
    elif sound.name != name:
        changed: dict[str, list[Any]] = {"name": [sound.name, name]}
        sound.name = name
        desk.flush()
        desk.record("sound.changed", "sound", sound.id, changed, tenant.id)
    return get_sound(desk.session, sound.id)


def delete_sound(desk: Desk, sound_id: UUID) -> None:
    """Take a file out of the list; its bytes go within a day or so.

    Raises:
        Conflict: somebody uses it; says who.
    """
    sound = get_or_refuse(desk.session, Sound, sound_id)
    if used_by := uses_of(desk.session, sound.tenant_id).get(sound.digest):
        more = len(used_by) - _NAMED_AT_ONCE
        named = ", ".join(map(str, used_by[:_NAMED_AT_ONCE])) + (f" and {more} more" if more > 0 else "")
        raise Conflict(f"{sound.name} is used by {named}; choose something else there first")
    desk.record("sound.deleted", "sound", sound.id, {"name": [sound.name, None]}, sound.tenant_id)
    desk.session.delete(sound)
    desk.flush()


def uses_of(session: Session, tenant_id: UUID) -> Mapping[Digest, Sequence[Use]]:
    """Who uses which file: dial plans, what is in them, and users, by site."""
    found: dict[Digest, list[Use]] = defaultdict(list)
    names = func.jsonb_path_exists(DialPlan.document, cast("$.**.digest", JSONPATH))
    plans = (
        select(Site.id, Site.name, DialPlan.document)
        .join(DialPlan, DialPlan.site_id == Site.id)
        .where(DialPlan.tenant_id == tenant_id, names)
        .order_by(Site.name, Site.id)
    )
    for site_id, site, document in session.execute(plans):
        plan = contract.DialPlan.model_validate_json(json.dumps(document))
        for digest, what in contract.sounds_of(plan):
            found[digest].append(Use(site_id, site, what))
    users = (
        select(Site.id, Site.name, User.username, User.music["digest"].astext)
        .join(User, User.site_id == Site.id)
        .where(User.tenant_id == tenant_id, User.music.is_not(None))
        .order_by(Site.name, Site.id, User.username)
    )
    for site_id, site, username, digest in session.execute(users):
        found[digest].append(Use(site_id, site, f"user {username}"))
    return found


def _with_sizes() -> Select[Sound, int]:
    return select(Sound, Blob.size_bytes).join(
        Blob, (Blob.tenant_id == Sound.tenant_id) & (Blob.digest == Sound.digest)
    )


def _view(sound: Sound, size_bytes: int, uses: Mapping[Digest, Sequence[Use]]) -> SoundView:
    return SoundView(
        sound.id,
        sound.tenant_id,
        sound.name,
        sound.digest,
        size_bytes,
        sound.seconds,
        sound.created_at,
        uses.get(sound.digest, ()),
    )


def _tenant(session: Session, tenant_id: UUID | None) -> Tenant:
    tenant = session.get(Tenant, tenant_id, with_for_update=True) if tenant_id is not None else None
    if tenant is None:
        raise invalid("tenant_id", unknown("tenant") if tenant_id else "Say which tenant the files are of")
    return tenant
