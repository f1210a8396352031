"""Many devices from a list: all of them or, when something is wrong with one, none, with every problem by its line."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from cloud.models import Device, Site, User
from cloud.pbx.checks import Problems, get_or_refuse, invalid
from cloud.pbx.desk import Desk
from cloud.pbx.device_models import ANNOUNCED
from cloud.pbx.devices import DeviceFields, DeviceLine, create_device
from contract.devices import Catalogue

COLUMNS: Final = ("mac", "model", "name", "users")
MAX_ROWS: Final = 2000
MAX_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    line: int
    mac: str
    model: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportDone:
    """What an import made, or would make."""

    created: int
    announced: int
    """How many of them wait for their phone to say what model it is."""


def import_devices(desk: Desk, catalogue: Catalogue, site_id: UUID, text: str, *, only_check: bool) -> ImportDone:
    """Create the devices of a list, each with a line for each of its users.

    Args:
        text: CSV with a head line: `mac`, and any of `model` (empty: what the phone says it is), `name`, `users`
            (user names or extensions, a space between two).
        only_check: say what would be made, and make nothing.

    Raises:
        Invalid: naming every problem as `line <n>.<column>`.
    """
    site = get_or_refuse(desk.session, Site, site_id)
    problems = Problems()
    rows = list(_rows(problems, text))
    users = _users(desk, site)
    taken = set(desk.session.scalars(select(Device.mac).where(Device.tenant_id == site.tenant_id)))
    for row in rows:
        _check(problems, catalogue, row, users, taken)
        taken.add(row.mac)
    problems.check()
    if not only_check:
        for row in rows:
            lines = [DeviceLine(users[name]) for name in row.users]
            create_device(desk, catalogue, DeviceFields(site.id, row.mac, row.model, row.name, {}), lines)
    return ImportDone(len(rows), sum(row.model == ANNOUNCED for row in rows))


def _rows(problems: Problems, text: str) -> Iterator[Row]:
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        unknown = [name for name in columns if name not in COLUMNS]
        if unknown or "mac" not in columns or len(set(columns)) != len(columns):
            raise invalid("line 1", f"The first line names the columns: {', '.join(COLUMNS)}; `mac` is needed")
        for cells in reader:
            if reader.line_num > MAX_ROWS + 1:
                problems.add(f"line {reader.line_num}", f"At most {MAX_ROWS} devices at once")
                return
            if any(cell.strip() for cell in cells):
                named = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
                yield _row(reader.line_num, named)
    except csv.Error as error:
        problems.add(f"line {reader.line_num}", f"This is no CSV: {error}")


def _row(line: int, named: Mapping[str, str]) -> Row:
    mac = re.sub("[:. -]", "", named.get("mac", "")).lower()
    return Row(
        line,
        mac,
        named.get("model", "").lower() or ANNOUNCED,
        named.get("name", ""),
        tuple(named.get("users", "").split()),
    )


def _users(desk: Desk, site: Site) -> dict[str, UUID]:
    """Users of the site by user name and by extension."""
    found: dict[str, UUID] = {}
    for user in desk.session.scalars(select(User).where(User.site_id == site.id)):
        if user.extension:
            found.setdefault(user.extension, user.id)
        found[user.username] = user.id
    return found


def _check(problems: Problems, catalogue: Catalogue, row: Row, users: Mapping[str, UUID], taken: set[str]) -> None:
    place = f"line {row.line}"
    if not re.fullmatch("[0-9a-f]{12}", row.mac):
        problems.add(f"{place}.mac", "A MAC address has twelve hexadecimal digits")
    elif row.mac in taken:
        problems.add(f"{place}.mac", "The tenant or this list has a device with this MAC address")
    model = catalogue.find(row.model)
    if model is None and row.model != ANNOUNCED:
        problems.add(f"{place}.model", "There is no such device model")
    if len(row.name) > MAX_NAME or not row.name.isprintable():
        problems.add(f"{place}.name", f"A name has at most {MAX_NAME} characters, on one line")
    unknown: Sequence[str] = [name for name in row.users if name not in users]
    if unknown:
        problems.add(f"{place}.users", f"The site has no user {', '.join(unknown)}")
    if model is not None and len(row.users) > model.lines:
        problems.add(f"{place}.users", f"{model.label} has {model.lines} lines")
