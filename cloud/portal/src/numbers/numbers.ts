/** Numbers of the public network (DIDs): ranges of them, what each reaches, and which are taken already. */
import type { InwardNumber, Plan, User } from "../api/types";

export const MOST_AT_ONCE = 1000;

/** So many numbers from `first` on, with its plus and its leading zeros; empty where it is no number. */
export function rangeOf(first: string, count: number): string[] {
  const found = /^(\+?)([0-9]+)$/.exec(first.trim());
  if (!found || count < 1) return [];
  const [, plus = "", digits = ""] = found;
  const from = BigInt(digits);
  const many = Math.min(count, MOST_AT_ONCE);
  return Array.from({ length: many }, (_, place) => plus + (from + BigInt(place)).toString().padStart(digits.length, "0"));
}

/** A range of numbers, each to the extension as far from `extension` as it is from the first; or all to the same. */
export function mapped(numbers: readonly string[], extension: string, byOffset: boolean, name: string): InwardNumber[] {
  const extensions = byOffset ? rangeOf(extension, numbers.length) : numbers.map(() => extension);
  return numbers.map((number, place) => ({ number, also: [], destination: extensions[place] ?? extension, name }));
}

/** What a destination is, in words; undefined: nothing at the site has this number. */
export function reaches(plan: Plan, users: readonly User[], destination: string): string | undefined {
  const user = users.find((one) => [one.username, one.extension, ...one.aliases].includes(destination));
  if (user) return user.display_name || user.username;
  const group = (plan.hunt_groups ?? []).find((one) => [one.extension, ...(one.aliases ?? [])].includes(destination));
  if (group) return `group ${group.name}`;
  const service = (plan.voice_services ?? []).find((one) => [one.extension, ...(one.aliases ?? [])].includes(destination));
  if (service) return service.name;
  for (const rule of plan.rules ?? []) {
    if ((rule.kind === "service" || rule.kind === "voicemail") && rule.code === destination) return rule.name;
    if (rule.kind === "voicemail" && rule.prefix && destination.startsWith(rule.prefix)) {
      const whose = reaches(plan, users, destination.slice(rule.prefix.length));
      if (whose) return `voicemail of ${whose}`;
    }
  }
  return undefined;
}

/** What of these is taken already, each in a sentence that names by what. */
export function clashes(plan: Plan, users: readonly User[], added: readonly string[]): string[] {
  const wanted = new Set(added);
  const found: string[] = [];
  for (const one of plan.numbers ?? []) {
    if (wanted.has(one.number)) {
      const whose = reaches(plan, users, one.destination);
      found.push(`${one.number} goes to ${one.destination}${whose ? ` (${whose})` : ""} already`);
    }
  }
  for (const user of users) {
    for (const alias of user.aliases) {
      if (wanted.has(alias)) found.push(`${alias} is an alias of ${user.display_name || user.username}`);
    }
  }
  for (const group of plan.hunt_groups ?? []) {
    for (const alias of group.aliases ?? []) if (wanted.has(alias)) found.push(`${alias} is an alias of group ${group.name}`);
  }
  for (const one of plan.voice_services ?? []) {
    for (const alias of one.aliases ?? []) if (wanted.has(alias)) found.push(`${alias} is an alias of ${one.name}`);
  }
  for (const place of plan.locations ?? []) {
    if (wanted.has(place.caller_id)) found.push(`${place.caller_id} stands for ${place.name}, for calls back after a call for help`);
  }
  return found;
}
