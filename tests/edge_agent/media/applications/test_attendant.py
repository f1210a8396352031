"""Auto attendants by the keys of a caller; the call is a script."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.snapshot import (
    Announcement,
    Attendant,
    AttendantMenu,
    Blob,
    DialPlan,
    During,
    EndCall,
    HuntGroup,
    InternalRule,
    KeyAction,
    MenuByTime,
    MenuKey,
    Patience,
    PreviousMenu,
    RecordedGreeting,
    RepeatMenu,
    Schedule,
    Site,
    Snapshot,
    SpokenGreeting,
    StandardGreeting,
    ToDestination,
    ToExtension,
    ToMailbox,
    ToMenu,
    ToName,
    ToOperator,
    UploadedGreeting,
    User,
    VoicemailRule,
    WorkingHours,
)
from contract.snapshot.schedule import Holiday
from contract.sync.state import Stamp, StateRecord
from edge_agent.media import spoken
from edge_agent.media.applications.attendant import AutoAttendant, attendant_config, special_modes
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.embedded import wav
from edge_agent.media.errors import SessionEnded
from edge_agent.media.speech import Languages
from edge_agent.media.wav_head import linear_head
from tests.support.hand_clock import HandClock
from tests.support.scripted_call import Nothing, ScriptedCall, Speaks, Step

LANGUAGES = Languages()
THURSDAY_MORNING = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
DIGEST = "ab" * 32


def clock_at(moment: datetime) -> HandClock:
    return HandClock((moment - HandClock(0.0).now()).total_seconds())


def user(number: str, name: str, *permissions: str, **changes: Any) -> User:
    values: dict[str, Any] = {"user_id": f"u-{number}", "username": f"name{number}", "extension": number}
    return User(**(values | {"display_name": name, "permissions": permissions} | changes))


USERS = (
    user("200", "Anna Berger", aliases=("0441112200",)),
    user("201", "Bernd Berg"),
    user("202", "Zoë Müller", "RecordSystemPrompts"),
    user("203", "Secret Agent"),
    user("204", "Gone Away", enabled=False),
)


def keys(**actions: KeyAction) -> tuple[MenuKey, ...]:
    """`k1=EndCall()`; `star` and `pound` are the other two."""
    names = {"star": "*", "pound": "#"}
    return tuple(
        MenuKey.model_validate({"key": names.get(name, name.removeprefix("k")), "action": action})
        for name, action in actions.items()
    )


def menu(menu_id: str, **changes: Any) -> AttendantMenu:
    values: dict[str, Any] = {"menu_id": menu_id, "name": menu_id}
    return AttendantMenu(**(values | changes))


MAIN = menu(
    "main",
    keys=keys(
        k0=ToOperator(),
        k1=ToDestination(destination="200"),
        k2=ToMenu(menu_id="sales"),
        k3=ToMailbox(mailbox="201"),
        k4=ToExtension(),
        k5=ToName(),
        k6=Announcement(greeting=StandardGreeting(phrase="closed")),
        k7=RepeatMenu(),
        k8=EndCall(),
        star=PreviousMenu(),
    ),
    invalid=Patience(times=1, then=ToOperator()),
)
SALES = menu("sales", language="de", keys=keys(k1=ToDestination(destination="201"), star=PreviousMenu()))
CLOSED = menu("closed", greeting=StandardGreeting(phrase="closed"))
FEAST = menu("feast", greeting=StandardGreeting(phrase="holiday"))
STRIKE = menu("strike", greeting=StandardGreeting(phrase="none"), keys=keys(k1=ToDestination(destination="200")))
ATTENDANT = Attendant(
    service_id="front",
    name="Front desk",
    extension="400",
    menus=(MAIN, SALES, CLOSED, FEAST, STRIKE),
    first_menu="main",
    operator="202",
    special_menu="strike",
    unlisted=("u-203",),
    by_time=(
        MenuByTime(during=During(schedule_id="office", periods=("after_hours",)), menu_id="closed"),
        MenuByTime(during=During(schedule_id="office", periods=("holiday",)), menu_id="feast"),
    ),
)
OFFICE = Schedule(
    schedule_id="office",
    name="Office hours",
    hours=(WorkingHours(days=(1, 2, 3, 4, 5), start=9 * 60, end=17 * 60),),
    holidays=(Holiday(day=THURSDAY_MORNING.date().replace(month=12, day=25), every_year=True),),
)


def snapshot(attendant: Attendant = ATTENDANT) -> Snapshot:
    """In Zurich, one hour ahead of UTC in winter."""
    plan = DialPlan(
        rules=(
            InternalRule(rule_id="internal"),
            VoicemailRule(rule_id="mail", code="*97", prefix="*98"),
        ),
        schedules=(OFFICE,),
        hunt_groups=(HuntGroup(group_id="g", name="Group", extension="300", members=("u-200",)),),
        voice_services=(attendant,),
    )
    return Snapshot(
        version=1,
        site=Site(site_id="s", tenant_id="t", name="S", domain="s.test", realm="r", time_zone="Europe/Zurich"),
        users=USERS,
        blobs=tuple(Blob(digest=one, size_bytes=1) for one in sorted(attendant.digests)),
        dial_plan=plan,
    )


@dataclass
class Desk:
    """An edge with one attendant."""

    folder: Path
    attendant: Attendant = ATTENDANT
    clock: HandClock = field(default_factory=lambda: clock_at(THURSDAY_MORNING))
    written: dict[str, str | bool] = field(default_factory=dict)
    special: dict[str, bool] = field(default_factory=dict)
    names: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "blobs").mkdir(exist_ok=True)
        self.greetings = Greetings(self.folder / "attendants", self.folder / "blobs", LANGUAGES)
        config = attendant_config(snapshot(self.attendant))
        self.application = AutoAttendant(
            LANGUAGES,
            self.greetings,
            lambda: config,
            lambda: self.special,
            self.names.get,
            self.written.update,
            self.clock,
        )

    async def call(self, *script: Step, **arguments: str) -> ScriptedCall:
        made = ScriptedCall(script, arguments={"service": "front", **arguments})
        try:
            await self.application.run(made)
        except SessionEnded:
            made.heard.append("ended")
        return made


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def with_main(tmp_path: Path, **changes: Any) -> Desk:
    """The first menu is another."""
    main = MAIN.model_copy(update=changes)
    return Desk(tmp_path, ATTENDANT.model_copy(update={"menus": (main, *ATTENDANT.menus[1:])}))


def phrases(call: ScriptedCall, among: Iterable[str]) -> list[str]:
    wanted = {f"phrase.{one}" for one in among}
    return [one.removeprefix("phrase.") for one in call.heard if one in wanted]


@pytest.mark.parametrize(
    ("pressed", "reached"),
    [
        (("1",), "200"),
        (("0",), "202"),
        (("3",), "*98201"),
        (("2", "1"), "201"),
        (("2", "*", "1"), "200"),
        (("*", "1"), "200"),
        (("7", "1"), "200"),
        (("6", "1"), "200"),
        (("4", "201#"), "201"),
        (("4", "300#"), "300"),
        (("4", "999#", "200#"), "200"),
        (("4", "#", "0441112200#"), "0441112200"),
    ],
)
async def test_keys_lead_where_the_record_says(desk: Desk, pressed: tuple[str, ...], reached: str) -> None:
    call = await desk.call(*pressed)
    assert call.answered
    assert call.transferred == reached
    assert "phrase.one_moment" in call.heard


async def test_a_key_ends_the_call_with_a_goodbye(desk: Desk) -> None:
    call = await desk.call("8")
    assert (call.transferred, call.heard[-1]) == ("", "phrase.goodbye")


@pytest.mark.parametrize("number", ["203", "204", "name200", "999", "400#"])
async def test_an_extension_that_is_not_there_or_not_listed_is_refused_and_asked_for_again(
    desk: Desk, number: str
) -> None:
    if number == "400#":
        # The attendant itself is an extension as others are.
        assert (await desk.call("4", "400#")).transferred == "400"
        return
    digits = "".join(one for one in number if one.isdigit())
    call = await desk.call("4", *([f"{digits}#"] * 3 if digits != "200" else ["2000#"] * 3))
    assert call.transferred == ""
    assert phrases(call, ["no_such_extension"]) == ["no_such_extension"] * 3


async def test_an_extension_is_dialled_at_once_where_the_menu_lets_callers(tmp_path: Path) -> None:
    desk = with_main(tmp_path, direct_extensions=True)
    assert (await desk.call("201")).transferred == "201"
    assert "phrase.know_extension" in (await desk.call("201")).heard
    # A key that begins extensions too is that key when nothing follows.
    assert (await desk.call("2", Nothing(), "1")).transferred == "201"
    # One that begins none does its work at once.
    assert (await desk.call("1")).transferred == "200"
    call = await desk.call("29", "1")
    assert phrases(call, ["no_such_extension"]) == ["no_such_extension"]
    assert call.transferred == "200"
    # An unlisted one is none, and 0 begins a number of the site.
    assert (await desk.call("203", "0", Nothing())).transferred == "202"


async def test_a_name_is_spelled_and_chosen(desk: Desk) -> None:
    # B-E-R-G is the beginning of two names, by the keys of either word.
    call = await desk.call("5", "2374#", "2")
    assert call.transferred == "201"
    assert phrases(call, ["for_whom"]) == ["for_whom"] * 2
    assert (await desk.call("5", "2374#", "1")).transferred == "200"
    # The given name first, or an accent that is left out.
    assert (await desk.call("5", "26622374#", "1")).transferred == "200"
    assert (await desk.call("5", "685537#", "1")).transferred == "202"
    assert (await desk.call("5", "963#", "1")).transferred == "202"


async def test_a_name_is_looked_for_again_and_who_hides_is_not_found(desk: Desk) -> None:
    call = await desk.call("5", "732738#", "46639#", "2374#", "*", "5", "#")
    # Secret, who is not listed; Gone, who is switched off; then another name is wanted, which is the fourth attempt.
    assert phrases(call, ["no_such_name", "for_whom"])[:2] == ["no_such_name"] * 2
    assert call.transferred == ""


async def test_the_name_that_somebody_recorded_is_heard(desk: Desk, tmp_path: Path) -> None:
    desk.names["u-200"] = tmp_path / "own-name.wav"
    assert "own-name" in (await desk.call("5", "26622374#", "1")).heard


async def test_where_nothing_can_be_spoken_the_extension_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken, "PROGRAM", "no-such-program")
    call = await desk.call("5", "26622374#", "1")
    at = call.heard.index("phrase.extension")
    assert call.heard[at + 1 : at + 4] == ["number.2", "number.0", "number.0"]
    assert call.transferred == "200"


async def test_who_presses_nothing_is_asked_so_often_and_then_let_go(desk: Desk) -> None:
    call = await desk.call(Nothing(), Nothing(), Nothing())
    assert phrases(call, ["attendant_welcome", "goodbye"]) == ["attendant_welcome"] * 3 + ["goodbye"]
    assert call.transferred == ""


async def test_who_presses_what_is_nothing_is_told_so_and_comes_to_the_operator(desk: Desk) -> None:
    call = await desk.call("9", "#")
    assert phrases(call, ["invalid"]) == ["invalid"]
    assert call.transferred == "202"
    # The operator is not there either: nobody goes round for ever.
    assert call.heard[-2:] == ["phrase.not_reached", "phrase.goodbye"]


async def test_who_is_not_reached_is_said_and_the_menu_comes_again(desk: Desk) -> None:
    call = await desk.call("1", "2", "1")
    assert phrases(call, ["not_reached", "attendant_welcome"])[:3] == [
        "attendant_welcome",
        "not_reached",
        "attendant_welcome",
    ]
    assert call.transferred == "201"


@pytest.mark.parametrize(
    ("moment", "phrase"),
    [
        (datetime(2026, 11, 26, 8, 0, tzinfo=UTC), "attendant_welcome"),
        (datetime(2026, 11, 26, 7, 59, tzinfo=UTC), "attendant_closed"),
        (datetime(2026, 11, 26, 16, 0, tzinfo=UTC), "attendant_closed"),
        (datetime(2026, 11, 28, 9, 0, tzinfo=UTC), "attendant_closed"),
        (datetime(2026, 12, 24, 23, 30, tzinfo=UTC), "attendant_holiday"),
        (datetime(2026, 7, 3, 7, 0, tzinfo=UTC), "attendant_welcome"),
    ],
)
async def test_the_first_menu_goes_by_the_clock_of_the_site(tmp_path: Path, moment: datetime, phrase: str) -> None:
    desk = Desk(tmp_path, clock=clock_at(moment))
    call = await desk.call(Nothing(), Nothing(), Nothing())
    assert call.heard[0] == f"phrase.{phrase}"


async def test_special_mode_goes_before_the_time_and_is_switched_by_telephone(desk: Desk) -> None:
    call = await desk.call("*#", "4", "*", user="u-202")
    assert desk.written == {"attendant_special/front": True}
    assert "phrase.special_on" in call.heard
    records = [
        StateRecord(key="attendant_special/front", value=True, stamp=Stamp(wall_ms=1, node="n")),
        StateRecord(key="attendant_special/other", value=None, stamp=Stamp(wall_ms=1, node="n")),
        StateRecord(key="do_not_disturb/u-200", value=True, stamp=Stamp(wall_ms=1, node="n")),
    ]
    desk.special = special_modes(records)
    assert desk.special == {"front": True}
    assert (await desk.call("1")).heard[0] == "phrase.for_extension"
    await desk.call("*#", "4", "*", user="u-202")
    assert desk.written == {"attendant_special/front": False}


@pytest.mark.parametrize("who", [{}, {"user": "u-200"}, {"user": "u-999"}])
async def test_who_may_not_keep_the_attendant_only_presses_keys(desk: Desk, who: dict[str, str]) -> None:
    call = await desk.call("*", "#", "4", **who)
    assert desk.written == {}
    assert "phrase.attendant_keeping" not in call.heard


async def test_a_greeting_is_recorded_by_telephone_heard_by_all_and_deleted(tmp_path: Path) -> None:
    desk = with_main(tmp_path, greeting=RecordedGreeting())
    assert (await desk.call("1")).heard[0] == "phrase.attendant_welcome"
    call = await desk.call("*#", "2", "1", Speaks(4), "2", "2", "*", "1", user="u-202")
    assert phrases(call, ["nothing_recorded", "saved"]) == ["nothing_recorded", "saved"]
    assert "front.main" in call.heard
    assert (await desk.call("1")).heard[0] == "front.main"
    assert [one.name for one in (tmp_path / "attendants" / "recorded").iterdir()] == ["front.main.wav"]
    await desk.call("*#", "3", "*", user="u-202")
    assert (await desk.call("1")).heard[0] == "phrase.attendant_welcome"


async def test_a_recording_that_is_broken_off_leaves_the_old_one(tmp_path: Path) -> None:
    desk = with_main(tmp_path, greeting=RecordedGreeting())
    await desk.call("*#", "1", Speaks(4), "2", "*", user="u-202")
    before = (tmp_path / "attendants" / "recorded" / "front.main.wav").read_bytes()
    await desk.call("*#", "1", Speaks(9, hangs_up=True), user="u-202")
    assert (tmp_path / "attendants" / "recorded" / "front.main.wav").read_bytes() == before
    assert len(list((tmp_path / "attendants" / "recorded").iterdir())) == 1


async def test_a_file_that_was_uploaded_is_what_is_said(tmp_path: Path) -> None:
    desk = with_main(tmp_path, greeting=UploadedGreeting(digest=DIGEST, name="Hello.wav"))
    (tmp_path / "blobs" / DIGEST).write_bytes(linear_head(16_000) + bytes(16_000))
    call = await desk.call("1")
    assert call.heard[0] == DIGEST
    assert "phrase.attendant_welcome" not in call.heard


@pytest.mark.parametrize("content", [None, b"", b"RIFF....WAVE", b"MP3 it is"])
async def test_a_file_that_is_not_there_or_no_sound_gives_the_standard_words(
    tmp_path: Path, content: bytes | None
) -> None:
    desk = with_main(tmp_path, greeting=UploadedGreeting(digest=DIGEST))
    if content is not None:
        (tmp_path / "blobs" / DIGEST).write_bytes(content)
    assert (await desk.call("1")).heard[0] == "phrase.attendant_welcome"


@pytest.mark.peer("espeak-ng")
async def test_a_text_is_spoken_once_and_goes_when_nobody_says_it_any_more(tmp_path: Path) -> None:
    desk = with_main(tmp_path, greeting=SpokenGreeting(text="Good morning, this is the café on the square."))
    folder = tmp_path / "attendants" / "spoken"
    desk.greetings.prepare([desk.attendant])
    assert len(list(folder.glob("*.wav"))) == 2, "one in each language of the attendant"
    call = await desk.call("1")
    sound = wav.load(folder / f"{call.heard[0]}.wav")
    assert 2.0 < sound.seconds < 6.0
    assert int(abs(sound.samples).max()) > 10_000
    desk.greetings.prepare([])
    assert list(folder.iterdir()) == []
    # And is spoken again where it is missing.
    assert (await desk.call("1")).heard[0] == call.heard[0]


async def test_a_text_that_cannot_be_spoken_gives_the_standard_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spoken, "PROGRAM", "no-such-program")
    desk = with_main(tmp_path, greeting=SpokenGreeting(text="Good morning"))
    assert (await desk.call("1")).heard[0] == "phrase.attendant_welcome"


async def test_the_standard_words_tell_what_the_keys_are_for(desk: Desk) -> None:
    heard = (await desk.call("1")).heard
    told = [one.removeprefix("phrase.") for one in heard[: heard.index("phrase.one_moment")]]
    assert told[:4] == ["attendant_welcome", "for_operator", "press", "number.0"]
    assert told[4:9] == ["for_extension", "number.2", "number.0", "number.0", "press"]
    assert told[-3:] == ["for_back", "press", "word.star"]


async def test_a_menu_speaks_its_own_language_and_so_do_those_behind_it(desk: Desk) -> None:
    prompts: list[Path] = []

    class Listens(ScriptedCall):
        async def play(self, *said: Any, barge_in: bool = False, start_seconds: float = 0.0) -> float:
            prompts.extend(one.path for one in said)
            return await super().play(*said, barge_in=barge_in, start_seconds=start_seconds)

    call = Listens(["2", "1"], arguments={"service": "front"})
    with pytest.raises(SessionEnded):
        await desk.application.run(call)
    languages = [one.parent.name for one in prompts]
    assert languages[0] == "en"
    assert languages[languages.index("de") : languages.index("de") + 3] == ["de"] * 3


async def test_a_call_in_the_menus_ends_after_its_longest_time(desk: Desk) -> None:
    class Slow(ScriptedCall):
        async def play(self, *said: Any, barge_in: bool = False, start_seconds: float = 0.0) -> float:
            desk.clock.advance(120)
            return await super().play(*said, barge_in=barge_in, start_seconds=start_seconds)

    call = Slow(["7"] * 50, arguments={"service": "front"})
    await desk.application.run(call)
    assert call.heard[-1] == "phrase.goodbye"
    assert call.heard.count("phrase.attendant_welcome") < 10


async def test_an_attendant_that_is_gone_hangs_up(desk: Desk) -> None:
    call = await desk.call(service="none")
    assert call.answered
    assert call.heard == ["phrase.goodbye"]
