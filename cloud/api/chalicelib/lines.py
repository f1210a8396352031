"""/lines: a user's identity on a device, with credentials of its own."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Label, Patch, PathId, Sent, Shown, SiteFilter, Stored, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import lines
from contract.values import SipUser

router = new_router()

LinePosition = Annotated[int, Field(ge=1, le=64, description="The account's place on the device, from 1")]


class Line(Stored):
    """A line."""

    tenant_id: UUID
    site_id: UUID
    user_id: UUID
    device_id: UUID | None = Field(description="null: a soft phone that no device stands for")
    position: int
    label: str = Field(description="What the phone shows beside the key; empty: the user's display name")
    auth_username: str = Field(description="What the phone authenticates as")


class LinePage(Shown):
    """Some of the lines."""

    items: list[Line]
    next: str | None = None


class LineWithPassword(Line):
    """A line, with the password that is shown this once."""

    password: str


class NewLine(Sent):
    """A line to be; its password is made here."""

    user_id: UUID
    device_id: UUID | None = None
    position: LinePosition | None = Field(None, description="Absent: the first free place")
    label: Label = ""
    auth_username: SipUser | None = Field(None, description="Absent: made here")


class LinePatch(Patch):
    """What changes at a line."""

    user_id: UUID = absent()
    device_id: UUID | None = absent()
    position: LinePosition = absent()
    label: Label = absent()


UserFilter = Annotated[UUID | None, Query(description="Only lines of this user")]
DeviceFilter = Annotated[UUID | None, Query(description="Only lines on this device")]


@router.get("/lines", **operation("listLines", "lines", "List lines, without passwords", "user"))
def list_lines(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    site_id: SiteFilter = None,
    user_id: UserFilter = None,
    device_id: DeviceFilter = None,
) -> LinePage:
    page = lines.list_lines(
        work.session,
        page_request(limit, cursor),
        site_id=site_id,
        user_id=user_id,
        device_id=device_id,
        only=work.only_user,
    )
    return LinePage(items=[Line.model_validate(row) for row in page.items], next=encode_cursor(page.next))


@router.post("/lines", **operation("createLine", "lines", "Create a line", "tenant_admin", 201))
def create_line(work: Current, body: NewLine) -> LineWithPassword:
    made = lines.create_line(work.desk, work.services.catalogue, lines.LineFields(**body.model_dump()))
    return with_password(made)


@router.get("/lines/<line_id>", **operation("getLine", "lines", "Get a line, without its password", "user"))
def get_line(work: Current, line_id: PathId) -> Line:
    return Line.model_validate(lines.get_line(work.session, line_id, only=work.only_user))


@router.patch("/lines/<line_id>", **operation("changeLine", "lines", "Change a line", "tenant_admin"))
def change_line(work: Current, line_id: PathId, body: LinePatch, if_match: IfMatch = None) -> Line:
    return Line.model_validate(
        lines.change_line(work.desk, work.services.catalogue, line_id, body.changes(), expected_version(if_match))
    )


@router.delete("/lines/<line_id>", **operation("deleteLine", "lines", "Delete a line", "tenant_admin", 204))
def delete_line(work: Current, line_id: PathId, if_match: IfMatch = None) -> None:
    lines.delete_line(work.desk, line_id, expected_version(if_match))


@router.post(
    "/lines/<line_id>/password",
    **operation("rotateLinePassword", "lines", "Give a line a new password, shown this once", "tenant_admin"),
)
def rotate_password(work: Current, line_id: PathId) -> LineWithPassword:
    return with_password(lines.rotate_password(work.desk, line_id))


def with_password(made: lines.LineMade) -> LineWithPassword:
    """A line as it is shown the one time that its password is."""
    shown = Line.model_validate(made.line).model_dump()
    return LineWithPassword(**shown, password=made.password.get_secret_value())
