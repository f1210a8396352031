"""When each phone is told of the firmware that it is to have, and how far it is.

    (nothing) ──its moment, the hours, a place among the few──▶ told ──it shows the version──▶ running
                                                                told ──long after──▶ failed

Neighbours may rely on: a phone that shows the version already is not told; a few at a time are, so that they do not all
load at once; a phone that was told and did not take it is not told any more when the hours end, and again in the next
ones; what was told survives a restart. No sockets, no clock, no disk: every `now` is a moment in UTC, the caller calls
`advance` when `deadline` is reached, and keeps `content` on the disk while `dirty`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, Literal

from contract.sync.events import PhoneFirmware
from edge_agent.ports import Reporter
from edge_agent.provisioning.firmware.hours import Hours, is_open, next_change

AT_ONCE: Final = 10
"""Phones that were told and have neither fetched nor had time for it."""
PLACE_SECONDS: Final = 600.0
"""How long a phone that was told keeps others waiting."""
FAIL_SECONDS: Final = 3600.0
"""How long a phone may take until it shows the version."""
MAX_BYTES: Final = 16 * 1024 * 1024

State = Literal["told", "running", "failed"]


@dataclass(frozen=True, slots=True)
class Image:
    """One firmware.

    Args:
        version: what phones that run it say.
        files: name and digest of each, the first is the one that a phone's file names.
    """

    version: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one phone is to have.

    Args:
        firmware_id: of an image.
        not_before: when it may be told.
        problem: why it cannot be told at all; empty when it can.
    """

    firmware_id: str
    not_before: datetime
    problem: str = ""


@dataclass(slots=True)
class _Phone:
    firmware_id: str
    state: State
    at: float
    """When it was told, in seconds since 1970."""
    told: bool
    """Whether its files name the firmware; one that ran it before was never told."""
    fetched: bool = False


class Telling:
    """Keeps count of the phones that are to have another firmware.

    Args:
        reporter: hears how far each phone is.
        content: what an earlier process kept; anything else than that is as good as nothing.
        at_once: how many may load at a time.
    """

    def __init__(self, reporter: Reporter, content: bytes = b"", at_once: int = AT_ONCE) -> None:
        self._reporter = reporter
        self._at_once = at_once
        self._phones, self._shown = _read(content)
        self._wanted: Mapping[str, Wanted] = {}
        self._images: Mapping[str, Image] = {}
        self._hours: Sequence[Hours] = ()
        self._zone: tzinfo = UTC
        self._open = True  # until the hours are known: who was told before a restart still is
        self.dirty = False
        """Whether `content` says more than what was kept last."""

    def serve(
        self, wanted: Mapping[str, Wanted], images: Mapping[str, Image], hours: Sequence[Hours], zone: tzinfo
    ) -> None:
        """From here on, this is what the site's phones are to have.

        Args:
            wanted: by device id, for those that are to have any.
            images: by firmware id.
            hours: in which phones may be told; empty: at any time.
            zone: of the site.
        """
        self._wanted, self._images, self._hours, self._zone = wanted, images, hours, zone
        for device_id, phone in tuple(self._phones.items()):
            one = wanted.get(device_id)
            if one is None or one.firmware_id != phone.firmware_id:
                self._forget(device_id)

    def shows(self, device_id: str, version: str) -> None:
        """A phone said what it runs."""
        if version and self._shown.get(device_id) != version:
            self._shown[device_id] = version
            self.dirty = True

    def knows(self, device_ids: frozenset[str]) -> None:
        """The site has these devices and no others."""
        for device_id in self._shown.keys() - device_ids:
            del self._shown[device_id]
            self.dirty = True

    def fetched(self, device_id: str) -> None:
        """A phone has one of the files of its firmware, whole."""
        phone = self._phones.get(device_id)
        if phone is None or phone.fetched or phone.state == "running":
            return
        phone.fetched, self.dirty = True, True
        self._report(device_id, phone.firmware_id, "fetched")

    def advance(self, now: datetime, on_disk: Callable[[str], bool]) -> frozenset[str]:
        """Tell those whose turn it is, and see who is done.

        Args:
            now: the moment.
            on_disk: whether all files of a firmware are here.

        Returns:
            Phones that are not told any more because the hours are over: their files change, and they need not fetch.
        """
        before, loading = self.told, self._loading(now.timestamp())
        self._open = is_open(self._hours, self._zone, now)
        for device_id, wanted in sorted(self._wanted.items(), key=lambda one: (one[1].not_before, one[0])):
            phone = self._look_at(device_id, wanted, now.timestamp())
            if phone is not None:
                continue
            if wanted.problem:
                self._phones[device_id] = _Phone(wanted.firmware_id, "failed", now.timestamp(), told=False)
                self._report(device_id, wanted.firmware_id, "failed", wanted.problem)
            elif self._open and now >= wanted.not_before and loading < self._at_once and on_disk(wanted.firmware_id):
                self._phones[device_id] = _Phone(wanted.firmware_id, "told", now.timestamp(), told=True)
                self._report(device_id, wanted.firmware_id, "told")
                loading += 1
        return frozenset(device_id for device_id in before.keys() - self.told.keys() if device_id in self._wanted)

    @property
    def told(self) -> dict[str, str]:
        """The phones whose files name their firmware now, and which one that is."""
        return {
            device_id: phone.firmware_id
            for device_id, phone in self._phones.items()
            if phone.told and (phone.state == "running" or self._open)
        }

    def deadline(self, now: datetime) -> datetime | None:
        """When `advance` is to be called the next time; None: when something happens."""
        moments = [wanted.not_before for wanted in self._wanted.values()]
        for phone in self._phones.values():
            if phone.state == "told":
                at = datetime.fromtimestamp(phone.at, UTC)
                moments += [at + timedelta(seconds=PLACE_SECONDS), at + timedelta(seconds=FAIL_SECONDS)]
        change = next_change(self._hours, self._zone, now) if self._wanted else None
        moments += [change] if change is not None else []
        return min((moment for moment in moments if moment > now), default=None)

    @property
    def content(self) -> bytes:
        """What is to be kept."""
        phones = {
            device_id: [phone.firmware_id, phone.state, phone.at, phone.told, phone.fetched]
            for device_id, phone in self._phones.items()
        }
        return json.dumps({"phones": phones, "shown": self._shown}).encode()

    def _look_at(self, device_id: str, wanted: Wanted, now: float) -> _Phone | None:
        """What is known of a phone, as it is now; None when it has to be told."""
        phone = self._phones.get(device_id)
        if self._shown.get(device_id, "").casefold() == self._images[wanted.firmware_id].version.casefold():
            if phone is None:
                phone = self._phones[device_id] = _Phone(wanted.firmware_id, "running", now, told=False)
                self._report(device_id, wanted.firmware_id, "running")
            elif phone.state != "running":
                phone.state = "running"
                self._report(device_id, wanted.firmware_id, "running")
            return phone
        if phone is None:
            return None
        if phone.state == "running" or (phone.told and not self._open):
            self._forget(device_id)  # somebody gave it another firmware; or it had its time, and has it again later
            return None
        if phone.state == "told" and now - phone.at >= FAIL_SECONDS:
            phone.state = "failed"
            shown = self._shown.get(device_id)
            text = f"an hour after it was told it shows {shown}" if shown else "it has not shown a version since"
            self._report(device_id, wanted.firmware_id, "failed", text)
        return phone

    def _loading(self, now: float) -> int:
        """How many phones may be loading."""
        return sum(
            phone.state == "told" and not phone.fetched and 0 <= now - phone.at < PLACE_SECONDS
            for phone in self._phones.values()
        )

    def _forget(self, device_id: str) -> None:
        del self._phones[device_id]
        self.dirty = True

    def _report(
        self, device_id: str, firmware_id: str, state: Literal["told", "fetched", "running", "failed"], text: str = ""
    ) -> None:
        self.dirty = True
        shown = "".join(each for each in self._shown.get(device_id, "") if each.isprintable())[:255]
        line = "".join(each for each in text if each.isprintable())[:255]
        self._reporter.report(
            PhoneFirmware(device_id=device_id, firmware_id=firmware_id, state=state, version=shown, text=line)
        )


def _read(content: bytes) -> tuple[dict[str, _Phone], dict[str, str]]:
    try:
        read: Any = json.loads(content) if content and len(content) <= MAX_BYTES else {}
        phones = {
            str(device_id): _Phone(str(firmware_id), _state(state), float(at), bool(told), bool(fetched))
            for device_id, (firmware_id, state, at, told, fetched) in read.get("phones", {}).items()
        }
        return phones, {str(device_id): str(version) for device_id, version in read.get("shown", {}).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}, {}


def _state(text: object) -> State:
    if text == "told" or text == "running" or text == "failed":
        return text
    raise ValueError("no state of a phone")
