"""What a site is told of its fax mailboxes: once, and that it is over."""

from pathlib import Path

from contract.snapshot import Fax, Snapshot
from contract.sync.events import AlarmChanged, EngineTold, FaxFailed, Happening
from edge_agent.clock import SystemClock
from edge_agent.media.mailbox.store import MailboxStore
from edge_agent.media.session import FaxReceived
from edge_agent.processes.fax import FULL, NOT_POSSIBLE, SiteFax
from edge_agent.tokens import SystemTokens
from tests.edge_agent.processes.test_voicemail import prepared, snapshot

FAX = Fax(service_id="fax-1", name="Sales fax", extension="390", owners=("u-200",))


class Site:
    """A media process's fax, and what it tells."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Happening] = []
        clock = SystemClock()
        store = MailboxStore(folder / "mailboxes", clock, SystemTokens())
        self.fax = SiteFax(folder, store, self.told.append, "freeswitch", clock)

    def runs(self, *services: Fax) -> None:
        made: Snapshot = snapshot()
        plan = made.dial_plan.model_copy(update={"voice_services": services})
        self.fax.prepare(prepared(made.model_copy(update={"dial_plan": plan})))
        self.fax.commit()

    def alarms(self) -> list[tuple[str, bool]]:
        return [(one.alarm, one.active) for one in self.told if isinstance(one, AlarmChanged)]


def test_an_engine_without_fax_is_an_alarm_once_there_is_a_fax_mailbox_and_no_longer_than_that(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.fax.can_receive(possible=False)
    site.runs()
    assert site.alarms() == []
    site.runs(FAX)
    site.runs(FAX)
    site.fax.can_receive(possible=False)
    assert site.alarms() == [(NOT_POSSIBLE, True)]
    assert "mod_spandsp" in next(one.text for one in site.told if isinstance(one, AlarmChanged))
    site.runs(FAX.model_copy(update={"enabled": False}))
    assert site.alarms()[1:] == [(NOT_POSSIBLE, False)]
    assert [one for one in site.told if isinstance(one, EngineTold)] == [
        EngineTold(engine="freeswitch", receives_fax=False)
    ]


def test_an_alarm_of_the_run_before_is_over_when_the_module_is_there(tmp_path: Path) -> None:
    before = Site(tmp_path)
    before.runs(FAX)
    before.fax.can_receive(possible=False)
    site = Site(tmp_path)
    site.runs(FAX)
    site.fax.can_receive(possible=True)
    assert site.alarms() == [(NOT_POSSIBLE, False), (FULL, False)]


def test_a_full_mailbox_is_told_of_until_there_is_room(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.runs(FAX)
    for full in (True, True, False):
        site.fax.is_full(FAX, full=full)
    assert site.alarms() == [(FULL, True), (FULL, False)]


def test_a_fax_without_a_page_is_told_where_its_call_is_known(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.fax.failed(FAX, FaxReceived(complete=False, result="the connection broke"))
    site.fax.failed(FAX, FaxReceived(complete=False, result="no carrier" * 100, station="+49", sip_call_id="a@b"))
    assert site.told == [
        FaxFailed(service_id="fax-1", sip_call_id="a@b", station="+49", result=("no carrier" * 100)[:256])
    ]
