"""A sipXcom mailstore as it lies on the disk: `<mailstore>/<user>/{inbox,saved,deleted,conference}/NNNNNNNN-00.xml` …

Beside each `-00.xml` lies its recording (`.wav`), `-00.sta` while nobody heard it, and `-00.urg` where it is urgent. A
message that was sent on has the original as `-01.xml` and `-01.wav`; its `-00.wav`, where there is one, is the comment.
What cannot be read is named, and everything else goes on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final

from contract.devices.problems import PluginProblems
from contract.devices.xml_tree import Element, parse_xml
from edge_agent.errors import EdgeError

FOLDERS: Final = {"inbox": "inbox", "saved": "saved", "deleted": "deleted", "conference": "saved"}
"""Folders of the mailstore, and ours; recordings of conferences are saved messages."""
GREETINGS: Final = {
    "standard.wav": "standard",
    "outofoffice.wav": "out_of_office",
    "extendedabsence.wav": "extended_absence",
    "name.wav": "name",
}
MAX_XML_BYTES: Final = 64 * 1024
MOST_FILES: Final = 20_000
"""In one folder; beyond it the folder is none that sipXcom wrote."""
_XML: Final = re.compile(r"(\d{1,12})-00\.xml")
_SIP_USER: Final = re.compile(r"sips?:([^@;>\s]{1,256})@")
_NAME: Final = re.compile(r'^\s*"?([^"<]{0,256}?)"?\s*<')
_ZONES: Final = {
    "UTC": 0,
    "GMT": 0,
    "WET": 0,
    "BST": 1,
    "WEST": 1,
    "CET": 1,
    "MET": 1,
    "CEST": 2,
    "MEST": 2,
    "EET": 2,
    "EEST": 3,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}
"""Hours of the abbreviations that Java writes; another one is taken for the site's own."""
_MOMENT: Final = re.compile(
    r"(?:\w{2,4},\s*)?(\d{1,2})-(\w{3})-(\d{4})\s+(\d{1,2}):(\d{2}):(\d{2})\s*([AaPp][Mm])?\s*([A-Za-z]{1,5})?"
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Unreadable(EdgeError):
    """Something in the mailstore that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who left or sent on a message: number and name as the mailstore has them."""

    number: str
    name: str


@dataclass(frozen=True, slots=True)
class OldMessage:
    """A message.

    Args:
        stem: names it in its mailbox, in whatever folder it lies.
        folder: ours: `inbox`, `saved` or `deleted`.
        recording: its sound.
        comment: what is said before it; None: nothing.
        sender: who left it.
        forwarded_by: who sent it on; None: nobody did.
        received_at: when it was left or sent on.
    """

    stem: str
    folder: str
    recording: Path
    comment: Path | None
    sender: Sender
    forwarded_by: Sender | None
    received_at: datetime
    heard: bool
    urgent: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read, and why."""

    path: Path
    why: str


def messages_of(mailbox: Path, zone: tzinfo) -> Iterator[OldMessage | Problem]:
    """The messages of one mailbox, folder by folder.

    Args:
        mailbox: its folder.
        zone: of moments that name none.
    """
    for name, ours in FOLDERS.items():
        folder = mailbox / name
        if folder.is_symlink() or not folder.is_dir():
            continue
        try:
            files = sorted(one.name for one in folder.iterdir())
        except OSError as error:
            yield Problem(folder, f"the disk would not: {error.strerror}")
            continue
        if len(files) > MOST_FILES:
            yield Problem(folder, f"more than {MOST_FILES} files: not taken for a folder of messages")
            continue
        described = {match[1] for one in files if (match := _XML.fullmatch(one))}
        for stem in sorted(described):
            try:
                yield _message(folder, stem, ours, zone, frozenset(files))
            except Unreadable as error:
                yield Problem(folder / f"{stem}-00.xml", str(error))
        for one in files:
            if re.fullmatch(r"\d{1,12}-00\.(wav|mp3)", one) and one.partition("-")[0] not in described:
                yield Problem(folder / one, "a recording of which nothing is known: its .xml is missing")


def _message(folder: Path, stem: str, ours: str, zone: tzinfo, files: frozenset[str]) -> OldMessage:
    top = _described(folder / f"{stem}-00.xml")
    original = _described(folder / f"{stem}-01.xml") if f"{stem}-01.xml" in files else None
    number = "00" if original is None else "01"
    if f"{stem}-{number}.wav" not in files:
        why = "MP3 is not read; convert it to WAV" if f"{stem}-{number}.mp3" in files else "it is missing"
        raise Unreadable(f"its recording {stem}-{number}.wav: {why}")
    has_comment = original is not None and f"{stem}-00.wav" in files
    return OldMessage(
        stem=stem,
        folder=ours,
        recording=folder / f"{stem}-{number}.wav",
        comment=folder / f"{stem}-00.wav" if has_comment else None,
        sender=sender_of(_text(top if original is None else original, "from")),
        forwarded_by=sender_of(_text(top, "from")) if original is not None else None,
        received_at=moment_of(_text(top, "timestamp"), zone),
        heard=f"{stem}-00.sta" not in files,
        urgent=f"{stem}-00.urg" in files or _text(top, "priority").lower() == "urgent",
    )


def active_greeting(mailbox: Path) -> str | None:
    """Which greeting is in use, as ours are called; None: the preferences do not say.

    Raises:
        Unreadable: they are no preferences.
    """
    path = mailbox / "mailboxprefs.xml"
    if not path.is_file() or path.is_symlink():
        return None
    for element in _all(_described(path)):
        if element.tag.lower() in ("activegreeting", "greeting"):
            chosen = element.text.strip().lower()
            return GREETINGS.get(f"{chosen}.wav") or ("system" if chosen in ("none", "default") else None)
    return None


def lists_of(mailbox: Path) -> dict[str, list[str]]:
    """The distribution lists of a mailbox: by digit, whom they name.

    Raises:
        Unreadable: the file is none of lists.
    """
    path = mailbox / "distribution.xml"
    if not path.is_file() or path.is_symlink():
        return {}
    found: dict[str, list[str]] = {}
    for element in _all(_described(path)):
        if element.tag.lower() == "list":
            digit = next((one.text.strip() for one in element.children if one.tag.lower() == "index"), "")
            named = [one.text.strip() for one in element.children if one.tag.lower() == "destination"]
            if re.fullmatch(r"[0-9]", digit) and named:
                found[digit] = [one.partition("@")[0].removeprefix("sip:")[:256] for one in named]
    return found


def sender_of(text: str) -> Sender:
    """Number and name in a `from`, such as `"Ada" <sip:200@example.com>`."""
    text = text[:1024].strip()
    sip, name = _SIP_USER.search(text), _NAME.match(text)
    number = sip[1] if sip is not None else text.split("@")[0].strip('<>" ')
    return Sender(number[:256], name[1].strip() if name is not None else "")


def moment_of(text: str, zone: tzinfo) -> datetime:
    """A moment as Java writes `EEE, d-MMM-yyyy hh:mm:ss aaa z`.

    Raises:
        Unreadable: it is none.
    """
    found = _MOMENT.fullmatch(text.strip()[:100])
    try:
        if found is None:
            raise ValueError("another form")
        day, month, year, hour, minute, second, half, name = found.groups()
        hours = int(hour) % 12 + (12 if half.lower() == "pm" else 0) if half else int(hour)
        known = _ZONES.get((name or "").upper())
        at = timezone(timedelta(hours=known)) if known is not None else zone
        moment = datetime(
            int(year), _MONTHS.index(month.lower()) + 1, int(day), hours, int(minute), int(second), tzinfo=at
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"its timestamp is no moment: {text.strip()[:60]!r}") from None


def _described(path: Path) -> Element:
    try:
        if path.is_symlink():
            raise Unreadable("it is a link")
        with path.open("rb") as file:
            data = file.read(MAX_XML_BYTES + 1)
        if len(data) > MAX_XML_BYTES:
            raise Unreadable(f"larger than {MAX_XML_BYTES} bytes")
        return parse_xml(data, path.name)
    except PluginProblems as error:
        raise Unreadable(f"{path.name} is not read: {error}") from None
    except OSError as error:
        raise Unreadable(f"{path.name}: the disk would not: {error.strerror}") from None


def _text(root: Element, tag: str) -> str:
    return next((one.text.strip() for one in _all(root) if one.tag.lower() == tag), "")


def _all(root: Element) -> Iterator[Element]:
    yield root
    for child in root.children:
        yield from _all(child)
