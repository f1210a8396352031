/** What a number can be given to, for a field that completes what is typed. */
import type { Plan, User } from "../api/types";

export interface Destination {
  value: string;
  label: string;
}

export function destinationsOf(plan: Plan, users: readonly User[]): Destination[] {
  const extensions = users.map((one) => ({ value: one.extension ?? one.username, label: one.display_name || one.username }));
  const groups = (plan.hunt_groups ?? []).map((one) => ({ value: one.extension, label: `group ${one.name}` }));
  const services = (plan.voice_services ?? []).map((one) => ({ value: one.extension, label: one.name }));
  const voicemail = (plan.rules ?? []).find((rule) => rule.kind === "voicemail" && rule.enabled && rule.prefix);
  const prefix = voicemail?.kind === "voicemail" ? voicemail.prefix : "";
  const mailboxes = prefix
    ? extensions.map((one) => ({ value: `${prefix}${one.value}`, label: `voicemail of ${one.label}` }))
    : [];
  const seen = new Set<string>();
  return [...extensions, ...groups, ...services, ...mailboxes].filter((one) => !seen.has(one.value) && seen.add(one.value));
}
