"""What can go wrong between this edge and its cloud."""

from edge_agent.errors import EdgeError


class SyncError(EdgeError):
    """Something about the channel, or about what is kept on disk for it."""


class NotEnrolled(SyncError):
    """This edge has no identity yet; enroll it with a code from the portal."""


class IdentityUnreadable(SyncError):
    """The identity file is there and cannot be used; the text says why."""


class ChannelFailed(SyncError):
    """A connection could not be made or broke; the text says how. The channel tries again by itself."""


class ExporterUnavailable(ChannelFailed):
    """This aioquic gives no access to the TLS exporter; the channel goes by WebSocket."""
