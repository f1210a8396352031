"""SIP trunks to providers (ITSP): a back-to-back user agent between the site's proxy and the public network.

Towards the proxy it is one trusted peer on a loopback port, towards providers an address of its own. Nothing of the
site's own signalling leaves: no Via, Record-Route, Contact, Call-ID, tag or product name.
"""

from edge_agent.sip.trunks.account import Account, TrunkSettings
from edge_agent.sip.trunks.joins import Joins
from edge_agent.sip.trunks.service import Trunks
from edge_agent.sip.trunks.status import TrunkStatus

__all__ = ["Account", "Joins", "TrunkSettings", "TrunkStatus", "Trunks"]
