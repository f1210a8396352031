"""How the edges of one tenant's sites tell each other apart: by names in flows, which only certificates give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contract.snapshot import SITE_NAMES, SiteLink
from edge_agent.sip.message import Flow

SITES: Final = "sites"
"""What the port for other sites is called among those of the transports."""


def is_site_name(name: str) -> bool:
    """Whether a flow's name is that of a site: then its peer proves, or proved, that it is that site's."""
    return name.endswith(SITE_NAMES)


class SitePlaces:
    """Where edges of other sites listen: a request within a dialog names an address, and has to meet that site."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, int], str] = {}

    def know(self, links: Iterable[SiteLink]) -> None:
        """These are the edges of other sites from now on."""
        self._names = {(link.host, link.port): link.certificate_name for link in links}

    def named(self, flow: Flow) -> Flow:
        """A flow to the edge of another site with that site's name; any other as it is."""
        if not self._names or flow.transport != "tls" or flow.connection or flow.name:
            return flow
        name = self._names.get((flow.host, flow.port))
        return flow if name is None else flow._replace(name=name)
