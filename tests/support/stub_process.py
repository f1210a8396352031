"""A process of the agent that does nothing but what its configuration tells it to get wrong.

What goes wrong is told by the domain of the snapshot: `refuse.`, `crash-at-prepare.`, `crash-at-commit.` or
`silent.` in front of it; anything else goes well.
"""

import asyncio
import os

from contract.sync.state import StateRecord
from edge_agent.errors import EdgeError
from edge_agent.ports import NoticeOutcome
from edge_agent.processes.child import Bell, ConfigurationRefused, Subsystem, UnknownOrder, main
from edge_agent.processes.link import Ports, Prepare, Start


class Broken(EdgeError):
    """Broken on purpose."""


class StubSubsystem:
    """Counts what it is asked."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._domain = ""
        self._prepared = ""
        self._known: set[str] = set()

    async def start(self, message: Start) -> Ports:
        return {"stub": message.ports.get("stub", os.getpid() % 60000)}

    async def prepare(self, message: Prepare) -> None:
        self._prepared = message.snapshot.site.domain
        if self._prepared.startswith("refuse."):
            raise ConfigurationRefused("the domain asks for a refusal", "and for a second reason")
        if self._prepared.startswith("crash-at-prepare."):
            raise Broken("broken on purpose")
        if self._prepared.startswith("silent."):
            await asyncio.Event().wait()

    async def commit(self) -> Ports:
        if self._prepared.startswith("crash-at-commit.") and self._domain:
            raise Broken("broken on purpose")
        self._domain = self._prepared
        return {}

    async def set_state(self, records: tuple[StateRecord, ...]) -> None:
        self._known.update(record.key for record in records)

    async def order(self, name: str, arguments: dict[str, str]) -> str:
        match name:
            case "what_runs":
                return self._domain
            case "what_state":
                return ",".join(sorted(self._known))
            case "ring":
                self._bell.ring()
                self._bell.ring()
                return "rung"
            case "tell":
                self._bell.told(NoticeOutcome("n1", "accepted", status=200))
                return "told"
            case "crash":
                os._exit(7)
            case _:
                raise UnknownOrder(f"there is no order {name}")

    def figures(self) -> dict[str, int]:
        return {"state_records": len(self._known)}

    async def stop(self) -> None:
        return


def make(bell: Bell) -> Subsystem:
    return StubSubsystem(bell)


if __name__ == "__main__":
    main(make)
