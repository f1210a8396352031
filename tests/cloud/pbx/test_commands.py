"""Commands: sent once, again after a new connection, answered once, and not at all when too old."""

import pytest

from cloud.models import Command
from cloud.pbx.commands import VALID_SECONDS, finish_command, give_command, take_commands
from cloud.pbx.edges import look_after
from cloud.pbx.errors import NotFound
from contract.sync.messages import CommandResult
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock
from tests.support.postgres import Databases


@pytest.fixture
def command_id(databases: Databases, edge: EdgeAtSite, clock: HandClock) -> str:
    with databases.api.session(edge.known.scope) as session:
        edge_id = edge.known.edge_id
        return str(give_command(session, TOKENS, edge_id, "report_registrations", {"all": "yes"}, clock.now()).id)


def test_a_command_is_sent_once_and_again_only_over_a_new_connection(
    databases: Databases, edge: EdgeAtSite, clock: HandClock, command_id: str
) -> None:
    with databases.hub.session(edge.known.scope) as session:
        assert look_after(session, [edge.known.edge_id])[0].open_commands == 1
        (sent,) = take_commands(session, edge.known, clock.now())
        assert (sent.command_id, sent.name, sent.arguments) == (command_id, "report_registrations", {"all": "yes"})
        assert take_commands(session, edge.known, clock.now()) == []
        assert take_commands(session, edge.known, clock.now(), again=True) == [sent]
        assert look_after(session, [edge.known.edge_id])[0].open_commands == 0


def test_the_first_answer_is_kept(databases: Databases, edge: EdgeAtSite, clock: HandClock, command_id: str) -> None:
    with databases.hub.session(edge.known.scope) as session:
        take_commands(session, edge.known, clock.now())
        answer = CommandResult(command_id=command_id, ok=True, text="done")
        assert finish_command(session, edge.known, answer, clock.now())
        assert not finish_command(session, edge.known, answer.model_copy(update={"ok": False}), clock.now())
        assert take_commands(session, edge.known, clock.now(), again=True) == []
        row = session.query(Command).one()
        assert (row.ok, row.result) == (True, "done")


def test_answers_to_commands_that_are_none_are_ignored(
    databases: Databases, edge: EdgeAtSite, clock: HandClock
) -> None:
    with databases.hub.session(edge.known.scope) as session:
        for name in ("no-uuid", str(TOKENS.id())):
            assert not finish_command(session, edge.known, CommandResult(command_id=name, ok=True), clock.now())


def test_a_command_that_nobody_took_in_time_is_not_carried_out(
    databases: Databases, edge: EdgeAtSite, clock: HandClock, command_id: str
) -> None:
    clock.advance(VALID_SECONDS + 1)
    with databases.hub.session(edge.known.scope) as session:
        assert take_commands(session, edge.known, clock.now(), again=True) == []


def test_an_edge_that_is_not_there_cannot_be_told_anything(
    databases: Databases, customer: Customer, clock: HandClock
) -> None:
    with databases.api.session(customer.scope) as session, pytest.raises(NotFound):
        give_command(session, TOKENS, TOKENS.id(), "report_registrations", {}, clock.now())
