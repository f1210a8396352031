"""Sound files that a site's configuration names: what is said, and what is played."""

from collections.abc import Iterable, Iterator

from contract.snapshot.announcement import AnnouncementService
from contract.snapshot.attendant import Attendant
from contract.snapshot.conference import Meeting
from contract.snapshot.dial_plan import DialPlan
from contract.snapshot.music import Music
from contract.snapshot.park import Park
from contract.snapshot.queue import CallQueue
from contract.snapshot.user import User
from contract.values import Digest


def sounds_of(plan: DialPlan, users: Iterable[User] = ()) -> Iterator[tuple[Digest, str]]:
    """Each file, with who names it.

    Args:
        plan: of the site.
        users: of the site.
    """
    if plan.music is not None:
        yield plan.music.digest, "the site"
    for service in plan.voice_services:
        who = f"{'conference' if isinstance(service, Meeting) else service.kind} {service.name}"
        if isinstance(service, Attendant | AnnouncementService):
            yield from ((digest, who) for digest in sorted(service.digests))
        elif isinstance(service, Music | Park | CallQueue | Meeting) and service.music is not None:
            yield service.music.digest, who
        if isinstance(service, Park):
            yield from ((one.music.digest, f"orbit {one.orbit} of {service.name}") for one in service.orbit_music)
    yield from ((group.music.digest, f"hunt group {group.name}") for group in plan.hunt_groups if group.music)
    yield from ((user.music.digest, f"user {user.username}") for user in users if user.music)
