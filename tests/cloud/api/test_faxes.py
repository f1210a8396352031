"""Faxes over the API: shown and opened by their owners only, in the record of their call, and warned of."""

from typing import Any
from uuid import UUID

import pytest

from cloud.models import EdgeLease
from cloud.pbx.fax_documents import fax_pdf
from contract.sync.events import CallEnded, EngineTold, FaxFailed, Happening
from contract.sync.mailbox_events import FaxSheets
from tests.support.api_world import ApiWorld
from tests.support.customers import add_user, enrolled_edge
from tests.support.fax_files import Sheet, tiff
from tests.support.left_messages import TellingEdge, sound

PDF = {"Accept": "application/pdf"}
PAGES = tiff(Sheet(), Sheet(), Sheet())
FAX = FaxSheets(pages=3, station="+49 30 1234", result="OK", sip_call_id="fax@phone")


class Office:
    """A fax mailbox of the user, and its edge."""

    def __init__(self, world: ApiWorld) -> None:
        self.world = world
        self.edge = enrolled_edge(world.databases.api, world.ours, world.clock.now())
        self.telling = TellingEdge(world.databases, self.edge.known, world.clock)
        self.own = f"/users/{world.user_id}/mailbox"

    def plan(self, *owners: str) -> dict[str, Any]:
        """Save a plan with the mailbox; what is answered."""
        path = f"/sites/{self.world.ours.site_id}/dial-plan"
        fax = {"kind": "fax", "service_id": "fax-1", "name": "Sales fax", "extension": "390", "owners": owners}
        document = self.world.admin.get(path).json["document"] | {"voice_services": [fax]}
        saved = self.world.admin.put(path, {"document": document})
        assert saved.status == 200, saved.body
        found: dict[str, Any] = saved.json
        return found

    def receive(self, *, send: bool = True) -> str:
        """A fax came; its id."""
        assert self.telling.tell(self.telling.message("fax-1", PAGES, fax=FAX)) == [None]
        if send:
            files = self.world.services.files
            assert files is not None
            rules = {"voicemail": {"recordings_leave": True}}
            assert self.world.admin.patch(f"/sites/{self.world.ours.site_id}", rules).status == 200
            assert self.telling.send(files.store, PAGES).complete
        (found,) = self.world.user.get(f"{self.own}/messages").json["items"]
        return str(found["id"])


def ended(world: ApiWorld) -> CallEnded:
    """The call of the fax."""
    now = world.clock.now()
    return CallEnded(
        call_id="call-1",
        sip_call_id="fax@phone",
        caller="+49301234",
        callee="390",
        started_at=now,
        answered_at=now,
        ended_at=now,
        disposition="answered",
        status=200,
        reasons=("390 is Sales fax",),
    )


@pytest.fixture
def office(world: ApiWorld) -> Office:
    return Office(world)


def test_an_owner_sees_a_fax_and_opens_it_and_nobody_else_does(office: Office, world: ApiWorld) -> None:
    office.plan()
    assert world.user.get(office.own).json["has_messages"] is False
    office.plan(str(world.user_id))
    mailbox = world.user.get(office.own).json
    assert (mailbox["has_mailbox"], mailbox["has_messages"]) == (False, True)
    fax = office.receive()
    shown = world.user.get(f"{office.own}/messages/{fax}").json
    assert (shown["mailbox"], shown["audio"]) == ("Sales fax", "here")
    assert shown["fax"] == {"pages": 3, "station": "+49 30 1234", "complete": True, "result": "OK"}
    opened = world.user.get(f"{office.own}/faxes/{fax}", PDF)
    assert (opened.status, opened.body) == (200, fax_pdf(PAGES))
    assert opened.headers["content-type"] == "application/pdf"
    assert world.user.get(f"{office.own}/messages/{fax}/audio").status == 404
    with world.databases.api.session(world.ours.scope) as session:
        other = add_user(session, world.ours, "299").id
    assert world.admin.get(f"/users/{other}/mailbox/faxes/{fax}", PDF).status == 404
    assert world.stranger.get(f"{office.own}/faxes/{fax}", PDF).status == 404
    assert world.anyone.get(f"{office.own}/faxes/{fax}", PDF).status == 401


def test_speech_is_no_document_and_a_fax_that_stays_at_its_site_is_not_there(office: Office, world: ApiWorld) -> None:
    office.plan(str(world.user_id))
    fax = office.receive(send=False)
    assert world.user.get(f"{office.own}/faxes/{fax}").status == 404
    assert office.telling.tell(office.telling.message(world.user_id, sound(), "f" * 16)) == [None]
    speech = next(one for one in world.user.get(f"{office.own}/messages").json["items"] if one["fax"] is None)
    assert world.user.get(f"{office.own}/faxes/{speech['id']}").status == 404


@pytest.mark.parametrize("fax_first", [True, False])
def test_the_record_of_the_call_says_that_it_was_a_fax(office: Office, world: ApiWorld, fax_first: bool) -> None:
    office.plan(str(world.user_id))
    call = ended(world)
    if fax_first:
        office.receive(send=False)
    assert office.telling.tell(call) == [None]
    if not fax_first:
        office.receive(send=False)
    (record,) = world.admin.get("/calls").json["items"]
    assert record["reasons"] == ["390 is Sales fax", "fax, 3 pages from +49 30 1234"]


@pytest.mark.parametrize("failure_first", [True, False])
def test_the_record_of_a_call_without_a_page_says_what_came_of_it(
    office: Office, world: ApiWorld, failure_first: bool
) -> None:
    office.plan(str(world.user_id))
    failed = FaxFailed(service_id="fax-1", sip_call_id="fax@phone", station="+49 30 1234", result="No carrier\0")
    told: list[Happening] = [failed, ended(world)]
    assert office.telling.tell(*(told if failure_first else told[::-1])) == [None, None]
    (record,) = world.admin.get("/calls").json["items"]
    assert record["reasons"][0] == "390 is Sales fax"
    assert record["reasons"][1].startswith("fax, no page came from +49 30 1234: No carrier")
    assert len(record["reasons"]) == 2


def test_whoever_saves_is_told_that_the_sites_engine_has_no_fax(office: Office, world: ApiWorld) -> None:
    def about_fax() -> list[str]:
        return [one for one in office.plan(str(world.user_id))["warnings"] if "fax" in one]

    (stays,) = about_fax()
    assert "does not let recordings leave" in stays
    world.admin.patch(f"/sites/{world.ours.site_id}", {"voicemail": {"recordings_leave": True}})
    assert about_fax() == []
    with world.databases.hub.session(office.edge.known.scope) as session:
        session.merge(
            EdgeLease(edge_id=office.edge.known.edge_id, tenant_id=world.ours.tenant_id, site_id=world.ours.site_id)
        )
    assert office.telling.tell(EngineTold(engine="embedded", receives_fax=False)) == [None]
    (refused,) = about_fax()
    assert "cannot receive fax: its voice services run on the embedded engine" in refused
    shown = world.admin.get(f"/edges/{office.edge.known.edge_id}").json
    assert (shown["media_engine"], shown["receives_fax"]) == ("embedded", False)
    assert office.telling.tell(EngineTold(engine="freeswitch", receives_fax=True)) == [None]
    assert about_fax() == []


def test_a_fax_mailbox_of_nobody_is_warned_of_and_one_of_an_unknown_user_refused(
    office: Office, world: ApiWorld
) -> None:
    assert any("has no owners" in one for one in office.plan()["warnings"])
    path = f"/sites/{world.ours.site_id}/dial-plan"
    document = world.admin.get(path).json["document"]
    document["voice_services"][0]["owners"] = [str(UUID(int=1))]
    assert "unknown owner" in str(world.admin.put(path, {"document": document}).body)
