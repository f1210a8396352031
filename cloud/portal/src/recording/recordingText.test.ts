import { expect, test } from "vitest";

import type { RecordingRules } from "../api/types";
import { FRESH, callsText, hoursOf, keptText, onDemandText, placeOf, statementOf, withRule } from "./recordingText";

const rules: RecordingRules = {
  rules: [],
  on_demand: { announcement: "before", keys: null },
  longest_minutes: 120,
  kept_days: 90,
  disk_mb: 5000,
  upload: false,
};
const sales = { ...FRESH, name: "Sales", direction: "in" as const, user_ids: ["u1"], trunk_ids: ["t1", "t2"] };
const board = { ...FRESH, name: "Board", announcement: "none" as const };

test("what is recorded and who is told is said in one sentence", () => {
  expect(statementOf(rules)).toBe("No call of this site is recorded by rule.");
  expect(statementOf({ ...rules, rules: [{ ...sales, enabled: false }] })).toBe("No call of this site is recorded by rule.");
  expect(statementOf({ ...rules, rules: [sales] })).toContain("both sides are told");
  expect(statementOf({ ...rules, rules: [board] })).toContain("nobody is told");
  expect(statementOf({ ...rules, rules: [sales, board] })).toContain("not so those by Board");
});

test("a rule says which calls it is for", () => {
  const name = (id: string) => id.toUpperCase();
  expect(callsText(FRESH, name, name, name)).toBe("Calls in and out by any trunk or gateway, of everybody");
  expect(callsText(sales, name, name, name)).toBe("Calls from the outside by T1, T2, of U1");
  expect(callsText({ ...FRESH, calls: "inside", group_ids: ["g"] }, name, name, name)).toBe("Calls from phone to phone, of the members of G");
  const both = { ...sales, calls: "all" as const, group_ids: ["g", "h"] };
  expect(callsText(both, name, name, name)).toBe("Calls from the outside by T1, T2, and from phone to phone, of U1, the members of G and H");
});

test("how users have calls recorded is said", () => {
  expect(onDemandText(rules)).toContain("by the record key of their phone.");
  expect(onDemandText(rules)).toContain("Both sides are told");
  const keys = onDemandText({ ...rules, on_demand: { announcement: "none", keys: "*1" } });
  expect(keys).toContain("or by *1 during a call by a trunk");
  expect(keys).toContain("Nobody is told");
});

test("how long recordings are kept and what fits the disk is said", () => {
  expect(keptText(rules)).toContain("90 days after it began");
  expect(keptText({ ...rules, kept_days: 1 })).toContain("a day after it began");
  expect(hoursOf(5000)).toBe(86);
});

test("a rule is found again in a list that others have changed", () => {
  expect(placeOf([board, sales], sales)).toBe(1);
  expect(placeOf([board, { ...sales, direction: "out" }], sales)).toBe(1);
  expect(placeOf([board], sales)).toBe(-1);
  expect(withRule([board, sales], sales, { ...sales, name: "Sale" }).map((one) => one.name)).toEqual(["Board", "Sale"]);
  expect(withRule([board], null, sales).map((one) => one.name)).toEqual(["Board", "Sales"]);
});
