"""Objects in a bucket of S3: the store of AWS, and the presigned addresses that take uploads there.

`objects/<tenant>/<digest>` holds an object. S3 itself compares what arrives with the SHA-256 that its name says, so an
object is whole or not there. Nothing here loads boto3 before a client is made.
"""

import base64
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from cloud.clock import Clock
from cloud.objects.errors import ObjectMissing, ObjectsUnavailable
from cloud.objects.store import CHUNK_BYTES, StoredObject
from cloud.objects.taking import take
from cloud.objects.uploads import UPLOAD_TIME, UploadPlace
from contract.values import Digest

PREFIX: Final = "objects"
"""Of the keys: what the roles of API and hub may touch of the bucket."""
CHECKSUM_HEADER: Final = "x-amz-checksum-sha256"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_IN_MEMORY_BYTES: Final = 256 * 1024
_ATTEMPTS: Final = 3
_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 10
_CONNECTIONS: Final = 64


def s3_client() -> Any:
    """A client of S3 in the region that the environment says, with its log-in.

    Deadlines are short, since a Lambda's request and an edge wait behind them. Host names are the region's own: at the
    others a browser would meet a redirection, which it may not follow with a PUT.
    """
    import boto3
    from botocore.config import Config

    # A session of its own: the default one keeps the log-in of whoever asked first.
    return boto3.session.Session().client(
        "s3",
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "virtual"},
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=_CONNECTIONS,
        ),
    )


class S3Store:
    """An `ObjectStore` in a bucket.

    What S3 refuses or does not answer is `ObjectsUnavailable`, from every method.

    Args:
        bucket: its name. With versioning, readers of a deleted object read it to its end.
        client: boto3's; see `s3_client`.
    """

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    def put(
        self, tenant_id: UUID, chunks: Iterable[bytes], *, limit_bytes: int, announced: Digest | None = None
    ) -> StoredObject:
        """See `ObjectStore.put`. The key is the digest, so the bytes are gathered in a temporary file first."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as aside:
            taken = take(chunks, aside.write, limit_bytes, announced)
            aside.seek(0)
            with _answered(taken.digest):
                self._client.put_object(
                    **self._named(tenant_id, taken.digest),
                    Body=aside,
                    ContentLength=taken.size_bytes,
                    ChecksumSHA256=_checksum(taken.digest),
                )
        return taken

    def size_bytes(self, tenant_id: UUID, digest: Digest) -> int | None:
        """See `ObjectStore.size_bytes`."""
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            with _answered(digest):
                return int(self._client.head_object(**self._named(tenant_id, digest))["ContentLength"])
        except ObjectMissing:
            return None

    def read(self, tenant_id: UUID, digest: Digest, first: int = 0) -> Iterator[bytes]:
        """See `ObjectStore.read`.

        The first piece is asked for by itself, since the hub takes no more than that: a request without an end would
        have S3 send megabytes into a connection that is then closed. The rest is one stream.
        """
        if not _DIGEST.fullmatch(digest):
            raise ObjectMissing(digest)
        named = self._named(tenant_id, digest)
        piece, size, version = self._first_piece(digest, named, first)
        return self._pieces(digest, named | version, first, piece, size)

    def delete(self, tenant_id: UUID, digest: Digest) -> None:
        """See `ObjectStore.delete`."""
        if _DIGEST.fullmatch(digest):
            with _answered(digest):
                self._client.delete_object(**self._named(tenant_id, digest))

    def _first_piece(self, digest: Digest, named: Mapping[str, str], first: int) -> tuple[bytes, int, dict[str, str]]:
        """The first piece from `first` on, the object's size, and what names this very version of it."""
        try:
            with _answered(digest):
                found = self._client.get_object(**named, Range=f"bytes={first}-{first + CHUNK_BYTES - 1}")
                piece = found["Body"].read()
        except ObjectsUnavailable as error:
            if error.why == "InvalidRange":  # there is nothing from there on
                return b"", 0, {}
            raise
        version = {"VersionId": found["VersionId"]} if "VersionId" in found else {}
        return piece, int(found["ContentRange"].rpartition("/")[2]), version

    def _pieces(self, digest: Digest, named: Mapping[str, str], first: int, piece: bytes, size: int) -> Iterator[bytes]:
        following = first + len(piece)
        if piece:
            yield piece
        if following >= size:
            return
        with _answered(digest):
            body = self._client.get_object(**named, Range=f"bytes={following}-")["Body"]
        try:
            while True:
                with _answered(digest):
                    piece = body.read(CHUNK_BYTES)
                if not piece:
                    return
                yield piece
        finally:
            body.close()

    def _named(self, tenant_id: UUID, digest: Digest) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": key_of(tenant_id, digest)}


class S3Places:
    """Places in a bucket, let in by presigned addresses; implements `UploadPlaces`.

    Size and SHA-256 are signed: S3 refuses a PUT that says others, and one whose bytes are others than it says.

    Args:
        bucket: its name.
        client: boto3's; see `s3_client`.
        clock: by which places lapse, within seconds of what S3 thinks.
    """

    def __init__(self, bucket: str, client: Any, clock: Clock) -> None:
        self._bucket = bucket
        self._client = client
        self._clock = clock

    @property
    def origin(self) -> str:
        """Where browsers bring objects, which a page has to be allowed to speak to."""
        address = urlsplit(self._client.generate_presigned_url("head_bucket", Params={"Bucket": self._bucket}))
        return f"{address.scheme}://{address.netloc}"

    def place(self, tenant_id: UUID, digest: Digest, size_bytes: int) -> UploadPlace:
        """See `UploadPlaces`. Here the address itself lets the client in; that is how S3 is made."""
        checksum = _checksum(digest)
        with _answered(digest):
            url = self._client.generate_presigned_url(
                "put_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key_of(tenant_id, digest),
                    "ContentLength": size_bytes,
                    "ChecksumSHA256": checksum,
                },
                ExpiresIn=int(UPLOAD_TIME.total_seconds()),
            )
        end = (self._clock.now() + UPLOAD_TIME).replace(microsecond=0)
        return UploadPlace(url, {CHECKSUM_HEADER: checksum}, end)


def key_of(tenant_id: UUID, digest: Digest) -> str:
    """The key of an object in the bucket."""
    return f"{PREFIX}/{tenant_id}/{digest}"


@contextmanager
def _answered(digest: Digest) -> Iterator[None]:
    """Turn boto3's exceptions into ours."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in {"404", "NoSuchKey", "NoSuchVersion"}:
            raise ObjectMissing(digest) from error
        raise ObjectsUnavailable(code) from error
    except (BotoCoreError, HTTPClientError) as error:
        raise ObjectsUnavailable(type(error).__name__) from error


def _checksum(digest: Digest) -> str:
    """A digest as S3 writes it."""
    return base64.b64encode(bytes.fromhex(digest)).decode()
