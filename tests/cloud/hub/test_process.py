"""The hub as a process: settings, ready line, clean stop."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from cloud.hub.certificate import ServerCertificate
from cloud.hub.errors import CertificateUnusable
from cloud.hub.settings import SettingsWrong, read_settings
from cloud.pbx.authority import Authority, FileAuthorityStore
from edge_agent.sync.identity import EdgeKeys, HubAddress, Identity
from tests.support.customers import enrolled_edge, new_customer
from tests.support.edge_site import running_edge
from tests.support.postgres import Databases
from tests.support.real_hub import CLOCK, new_authority, server_certificate
from tests.support.waiting import eventually_async


def test_every_problem_of_the_settings_is_named_at_once() -> None:
    with pytest.raises(SettingsWrong) as caught:
        read_settings({"TANDEM_HUB_QUIC_PORT": "70000", "TANDEM_HUB_COLOUR": "blue", "PATH": "/bin"})
    text = str(caught.value)
    for name in ("TANDEM_HUB_DATABASE_URL", "TANDEM_HUB_QUIC_PORT", "TANDEM_HUB_COLOUR"):
        assert name in text


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"TANDEM_HUB_CERTIFICATE_FILE": "/c.pem"},
        {"TANDEM_HUB_AUTHORITY_FILE": "/a", "TANDEM_HUB_CERTIFICATE_FILE": "/c", "TANDEM_HUB_KEY_FILE": "/k"},
        {"TANDEM_HUB_AUTHORITY_FILE": "/a", "TANDEM_HUB_SECRETS_KMS_KEY": "arn", "TANDEM_HUB_SECRETS_KEY_FILE": "/k"},
        {"TANDEM_HUB_AUTHORITY_FILE": "/a"},
    ],
)
def test_certificate_and_secrets_key_are_each_given_in_exactly_one_way(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsWrong, match=r"give either|go together"):
        read_settings({"DATABASE_URL": "postgresql://x", **wrong})


def test_large_files_are_in_a_folder_or_in_a_bucket() -> None:
    given = {
        "DATABASE_URL": "postgresql://x",
        "TANDEM_HUB_AUTHORITY_FILE": "/a",
        "TANDEM_HUB_SECRETS_KEY_FILE": "/k",
        "TANDEM_HUB_OBJECTS_BUCKET": "tandem-objects",
    }
    assert read_settings(given).objects_bucket == "tandem-objects"
    with pytest.raises(SettingsWrong, match="objects_folder and objects_bucket exclude each other"):
        read_settings(given | {"TANDEM_HUB_OBJECTS_FOLDER": "/objects"})


def test_the_database_address_is_not_shown() -> None:
    settings = read_settings(
        {
            "DATABASE_URL": "postgresql://hub:planted@db/x",
            "TANDEM_HUB_AUTHORITY_FILE": "/a",
            "TANDEM_HUB_SECRETS_KEY_FILE": "/k",
        }
    )
    assert settings.database_url == SecretStr("postgresql://hub:planted@db/x")
    assert "planted" not in repr(settings)


def test_a_certificate_with_another_key_is_refused(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    server_certificate(authority, tmp_path / "one")
    server_certificate(authority, tmp_path / "two")
    with pytest.raises(CertificateUnusable, match="not the key"):
        ServerCertificate.load(tmp_path / "one" / "hub.pem", tmp_path / "two" / "hub.key")
    with pytest.raises(CertificateUnusable, match="cannot be read"):
        ServerCertificate.load(tmp_path / "nothing.pem", tmp_path / "two" / "hub.key")


def test_the_process_says_what_is_wrong_with_its_settings() -> None:
    done = subprocess.run([sys.executable, "-m", "cloud.hub"], env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "TANDEM_HUB_DATABASE_URL" in done.stderr


async def test_the_process_serves_an_edge_and_sends_it_away_politely_when_told_to_stop(
    databases: Databases, tmp_path: Path
) -> None:
    customer = new_customer(databases.api)
    edge = enrolled_edge(databases.api, customer, CLOCK.now())
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": databases.urls.hub,
        "TANDEM_HUB_HOST": "127.0.0.1",
        "TANDEM_HUB_QUIC_PORT": "0",
        "TANDEM_HUB_WEBSOCKET_PORT": "0",
        "TANDEM_HUB_AUTHORITY_FILE": str(tmp_path / "authority.pem"),
        "TANDEM_HUB_SECRETS_KEY_FILE": str(tmp_path / "secrets.key"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cloud.hub", env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    word, _, facts = (await process.stdout.readline()).decode().partition(" ")
    assert word == "ready"
    ports = json.loads(facts)
    authority = Authority.open(FileAuthorityStore(tmp_path / "authority.pem"), CLOCK.now())
    identity = Identity(
        str(edge.known.edge_id),
        str(edge.known.site_id),
        HubAddress(
            host="127.0.0.1",
            quic_port=ports["quic_port"],
            websocket_url=f"wss://127.0.0.1:{ports['websocket_port']}/channel",
        ),
        authority.certificate_pem,
        EdgeKeys(edge.identity, edge.sealing),
    )
    async with running_edge(tmp_path / "edge", identity) as parts:
        await eventually_async(lambda: parts.online)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        await eventually_async(lambda: any("shutting_down" in state.problem for state in parts.site.states))
