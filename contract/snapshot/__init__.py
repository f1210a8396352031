"""The site configuration that the cloud publishes and the edge runs on (schema version 1)."""

from contract.snapshot.blob import MAX_BLOB_BYTES, Blob
from contract.snapshot.device import Device, SettingValue
from contract.snapshot.device_levels import DeviceGroup, DeviceLevels, LevelSettings
from contract.snapshot.device_plugin import DevicePlugin
from contract.snapshot.dial_plan import (
    Category,
    DialPlan,
    EmergencyRule,
    Feature,
    FeatureRule,
    InternalRule,
    InwardNumber,
    OutsideRule,
    PickupGroup,
    Rule,
    Screening,
    ServiceRule,
    SiteToSiteRule,
    SpeedDial,
    VoicemailRule,
)
from contract.snapshot.emergency import CIVIC_ELEMENTS, CivicAddress, EmergencyLocation, EmergencyPolicy
from contract.snapshot.firmware import DeviceFirmware, Firmware, FirmwareFile
from contract.snapshot.forwarding import FindMe, Forwarding
from contract.snapshot.gateway import Gateway, IncomingNumbers, NumberFormat
from contract.snapshot.hunt_group import HuntGroup, Strategy
from contract.snapshot.line import Line
from contract.snapshot.other_site import MAX_EDGES, SITE_NAMES, SITES_PORT, Colleague, EdgeAddress, OtherSite, SiteLink
from contract.snapshot.pattern import CallPattern, DialPattern
from contract.snapshot.phonebook import PhonebookEntry
from contract.snapshot.provisioning import PRIVATE_NETWORKS, DhcpRange, DhcpReservation, DhcpService, ProvisioningPolicy
from contract.snapshot.schedule import During, Holiday, Period, Schedule, WorkingHours
from contract.snapshot.sip_certificate import MAX_CHAIN_CHARACTERS, SipCertificate
from contract.snapshot.sip_policy import FromPolicy, QualifiedPhones, SipPolicy, TrustedPeer
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
from contract.snapshot.trunk import Trunk
from contract.snapshot.user import PERMISSIONS, User
from contract.snapshot.voicemail import VoicemailPolicy

__all__ = [
    "CIVIC_ELEMENTS",
    "MAX_BLOB_BYTES",
    "MAX_CHAIN_CHARACTERS",
    "MAX_EDGES",
    "PERMISSIONS",
    "PRIVATE_NETWORKS",
    "SCHEMA_VERSION",
    "SECTIONS",
    "SITES_PORT",
    "SITE_NAMES",
    "Blob",
    "CallPattern",
    "Category",
    "CivicAddress",
    "Colleague",
    "Device",
    "DeviceFirmware",
    "DeviceGroup",
    "DeviceLevels",
    "DevicePlugin",
    "DhcpRange",
    "DhcpReservation",
    "DhcpService",
    "DialPattern",
    "DialPlan",
    "DigestAlgorithm",
    "During",
    "EdgeAddress",
    "EmergencyLocation",
    "EmergencyPolicy",
    "EmergencyRule",
    "Feature",
    "FeatureRule",
    "FindMe",
    "Firmware",
    "FirmwareFile",
    "Forwarding",
    "FromPolicy",
    "Gateway",
    "Holiday",
    "HuntGroup",
    "IncomingNumbers",
    "InternalRule",
    "InwardNumber",
    "LevelSettings",
    "Line",
    "NumberFormat",
    "OtherSite",
    "OutsideRule",
    "Period",
    "PhonebookEntry",
    "PickupGroup",
    "ProvisioningPolicy",
    "QualifiedPhones",
    "Rule",
    "Schedule",
    "Screening",
    "ServiceRule",
    "SettingValue",
    "SipCertificate",
    "SipPolicy",
    "Site",
    "SiteLink",
    "SiteToSiteRule",
    "Snapshot",
    "SnapshotProblems",
    "SpeedDial",
    "Strategy",
    "Trunk",
    "TrustedPeer",
    "User",
    "VoicemailPolicy",
    "VoicemailRule",
    "WorkingHours",
    "canonical_json",
    "manifest",
    "parse_snapshot",
    "snapshot_digest",
]
