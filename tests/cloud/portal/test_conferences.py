"""Conference rooms in a browser: made, given PINs, watched and controlled; the edge's part is done by the test."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect

from contract.snapshot import Conference, UserConferences
from contract.sync.conferences import (
    ConferenceAnswer,
    ConferenceRecording,
    ConferenceRecordings,
    LiveConference,
    LiveConferences,
    LiveParty,
)
from contract.sync.messages import Command
from tests.support.answering_edge import Reply, answering_edge
from tests.support.api_world import PASSWORD, ApiWorld
from tests.support.customers import enrolled_edge
from tests.support.left_messages import TellingEdge
from tests.support.portal import PHONE, Visit, visit
from tests.support.told_recordings import bring_sound, conference_sound, recorded_conference

pytestmark = pytest.mark.peer("chromium")


class ScriptedEdge:
    """Two callers in the room Team; does what it is told."""

    def __init__(self, now: datetime) -> None:
        self.orders: list[dict[str, str]] = []
        self.recordings: tuple[ConferenceRecording, ...] = (
            ConferenceRecording(recording_id="aa" * 8, room_id="team", name="Team", began_at=now, seconds=127.2),
        )
        parties = (
            LiveParty(party_id="11" * 8, number="200", name="Anna", moderator=True, speaking=True, came_at=now),
            LiveParty(party_id="22" * 8, number="+4930123456", speaking=False, came_at=now),
        )
        self.conference: LiveConference | None = LiveConference(
            room_id="team", name="Team", extension="8002", began_at=now, parties=parties
        )

    def reply(self, command: Command) -> Reply:
        """What the edge says."""
        going = (self.conference,) if self.conference is not None else ()
        match command.name:
            case "conferences":
                return True, LiveConferences(conferences=going).model_dump_json()
            case "conference_order":
                self.orders.append(dict(command.arguments))
                self._carry_out(command.arguments)
                return True, ConferenceAnswer(conference=self.conference).model_dump_json()
            case "delete_conference_recording":
                self.recordings = ()
                return True, ConferenceRecordings(deleted=True).model_dump_json()
            case "conference_recordings":
                return True, ConferenceRecordings(recordings=self.recordings).model_dump_json()
            case _:
                return False, ""

    def _carry_out(self, order: dict[str, str]) -> None:
        action, party_id = order["action"], order["party"]
        assert self.conference is not None
        changes: dict[str, object] = {}
        if action in ("lock", "unlock"):
            changes = {"locked": action == "lock"}
        elif action == "record":
            changes = {"recorded": True}
        elif action == "mute":
            muted = [
                one.model_copy(update={"muted": one.party_id == party_id or one.muted})
                for one in self.conference.parties
            ]
            changes = {"parties": tuple(muted)}
        elif action == "kick":
            changes = {"parties": tuple(one for one in self.conference.parties if one.party_id != party_id)}
        self.conference = None if action == "end" else self.conference.model_copy(update=changes)


@pytest.fixture
def edge(world: ApiWorld) -> Iterator[ScriptedEdge]:
    known = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
    scripted = ScriptedEdge(datetime(2026, 1, 1, 12, tzinfo=UTC))
    with answering_edge(world.databases, known, world.clock, scripted.reply):
        yield scripted


def site(world: ApiWorld) -> str:
    return f"/sites/{world.ours.site_id}"


def with_room(world: ApiWorld) -> None:
    plan = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    room = Conference(service_id="team", name="Team", extension="8002", asks_pin=True, recorded=True)
    plan["voice_services"] = [room.model_dump(mode="json")]
    answer = world.admin.put(f"{site(world)}/dial-plan", {"document": plan})
    assert answer.status == 200, answer.body


def test_a_room_is_made_refused_where_its_number_is_taken_changed_and_deleted(world: ApiWorld, msp: Visit) -> None:
    with_room(world)
    page = msp.page
    msp.go(f"{site(world)}/conferences")
    page.get_by_role("button", name="Add a room").click()
    page.get_by_role("menuitem", name="One room").click()
    form = page.get_by_role("form", name="New room")
    form.get_by_role("button", name="Add room").click()
    expect(form).to_contain_text("The room needs a name")
    form.get_by_label("Name", exact=True).fill("Board")
    form.get_by_label("Number", exact=True).fill("8002")
    form.get_by_role("button", name="Add room").click()
    expect(form).to_contain_text("'8002' is used more than once")
    form.get_by_label("Number", exact=True).fill("8003")
    form.get_by_role("combobox", name="Owner").click()
    page.get_by_role("option", name="Reception").click()
    form.get_by_role("switch", name="Music until a moderator is there").check()
    form.get_by_role("button", name="Add room").click()
    table = page.get_by_role("table", name="Conference rooms")
    row = table.get_by_role("row").filter(has_text="Board")
    expect(row).to_contain_text("asks for a PIN, waits for its moderator")
    expect(row).to_contain_text("Reception")
    row.get_by_role("button", name="Edit Board").click()
    edit = page.get_by_role("form", name="Room Board")
    edit.get_by_role("switch", name="Record it from its beginning").check()
    edit.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("is recorded")
    services = world.admin.get(f"{site(world)}/dial-plan").json["document"]["voice_services"]
    assert [(one["name"], one["owner"], one["recorded"]) for one in services] == [
        ("Team", None, True),
        ("Board", str(world.user_id), True),
    ]
    row.get_by_role("button", name="Delete Board").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete room").click()
    expect(row).to_have_count(0)


def test_users_are_given_a_room_each_once(world: ApiWorld, msp: Visit) -> None:
    page = msp.page
    msp.go(f"{site(world)}/conferences")
    page.get_by_role("button", name="Add a room").click()
    page.get_by_role("menuitem", name="A room for each user").click()
    form = page.get_by_role("form", name="A room for each user")
    form.get_by_label("Number before the user’s").fill("7")
    form.get_by_role("button", name="Add room").click()
    expect(page.get_by_role("table", name="Conference rooms")).to_contain_text("each user")
    page.get_by_role("button", name="Add a room").click()
    expect(page.get_by_role("menuitem", name="A room for each user")).to_be_disabled()


def test_pins_are_set_refused_and_taken_away_and_never_shown(world: ApiWorld, msp: Visit) -> None:
    with_room(world)
    page = msp.page
    msp.go(f"{site(world)}/conferences")
    page.get_by_role("button", name="Set the PINs of Team").click()
    window = page.get_by_role("dialog")
    pin = window.get_by_label("PIN for all who take part").and_(window.locator("input"))
    pin.fill("1111")
    window.get_by_role("button", name="Set the PIN for all who take part").click()
    expect(window).to_contain_text("not all the same")
    pin.fill("2580")
    window.get_by_role("button", name="Set the PIN for all who take part").click()
    expect(window).to_contain_text("One is set")
    expect(pin).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.get_by_role("table", name="Conference rooms")).to_contain_text("for all")
    page.get_by_role("button", name="Set the PINs of Team").click()
    page.get_by_role("button", name="Take away the PIN for all who take part").click()
    expect(page.get_by_role("dialog")).not_to_contain_text("One is set")


def test_a_conference_is_watched_and_controlled(world: ApiWorld, msp: Visit, edge: ScriptedEdge) -> None:
    with_room(world)
    page = msp.page
    msp.go(f"{site(world)}/conferences")
    room = page.get_by_role("region", name="Conference Team")
    anna = room.get_by_role("row").filter(has_text="Anna")
    guest = room.get_by_role("row").filter(has_text="+4930123456")
    expect(anna).to_contain_text("Speaks")
    expect(anna).to_contain_text("Moderator")
    expect(guest).to_contain_text("Listens")
    guest.get_by_role("button", name="Mute +4930123456").click()
    expect(guest).to_contain_text("Muted")
    room.get_by_role("button", name="Lock", exact=True).click()
    expect(room).to_contain_text("Locked")
    room.get_by_role("button", name="Record", exact=True).click()
    expect(room).to_contain_text("Being recorded")
    guest.get_by_role("button", name="More for +4930123456").click()
    page.get_by_role("menuitem", name="Louder for the others").click()
    guest.get_by_role("button", name="More for +4930123456").click()
    page.get_by_role("menuitem", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(guest).to_have_count(0)
    room.get_by_role("button", name="End", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="End conference").click()
    expect(page.get_by_text("Nobody is in a conference.")).to_be_visible()
    assert [(one["action"], one["party"][:2], one["value"]) for one in edge.orders] == [
        ("mute", "22", "0"),
        ("lock", "", "0"),
        ("record", "", "0"),
        ("sound", "22", "3"),
        ("kick", "22", "0"),
        ("end", "", "0"),
    ]


def test_recordings_are_listed_and_deleted(world: ApiWorld, msp: Visit, edge: ScriptedEdge) -> None:
    page = msp.page
    msp.go(f"{site(world)}/conferences")
    table = page.get_by_role("table", name="Recordings")
    expect(table).to_contain_text("2:07")
    table.get_by_role("button", name="Delete recording of Team").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete recording").click()
    expect(page.get_by_text("None lies at the edge.")).to_be_visible()
    assert edge.recordings == ()


def test_a_recording_that_came_is_listened_to_and_deleted_without_the_edge(world: ApiWorld, msp: Visit) -> None:
    known = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
    assert world.admin.patch(site(world), {"recording": {"upload": True}}).status == 200
    content, files = conference_sound(80.0), world.services.files
    told = [
        recorded_conference(world.clock, content, "cc" * 8),
        recorded_conference(world.clock, conference_sound(), "dd" * 8, "board"),
    ]
    assert TellingEdge(world.databases, known, world.clock).tell(*told) == [None, None]
    assert files is not None
    assert bring_sound(world.databases, known, files.store, world.services.keys, world.clock, content).complete
    page = msp.page
    msp.go(f"{site(world)}/conferences")
    table = page.get_by_role("table", name="Recordings")
    expect(table.get_by_role("row").filter(has_text="Board")).to_contain_text("On its way")
    table.get_by_role("button", name="Listen to the recording of Team").click()
    player = page.get_by_role("region", name="Player")
    place = player.get_by_role("slider")
    expect(place).to_have_attribute("aria-valuemax", "80")
    place.focus()
    page.keyboard.press("ArrowRight")
    expect(place).to_have_attribute("aria-valuetext", "0:05 of 1:20")
    player.get_by_role("button", name="Play recording of Team").click()
    expect(place).to_have_attribute("aria-valuetext", "0:06 of 1:20")
    heard = [one["action"] for one in world.admin.get("/audit?resource=site").json["items"]]
    assert heard.count("conference_recording.listened") == 1
    table.get_by_role("button", name="Delete recording of Team").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete recording").click()
    expect(table.get_by_role("row").filter(has_text="Team")).to_have_count(0)
    expect(player).to_have_count(0)
    assert not any("audio" in one or "token" in one for one in msp.pages_loaded)
    assert msp.wrong == []


def test_without_the_edge_it_is_said_that_conferences_go_on(world: ApiWorld, msp: Visit) -> None:
    msp.go(f"{site(world)}/conferences")
    expect(msp.page.get_by_text("conferences go on at the site")).to_be_visible()


def test_users_set_the_pins_of_their_own_rooms_and_administrators_those_of_a_user(
    world: ApiWorld, browser: Browser, url: str
) -> None:
    assert world.admin.patch(f"/users/{world.user_id}", {"extension": "290"}).status == 200
    plan = world.admin.get(f"{site(world)}/dial-plan").json["document"]
    rooms = UserConferences(service_id="mine", name="Own room", extension="7", asks_pin=True)
    plan["voice_services"] = [rooms.model_dump(mode="json")]
    assert world.admin.put(f"{site(world)}/dial-plan", {"document": plan}).status == 200
    with visit(browser, url, PHONE) as tab:
        tab.log_in("user@tandem.test", PASSWORD)
        own = tab.page.get_by_role("group", name="Conference rooms")
        expect(own).to_contain_text("7290")
        own.get_by_role("button", name="Set the PINs of").click()
        window = tab.page.get_by_role("dialog")
        window.get_by_label("PIN for moderators").and_(window.locator("input")).fill("9731")
        window.get_by_role("button", name="Set the PIN for moderators").click()
        expect(window).to_contain_text("One is set")
        tab.page.keyboard.press("Escape")
        expect(own).to_contain_text("PINs: for moderators")
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
    with visit(browser, url) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/users")
        tab.page.get_by_role("button", name="Edit Reception").click()
        tab.page.get_by_role("button", name="Set the PINs of conference 7290").click()
        expect(tab.page.get_by_role("dialog", name="PINs of conference 7290")).to_contain_text("One is set")
        assert tab.wrong == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_phone(world: ApiWorld, browser: Browser, url: str, edge: ScriptedEdge, dark: bool) -> None:
    with_room(world)
    with visit(browser, url, PHONE, dark=dark) as tab:
        tab.log_in("msp@tandem.test", PASSWORD, f"{site(world)}/conferences")
        expect(tab.page.get_by_role("region", name="Conference Team")).to_be_visible()
        expect(tab.page.get_by_role("table", name="Recordings")).to_be_visible()
        assert not tab.is_wider_than_the_screen()
        tab.page.get_by_role("button", name="Edit Team").click()
        tab.page.get_by_role("form", name="Room Team").wait_for()
        assert not tab.is_wider_than_the_screen()
        assert tab.wrong == []
