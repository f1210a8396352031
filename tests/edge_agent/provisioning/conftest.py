"""A provisioning server on free ports of this machine."""

from collections.abc import AsyncIterator

import pytest

from contract.devices import load_catalogue
from edge_agent.clock import SystemClock
from edge_agent.provisioning.serve.http import HttpLimits
from edge_agent.provisioning.server import ProvisioningAddresses, ProvisioningServer
from tests.support.site_phones import RecordedReporter, generic, site, yealink


@pytest.fixture
def reporter() -> RecordedReporter:
    return RecordedReporter()


@pytest.fixture
async def server(reporter: RecordedReporter) -> AsyncIterator[ProvisioningServer]:
    limits = HttpLimits(connections=8, connections_per_address=4, head_seconds=0.5, requests_per_connection=3)
    addresses = ProvisioningAddresses("127.0.0.1", tftp_port=0, http_port=0)
    running = ProvisioningServer(addresses, load_catalogue(), reporter, SystemClock(), limits)
    await running.prepare(site(yealink(), generic()))
    running.commit()
    await running.start()
    yield running
    await running.stop()
