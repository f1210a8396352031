"""What a run of the generator shall do, and what it says afterwards; both go through its pipes as JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

Scenario = Literal["call", "register"]
Transport = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True)
class Account:
    """One phone's.

    Args:
        user: its address of record's user part.
        auth_username: the digest user name.
        password: the digest password.
    """

    user: str
    auth_username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Args:
        scenario: `call` (INVITE 407 ACK INVITE 100 180 200 ACK BYE 200) or `register` (REGISTER 401 REGISTER 200).
        transport: UDP by one socket for callers and one for callees, streams by one connection for each phone.
        host: of the server.
        port: of the server.
        domain: of every address of record.
        phones: who takes part; for calls the first half calls the second, one to one.
        count: how many calls or registrations.
        rate: how many are begun a second; None for as many as go with every phone busy.
        give_up_seconds: after which one that has no end counts as failed.
        keep: leave the phones registered at the end.
    """

    scenario: Scenario
    transport: Transport
    host: str
    port: int
    domain: str
    phones: tuple[Account, ...]
    count: int
    rate: float | None = None
    give_up_seconds: float = 5.0
    keep: bool = False

    def as_json(self) -> str:
        """For `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `as_json` wrote."""
        content: dict[str, Any] = json.loads(text)
        return cls(**{**content, "phones": tuple(Account(**one) for one in content["phones"])})


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    Args:
        succeeded: calls or registrations that ended as they should.
        failed: those that did not.
        retransmissions: messages sent again by us, or received again.
        seconds: from the first message to the last end.
        cpu_seconds: what the generator itself used meanwhile.
        reasons: why the failed ones did, with how many each.
        setups: of each call, seconds from its first INVITE to the answer (200), the challenge included.
    """

    succeeded: int = 0
    failed: int = 0
    retransmissions: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    setups: list[float] = field(default_factory=list)

    def clear(self) -> None:
        """Begin to count anew."""
        self.succeeded = self.failed = self.retransmissions = 0
        self.reasons.clear()

    def fail(self, reason: str) -> None:
        """Count one that failed."""
        self.failed += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def as_json(self) -> str:
        """For `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `as_json` wrote."""
        return cls(**json.loads(text))
