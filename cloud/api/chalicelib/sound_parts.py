"""Sound as an answer: whole, or in parts (RFC 9110 §14)."""

import base64
from collections.abc import Callable
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header

from cloud.api.chalicelib.problem import CONTENT_TYPE, Problem
from cloud.api.chalicelib.ranges import MAX_PART_BYTES, asked_part
from cloud.pbx.errors import PbxError

SOUND: Final = "audio/wav"
WHOLE_BYTES: Final = 4 * 1024 * 1024
"""What is given without a range; the gateway takes no larger answer."""

AskedPart = Annotated[str | None, Header(alias="Range", max_length=200, description="One range of bytes")]
IfRange = Annotated[str | None, Header(alias="If-Range", max_length=200)]


class RangeNeeded(PbxError):
    """The recording is too large for one answer: ask for parts of it with the header Range."""

    status = 422
    problem = "range-needed"


def sound_answer(
    size: int, digest: str, asked: str | None, if_range: str | None, read: Callable[[int, int], bytes]
) -> Response[str]:
    """The part that is asked for.

    Args:
        size: of the whole, in bytes.
        digest: of the whole; its ETag.
        asked: the header Range; None: there was none.
        if_range: the header If-Range.
        read: gives the bytes from the first to the last one, which is included.

    Raises:
        RangeNeeded: the whole was asked for, and is too large.
    """
    tag = f'"{digest}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-store"}
    wanted = asked_part(asked if if_range in (None, tag) else None, size)
    if wanted == "unsatisfiable":
        problem = Problem(416, "range-not-satisfiable", f"The recording has {size} bytes")
        return Response(416, CONTENT_TYPE, problem.body(), headers={**headers, "Content-Range": f"bytes */{size}"})
    if wanted is None and size > WHOLE_BYTES:
        raise RangeNeeded(
            f"The recording has {size} bytes: ask for parts of it with the header Range, {MAX_PART_BYTES} bytes each"
        )
    first, last = wanted or (0, size - 1)
    data = read(first, last)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    response = Response(200 if wanted is None else 206, SOUND, base64.b64encode(data).decode(), headers=headers)
    response.base64_encoded = True  # the gateway makes bytes of it
    return response
