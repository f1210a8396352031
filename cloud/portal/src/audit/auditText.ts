/** Audit entries in words. */
import type { AuditEntry } from "../api/types";

export const RESOURCES = [
  { value: "tenant", label: "Tenants" },
  { value: "site", label: "Sites" },
  { value: "user", label: "Users" },
  { value: "line", label: "Lines" },
  { value: "device", label: "Devices" },
  { value: "edge", label: "Edges" },
  { value: "redirect_account", label: "Redirect services" },
  { value: "webhook_endpoint", label: "Webhook endpoints" },
  { value: "account", label: "Accounts" },
];

/** `edge.enrollment_code_made` → `Edge: enrollment code made`. */
export function actionText(action: string): string {
  const [thing = "", what = ""] = action.split(".");
  const plain = (text: string) => text.replaceAll("_", " ");
  const name = plain(thing);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}${what ? ` ${plain(what)}` : ""}`;
}

/** What was changed, by the name that the change itself mentions; empty when it mentions none. */
export function subjectOf(entry: Pick<AuditEntry, "changes">): string {
  for (const field of ["name", "display_name", "username", "mac", "url", "email"]) {
    const change: unknown = entry.changes[field];
    if (!Array.isArray(change)) continue;
    const value: unknown = change[1] ?? change[0];
    if (typeof value === "string" && value) return value;
  }
  return "";
}

export interface ChangeRow {
  field: string;
  /** null: there was nothing. */
  before: string | null;
  after: string | null;
}

export function changeRows(entry: Pick<AuditEntry, "changes">): ChangeRow[] {
  return Object.entries(entry.changes).map(([field, change]) => {
    const [before, after]: unknown[] = Array.isArray(change) ? change : [null, change];
    return { field, before: shown(before), after: shown(after) };
  });
}

function shown(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
