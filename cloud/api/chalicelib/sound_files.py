"""/sound-files: greetings that are brought past the API."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from cloud.api.chalicelib.fields import Sent, Shown
from cloud.api.chalicelib.firmware import UploadPlace
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import blobs
from cloud.pbx.errors import Conflict
from cloud.pbx.sound_files import MAX_SOUND_BYTES
from contract.values import Digest

router = new_router()


class NewSoundFile(Sent):
    """A sound file that is to be brought: WAV, 8000 Hz, one channel, 16-bit linear or G.711."""

    tenant_id: UUID | None = Field(None, description="The tenant; a tenant's own accounts leave it out")
    digest: Annotated[Digest, Field(description="SHA-256 of its bytes, in lower-case hexadecimal")]
    size_bytes: Annotated[int, Field(ge=1, le=MAX_SOUND_BYTES, description=f"At most {MAX_SOUND_BYTES}")]


class SoundFile(Shown):
    """A sound file that was announced; name it by its digest in a greeting of the dial plan within a day."""

    digest: str
    size_bytes: int
    place: UploadPlace | None = Field(description="null: the file is there already")


@router.post(
    "/sound-files",
    **operation("announceSoundFile", "dial plans", "Have a place to bring a greeting to", "tenant_admin", 201),
)
def announce_sound_file(work: Current, body: NewSoundFile) -> SoundFile:
    if work.services.files is None:
        raise Conflict("This installation keeps no files; set TANDEM_API_OBJECTS_FOLDER or TANDEM_API_OBJECTS_BUCKET")
    tenant_id = body.tenant_id or work.claims.tenant_id
    return SoundFile.model_validate(
        blobs.announce_file(work.desk, work.services.files, tenant_id, body.digest, body.size_bytes)
    )
