"""What can go wrong in the hub."""

from cloud.errors import CloudError


class HubError(CloudError):
    """Something the hub can name."""


class StoreUnavailable(HubError):
    """The database did not answer; edges are sent away and come back."""


class ExporterUnavailable(HubError):
    """This aioquic gives no access to the TLS exporter; the hub serves WebSocket alone."""


class CertificateUnusable(HubError):
    """The hub's certificate or key cannot be used; the text says why."""
