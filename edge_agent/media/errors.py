"""What can go wrong with media, by name; an error that refuses a call knows its SIP answer."""

from edge_agent.errors import EdgeError
from edge_agent.ports import CallRefused


class MediaError(EdgeError):
    """Something about the media of a call."""


class NoSuchApplication(CallRefused):
    """The user part of the Request-URI names no application."""

    status = 404
    reason = "Not Found"


class TooManySessions(CallRefused):
    """As many calls as the settings allow are up."""

    status = 503
    reason = "Service Unavailable"


class NoRtpPort(CallRefused):
    """Every RTP port of the range is taken."""

    status = 503
    reason = "Service Unavailable"


class BadSdp(CallRefused):
    """The session description cannot be read."""

    status = 400
    reason = "Bad Session Description"


class NotAcceptable(CallRefused):
    """The session description can be read, and offers nothing that we can do (RFC 3261 §21.4.26)."""

    status = 488
    reason = "Not Acceptable Here"


class PromptError(MediaError):
    """A prompt is missing or is not 8 kHz, mono, 16-bit WAV."""


class MixFull(MediaError):
    """As many callers as a mix takes are in it."""


class NobodyLeft(MediaError):
    """There is nobody to hear it any more."""


class MulticastFailed(MediaError):
    """Nothing can be sent to a multicast address."""


class RecordingFailed(MediaError):
    """A recording cannot be written."""


class SessionEnded(MediaError):
    """The call is over, so what the application asked of it cannot be done; `cause` is the `EndCause`."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the call is over: {cause}")
        self.cause = cause
