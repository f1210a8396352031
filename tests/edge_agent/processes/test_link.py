"""The link carries whole messages between the agent and a process, and notices everything else."""

import asyncio
import contextlib
import json
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from edge_agent.processes import link
from edge_agent.processes.link import (
    AgentEnd,
    AskHealth,
    Commit,
    Committed,
    LinkError,
    Prepare,
    ProcessEnd,
    Refused,
    Start,
    agent_end,
    process_end,
)
from edge_agent.settings import Settings
from tests.support.snapshots import SMALL_SECRETS, small_snapshot


async def joined() -> tuple[AgentEnd, ProcessEnd, socket.socket]:
    ours, theirs = socket.socketpair()
    return await agent_end(ours), await process_end(theirs), theirs


def prepare(version: int = 1) -> Prepare:
    secrets = {ref: SecretStr(value) for ref, value in SMALL_SECRETS.items()}
    return Prepare(version=version, snapshot=small_snapshot(version), secrets=secrets)


async def test_messages_arrive_whole_and_in_order_both_ways() -> None:
    agent, process, _ = await joined()
    sent = (Start(settings=Settings()), prepare(7), Commit(version=7), AskHealth())
    for message in sent:
        agent.send(message)
    assert [await process.receive() for _ in sent] == list(sent)
    process.send(Refused(version=7, problems=("no",)))
    process.send(Committed(version=7, ports={"sip_udp": 5060}))
    assert await agent.receive() == Refused(version=7, problems=("no",))
    assert await agent.receive() == Committed(version=7, ports={"sip_udp": 5060})
    await agent.close()
    await process.close()


async def test_a_secret_crosses_the_link_and_shows_in_no_repr() -> None:
    agent, process, _ = await joined()
    agent.send(prepare())
    arrived = await process.receive()
    assert isinstance(arrived, Prepare)
    assert arrived.secrets["s-1:1"].get_secret_value() == "password-of-200"
    assert "password-of" not in f"{arrived!r} {arrived} {prepare()!r}"
    await agent.close()
    await process.close()


async def test_the_end_of_one_side_is_the_end_of_file_at_the_other() -> None:
    agent, process, _ = await joined()
    await agent.close()
    assert await process.receive() is None
    await process.close()


async def test_half_a_line_before_the_end_is_no_message() -> None:
    ours, theirs = socket.socketpair()
    process = await process_end(theirs)
    ours.sendall(b'{"type": "stop"}')
    ours.close()
    assert await process.receive() is None
    await process.close()


async def test_a_line_longer_than_allowed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MAX_LINE_BYTES", 1024)
    ours, theirs = socket.socketpair()
    process = await process_end(theirs)
    ours.sendall(b"x" * 5000)
    with pytest.raises(LinkError, match="longer than"):
        await process.receive()
    ours.close()
    await process.close()


async def test_a_message_larger_than_allowed_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    agent, process, _ = await joined()
    monkeypatch.setattr(link, "MAX_LINE_BYTES", 100)
    with pytest.raises(LinkError, match="at most 100"):
        agent.send(prepare())
    await agent.close()
    await process.close()


async def test_a_process_that_does_not_read_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    agent = await agent_end(ours)
    monkeypatch.setattr(link, "MAX_UNSENT_BYTES", 100_000)

    def push() -> None:
        for version in range(1, 10_000):
            agent.send(prepare(version))

    with pytest.raises(LinkError, match="does not read"):
        push()
    theirs.close()
    await agent.close()


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300).map(lambda data: data.replace(b"\n", b" ")),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("type", "version", "start")), inner),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_line_is_a_message_or_the_one_error(line: bytes) -> None:
    async def receive() -> None:
        ours, theirs = socket.socketpair()
        process = await process_end(theirs)
        ours.sendall(line + b"\n")
        ours.close()
        with contextlib.suppress(LinkError):
            await process.receive()
        await process.close()

    asyncio.run(receive())
