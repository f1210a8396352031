import { describe, expect, it } from "vitest";

import type { Plan, Rule } from "../api/types";
import { mergePlans } from "./mergePlans";
import { notesAt } from "./plan";

const rule = (rule_id: string, extra: object = {}) => ({ kind: "internal", rule_id, name: rule_id.toUpperCase(), ...extra });
const plan = (rules: object[], extra: object = {}) => ({ rules, gateways: [], ...extra }) as unknown as Plan;
const ids = (merged: Plan) => merged.rules?.map((one) => one.rule_id);

describe("plans of two people", () => {
  const base = plan([rule("a"), rule("b"), rule("c")], { hot_desk_hours: 12 });

  it("keep our order and our changes, and what they changed elsewhere", () => {
    const ours = plan([rule("c"), rule("a", { enabled: false }), rule("b")], { hot_desk_hours: 12 });
    const theirs = plan([rule("a"), rule("b", { name: "New" }), rule("c"), rule("d")], { hot_desk_hours: 8 });
    const { plan: merged, both } = mergePlans(base, ours, theirs);
    expect(ids(merged)).toEqual(["c", "a", "b", "d"]);
    expect(merged.rules?.[1]).toMatchObject({ enabled: false });
    expect(merged.rules?.[2]).toMatchObject({ name: "New" });
    expect(merged.hot_desk_hours).toBe(8);
    expect(both).toEqual([]);
  });

  it("name what both changed, and keep ours", () => {
    const ours = plan([rule("a", { enabled: false }), rule("b"), rule("c")], { hot_desk_hours: 1 });
    const theirs = plan([rule("a", { enabled: true }), rule("b"), rule("c")], { hot_desk_hours: 2 });
    const { plan: merged, both } = mergePlans(base, ours, theirs);
    expect([merged.rules?.[0]?.enabled, merged.hot_desk_hours]).toEqual([false, 1]);
    expect(both.sort()).toEqual(["A", "hot desk hours"]);
  });

  it("lose what they took away, and bring back what they changed and we took away", () => {
    const ours = plan([rule("b", { enabled: false }), rule("c")], { hot_desk_hours: 12 });
    const theirs = plan([rule("a", { name: "Kept" }), rule("b")], { hot_desk_hours: 12 });
    const { plan: merged, both } = mergePlans(base, ours, theirs);
    expect(ids(merged)).toEqual(["b", "a"]);
    expect(both).toEqual(["Kept"]);
  });
});

describe("a warning", () => {
  it("stands at the rules that it names, by name or by code", () => {
    const lines = ["Town is never reached: its numbers go to All", "112 does not ring inside the site: Help takes it"];
    expect(notesAt({ kind: "outside", name: "Town" } as Rule, lines)).toEqual([lines[0]]);
    expect(notesAt({ kind: "emergency", name: "Help" } as Rule, lines)).toEqual([lines[1]]);
    expect(notesAt({ kind: "service", name: "Echo", code: "*72" } as Rule, ["dialled: '*72' is used more than once: by rule Echo, rule Do not disturb"])).toHaveLength(1);
  });
});
