"""Objects too large for rows: each under its tenant and the SHA-256 of its bytes, behind one interface."""

from cloud.objects.errors import (
    ObjectMissing,
    ObjectsError,
    ObjectsUnavailable,
    ObjectTooLarge,
    ObjectUnlikeItsDigest,
)
from cloud.objects.folder import FolderStore
from cloud.objects.s3 import S3Places, S3Store, s3_client
from cloud.objects.store import CHUNK_BYTES, ObjectStore, StoredObject, read_part
from cloud.objects.uploads import TICKET_HEADER, SignedPlaces, UploadPlace, UploadPlaces, path_of

__all__ = [
    "CHUNK_BYTES",
    "TICKET_HEADER",
    "FolderStore",
    "ObjectMissing",
    "ObjectStore",
    "ObjectTooLarge",
    "ObjectUnlikeItsDigest",
    "ObjectsError",
    "ObjectsUnavailable",
    "S3Places",
    "S3Store",
    "SignedPlaces",
    "StoredObject",
    "UploadPlace",
    "UploadPlaces",
    "path_of",
    "read_part",
    "s3_client",
]
