"""What the API's models are made of: bases for what is sent and what is shown, and fields with their limits."""

import re
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cloud.api.chalicelib.tokens import Role as Role  # noqa: PLC0414  (a field like the others)


class Sent(BaseModel):
    """A request's body: unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Patch(Sent):
    """A merge patch (RFC 7396): a field that is absent stays as it is; null is for fields that may be empty."""

    def changes(self) -> dict[str, Any]:
        """The fields that were sent, with their values."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Shown(BaseModel):
    """A response's body, made from a row."""

    model_config = ConfigDict(from_attributes=True)


class Stored(Shown):
    """What every stored thing shows."""

    id: UUID
    version: int = Field(description="Counts the changes; the first part of the ETag, for If-Match")
    created_at: datetime
    updated_at: datetime


def _unsent() -> Any:
    return None


def absent() -> Any:
    """The default of a patch's field: absent, which is not null."""
    return Field(default_factory=_unsent)


LINE: Final = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=LINE)]
Label = Annotated[str, StringConstraints(max_length=255, pattern=LINE)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]
Password = Annotated[str, StringConstraints(min_length=12, max_length=256)]
TimeZone = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_+/-]{1,64}$")]

PathId = Annotated[UUID, Path()]
SiteFilter = Annotated[UUID | None, Query(description="Only what belongs to this site")]
TenantFilter = Annotated[UUID | None, Query(description="Only what belongs to this tenant")]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=200, description="The ETag that the change is based on")
]


def _plain_mac(value: str) -> str:
    plain = value.translate(str.maketrans("", "", ":-. ")).lower()
    if not re.fullmatch("[0-9a-f]{12}", plain):
        raise ValueError("not twelve hexadecimal digits")
    return plain


Mac = Annotated[
    str,
    StringConstraints(max_length=17),
    AfterValidator(_plain_mac),
    Field(description="Twelve hexadecimal digits; `:`, `-` and `.` between them are accepted"),
]
