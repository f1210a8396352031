"""The provisioning process listens from its first commit on, and refuses what it cannot render."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder
from edge_agent.processes.link import Prepare, Start
from edge_agent.processes.provisioning import ProvisioningSubsystem
from edge_agent.settings import ProvisioningSettings, Settings, SipSettings
from tests.support.snapshots import SMALL_SECRETS, small_snapshot


def message(version: int, model: str = "yealink/t54w") -> Prepare:
    snapshot = small_snapshot(version)
    first, *others = snapshot.devices
    devices = (first.model_copy(update={"model": model}), *others)
    secrets = {ref: SecretStr(value) for ref, value in SMALL_SECRETS.items()}
    return Prepare(
        version=version,
        snapshot=snapshot.model_copy(update={"devices": devices}),
        secrets=secrets,
        sip_host="127.0.0.1",
        sip_ports={"udp": 5060, "tcp": 5060},
    )


async def started(folder: Path) -> ProvisioningSubsystem:
    subsystem = ProvisioningSubsystem(Bell())
    where = ProvisioningSettings(
        address="127.0.0.1", tftp_port=0, http_port=0, https_port=0, ftp_port=0, plug_and_play_port=0
    )
    settings = Settings(state_dir=folder, sip=SipSettings(address="127.0.0.1"), provisioning=where)
    assert await subsystem.start(Start(settings=settings)) == {}
    return subsystem


@pytest.fixture
async def provisioning(tmp_path: Path) -> AsyncIterator[ProvisioningSubsystem]:
    subsystem = await started(tmp_path)
    yield subsystem
    await subsystem.stop()


async def test_a_change_that_is_published_while_the_process_is_down_reaches_the_phone_after_its_restart(
    provisioning: ProvisioningSubsystem, tmp_path: Path
) -> None:
    await provisioning.prepare(message(1))
    await provisioning.commit()
    await provisioning.stop()
    later = await started(tmp_path)
    await later.prepare(message(2, "yealink/t46s"))
    await later.commit()
    assert later.figures() == {"devices": 2, "resyncing": 1}
    await later.stop()


async def test_ports_are_bound_once_there_is_something_to_serve(provisioning: ProvisioningSubsystem) -> None:
    await provisioning.prepare(message(1))
    ports = await provisioning.commit()
    assert set(ports) == {"tftp", "http", "https", "ftp", "plug_and_play"}
    await provisioning.prepare(message(2))
    assert await provisioning.commit() == ports
    assert provisioning.figures() == {"devices": 2, "resyncing": 0}


async def test_a_device_that_cannot_be_rendered_is_refused_by_name(provisioning: ProvisioningSubsystem) -> None:
    with pytest.raises(ConfigurationRefused, match="no_such_model"):
        await provisioning.prepare(message(1, "yealink/no_such_model"))


async def test_an_unknown_order_is_named(provisioning: ProvisioningSubsystem) -> None:
    with pytest.raises(UnknownOrder):
        await provisioning.order("dance", {})
