"""Has phones fetch their files again: asked by NOTIFY, then seen to fetch, tried again, and given up on with a reason.

No sockets, no clock: every `now` is seconds on one monotonic clock, and the caller calls `advance` when `deadline` is
reached. A phone in a call is asked after it (the notifier defers it). Many phones are asked one after the other, so
that a site's phones do not all fetch in the same second.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from contract.devices import Catalogue
from contract.sync.events import PhoneResync
from edge_agent.errors import EdgeError
from edge_agent.ports import Notice, NoticeOutcome, Reporter

PACE_SECONDS: Final = 0.05
"""Between one phone and the next."""
RETRY_SECONDS: Final = (30.0, 120.0, 300.0)
"""After the first, second and third time that a phone could not be asked; then it is given up."""
FETCH_SECONDS: Final = 600.0
"""How long a phone that was asked has to fetch: one that starts again takes minutes."""
OUTCOME_SECONDS: Final = 120.0
"""How long the word on a notice is waited for, calls excepted."""
MAX_DEVICES: Final = 20_000

State = Literal["waiting", "sent", "deferred", "asked"]


@dataclass(slots=True)
class _Phone:
    device_id: str
    job_id: str | None
    event: str
    due: float
    state: State = "waiting"
    attempts: int = 0
    number: int = 0
    """Of the notice that counts; an answer to an earlier one does not."""


class Resync:
    """Keeps count of the phones that are to fetch again.

    Args:
        catalogue: says by which event a vendor's phones fetch.
        notify: sends a notice; may refuse with an error of ours.
        reporter: hears how far each phone is.
    """

    def __init__(self, catalogue: Catalogue, notify: Callable[[Notice], None], reporter: Reporter) -> None:
        self._catalogue, self._notify, self._reporter = catalogue, notify, reporter
        self.over: Callable[[str], None] = lambda device_id: None
        """Told of each device that is not told any more: it fetched, was given up, or cannot be told."""
        self._models: Mapping[str, str] = {}
        self._phones: dict[str, _Phone] = {}
        self._next = 0.0
        self._notices = 0

    @property
    def deadline(self) -> float | None:
        """When `advance` is to be called; None while there is nothing to do."""
        return min((phone.due for phone in self._phones.values()), default=None)

    def __len__(self) -> int:
        return len(self._phones)

    def serve(self, models: Mapping[str, str], catalogue: Catalogue | None = None) -> None:
        """From here on, these are the site's devices, with their models; what goes on for others is forgotten.

        Args:
            catalogue: with the tenant's own plug-ins; None: as before.
        """
        self._models, self._catalogue = models, catalogue or self._catalogue
        for device_id in self._phones.keys() - models.keys():
            del self._phones[device_id]

    def changed(self, device_ids: Iterable[str], now: float) -> int:
        """The files of these devices have changed; how many will be told. Those that have no way to hear are not."""
        return sum(self._begin(device_id, None, now, reboot=False) for device_id in device_ids)

    def ordered(self, job_id: str, device_ids: Iterable[str], now: float, *, reboot: bool = False) -> int:
        """Somebody wants these devices to fetch again; how many will be told. The others are reported as failed."""
        return sum(self._begin(device_id, job_id, now, reboot=reboot) for device_id in device_ids)

    def told(self, outcome: NoticeOutcome, now: float) -> None:
        """What became of a notice."""
        device_id, _, number = outcome.notice_id.rpartition("/")
        phone = self._phones.get(device_id)
        if phone is None or str(phone.number) != number or phone.state == "asked":
            return
        match outcome.state:
            case "deferred":
                phone.state, phone.due = "deferred", float("inf")
                self._report(phone, "deferred", outcome.text or "it is in a call")
            case "accepted":
                phone.state, phone.due = "asked", now + FETCH_SECONDS
                self._report(phone, "asked")
            case "not_registered" if phone.job_id is None:
                self._end(device_id)  # it fetches when it starts; nobody waits for it
            case _:
                self._again(phone, outcome.text or outcome.state.replace("_", " "), now)

    def fetched(self, device_id: str) -> None:
        """A device has fetched a file of its own."""
        phone = self._phones.get(device_id)
        if phone is not None and phone.state in ("asked", "sent"):
            self._report(phone, "fetched")
            self._end(device_id)

    def advance(self, now: float) -> None:
        """Ask those whose turn it is; try again, or give up."""
        for phone in [each for each in self._phones.values() if each.due <= now]:
            match phone.state:
                case "waiting":
                    self._ask(phone, now)
                case "sent":
                    self._again(phone, "no word on the notice", now)
                case "asked":
                    self._fail(phone, "it was asked and did not fetch its files")
                case "deferred":
                    continue

    def _begin(self, device_id: str, job_id: str | None, now: float, *, reboot: bool) -> bool:
        vendor, _, model = self._models.get(device_id, "").partition("/")
        plugin = self._catalogue.plugins.get(vendor)
        event = plugin.event(model, reboot=reboot) if plugin is not None else None
        phone = _Phone(device_id, job_id, event or "", now)
        if event is None or len(self._phones) >= MAX_DEVICES:
            why = "the site has no such device" if plugin is None else "its vendor has no notice for this"
            if job_id is not None:
                self._report(phone, "failed", why if event is None else "too many at once")
            self.over(device_id)
            return False
        known = self._phones.get(device_id)
        if known is not None and known.job_id is not None and job_id is None:
            phone.job_id = known.job_id  # the order that is under way covers the change
        self._next = max(now, self._next + PACE_SECONDS)
        phone.due = self._next
        self._phones[device_id] = phone
        return True

    def _ask(self, phone: _Phone, now: float) -> None:
        self._notices += 1
        phone.number, phone.attempts = self._notices, phone.attempts + 1
        phone.state, phone.due = "sent", now + OUTCOME_SECONDS
        try:
            self._notify(Notice(f"{phone.device_id}/{phone.number}", phone.event, device_id=phone.device_id))
        except EdgeError as error:
            self._again(phone, str(error), now)

    def _again(self, phone: _Phone, why: str, now: float) -> None:
        if phone.attempts > len(RETRY_SECONDS):
            self._fail(phone, why)
            return
        phone.state, phone.due = "waiting", now + RETRY_SECONDS[phone.attempts - 1]

    def _fail(self, phone: _Phone, why: str) -> None:
        self._report(phone, "failed", why)
        self._end(phone.device_id)

    def _end(self, device_id: str) -> None:
        self._phones.pop(device_id, None)
        self.over(device_id)

    def _report(self, phone: _Phone, state: Literal["deferred", "asked", "fetched", "failed"], text: str = "") -> None:
        line = "".join(c for c in text if c.isprintable())[:255]
        self._reporter.report(PhoneResync(device_id=phone.device_id, job_id=phone.job_id, state=state, text=line))
