/** A site's recording of calls in words, and its rules as a list that others may change meanwhile. */
import type { RecordingRule, RecordingRules } from "../api/types";
import { isSame } from "../forms/draft";

export const FRESH: RecordingRule = {
  name: "",
  enabled: true,
  calls: "trunk",
  direction: "both",
  trunk_ids: [],
  user_ids: [],
  group_ids: [],
  announcement: "before",
};

export const CALLS = [
  { value: "trunk", label: "Calls by trunks and gateways" },
  { value: "inside", label: "Calls from phone to phone of the site" },
  { value: "all", label: "Both" },
] as const;

export const DIRECTIONS = [
  { value: "both", label: "Calls in and out" },
  { value: "in", label: "Calls from the outside" },
  { value: "out", label: "Calls to the outside" },
] as const;

export const ANNOUNCEMENTS = [
  {
    value: "before",
    label: "Both sides, at the beginning",
    help: "“This call is being recorded”, in the language of the site’s voicemail, before anybody hears the other.",
  },
  {
    value: "none",
    label: "Nobody is told",
    help: "Only where everybody knows and agrees in another way: elsewhere it is forbidden, or a crime.",
  },
] as const;

type NameOf = (id: string) => string;

/** Which calls a rule is for, as a sentence begins. */
export function callsText(rule: RecordingRule, trunkName: NameOf, userName: NameOf, groupName: NameOf): string {
  const which = DIRECTIONS.find((one) => one.value === rule.direction)?.label ?? rule.direction;
  const by = rule.trunk_ids.length ? ` by ${rule.trunk_ids.map(trunkName).join(", ")}` : " by any trunk or gateway";
  const people = rule.user_ids.map(userName);
  if (rule.group_ids.length) people.push(`the members of ${rule.group_ids.map(groupName).join(" and ")}`);
  const of = people.length ? `, of ${people.join(", ")}` : ", of everybody";
  if (rule.calls === "inside") return `Calls from phone to phone${of}`;
  return `${which}${by}${rule.calls === "all" ? ", and from phone to phone" : ""}${of}`;
}

export function toldText(rule: RecordingRule): string {
  return rule.announcement === "none" ? "nobody is told" : "both sides are told";
}

/** What comes of the rules together: the statement that the page begins with. */
export function statementOf(recording: RecordingRules): string {
  const inForce = recording.rules.filter((one) => one.enabled);
  if (inForce.length === 0) return "No call of this site is recorded by rule.";
  const silent = inForce.filter((one) => one.announcement === "none").map((one) => one.name);
  if (silent.length === inForce.length) return "Calls that a rule fits are recorded, and nobody is told.";
  if (silent.length === 0) return "Calls that a rule fits are recorded, and both sides are told at the beginning.";
  return `Calls that a rule fits are recorded, and both sides are told at the beginning; not so those by ${silent.join(", ")}.`;
}

export function keptText(recording: RecordingRules): string {
  const days = recording.kept_days === 1 ? "a day" : `${recording.kept_days} days`;
  return `A recording is deleted ${days} after it began. It is ${recording.longest_minutes} minutes long at most.`;
}

/** How users have calls recorded. */
export function onDemandText({ on_demand }: RecordingRules): string {
  const how = on_demand.keys ? `by the record key of their phone, or by ${on_demand.keys} during a call by a trunk` : "by the record key of their phone";
  const told = on_demand.announcement === "none" ? "Nobody is told." : "Both sides are told when it begins.";
  return `Users with the permission to record their own calls begin and end it ${how}. ${told}`;
}

/** About how many hours of calls a disk's share holds: a minute takes 0.96 MB. */
export function hoursOf(megabytes: number): number {
  return Math.floor(megabytes / 0.96 / 60);
}

/** Where a rule lies in a list that may be another than it was taken from; -1: it is new, or nowhere. */
export function placeOf(rules: readonly RecordingRule[], rule: RecordingRule | null): number {
  if (rule === null) return -1;
  const same = rules.findIndex((one) => isSame(one, rule));
  return same >= 0 ? same : rules.findIndex((one) => one.name === rule.name);
}

/** The list with a rule in the place of what it was, or at the end. */
export function withRule(rules: readonly RecordingRule[], before: RecordingRule | null, rule: RecordingRule): RecordingRule[] {
  const place = placeOf(rules, before);
  return place < 0 ? [...rules, rule] : rules.map((one, at) => (at === place ? rule : one));
}
