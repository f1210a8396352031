/** What a version changed, field by field: the API says which records, the version before says what they were. */
import type { SnapshotDiff } from "../api/types";

type Json = Record<string, unknown>;

export interface FieldChange {
  field: string;
  /** undefined: it was not there. */
  before: unknown;
  /** undefined: it is gone. */
  after: unknown;
}

export interface RecordChange {
  section: string;
  /** What people call the record. */
  name: string;
  change: "added" | "changed" | "removed";
  fields: FieldChange[];
}

const KEYS: Record<string, string> = { users: "user_id", lines: "line_id", devices: "device_id" };

/** Every changed record of a diff, with its fields before and after. */
export function recordChanges(diff: SnapshotDiff, before: Json): RecordChange[] {
  return diff.changes.flatMap((change) => {
    const { section } = change;
    if (change.change === "replaced") {
      const old = asRecord(before[section]);
      return [{ section, name: "", change: "changed" as const, fields: fieldChanges(old, asRecord(change.content)) }];
    }
    const key = KEYS[section] ?? "id";
    const old = new Map(asRecords(before[section]).map((record) => [String(record[key]), record]));
    const upserted = (change.upserted ?? []).map((record): RecordChange => {
      const was = old.get(String(record[key]));
      const kind = was ? "changed" : "added";
      return { section, name: nameOf(record), change: kind, fields: fieldChanges(was ?? {}, record) };
    });
    const removed = (change.removed ?? []).map((id): RecordChange => {
      const was = old.get(id) ?? {};
      return { section, name: nameOf(was) || id, change: "removed", fields: fieldChanges(was, {}) };
    });
    return [...upserted, ...removed];
  });
}

function fieldChanges(before: Json, after: Json): FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .map((field) => ({ field, before: before[field], after: after[field] }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

function nameOf(record: Json): string {
  const name = record.display_name || record.name || record.username || record.auth_username || record.mac;
  return typeof name === "string" ? name : "";
}

function asRecord(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function asRecords(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(asRecord) : [];
}
