"""`tandem-edge`: run the agent, enroll it, see how it is, check its settings, bring mailboxes of another system.

Exit status: 0 done, 1 it did not work out, or not all of it, 2 wrong arguments, 3 `status` found no running agent,
4 enrolled already, 78 (EX_CONFIG) settings that are wrong or an edge that is not enrolled:
trying again without a change does not help.
"""

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from edge_agent.errors import EdgeError
from edge_agent.logs import write_logs
from edge_agent.settings import Settings, SettingsError, load_settings, service_manager

EX_WRONG: Final = 2
EX_NOT_RUNNING: Final = 3
EX_ALREADY: Final = 4
EX_CONFIG: Final = 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "version":
            return _version()
        settings = load_settings(options.settings)
        if options.state_dir is not None:
            settings = settings.model_copy(update={"state_dir": options.state_dir})
        match options.command:
            case "run":
                return _run(settings, options.ready_fd)
            case "enroll":
                return _enroll(settings, options.code, force=options.force)
            case "status":
                return _status(settings, as_json=options.json)
            case "import-mailstore":
                return _import_mailstore(settings, options.mailstore, options.others)
            case "export-recordings":
                return _export_recordings(settings, options.folder)
            case _:
                return _check_config(settings)
    except SettingsError as error:
        for problem in error.problems:
            _complain(problem)
        return EX_CONFIG
    except EdgeError as error:
        _complain(str(error))
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tandem-edge", description="The Tandem edge agent.")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--settings", type=Path, metavar="FILE", help="settings file (default: /etc/tandem-edge/edge.toml)"
    )
    shared.add_argument("--state-dir", type=Path, metavar="FOLDER", help="in place of the setting state_dir")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", parents=[shared], help="run the agent until it is told to stop")
    run.add_argument("--ready-fd", type=int, metavar="FD", help="write ready lines there, not on standard output")
    enroll = commands.add_parser("enroll", parents=[shared], help="make this machine the edge that a code is for")
    enroll.add_argument("code", help="the one-time code from the portal; - reads it from standard input")
    enroll.add_argument("--force", action="store_true", help="also when this machine is an edge already")
    status = commands.add_parser("status", parents=[shared], help="how the agent is")
    status.add_argument("--json", action="store_true", help="for programs")
    commands.add_parser("check-config", parents=[shared], help="name everything that is wrong with the settings")
    brought = commands.add_parser(
        "import-mailstore", parents=[shared], help="bring the mailboxes of a sipXcom mailstore to this edge"
    )
    brought.add_argument("mailstore", type=Path, help="such as a copy of /var/sipxdata/mediaserver/data/mailstore")
    brought.add_argument(
        "--as", dest="others", action="append", default=[], metavar="OLD=NEW", help="the mailbox OLD is NEW's here"
    )
    export = commands.add_parser("export-recordings", parents=[shared], help="write recorded calls as WAV files")
    export.add_argument("folder", type=Path, help="where the files are to be")
    commands.add_parser("version", help="the version of this program")
    return parser


def _run(settings: Settings, ready_fd: int | None) -> int:
    from edge_agent.agent import Agent
    from edge_agent.clock import SystemClock
    from edge_agent.readiness import ready_line
    from edge_agent.status import the_only_agent
    from edge_agent.sync.errors import IdentityUnreadable, NotEnrolled
    from edge_agent.sync.identity import load_identity
    from edge_agent.tokens import SystemTokens

    def announce(ports: Mapping[str, int], version: int | None) -> None:
        line = ready_line(ports, version) + "\n"
        if ready_fd is None:
            sys.stdout.write(line)
            sys.stdout.flush()
        else:
            os.write(ready_fd, line.encode())

    async def live() -> None:
        agent = Agent(settings, identity, SystemClock(), SystemTokens(), service_manager(), announce)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, agent.stop)
        await agent.run()

    write_logs(settings.log)
    os.umask(0o077)  # whatever the state folder allows, what lies in it is this user's alone
    try:
        identity = load_identity(settings.state_dir)
        with the_only_agent(settings.state_dir):
            asyncio.run(live())
    except (NotEnrolled, IdentityUnreadable) as error:
        _complain(f"{error}; run: tandem-edge enroll CODE")
        return EX_CONFIG
    except (OSError, sqlite3.Error) as error:
        _complain(f"the state folder {settings.state_dir} cannot be used: {error}")
        return 1
    return 0


def _enroll(settings: Settings, code: str, *, force: bool) -> int:
    from edge_agent.agent import agent_version
    from edge_agent.sync.enroll import AlreadyEnrolled, enroll

    if code == "-":
        code = sys.stdin.readline().strip()
    try:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        identity = enroll(code, settings.state_dir, agent_version(), force=force)
    except AlreadyEnrolled as error:
        _complain(str(error))
        return EX_ALREADY
    except OSError as error:
        _complain(f"the state folder {settings.state_dir} cannot be used: {error}")
        return 1
    _say(f"enrolled: this machine is the edge {identity.edge_id} of site {identity.site_id}")
    return 0


def _status(settings: Settings, *, as_json: bool) -> int:
    from edge_agent.status import describe, is_running, read_status

    status, running = read_status(settings.state_dir), is_running(settings.state_dir)
    if as_json:
        content = status.model_dump(mode="json") if status else {}
        _say(json.dumps({**content, "running": running}))
    elif status is None:
        _say("running, no status yet" if running else f"no agent has run with {settings.state_dir}")
    else:
        _say(describe(status, running=running))
    return 0 if running else EX_NOT_RUNNING


def _import_mailstore(settings: Settings, mailstore: Path, others: Sequence[str]) -> int:
    from edge_agent.mailstore.command import CannotImport, import_mailstore

    try:
        return 0 if import_mailstore(mailstore, settings.state_dir, others) else 1
    except CannotImport as error:
        _complain(str(error))
        return EX_WRONG


def _export_recordings(settings: Settings, folder: Path) -> int:
    from edge_agent.clock import SystemClock
    from edge_agent.media.applications.conference.recordings import export_conferences
    from edge_agent.media.recording.conference import FOLDER as CONFERENCES
    from edge_agent.media.recording.exporting import export_recordings
    from edge_agent.media.recording.store import FOLDER
    from edge_agent.processes.call_recordings import open_call_recordings
    from edge_agent.processes.conferences import open_conference_recordings
    from edge_agent.tokens import SystemTokens

    if not any((settings.state_dir / one).is_dir() for one in (FOLDER, CONFERENCES)):
        _complain(f"no recordings in {settings.state_dir}")
        return EX_WRONG
    os.umask(0o077)
    try:
        place, clock, tokens = settings.state_dir, SystemClock(), SystemTokens()
        failed = export_recordings(open_call_recordings(place, clock, tokens), folder, _say)
        conferences = open_conference_recordings(place, clock, tokens, tidy=False)
        return 1 if failed + export_conferences(conferences, folder, _say) else 0
    except OSError as error:
        _complain(f"{error.filename or folder}: {error.strerror}")
        return EX_WRONG


def _check_config(settings: Settings) -> int:
    _say(f"the settings are good; the state folder is {settings.state_dir}")
    return 0


def _version() -> int:
    from edge_agent.agent import agent_version

    _say(agent_version())
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"tandem-edge: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
