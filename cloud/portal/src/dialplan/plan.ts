/** A dial plan while it is edited: its rules in words, in their order. */
import type { HuntGroup, Plan, Rule } from "../api/types";

export const KINDS: Record<Rule["kind"], string> = {
  internal: "Extensions",
  emergency: "Emergency",
  outside: "Outside call",
  feature: "Feature code",
  service: "Service",
  voicemail: "Voicemail",
  site_to_site: "Other sites",
};

export const CATEGORIES: { value: string; label: string }[] = [
  { value: "local", label: "Local" },
  { value: "long_distance", label: "Long distance" },
  { value: "international", label: "International" },
  { value: "mobile", label: "Mobile" },
  { value: "toll_free", label: "Toll free" },
  { value: "restricted", label: "Restricted" },
  { value: "custom", label: "Custom" },
];

export const STRATEGIES: { value: HuntGroup["strategy"]; label: string }[] = [
  { value: "parallel", label: "All at once" },
  { value: "serial", label: "One after the other" },
  { value: "round_robin", label: "Round robin: begin with the next each time" },
  { value: "longest_idle", label: "Longest idle first" },
];

type Pattern = Extract<Rule, { kind: "outside" }>["patterns"][number];

/** What has to be dialled: `0` and five digits is `0xxxxx`, `0` and any number of digits is `0…`. */
export function patternText({ prefix, digits }: Pattern): string {
  if (digits === null || digits === undefined) return `${prefix ?? ""}…`;
  return `${prefix ?? ""}${"x".repeat(digits)}`;
}

/** The same, read back; undefined where it makes no sense. */
export function patternOf(text: string): Pattern | undefined {
  const found = /^([0-9*#+]*)(x*)(…|\.\.\.)?$/.exec(text.trim());
  if (!found || (found[2] && found[3]) || !text.trim()) return undefined;
  return { prefix: found[1] ?? "", digits: found[3] ? null : (found[2] ?? "").length };
}

/** What a rule matches, for a person. */
export function matchesText(rule: Rule): string {
  switch (rule.kind) {
    case "internal":
      return "extensions, user names and aliases";
    case "site_to_site":
      return "whoever is at another site";
    case "emergency": {
      const numbers = rule.numbers.join(", ");
      return rule.prefix ? `${numbers}, also after ${rule.prefix}` : numbers;
    }
    case "outside":
      return shortened(rule.patterns.map(patternText));
    case "feature":
    case "service":
      return rule.code;
    case "voicemail":
      return [rule.code && `${rule.code} one’s own`, rule.prefix && `${rule.prefix} and an extension`].filter(Boolean).join(", ");
  }
}

/** Where a rule leads. */
export function leadsText(rule: Rule, plan: Plan): string {
  switch (rule.kind) {
    case "internal":
      return "the user’s phones";
    case "emergency":
    case "outside": {
      const names = (rule.gateways ?? []).map((id) => gatewayName(plan, id));
      return names.length ? names.join(", then ") : "no gateway";
    }
    case "feature":
      return rule.feature.replaceAll("_", " ");
    case "service":
      return rule.service.replaceAll("_", " ");
    case "site_to_site":
      return ["the other site", ...(rule.gateways ?? []).map((id) => gatewayName(plan, id))].join(", then ");
    case "voicemail":
      return "a mailbox";
  }
}

export function gatewayName(plan: Plan, id: string): string {
  const ways = [...(plan.gateways ?? []).map((one) => [one.gateway_id, one.name]), ...(plan.trunks ?? []).map((one) => [one.gateway_id, one.name])];
  return ways.find(([key]) => key === id)?.[1] ?? id;
}

/** A list with one of its things in another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, place) => place !== from);
  const one = list[from];
  if (one === undefined) return [...list];
  rest.splice(Math.max(0, Math.min(to, rest.length)), 0, one);
  return rest;
}

/** An id for something new, unlike those that are there. */
export function freshId(prefix: string, taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const id = `${prefix}-${number}`;
    if (!taken.includes(id)) return id;
  }
}

function shortened(words: string[]): string {
  return words.length > 6 ? `${words.slice(0, 6).join(", ")} and ${words.length - 6} more` : words.join(", ");
}

/** Which of these lines are about a rule: those that begin with its name or its code, or say that it takes something. */
export function notesAt(rule: Rule, lines: readonly string[]): string[] {
  const name = rule.name ?? rule.rule_id;
  const code = "code" in rule && rule.code ? [rule.code] : [];
  return lines.filter(
    (line) =>
      line.startsWith(`${name} `) || line.includes(`: ${name} takes it`) || code.some((one) => line.split(/[\s':,]+/).includes(one)),
  );
}
