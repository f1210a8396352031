"""What can be wrong with what somebody wants of the PBX. Each error knows its HTTP status and problem type.

The texts are for the person who asked; they never repeat secrets or name internals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cloud.errors import CloudError


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: `field` is its path such as `lines.0.label`, empty for the whole."""

    field: str
    message: str


class PbxError(CloudError):
    """The request cannot be carried out."""

    status: ClassVar[int] = 400
    problem: ClassVar[str] = "bad-request"
    """The problem type's last path segment (RFC 9457)."""

    def __init__(self, detail: str = "", problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail or (type(self).__doc__ or "").strip())
        self.detail = str(self)
        self.problems = tuple(problems)


class NotFound(PbxError):
    """There is nothing of that kind with that id."""

    status = 404
    problem = "not-found"


class Forbidden(PbxError):
    """Your role does not allow this."""

    status = 403
    problem = "forbidden"


class Unauthorized(PbxError):
    """Log in first; or the log-in is not valid, or no longer."""

    status = 401
    problem = "unauthorized"


class Invalid(PbxError):
    """Some fields cannot be accepted."""

    status = 422
    problem = "invalid"


class Conflict(PbxError):
    """It contradicts something that exists."""

    status = 409
    problem = "conflict"


class Changed(PbxError):
    """It was changed by somebody else since you read it; read it again."""

    status = 412
    problem = "changed"


class PreconditionRequired(PbxError):
    """Say with If-Match which version you mean to change."""

    status = 428
    problem = "precondition-required"


class TooMany(PbxError):
    """A limit is reached."""

    status = 429
    problem = "too-many"


class EnrollmentRefused(PbxError):
    """The enrollment code is not valid."""

    status = 403
    problem = "enrollment-refused"


class CodeUnknown(EnrollmentRefused):
    """This enrollment code is not known here. Create a new one in the portal."""

    status = 404
    problem = "enrollment-code-unknown"


class CodeUsed(EnrollmentRefused):
    """This enrollment code was already used. Create a new one in the portal."""

    status = 409
    problem = "enrollment-code-used"


class CodeExpired(EnrollmentRefused):
    """This enrollment code has expired. Create a new one in the portal."""

    status = 410
    problem = "enrollment-code-expired"
