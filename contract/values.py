"""The values that contract models are made of: identifiers, numbers, times; each with its grammar and limit."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

_GIVEN: Final[set[str]] = set()


class Frozen(BaseModel):
    """A contract model: immutable, and refusing fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    def model_post_init(self, context: Any, /) -> None:
        """Let go of which fields were given: a set for each model takes more memory than what it tells of."""
        object.__setattr__(self, "__pydantic_fields_set__", _GIVEN)


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("before the year 1 or after 9999 in UTC") from None


Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
"""An opaque identifier; only its maker knows what is in it."""

UtcTime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A moment in UTC; a time without a zone is refused."""

Text = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text for people."""

SipUser = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.!~*'()&=+$,;?/-]{1,64}$")]
"""The user part of a SIP URI, unescaped (RFC 3261 §25.1 `user` without escapes)."""

Extension = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
"""A number that phones of the tenant dial."""

HostName = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]([0-9a-z.-]{0,251}[0-9a-z])?$")]
"""A DNS name in lower case, or an IPv4 address."""

MacAddress = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
"""Twelve lower-case hexadecimal digits, no separators."""

SecretRef = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}:[1-9][0-9]{0,9}$")]
"""`<secret id>:<version>`; the value travels sealed to the edge and is never in a snapshot."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256, in lower-case hexadecimal."""
