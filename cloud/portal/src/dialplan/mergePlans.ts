/** A plan with our changes put upon what somebody else saved meanwhile: thing by thing, by their ids. */
import type { Plan } from "../api/types";
import { isSame } from "../forms/draft";

type Thing = Record<string, unknown>;

const IDS: Partial<Record<keyof Plan, string>> = {
  rules: "rule_id",
  gateways: "gateway_id",
  trunks: "gateway_id",
  schedules: "schedule_id",
  hunt_groups: "group_id",
  voice_services: "service_id",
  locations: "location_id",
  numbers: "number",
  pickup_groups: "group_id",
  speed_dials: "slot",
};

export interface MergedPlan {
  plan: Plan;
  /** What both sides changed, by name; ours is in the plan. */
  both: string[];
}

export function mergePlans(base: Plan, ours: Plan, theirs: Plan): MergedPlan {
  const both: string[] = [];
  const merged: Thing = { ...theirs };
  for (const name of Object.keys({ ...theirs, ...ours }) as (keyof Plan)[]) {
    const [before, mine, other] = [base[name], ours[name], theirs[name]];
    if (isSame(before, mine)) continue;
    const id = IDS[name];
    if (id === undefined) {
      merged[name] = mine;
      if (!isSame(before, other) && !isSame(mine, other)) both.push(name.replaceAll("_", " "));
      continue;
    }
    merged[name] = mergeLists(before as Thing[], mine as Thing[], other as Thing[], id, both);
  }
  return { plan: merged as Plan, both };
}

/** Ours in our order; what they added stands at its end, what they took away goes unless we changed it. */
function mergeLists(before: Thing[] = [], mine: Thing[] = [], other: Thing[] = [], id: string, both: string[]): Thing[] {
  const find = (list: Thing[], one: Thing) => list.find((each) => each[id] === one[id]);
  const found: Thing[] = [];
  for (const one of mine) {
    const [was, theirs] = [find(before, one), find(other, one)];
    const changedHere = !isSame(was, one);
    if (theirs === undefined && was !== undefined && !changedHere) continue;
    if (!changedHere) {
      found.push(theirs ?? one);
      continue;
    }
    if (was !== undefined && !isSame(was, theirs) && !isSame(one, theirs)) both.push(String(one["name"] ?? one[id]));
    found.push(one);
  }
  const added = other.filter((one) => find(mine, one) === undefined && find(before, one) === undefined);
  // What we took away and they changed meanwhile comes back: it is not ours to lose.
  const revived = other.filter((one) => {
    const was = find(before, one);
    return was !== undefined && find(mine, one) === undefined && !isSame(was, one);
  });
  for (const one of revived) both.push(String(one["name"] ?? one[id]));
  return [...found, ...added, ...revived];
}
