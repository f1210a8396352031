"""What an object store refuses, each with what was wrong."""

from cloud.errors import CloudError


class ObjectsError(CloudError):
    """The object store refused."""


class ObjectTooLarge(ObjectsError):
    """More bytes came than may be stored; nothing of them is kept.

    Args:
        limit_bytes: how many may.
    """

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The file is larger than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class ObjectUnlikeItsDigest(ObjectsError):
    """The bytes that came are not those that were announced; nothing of them is kept.

    Args:
        announced: the digest that the sender named.
        found: the digest of what came.
    """

    def __init__(self, announced: str, found: str) -> None:
        super().__init__(f"The file's SHA-256 is {found}, and {announced} was announced")
        self.announced = announced
        self.found = found


class ObjectMissing(ObjectsError):
    """The tenant has no object of this digest, whoever else may have one.

    Args:
        digest: what was asked for.
    """

    def __init__(self, digest: str) -> None:
        super().__init__(f"There is no object {digest}")
        self.digest = digest


class ObjectsUnavailable(ObjectsError):
    """The store does not answer, or does not let this process in.

    Args:
        why: its error's code or kind.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"The object store refuses or does not answer: {why}")
        self.why = why
