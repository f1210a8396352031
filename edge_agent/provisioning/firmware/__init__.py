"""Firmware of phones: when each is told of it, where its files are, and how far it is."""

from edge_agent.provisioning.firmware.hours import Hours
from edge_agent.provisioning.firmware.shelf import Shelf, StoredFile, folder_for, mapped
from edge_agent.provisioning.firmware.telling import Image, Telling, Wanted
from edge_agent.provisioning.firmware.told import ToldFirmware

__all__ = ["Hours", "Image", "Shelf", "StoredFile", "Telling", "ToldFirmware", "Wanted", "folder_for", "mapped"]
