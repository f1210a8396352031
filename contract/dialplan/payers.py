"""Whose permissions count, and whether they suffice: users, and voice services that send callers on as users."""

from collections.abc import Iterator

from contract.authorization_state import payer_of
from contract.snapshot import Attendant, Authorization, CallQueue, User, VoiceService


def payers(service: VoiceService) -> Iterator[User]:
    """Whom a service dials as: an attendant itself, an authorization service itself and with each of its codes, a queue
    where it calls somebody back."""
    if isinstance(service, CallQueue) and service.enabled and service.call_back is not None:
        yield _payer(service, caller_back(service.service_id), service.name, service.call_back.permissions)
    if not service.enabled or not isinstance(service, Attendant | Authorization):
        return
    yield _payer(service, service.service_id, service.name, service.permissions)
    if isinstance(service, Authorization):
        for code in service.codes:
            if code.enabled:
                whose = f"{service.name}, code of {code.name}"
                yield _payer(service, payer_of(service.service_id, code.code_id), whose, service.permissions)


def caller_back(queue_id: str) -> str:
    """What stands for a queue that calls somebody back, in place of a user's id; no id has a colon."""
    return f"{queue_id}:call_back"


def _payer(service: VoiceService, payer_id: str, name: str, granted: tuple[str, ...]) -> User:
    # It has no mailbox of its own.
    permissions = tuple(one for one in granted if one != "Voicemail")
    return User.model_construct(
        user_id=payer_id, username=service.extension, display_name=name[:255], permissions=permissions
    )


def may(payer: User | None, permissions: tuple[str, ...]) -> bool:
    """Any one permission suffices; a caller from outside has none, and pays for nothing."""
    return payer is not None and (not permissions or any(one in payer.permissions for one in permissions))
