"""/listening/{id}: parts of a sound for a browser's player, which can send no access token.

Whoever may hear a sound says so with POST …/listening below it, which answers with this address and a cookie for it
(`listening_tickets`). What is answered here is what its own audio answers, to the same person.
"""

from typing import Annotated, assert_never
from uuid import UUID

from aws_lambda_powertools.event_handler import Depends, Request, Response

from cloud.api.chalicelib import call_recordings, conference_recordings, messages, sounds
from cloud.api.chalicelib.authorizer import scope_of
from cloud.api.chalicelib.fields import PathId
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.sound_parts import AskedPart, IfRange
from cloud.api.chalicelib.tokens import TokenRefused
from cloud.api.chalicelib.work import Visitor, Work
from cloud.pbx.errors import Unauthorized

router = new_router()


class ListeningOver(Unauthorized):
    """Nobody was let in here, or the time is over: ask again with POST below the recording."""


def _cookies(request: Request) -> str:
    return str(request.headers.get("cookie") or "")


@router.get(
    "/listening/<listening_id>/audio",
    **operation("hear", "listening", "A sound in parts (RFC 9110 §14), by the cookie of POST …/listening", None),
)
def listen(
    visit: Visitor,
    listening_id: PathId,
    cookies: Annotated[str, Depends(_cookies)],
    asked: AskedPart = None,
    if_range: IfRange = None,
) -> Response[str]:
    try:
        claims, heard = visit.services.listening.check(listening_id, cookies)
    except TokenRefused:
        raise ListeningOver from None
    with visit.services.database.session(scope_of(claims)) as session:
        work, ids = Work(visit.services, visit.source, claims, session), heard.ids
        match heard.kind:
            case "call":
                return call_recordings.get_audio(work, UUID(ids[0]), UUID(ids[1]), asked, if_range)
            case "conference":
                return conference_recordings.get_audio(work, UUID(ids[0]), ids[1], asked, if_range)
            case "message":
                return messages.get_audio(work, UUID(ids[0]), UUID(ids[1]), "recording", asked, if_range)
            case "sound":
                return sounds.get_audio(work, UUID(ids[0]), asked, if_range)
            case never:
                assert_never(never)
