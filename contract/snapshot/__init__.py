"""The site configuration that the cloud publishes and the edge runs on (schema version 1)."""

from contract.snapshot.device import Device, SettingValue
from contract.snapshot.device_levels import DeviceGroup, DeviceLevels, LevelSettings
from contract.snapshot.dial_plan import DialPlan, InternalRule, Rule, ServiceRule
from contract.snapshot.line import Line
from contract.snapshot.provisioning import PRIVATE_NETWORKS, DhcpRange, DhcpService, ProvisioningPolicy
from contract.snapshot.site import DigestAlgorithm, Site
from contract.snapshot.snapshot import (
    SCHEMA_VERSION,
    SECTIONS,
    Snapshot,
    SnapshotProblems,
    canonical_json,
    manifest,
    parse_snapshot,
    snapshot_digest,
)
from contract.snapshot.user import PERMISSIONS, User

__all__ = [
    "PERMISSIONS",
    "PRIVATE_NETWORKS",
    "SCHEMA_VERSION",
    "SECTIONS",
    "Device",
    "DeviceGroup",
    "DeviceLevels",
    "DhcpRange",
    "DhcpService",
    "DialPlan",
    "DigestAlgorithm",
    "InternalRule",
    "LevelSettings",
    "Line",
    "ProvisioningPolicy",
    "Rule",
    "ServiceRule",
    "SettingValue",
    "Site",
    "Snapshot",
    "SnapshotProblems",
    "User",
    "canonical_json",
    "manifest",
    "parse_snapshot",
    "snapshot_digest",
]
