"""Somebody guesses passwords at a site: what its edge says of it reaches the alarms that the portal shows."""

from collections import Counter
from dataclasses import replace

from cloud.models import Alarm, OutboxRow
from cloud.pbx.alarms import list_alarms
from cloud.pbx.pages import PageRequest
from edge_agent.sip.config import LockoutRules
from edge_agent.sip.location import Location
from edge_agent.sip.lockout import Lockout
from edge_agent.sip.message import Flow
from tests.cloud.functions.conftest import Functions
from tests.cloud.functions.test_ingest_events import arrive
from tests.support.customers import EdgeAtSite, HandClock
from tests.support.postgres import Databases
from tests.support.sip_site import SiteLog
