"""The channel to the cloud: dials, stays connected, hands the agent what arrives and sends what the outbox holds.

For the agent: build the parts from the state folder, then run `Channel.run()` as a task for the agent's life.

    identity = load_identity(state_dir)
    outbox = Outbox.open(state_dir / "outbox.db", clock, tokens)
    secrets = SecretStore(state_dir / "secrets.bin", identity.storage_key(), tokens)
    state_store = StateStore.open(state_dir / "state.db", identity.edge_id, clock)
    channel = Channel(identity, handlers, outbox, secrets, state_store,
                      clock=clock, tokens=tokens, agent_version="0.1.0")
"""

from edge_agent.clock import Clock
from edge_agent.sync.identity import Identity
from edge_agent.sync.outbox import Outbox
from edge_agent.sync.secret_store import SecretStore
from edge_agent.sync.site import ChannelSettings, ChannelState, SiteHandlers
from edge_agent.sync.state_store import StateStore
from edge_agent.tokens import Tokens


class Channel:
    """One edge's channel, over whatever transport gets through. Nothing here ever stops the agent."""

    def __init__(
        self,
        identity: Identity,
        handlers: SiteHandlers,
        outbox: Outbox,
        secrets: SecretStore,
        state_store: StateStore,
        *,
        clock: Clock,
        tokens: Tokens,
        agent_version: str,
        settings: ChannelSettings | None = None,
    ) -> None: ...

    async def run(self) -> None:
        """Keep the channel up until `stop` is called or the task is cancelled."""

    async def stop(self) -> None:
        """Say goodbye and end `run`."""

    def notify_outbox(self) -> None:
        """The outbox has something new; from the event loop's thread."""

    def notify_state(self) -> None:
        """The state store has records of this site that the cloud may not have; from the event loop's thread."""

    @property
    def state(self) -> ChannelState:
        """Whether the cloud is reached."""
        raise NotImplementedError
