"""Many devices from a list: all of them or, when something is wrong with one, none, with every problem by its line.

The list of a site's devices is written in the same columns, so that it can be read here again.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Device, Line, Site, User
from cloud.pbx.checks import Problems, get_or_refuse, invalid
from cloud.pbx.desk import Desk
from cloud.pbx.device_models import ANNOUNCED
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.devices import DeviceFields, DeviceLine, create_device
from cloud.pbx.emergency_locations import locations_of
from contract.devices import Catalogue

COLUMNS: Final = ("mac", "model", "name", "users", "serial", "location")
MAX_ROWS: Final = 10_000
MAX_MADE: Final = 2000
"""How many devices one request makes; a longer list is checked as a whole, and made in parts."""
MAX_NAME: Final = 128
SERIAL: Final = r"[0-9A-Za-z._-]{0,64}"
_FORMULA: Final = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula; such a name is written after an apostrophe, which is not part of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    line: int
    mac: str
    model: str
    name: str
    users: tuple[str, ...]
    serial: str
    location: str
    """Name or id of its emergency location; empty: the site's default."""


@dataclass(frozen=True, slots=True)
class ImportDone:
    """What an import made, or would make."""

    created: int
    announced: int
    """How many of them wait for their phone to say what model it is."""
    rows: Sequence[Row]


def import_devices(desk: Desk, catalogue: Catalogue, site_id: UUID, text: str, *, only_check: bool) -> ImportDone:
    """Create the devices of a list, each with a line for each of its users.

    Args:
        text: CSV with a head line: `mac`, and any of `model` (empty: what the phone says it is), `name`, `users`
            (user names or extensions, a space between two), `serial` (the maker's serial number),
            `location` (name or id of its emergency location).
        only_check: say what would be made, and make nothing.

    Raises:
        Invalid: naming every problem as `line <n>.<column>`.
    """
    site = get_or_refuse(desk.session, Site, site_id)
    problems = Problems()
    catalogue = tenant_catalogue(desk.session, catalogue, site.tenant_id)
    rows = list(_rows(problems, text))
    users = _users(desk, site)
    places = _places(desk.session, site.id)
    taken = set(desk.session.scalars(select(Device.mac).where(Device.tenant_id == site.tenant_id)))
    for row in rows:
        _check(problems, catalogue, row, users, taken)
        if row.location and row.location not in places:
            problems.add(f"line {row.line}.location", f"The site's dial plan has no location {row.location}")
        taken.add(row.mac)
    if not only_check and len(rows) > MAX_MADE:
        problems.add(f"line {rows[MAX_MADE].line}", f"At most {MAX_MADE} devices are made at once: send the rest after")
    problems.check()
    if not only_check:
        for row in rows:
            lines = [DeviceLine(users[name]) for name in row.users]
            fields = DeviceFields(site.id, row.mac, row.model, row.name, {}, (), row.serial, places.get(row.location))
            create_device(desk, catalogue, fields, lines)
    return ImportDone(len(rows), sum(row.model == ANNOUNCED for row in rows), rows)


def device_list(session: Session, site_id: UUID) -> str:
    """The site's devices as a list that `import_devices` reads, by MAC address."""
    site = get_or_refuse(session, Site, site_id)
    names = {user.id: user.username for user in session.scalars(select(User).where(User.site_id == site.id))}
    users: dict[UUID, list[str]] = {}
    lines = select(Line).where(Line.site_id == site.id, Line.device_id.is_not(None)).order_by(Line.position)
    for line in session.scalars(lines):
        if line.device_id is not None and line.user_id in names:
            users.setdefault(line.device_id, []).append(names[line.user_id])
    places = {one.location_id: one.name for one in locations_of(session, site.id)}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    for device in session.scalars(select(Device).where(Device.site_id == site.id).order_by(Device.mac)):
        model = "" if device.model == ANNOUNCED else device.model
        place = places.get(device.emergency_location_id or "", "")
        names_of = " ".join(users.get(device.id, ()))
        writer.writerow((device.mac, model, _cell(device.name), names_of, device.serial, _cell(place)))
    return text.getvalue()


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
        _name(named.get("name", "")),
        tuple(named.get("users", "").split()),
        named.get("serial", ""),
        _name(named.get("location", "")),
    )


def _cell(name: str) -> str:
    return f"'{name}" if name.startswith(_FORMULA) else name


def _places(session: Session, site_id: UUID) -> dict[str, str]:
    """Ids of the site's emergency locations by their ids and names; of two of one name, the first."""
    locations = locations_of(session, site_id)
    names = {one.name: one.location_id for one in reversed(locations)}
    return names | {one.location_id: one.location_id for one in locations}


def _name(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


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
    if not re.fullmatch(SERIAL, row.serial):
        problems.add(f"{place}.serial", "A serial number has at most 64 letters, digits, points and hyphens")
    unknown: Sequence[str] = [name for name in row.users if name not in users]
    if unknown:
        problems.add(f"{place}.users", f"The site has no user {', '.join(unknown)}")
    if model is not None and len(row.users) > model.lines:
        problems.add(f"{place}.users", f"{model.label} has {model.lines} lines")
