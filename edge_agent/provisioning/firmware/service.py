"""Firmware at work: wakes when something may have changed, has phones told, and keeps who was told on the disk."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from contract.devices import (
    Catalogue,
    SettingsRefused,
    asks_beside_configuration,
    firmware_settings,
    resolve,
    takes_firmware,
)
from edge_agent.clock import Clock
from edge_agent.durable_file import write_durably
from edge_agent.ports import Reporter
from edge_agent.provisioning.config import DeviceConfig, ProvisioningConfig
from edge_agent.provisioning.errors import ProvisioningError
from edge_agent.provisioning.firmware.shelf import Shelf, folder_for
from edge_agent.provisioning.firmware.telling import Telling, Wanted

log = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS: Final = 300.0
"""The wall clock can be set: it is looked at this often at least."""


Changed = Callable[[frozenset[str]], Awaitable[None]]


class FirmwareService:
    """Connects the phones that are to be told with what is served.

    Args:
        shelf: the files that phones can ask for.
        reporter: hears how far each phone is.
        clock: the wall clock, and waits.
        kept: the file in which is kept who was told.
    """

    def __init__(self, shelf: Shelf, reporter: Reporter, clock: Clock, kept: Path) -> None:
        self._shelf, self._clock, self._kept = shelf, clock, kept
        content = b""
        with contextlib.suppress(OSError):
            content = kept.read_bytes()
        self._telling = Telling(reporter, content)
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._served: Mapping[str, str] = {}
        self._config = ProvisioningConfig(0)
        self._catalogue = Catalogue({})

    @property
    def told(self) -> Mapping[str, str]:
        """The phones whose files name firmware now, and its id."""
        return self._telling.told

    def serve(self, config: ProvisioningConfig, catalogue: Catalogue, told: Mapping[str, str]) -> None:
        """From here on, this is the site's configuration.

        Args:
            told: the phones whose files, as they are served now, name firmware.
        """
        self._served = told
        self._config, self._catalogue = config, catalogue
        wanted = {
            device.device_id: self._wanted(device, device.firmware) for device in config.devices if device.firmware
        }
        self._telling.knows(frozenset(device.device_id for device in config.devices))
        self._telling.serve(wanted, config.firmware, config.firmware_hours, ZoneInfo(config.time_zone))
        self.fill_shelf()
        self.wake()

    def fill_shelf(self) -> None:
        """Serve what the phones may ask for now."""
        told = self.told
        beside = {}
        for device in self._config.devices:
            model = self._catalogue.find(device.model)
            if device.device_id in told and model is not None and asks_beside_configuration(model):
                beside[device.device_id] = told[device.device_id]
        self._shelf.serve(
            self._config.firmware,
            {device.device_id: device.firmware[0] for device in self._config.devices if device.firmware},
            {device.mac: device.device_id for device in self._config.devices},
            beside,
        )

    def served(self, told: Mapping[str, str]) -> None:
        """The files that are served now name firmware to these phones."""
        self._served = told

    def shows(self, device_id: str, version: str) -> None:
        """A phone said what it runs."""
        self._telling.shows(device_id, version)
        self.wake()

    def fetched(self, device_id: str) -> None:
        """A phone has got a file of its firmware."""
        self._telling.fetched(device_id)
        self.wake()

    def wake(self) -> None:
        """Something may have changed: a file has come, a phone has said something."""
        self._woken.set()

    def start(self, changed: Changed) -> None:
        """Begin to look after phones.

        Args:
            changed: awaited each time that the phones which are told have become others, with those of them that need
                not fetch their files at once.
        """
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(changed))
            self._task.add_done_callback(_say_why)

    async def stop(self) -> None:
        """Stop looking after phones."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._keep()

    async def _run(self, changed: Changed) -> None:
        while True:
            self._woken.clear()
            quiet = self._telling.advance(self._clock.now(), self._shelf.is_complete)
            if self.told != self._served:
                self.fill_shelf()
                try:
                    await changed(quiet)
                except ProvisioningError as error:
                    log.warning("firmware_not_told", extra={"problem": str(error)})
            self._keep()
            due = self._telling.deadline(self._clock.now())
            wait = LONGEST_WAIT_SECONDS
            if due is not None:
                wait = min(wait, max(0.0, (due - self._clock.now()).total_seconds()))
            # Not `wait_for`: where both come at once, it returns instead of ending when it is cancelled.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._woken.wait()

    def _keep(self) -> None:
        """Write who was told; what is not written is told once more."""
        if not self._telling.dirty:
            return
        try:
            write_durably(self._kept, self._telling.content)
        except OSError as error:
            log.warning("told_firmware_not_kept", extra={"reason": error.strerror})
        else:
            self._telling.dirty = False

    def _wanted(self, device: DeviceConfig, firmware: tuple[str, datetime]) -> Wanted:
        firmware_id, not_before = firmware
        return Wanted(firmware_id, not_before, self._problem(device, firmware_id))

    def _problem(self, device: DeviceConfig, firmware_id: str) -> str:
        """Why a phone cannot be told at all."""
        model = self._catalogue.find(device.model)
        if model is None or not takes_firmware(model):
            return "the files of this model have no setting for firmware"
        url = self._config.url_for(model)
        if not url:
            return "it is not known here where phones fetch by HTTP"
        image = self._config.firmware[firmware_id]
        name, _ = image.files[0]
        said = firmware_settings(model, f"{url}/{folder_for(device.mac, firmware_id)}", name, image.version)
        try:
            resolve(model, said, ())
        except SettingsRefused as error:
            return "; ".join(map(str, error.problems))
        return ""


def _say_why(task: "asyncio.Task[None]") -> None:
    """A fault here ends firmware and nothing else; it has to be seen."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("firmware_ended", exc_info=error)
