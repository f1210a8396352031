"""The database: SQLAlchemy classes, one file per subject, and the migrations that make their tables."""

from cloud.models.account import ROLES, Account, RefreshToken
from cloud.models.audit import AuditEntry
from cloud.models.base import Base
from cloud.models.call_recording import CallRecording, CallRecordingPiece
from cloud.models.device import Device
from cloud.models.device_group import DeviceGroup, DeviceGroupMember
from cloud.models.device_plugin import DevicePlugin
from cloud.models.dial_plan import CallAssertion, DialPlan, PublishRefusal
from cloud.models.edge import Command, Edge, EdgeLease, EnrollmentCode
from cloud.models.event import Alarm, CallQuality, CallRecord, EmergencyCall, EventRow, Registration, UnknownPhone
from cloud.models.firmware import Blob, EdgeBlob, Firmware, FirmwareFile, FirmwareProgress, FirmwareRollout
from cloud.models.mailbox import VoicemailImap, VoicemailMail, VoicemailMessage, VoicemailPiece, VoicemailRecording
from cloud.models.number_pool import NumberPool
from cloud.models.outbox import IdempotencyRecord, Job
from cloud.models.phone import DeviceHappening, DeviceVisit, PhoneRefusal, PhoneUpload, ResyncItem, ResyncJob
from cloud.models.phonebook import PhonebookEntry
from cloud.models.queue import QueueCall
from cloud.models.redirect import DeviceRedirect, RedirectAccount
from cloud.models.secret import Secret
from cloud.models.site import Site, SiteState, Snapshot
from cloud.models.sound import Sound
from cloud.models.tenant import Msp, Tenant
from cloud.models.trunk import TrunkPassword
from cloud.models.user import Line, User, UserName
from cloud.models.webhook import WebhookDelivery, WebhookEndpoint

__all__ = [
    "ROLES",
    "Account",
    "Alarm",
    "AuditEntry",
    "Base",
    "Blob",
    "CallAssertion",
    "CallQuality",
    "CallRecord",
    "CallRecording",
    "CallRecordingPiece",
    "Command",
    "Device",
    "DeviceGroup",
    "DeviceGroupMember",
    "DeviceHappening",
    "DevicePlugin",
    "DeviceRedirect",
    "DeviceVisit",
    "DialPlan",
    "Edge",
    "EdgeBlob",
    "EdgeLease",
    "EmergencyCall",
    "EnrollmentCode",
    "EventRow",
    "Firmware",
    "FirmwareFile",
    "FirmwareProgress",
    "FirmwareRollout",
    "IdempotencyRecord",
    "Job",
    "Line",
    "Msp",
    "NumberPool",
    "PhoneRefusal",
    "PhoneUpload",
    "PhonebookEntry",
    "PublishRefusal",
    "QueueCall",
    "RedirectAccount",
    "RefreshToken",
    "Registration",
    "ResyncItem",
    "ResyncJob",
    "Secret",
    "Site",
    "SiteState",
    "Snapshot",
    "Sound",
    "Tenant",
    "TrunkPassword",
    "UnknownPhone",
    "User",
    "UserName",
    "VoicemailImap",
    "VoicemailMail",
    "VoicemailMessage",
    "VoicemailPiece",
    "VoicemailRecording",
    "WebhookDelivery",
    "WebhookEndpoint",
]
