"""Somebody guesses passwords at a site: what its edge says of it is among the alarms that the portal shows."""

from collections import Counter

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


def test_a_lock_out_at_a_site_is_one_open_alarm_that_names_the_newest_and_is_cleared_with_the_last(
    databases: Databases, functions: Functions, edge: EdgeAtSite, clock: HandClock
) -> None:
    log, rules = SiteLog(), LockoutRules(failures_per_name_and_source=1)
    lockout = Lockout(rules, Location(), log, Counter())

    def shown() -> list[tuple[str, bool]]:
        """What the portal lists after what the edge told until now: the text, and whether it is open."""
        arrive(databases, edge, clock, sent[0], *log.reports)
        sent[0] += len(log.reports)
        log.reports.clear()
        functions.ingest()
        with databases.api.session(edge.known.scope) as session:
            page = list_alarms(session, PageRequest(), edge.known.site_id)
            return [(one.text, one.cleared_at is None) for one in page.items if one.alarm == "digest_lockout"]

    sent = [1]
    lockout.failed(Flow("udp", "192.0.2.66", 5060), b"auth200", 0.0)
    assert shown() == [("1 wrong passwords for auth200 from 192.0.2.66: refused for 300 seconds.", True)]
    lockout.failed(Flow("udp", "192.0.2.66", 5060), b"auth201", 1.0)
    lockout.sweep(rules.alarm_seconds)
    newest = "2 locks, the newest: 1 wrong passwords for auth201 from 192.0.2.66: refused for 300 seconds."
    assert shown() == [(newest, True)]
    lockout.sweep(rules.lock_seconds + 2)
    assert shown() == [(newest, False)]
