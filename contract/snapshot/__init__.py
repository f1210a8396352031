"""The site configuration that the cloud publishes and the edge runs on (schema version 1)."""

from contract.snapshot.announcement import AnnouncementService
from contract.snapshot.attendant import (
    Announcement,
    Attendant,
    AttendantGreeting,
    AttendantMenu,
    EndCall,
    KeyAction,
    LastAction,
    MenuByTime,
    MenuKey,
    Patience,
    PreviousMenu,
    RecordedGreeting,
    RepeatMenu,
    SpokenGreeting,
    StandardGreeting,
    ToDestination,
    ToExtension,
    ToMailbox,
    ToMenu,
    ToName,
    ToOperator,
    UploadedGreeting,
)
from contract.snapshot.authorization import Authorization, AuthorizationCode
from contract.snapshot.blob import MAX_BLOB_BYTES, Blob
from contract.snapshot.conference import Conference, Meeting, UserConferences
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
from contract.snapshot.fax import Fax
from contract.snapshot.firmware import DeviceFirmware, Firmware, FirmwareFile
from contract.snapshot.forwarding import FindMe, Forwarding
from contract.snapshot.gateway import Gateway, IncomingNumbers, NumberFormat
from contract.snapshot.hunt_group import HuntGroup, Strategy
from contract.snapshot.line import Line
from contract.snapshot.mailbox import GroupMailbox
from contract.snapshot.music import Music, OwnMusic
from contract.snapshot.other_site import MAX_EDGES, SITE_NAMES, SITES_PORT, Colleague, EdgeAddress, OtherSite, SiteLink
from contract.snapshot.paging import Multicast, Paging, listened
from contract.snapshot.park import OrbitMusic, Park
from contract.snapshot.pattern import CallPattern, DialPattern
from contract.snapshot.phonebook import PhonebookEntry
from contract.snapshot.provisioning import PRIVATE_NETWORKS, DhcpRange, DhcpReservation, DhcpService, ProvisioningPolicy
from contract.snapshot.queue import CallBackOffer, CallQueue, QueueAgent, QueueStrategy
from contract.snapshot.recording import RecordingOnDemand, RecordingPolicy, RecordingRule
from contract.snapshot.schedule import During, Holiday, Period, Schedule, WorkingHours
from contract.snapshot.served import Served
from contract.snapshot.sip_certificate import MAX_CHAIN_CHARACTERS, SipCertificate
from contract.snapshot.sip_policy import FromPolicy, MediaException, QualifiedPhones, RelayMedia, SipPolicy, TrustedPeer
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
from contract.snapshot.sounds import sounds_of
from contract.snapshot.trunk import Trunk
from contract.snapshot.user import PERMISSIONS, User
from contract.snapshot.voice_service import VOICE_KINDS, VoiceService
from contract.snapshot.voicemail import DistributionList, VoicemailPolicy

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
    "VOICE_KINDS",
    "Announcement",
    "AnnouncementService",
    "Attendant",
    "AttendantGreeting",
    "AttendantMenu",
    "Authorization",
    "AuthorizationCode",
    "Blob",
    "CallBackOffer",
    "CallPattern",
    "CallQueue",
    "Category",
    "CivicAddress",
    "Colleague",
    "Conference",
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
    "DistributionList",
    "During",
    "EdgeAddress",
    "EmergencyLocation",
    "EmergencyPolicy",
    "EmergencyRule",
    "EndCall",
    "Fax",
    "Feature",
    "FeatureRule",
    "FindMe",
    "Firmware",
    "FirmwareFile",
    "Forwarding",
    "FromPolicy",
    "Gateway",
    "GroupMailbox",
    "Holiday",
    "HuntGroup",
    "IncomingNumbers",
    "InternalRule",
    "InwardNumber",
    "KeyAction",
    "LastAction",
    "LevelSettings",
    "Line",
    "MediaException",
    "Meeting",
    "MenuByTime",
    "MenuKey",
    "Multicast",
    "Music",
    "NumberFormat",
    "OrbitMusic",
    "OtherSite",
    "OutsideRule",
    "OwnMusic",
    "Paging",
    "Park",
    "Patience",
    "Period",
    "PhonebookEntry",
    "PickupGroup",
    "PreviousMenu",
    "ProvisioningPolicy",
    "QualifiedPhones",
    "QueueAgent",
    "QueueStrategy",
    "RecordedGreeting",
    "RecordingOnDemand",
    "RecordingPolicy",
    "RecordingRule",
    "RelayMedia",
    "RepeatMenu",
    "Rule",
    "Schedule",
    "Screening",
    "Served",
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
    "SpokenGreeting",
    "StandardGreeting",
    "Strategy",
    "ToDestination",
    "ToExtension",
    "ToMailbox",
    "ToMenu",
    "ToName",
    "ToOperator",
    "Trunk",
    "TrustedPeer",
    "UploadedGreeting",
    "User",
    "UserConferences",
    "VoiceService",
    "VoicemailPolicy",
    "VoicemailRule",
    "WorkingHours",
    "canonical_json",
    "listened",
    "manifest",
    "parse_snapshot",
    "snapshot_digest",
    "sounds_of",
]
