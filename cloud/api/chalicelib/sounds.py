"""/sounds: the sound files that a tenant keeps by name, who uses each, and their sound."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from cloud.api.chalicelib.begun_listening import Listening, begun_listening
from cloud.api.chalicelib.fields import Name, PathId, Sent, Shown, TenantFilter
from cloud.api.chalicelib.listening_tickets import HeardSound
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.sound_parts import AskedPart, IfRange, sound_answer
from cloud.api.chalicelib.work import Current
from cloud.objects import ObjectMissing, read_part
from cloud.pbx import sounds
from cloud.pbx.errors import NotFound
from contract.values import Digest

router = new_router()


class SoundNotThere(NotFound):
    """The bytes of this sound file are not there any more: bring it again."""


class SoundUse(Shown):
    """Somebody who uses a sound file."""

    site_id: UUID
    site: str = Field(description="Name of the site")
    what: str = Field(description="By what it is used there, such as `queue Support`")


class Sound(Shown):
    """A sound file of a tenant."""

    id: UUID | None = Field(
        description="null: it is used and not in the list, and goes when nothing uses it any more; POST puts it there"
    )
    tenant_id: UUID
    name: str
    digest: str
    size_bytes: int
    seconds: float | None = Field(description="How long it plays; null: nobody has measured it")
    created_at: datetime
    used_by: list[SoundUse]


class Sounds(Shown):
    """All of a tenant's, by name."""

    items: list[Sound]


class NewSound(Sent):
    """A sound file to be kept until somebody deletes it."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    digest: Annotated[Digest, Field(description="Of a file that was brought (POST /sound-files)")]
    name: Name


@router.get("/sounds", **operation("getSounds", "sounds", "All of a tenant's sound files by name", "tenant_admin"))
def list_sounds(work: Current, tenant_id: TenantFilter = None) -> Sounds:
    found = sounds.list_sounds(work.session, tenant_id or work.claims.tenant_id)
    return Sounds(items=[Sound.model_validate(one) for one in found])


@router.post("/sounds", **operation("keepSound", "sounds", "Keep a sound file by a name", "tenant_admin", 201))
def keep_sound(work: Current, body: NewSound) -> Sound:
    tenant_id = body.tenant_id or work.claims.tenant_id
    return Sound.model_validate(sounds.keep_sound(work.desk, work.services.files, tenant_id, body.digest, body.name))


@router.get("/sounds/<sound_id>", **operation("getSound", "sounds", "Get a sound file", "tenant_admin"))
def get_sound(work: Current, sound_id: PathId) -> Sound:
    return Sound.model_validate(sounds.get_sound(work.session, sound_id))


@router.get(
    "/sounds/<sound_id>/audio",
    **operation("getSoundAudio", "sounds", "The sound itself, whole or in parts (RFC 9110 §14)", "tenant_admin"),
)
def get_audio(work: Current, sound_id: PathId, asked: AskedPart = None, if_range: IfRange = None) -> Response[str]:
    sound = sounds.get_sound(work.session, sound_id)
    if work.services.files is None:
        raise SoundNotThere
    store = work.services.files.store

    def read(first: int, last: int) -> bytes:
        try:
            return read_part(store, sound.tenant_id, sound.digest, first, last)
        except ObjectMissing:
            raise SoundNotThere from None

    return sound_answer(sound.size_bytes, sound.digest, asked, if_range, read)


@router.post(
    "/sounds/<sound_id>/listening",
    **operation("beginListeningToSound", "sounds", "Let a player ask for parts of a sound file", "tenant_admin", 201),
)
def begin_listening(work: Current, sound_id: PathId) -> Response[Listening]:
    return begun_listening(work, HeardSound("sound", (str(sounds.get_sound(work.session, sound_id).id),)))


@router.delete(
    "/sounds/<sound_id>",
    **operation("deleteSound", "sounds", "Delete a sound file that nobody uses", "tenant_admin", 204),
)
def delete_sound(work: Current, sound_id: PathId) -> None:
    sounds.delete_sound(work.desk, sound_id)
