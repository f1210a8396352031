"""A fax from the public network to a number of a user, at a whole system: kept at the site, mailed as PDF."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import pytest

from cloud.local.baresip import free_pair
from cloud.local.system import LocalSystem
from cloud.pbx.fax_documents import fax_pdf
from contract.fax_image import count_pages
from tests.support.edge_process import EdgeProcess
from tests.support.fax_files import Sheet, tiff
from tests.support.fax_machine import STATION, FaxMachine, sheet
from tests.support.mail_server import MailServer, mail_server
from tests.support.waiting import eventually
from tests.system.conftest import Site, settings_for
from tests.system.test_outage import bring_the_cloud_back, cut_the_cloud

CALLED: Final = "0441112290"
SENDER: Final = "0791112233"
SECONDS: Final = 180.0
"""For a fax of two pages, on a busy machine."""
TOP_ROWS: Final = 50
ROW_BYTES: Final = 1728 // 8
PAGES: Final = (sheet(1000), sheet(600))

pytestmark = [
    pytest.mark.peer("freeswitch"),
    pytest.mark.peer("pdfimages"),
    pytest.mark.timeout(600),
]


class Office:
    """The demo site on FreeSWITCH, with a trunk, a fax number of its first user, and somebody who sends."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.mails: MailServer = stack.enter_context(mail_server())
        mail = {
            "TANDEM_SMTP_HOST": "127.0.0.1",
            "TANDEM_SMTP_PORT": str(self.mails.port),
            "TANDEM_SMTP_SECURITY": "none",
        }
        self.system = LocalSystem(settings_for(folder / "system", **mail), None, None, lambda _: None)
        stack.callback(self.system.stop)
        self.system.start()
        self.site = Site(self.system)
        self.machine = stack.enter_context(FaxMachine(folder / "machine"))
        self.system.parts["edge"].stop()
        self.trunks = free_pair()
        self.state = Path(self.site.running.edge_state_dir)
        settings = {
            "TANDEM_EDGE_MEDIA_ENGINE": "freeswitch",
            "TANDEM_EDGE_SIP_TRUNKS_UDP_PORT": str(self.trunks),
            "TANDEM_EDGE_SIP_TRUNKS_TCP_PORT": "0",
            "TANDEM_EDGE_SIP_TRUNKS_TLS_PORT": "0",
        }
        self.edge = EdgeProcess(self.state, settings)
        stack.callback(self.edge.stop)
        self.edge.ready()
        self._set_up()

    def _set_up(self) -> None:
        api, site = self.site.api, self.site.running.site_id
        owner = self.site.user_id(0)
        api.patch(f"/sites/{site}", {"voicemail": {"recordings_leave": True}})
        api.put(f"/users/{owner}/mailbox/mail", {"email": "owner@tandem.test", "recording": "attach"})
        plan = api.get(f"/sites/{site}/dial-plan")["document"]
        numbers = {"style": "national", "country_code": "41"}
        trunk = {"gateway_id": "first", "name": "First", "host": "127.0.0.1", "port": self.machine.port}
        fax = {"kind": "fax", "service_id": "own-fax", "name": "Own fax", "extension": "390", "owners": [owner]}
        t38 = {**fax, "service_id": "t38-fax", "name": "Fax by T.38", "extension": "391", "t38": True}
        gateway = {**trunk, "gateway_id": "box", "name": "Box", "incoming": numbers}
        more = {
            "voice_services": [fax, t38],
            "trunks": [{**trunk, "options_seconds": 0, "numbers": numbers, "incoming": numbers}],
            "gateways": [gateway],
            "numbers": [
                {"number": "+41441112290", "destination": "390"},
                {"number": "+41441112291", "destination": "391"},
            ],
        }
        api.put(f"/sites/{site}/dial-plan", {"document": {**plan, **more}})
        eventually(lambda: self.site.serves("own-fax", "t38-fax"), 60, "the edge has the fax mailbox")

    def media(self) -> int:
        """The process that the voice services run in."""
        return next(int(one["pid"]) for one in self.edge.status()["processes"] if one["name"] == "media")

    def faxes(self, mailbox: str = "own-fax") -> list[dict[str, Any]]:
        """What is on the edge's disk, oldest first."""
        found = [json.loads(one.read_text()) for one in (self.state / "mailboxes" / mailbox).glob("*.json")]
        return sorted(found, key=lambda one: str(one["received_at"]))

    def send(self, *sheets: Sheet) -> str:
        """Have a fax begin; the sender's name of the call."""
        answered = self.machine.send(CALLED, self.trunks, SENDER, *sheets)
        assert answered.startswith("+OK"), answered
        return answered.removeprefix("+OK").strip()

    def received(self, count: int) -> dict[str, Any]:
        """The newest fax, once there are so many."""
        eventually(lambda: len(self.faxes()) >= count, SECONDS, "a fax on the edge's disk")
        assert len(self.faxes()) == count
        return self.faxes()[-1]

    def coming(self, pages: int) -> None:
        """Wait until so many pages of a fax that goes on are on the edge's disk."""

        def there() -> bool:
            drafts = (self.state / "mailboxes/own-fax").glob("*.draft")
            files = [one.with_suffix(".tif") for one in drafts]
            return any(one.exists() and count_pages(one.read_bytes()) >= pages for one in files)

        eventually(there, SECONDS, f"{pages} pages of a fax")

    def reasons(self) -> list[str]:
        """What the records of all calls say of them."""
        calls = self.site.api.items(f"/calls?site_id={self.site.running.site_id}")
        return [reason for call in calls for reason in call["reasons"]]

    def mailed(self, count: int) -> EmailMessage:
        """The newest mail, once there are so many."""
        eventually(lambda: len(self.mails.mails) >= count, 120, f"{count} mails")
        assert len(self.mails.mails) == count
        return self.mails.mails[-1]

    def drawn(self, name: str, pdf: bytes) -> list[tuple[int, bytes]]:
        """Of each page of a document, as a program of others draws it: its size in bytes, and what is on it.

        A machine that sends writes a line of its own over the top.
        """
        program, folder = shutil.which("pdfimages"), self.folder / name
        assert program is not None
        folder.mkdir()
        (folder / "fax.pdf").write_bytes(pdf)
        subprocess.run([program, "fax.pdf", "page"], cwd=folder, check=True)
        pages = [one.read_bytes() for one in sorted(folder.glob("page*.pbm"))]
        return [(len(page), page[TOP_ROWS * ROW_BYTES :]) for page in pages]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def test_a_fax_comes_while_the_cloud_is_away_and_is_mailed_as_pdf_once_it_is_back(office: Office) -> None:
    cut_the_cloud(office.system)
    office.send(*PAGES)
    fax = office.received(1)
    assert (fax["fax"]["pages"], fax["fax"]["complete"], fax["fax"]["station"]) == (2, True, STATION)
    assert fax["caller"]["number"] == "+41791112233"
    sent = office.drawn("sent", fax_pdf(tiff(*PAGES)))
    file = office.state / "mailboxes/own-fax" / f"{fax['message_id']}.tif"
    assert office.drawn("kept", fax_pdf(file.read_bytes())) == sent
    bring_the_cloud_back(office.system)
    mail = office.mailed(1)
    assert mail["Subject"] == "Fax from +41791112233, 2 pages"
    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    assert office.drawn("mailed", attached.get_content()) == sent
    eventually(lambda: f"fax, 2 pages from {STATION}" in office.reasons(), 60, "the record says that it was a fax")


def test_a_machine_that_goes_before_a_page_came_leaves_no_message_and_its_record_says_so(office: Office) -> None:
    call = office.send(*PAGES)
    office.machine.hang_up(call)
    eventually(lambda: any("fax, no page came" in one for one in office.reasons()), 60, "the record says so")
    assert office.faxes() == []
    assert list((office.state / "mailboxes/own-fax").iterdir()) == []


def test_the_pages_before_a_line_breaks_or_the_agent_is_killed_are_kept_and_mailed_as_incomplete(
    office: Office,
) -> None:
    call = office.send(*[sheet(1000)] * 20)
    office.coming(1)
    office.machine.hang_up(call)
    broken = office.received(1)["fax"]
    assert 1 <= broken["pages"] < 20
    assert not broken["complete"]
    mail = office.mailed(1)
    (attached,) = mail.iter_attachments()
    assert len(office.drawn("broken", attached.get_content())) == broken["pages"]
    body = mail.get_body()
    assert body is not None
    assert "incomplete, pages may be missing" in body.get_content()

    office.send(*[sheet(1000)] * 20)
    office.coming(1)
    os.kill(office.media(), signal.SIGKILL)
    killed = office.received(2)["fax"]
    assert 1 <= killed["pages"] < 20
    assert (killed["complete"], killed["result"]) == (False, "the edge was stopped while it came")
    mail = office.mailed(2)
    (attached,) = mail.iter_attachments()
    assert len(office.drawn("killed", attached.get_content())) == killed["pages"]


def test_a_gateways_machine_sends_by_t38_where_the_mailbox_takes_it_up(office: Office) -> None:
    at = office.edge.ports()["sip_udp"]
    answered = office.machine.send("0441112291", at, SENDER, *PAGES, t38=True)
    assert answered.startswith("+OK"), answered
    eventually(lambda: office.faxes("t38-fax"), SECONDS, "a fax on the edge's disk")
    (fax,) = office.faxes("t38-fax")
    assert (fax["fax"]["pages"], fax["fax"]["complete"], fax["fax"]["station"]) == (2, True, STATION)
    file = office.state / "mailboxes/t38-fax" / f"{fax['message_id']}.tif"
    assert office.drawn("kept", fax_pdf(file.read_bytes())) == office.drawn("sent", fax_pdf(tiff(*PAGES)))
    assert "T38 status         negotiated" in office.machine.said()
