"""Questions to a site's edges within a request."""

from uuid import UUID

from cloud.api.chalicelib.authorizer import scope_of
from cloud.api.chalicelib.work import Work
from cloud.pbx.conferences import Asking, online_edges


def asking_edges(work: Work, site_id: UUID) -> Asking:
    """What it takes to ask; what was changed so far is committed, since no connection is kept while edges think.

    Raises:
        NotFound: there is no such site in this scope.
    """
    services = work.services
    edges = online_edges(work.session, site_id, services.clock)
    work.session.commit()
    return Asking(services.database, scope_of(work.claims), services.tokens, services.clock, edges)
