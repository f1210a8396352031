"""Announcements: numbers that say something, and then end the call or lead on."""

from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.attendant import AnnouncedGreeting, SpokenGreeting, UploadedGreeting
from contract.snapshot.served import Served
from contract.snapshot.voicemail import Language
from contract.values import Digest, SipUser


class AnnouncementService(Served):
    """Something that is said once or several times."""

    kind: Literal["announcement"] = "announcement"
    says: AnnouncedGreeting
    language: Language = "en"
    """Of a text or of the standard words."""
    times: Annotated[int, Field(ge=1, le=20)] = 1
    then: SipUser | None = None
    """Where the caller is sent afterwards, inside the site; None: the call ends."""

    @property
    def digests(self) -> frozenset[Digest]:
        """Blobs that it needs."""
        return frozenset({self.says.digest} if isinstance(self.says, UploadedGreeting) else ())

    @property
    def texts(self) -> tuple[str, ...]:
        """What is spoken."""
        return (self.says.text,) if isinstance(self.says, SpokenGreeting) else ()
