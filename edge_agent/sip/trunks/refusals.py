"""Why a call by a trunk is refused before anybody is asked."""

from edge_agent.ports import CallRefused


class NoSuchTrunk(CallRefused):
    """A trunk that is not configured, or is switched off."""

    status = 503
    reason = "Service Unavailable"


class TrunkFull(CallRefused):
    """As many calls as the trunk may carry are there."""

    status = 503
    reason = "Service Unavailable"


class Unusable(CallRefused):
    """A call that says nothing usable."""

    status = 400
    reason = "Bad Request"


class NotFound(CallRefused):
    """A transfer to something that cannot be called."""

    status = 404
    reason = "Not Found"
