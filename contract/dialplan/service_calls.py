"""What a voice service with a number of its own is told of a call to it, and who may make one."""

from __future__ import annotations

from contract.dialplan.steps import Service
from contract.snapshot import Attendant, Music, Paging, Park, User, VoiceService


def service_step(
    service: VoiceService, dialled: str, caller: User | None, payer: User | None, owner: User | None = None
) -> Service:
    """The step that leads to a service.

    Args:
        service: which.
        dialled: the one of its names that was dialled.
        caller: who calls; None: somebody from outside.
        payer: who dialled it, or sent the call there; None: somebody from outside.
        owner: whose conference room it is, where that was dialled.
    """
    arguments = [("service", service.service_id), *((("room", owner.user_id),) if owner is not None else ())]
    if isinstance(service, Attendant | Music | Paging):
        arguments += _done_by(caller)
    if isinstance(service, Park):
        arguments += [("orbit", dialled if dialled in service.orbits else ""), *_done_by(payer)]
    return Service(service.kind, tuple(arguments))


def retrieval_step(park: Park, orbit: str, payer: User) -> Service:
    """The step that takes up who waits in an orbit."""
    return Service("park", (("service", park.service_id), ("orbit", orbit), ("action", "retrieve"), *_done_by(payer)))


def music_arguments(caller: User | None) -> tuple[tuple[str, str], ...]:
    """What music that is no service's own is told: whose phone calls it, for somebody whom it holds (RFC 7088)."""
    return _done_by(caller)


def is_for_users_only(service: VoiceService) -> bool:
    """Whether nobody from outside may call it, unless somebody of the site sends the call there."""
    return isinstance(service, Park | Paging)


def _done_by(payer: User | None) -> tuple[tuple[str, str], ...]:
    return (("user", payer.user_id),) if payer is not None else ()
