/** The API's things by their names; `schema.d.ts` is generated from its OpenAPI document. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type Alarm = Schemas["Alarm"];
export type AuditEntry = Schemas["AuditEntry"];
export type CallRecord = Schemas["CallRecord"];
export type Device = Schemas["Device"];
export type DeviceModel = Schemas["DeviceModel"];
export type DeviceModelSummary = Schemas["DeviceModelSummary"];
export type DevicePlugin = Schemas["DevicePlugin"];
export type Edge = Schemas["Edge"];
export type EdgeFigures = Schemas["EdgeFigures"];
export type EnrollmentCode = Schemas["EnrollmentCode"];
export type Ladder = Schemas["Ladder"];
export type LadderArrow = Schemas["Arrow"];
export type LineWithPassword = Schemas["LineWithPassword"];
export type ModelGroup = Schemas["ModelGroup"];
export type ModelSetting = Schemas["ModelSetting"];
export type Problem = Schemas["Problem"];
export type Registration = Schemas["Registration"];
export type ResolvedSetting = Schemas["ResolvedSetting"];
export type SessionTokens = Schemas["SessionTokens"];
export type Site = Schemas["Site"];
export type SiteEdge = Schemas["SiteEdge"];
export type Snapshot = Schemas["Snapshot"];
export type SnapshotDiff = Schemas["SnapshotDiff"];
export type SnapshotSummary = Schemas["SnapshotSummary"];
export type Tenant = Schemas["Tenant"];
export type UnknownPhone = Schemas["UnknownPhone"];
export type User = Schemas["User"];
export type WebhookDelivery = Schemas["WebhookDelivery"];
export type WebhookEndpoint = Schemas["WebhookEndpoint"];
export type WebhookEventType = Schemas["NewWebhookEndpoint"] extends { event_types?: (infer T)[] } ? T : never;
