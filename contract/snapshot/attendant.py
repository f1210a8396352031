"""Auto attendants: menus that callers walk through by the keys of their phones, nested as deep as their maker likes.

What an attendant dials is decided by the dial plan. It has the permissions of its record and no others, whoever calls:
without any it reaches what is inside the site, and no outside line.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contract.snapshot.schedule import During
from contract.snapshot.served import Served
from contract.snapshot.voicemail import Language
from contract.values import Digest, Frozen, Id, SipUser, Text

Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]
SpokenText = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]


class StandardGreeting(Frozen):
    """Words that come with the edge, in the attendant's language; the menu's keys are told behind them."""

    kind: Literal["standard"] = "standard"
    phrase: Literal["welcome", "closed", "holiday", "none"] = "welcome"


class SpokenGreeting(Frozen):
    """A text that the edge speaks; where it has no voice for it, the standard words are said."""

    kind: Literal["spoken"] = "spoken"
    text: SpokenText


class UploadedGreeting(Frozen):
    """A file: WAV of 8 kHz, mono, 16-bit or G.711 (µ-law)."""

    kind: Literal["uploaded"] = "uploaded"
    digest: Digest
    """Its blob."""
    name: Text = ""
    """Of the file, for people."""


class RecordedGreeting(Frozen):
    """What was recorded by telephone at the site; until then the standard words are said."""

    kind: Literal["recorded"] = "recorded"


AttendantGreeting = Annotated[
    StandardGreeting | SpokenGreeting | UploadedGreeting | RecordedGreeting, Field(discriminator="kind")
]


AnnouncedGreeting = Annotated[StandardGreeting | SpokenGreeting | UploadedGreeting, Field(discriminator="kind")]
"""What an announcement says; only greetings of menus are recorded by telephone."""


class ToDestination(Frozen):
    """Connect to a number."""

    kind: Literal["dial"] = "dial"
    destination: SipUser


class ToExtension(Frozen):
    """Ask for an extension, and connect to it."""

    kind: Literal["extension"] = "extension"


class ToName(Frozen):
    """Have a name spelled by the keys, and connect to who has it."""

    kind: Literal["name"] = "name"


class ToMenu(Frozen):
    """Another menu of this attendant."""

    kind: Literal["menu"] = "menu"
    menu_id: Id


class ToMailbox(Frozen):
    """Leave a message."""

    kind: Literal["voicemail"] = "voicemail"
    mailbox: SipUser
    """User name, extension or alias of whose it is."""


class ToOperator(Frozen):
    """Connect to the attendant's operator."""

    kind: Literal["operator"] = "operator"


class Announcement(Frozen):
    """Say something, and go on in the same menu."""

    kind: Literal["announcement"] = "announcement"
    greeting: AnnouncedGreeting


class RepeatMenu(Frozen):
    """Say the menu again."""

    kind: Literal["repeat"] = "repeat"


class PreviousMenu(Frozen):
    """The menu that this one was come from; in the first one, that again."""

    kind: Literal["back"] = "back"


class EndCall(Frozen):
    """Say goodbye, and hang up."""

    kind: Literal["hang_up"] = "hang_up"


KeyAction = Annotated[
    ToDestination
    | ToExtension
    | ToName
    | ToMenu
    | ToMailbox
    | ToOperator
    | Announcement
    | RepeatMenu
    | PreviousMenu
    | EndCall,
    Field(discriminator="kind"),
]
"""What a key does."""
LastAction = Annotated[ToDestination | ToMenu | ToMailbox | ToOperator | EndCall, Field(discriminator="kind")]
"""What becomes of a caller who does not find the way."""


class MenuKey(Frozen):
    """One key of a menu."""

    key: Key
    action: KeyAction
    label: Text = ""
    """What it is for, for people."""


class Patience(Frozen):
    """How often a caller is asked again, and what then."""

    times: Annotated[int, Field(ge=0, le=9)] = 2
    then: LastAction = EndCall()


class AttendantMenu(Frozen):
    """What is said, and what the keys do."""

    menu_id: Id
    name: Text
    greeting: AttendantGreeting = StandardGreeting()
    language: Language | None = None
    """Of this menu and of those behind it that name none; None: as where the caller came from."""
    keys: Annotated[tuple[MenuKey, ...], Field(max_length=12)] = ()
    direct_extensions: bool = False
    """Whether an extension can be dialled at once, without a key for that."""
    first_key_seconds: Annotated[int, Field(ge=1, le=60)] = 7
    """How long a caller may think after the greeting."""
    next_key_seconds: Annotated[int, Field(ge=1, le=10)] = 3
    """How long between two keys of one number."""
    no_input: Patience = Patience()
    invalid: Patience = Patience()


class MenuByTime(Frozen):
    """Which menu a call begins with while a schedule is in one of these periods."""

    during: During
    menu_id: Id


class Attendant(Served):
    """An auto attendant."""

    kind: Literal["attendant"] = "attendant"
    language: Language = "en"
    """What is said in; a language that is not shipped is English."""
    menus: Annotated[tuple[AttendantMenu, ...], Field(min_length=1, max_length=50)]
    first_menu: Id
    """Where a call begins, at times that nothing else is said of."""
    by_time: Annotated[tuple[MenuByTime, ...], Field(max_length=20)] = ()
    """The first whose schedule is in one of its periods, by the clock of the site."""
    special_menu: Id | None = None
    """Where a call begins in special mode, whatever the time; None: there is no special mode."""
    special_mode: bool = False
    """Whether special mode is on, as long as nobody switched it by telephone."""
    operator: SipUser | None = None
    permissions: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """What the attendant may dial beyond what is open to everybody; none: no outside line that asks for any."""
    unlisted: Annotated[tuple[Id, ...], Field(max_length=2000)] = ()
    """Ids of users who are neither named nor put through by extension."""
    longest_seconds: Annotated[int, Field(ge=60, le=3600)] = 900
    """Of one call in the menus; after it the attendant hangs up."""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if problems := tuple(_problems(self)):
            raise ValueError("; ".join(problems[:20]))
        return self

    @property
    def greetings(self) -> Iterator[AttendantGreeting]:
        """Everything that it says."""
        for menu in self.menus:
            yield menu.greeting
            yield from (key.action.greeting for key in menu.keys if isinstance(key.action, Announcement))

    @property
    def digests(self) -> frozenset[Digest]:
        """Blobs that it needs."""
        return frozenset(one.digest for one in self.greetings if isinstance(one, UploadedGreeting))

    @property
    def mailboxes(self) -> frozenset[SipUser]:
        """Whose mailboxes it leads to."""
        return frozenset(one.mailbox for _, one in actions_of(self) if isinstance(one, ToMailbox))


def actions_of(attendant: Attendant) -> Iterator[tuple[str, KeyAction | LastAction]]:
    """Everything that it may do, each with where that is said."""
    for menu in attendant.menus:
        where = f"menu {menu.name or menu.menu_id}"
        for key in menu.keys:
            yield f"{where}, key {key.key}", key.action
        yield f"{where}, no_input", menu.no_input.then
        yield f"{where}, invalid", menu.invalid.then


def _problems(attendant: Attendant) -> Iterator[str]:
    menus = {menu.menu_id: menu for menu in attendant.menus}
    counted = Counter(menu.menu_id for menu in attendant.menus)
    yield from (f"menu_id {one} stands there twice" for one, count in counted.items() if count > 1)
    for menu in attendant.menus:
        pressed = Counter(key.key for key in menu.keys)
        yield from (f"menu {menu.name}: key {one} stands there twice" for one, count in pressed.items() if count > 1)
    named = [
        ("first_menu", attendant.first_menu),
        *(("by_time", one.menu_id) for one in attendant.by_time),
        *((("special_menu", attendant.special_menu),) if attendant.special_menu is not None else ()),
        *((where, one.menu_id) for where, one in actions_of(attendant) if isinstance(one, ToMenu)),
    ]
    yield from (f"{where} names menu {one}, which is not there" for where, one in named if one not in menus)
    if attendant.special_mode and attendant.special_menu is None:
        yield "special_mode is on, and no special_menu is named"
    if attendant.operator is None:
        asking = (where for where, one in actions_of(attendant) if isinstance(one, ToOperator))
        yield from (f"{where} leads to the operator, and the attendant has none" for where in asking)
    for menu in attendant.menus:
        for what in ("no_input", "invalid"):
            if (way := _endless(menus, menu, what)) is not None:
                name = menu.name or menu.menu_id
                yield f"menu {name}: without a key that is right, {what} goes round for ever: {way}"


def _endless(menus: dict[str, AttendantMenu], start: AttendantMenu, what: str) -> str | None:
    """The way round of a caller who never presses a right key; None: it ends."""
    passed: list[str] = []
    at: AttendantMenu | None = start
    while at is not None:
        if at.menu_id in passed:
            return " → ".join([*passed, at.menu_id]) if at.menu_id == start.menu_id else None
        passed.append(at.menu_id)
        then = (at.no_input if what == "no_input" else at.invalid).then
        at = menus.get(then.menu_id) if isinstance(then, ToMenu) else None
    return None
