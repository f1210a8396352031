"""Sound files as clients bring them: whether each is there, and is what an edge can play."""

import struct
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from cloud.models import Site
from cloud.objects import ObjectMissing
from cloud.pbx.blobs import Files, is_there
from cloud.pbx.checks import get_or_refuse, invalid
from cloud.pbx.errors import FieldProblem, Invalid
from contract import snapshot as contract
from contract.values import Digest

MAX_SOUND_BYTES: Final = 10 * 1024 * 1024
"""Some ten minutes."""
_HEAD_BYTES: Final = 4096
"""The format of a WAV file is told within these."""
_LINEAR, _A_LAW, _MU_LAW = 1, 6, 7


def check_sounds(
    session: Session, files: Files | None, site_id: UUID, before: contract.DialPlan, plan: contract.DialPlan
) -> None:
    """See to it that every file that a plan newly names has been brought, and can be played.

    Args:
        session: in the tenant's scope.
        files: where they are; None: this installation keeps none.
        site_id: whose plan it is.
        before: the plan in whose place the other comes.
        plan: that one.

    Raises:
        Invalid: naming each that is not there, or is something else.
    """
    known = dict(contract.sounds_of(before))
    new = {digest: who for digest, who in contract.sounds_of(plan) if digest not in known}
    tenant_id = get_or_refuse(session, Site, site_id).tenant_id
    problems = []
    for digest, name in new.items():
        if problem := _problem(session, files, tenant_id, digest):
            problems.append(FieldProblem("document", f"{name}: the file {digest[:12]}… {problem}"))
    if problems:
        raise Invalid(problems=problems)


def check_music(session: Session, files: Files | None, site_id: UUID, music: contract.OwnMusic) -> None:
    """See to it that a file that is to be somebody's music has been brought, and can be played.

    Args:
        session: in the tenant's scope.
        files: where they are; None: this installation keeps none.
        site_id: whose user's; of one that is not there nothing is said.
        music: which.

    Raises:
        Invalid: it is not there, or is something else.
    """
    site = session.get(Site, site_id)
    if site is not None and (problem := _problem(session, files, site.tenant_id, music.digest)):
        raise invalid("music", f"The file {music.digest[:12]}… {problem}")


def playable_seconds(session: Session, files: Files | None, tenant_id: UUID, digest: Digest) -> float:
    """How long a file plays that was brought.

    Args:
        session: in the tenant's scope.
        files: where they are; None: this installation keeps none.
        tenant_id: whose file.
        digest: which.

    Raises:
        Invalid: it is not there, or is something else.
    """
    problem = _problem(session, files, tenant_id, digest)
    if problem or files is None:
        raise invalid("digest", f"The file {problem}")
    return wav_seconds(_head(files, tenant_id, digest), files.store.size_bytes(tenant_id, digest) or 0)


def _head(files: Files, tenant_id: UUID, digest: Digest) -> bytes:
    head = b""
    for piece in files.store.read(tenant_id, digest):
        head += piece
        if len(head) >= _HEAD_BYTES:
            break
    return head[:_HEAD_BYTES]


def _problem(session: Session, files: Files | None, tenant_id: UUID, digest: Digest) -> str:
    if files is None:
        return "cannot be kept: this installation keeps no files"
    try:
        if not is_there(session, files, tenant_id, digest):
            return "has not been brought yet: announce it (POST /sound-files) and PUT its bytes"
        return wav_problem(_head(files, tenant_id, digest))
    except ObjectMissing:
        return "is not there any more: bring it again"


def wav_problem(head: bytes) -> str:
    """What is wrong with a WAV file for the telephone, by its first bytes; empty: nothing.

    RIFF chunks (Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0).
    """
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return "is no WAV file"
    for kind, at, _ in _chunks(head):
        if kind == b"fmt " and at + 16 <= len(head):
            form, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", head, at)
            if (rate, channels) == (8000, 1) and (form, bits) in {(_LINEAR, 16), (_A_LAW, 8), (_MU_LAW, 8)}:
                return ""
            return (
                f"is WAV of format {form} with {rate} Hz, {channels} channels and {bits} bits; it has to be 8000 Hz, "
                "one channel, 16-bit linear (1) or G.711 (6, 7)"
            )
    return "is a WAV file that does not say its format"


def wav_seconds(head: bytes, size_bytes: int) -> float:
    """How long a WAV file plays in which `wav_problem` found none.

    Args:
        head: its first bytes.
        size_bytes: of the whole file, which counts where the head does not reach to the sound.
    """
    bits, length = 16, max(0, size_bytes - len(head))
    for kind, at, size in _chunks(head):
        if kind == b"fmt " and at + 16 <= len(head):
            bits = struct.unpack_from("<H", head, at + 14)[0]
        elif kind == b"data":
            length = min(size, max(0, size_bytes - at))
    return float(length * 8 / (8000 * bits))


def _chunks(head: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each chunk that begins in the head of a file, where its content begins, and its size."""
    at = 12
    while at + 8 <= len(head):
        kind, size = struct.unpack_from("<4sI", head, at)
        yield kind, at + 8, size
        at += 8 + size + size % 2
