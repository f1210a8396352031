import { describe, expect, it } from "vitest";

import type { Plan, Rule } from "../api/types";
import { freshId, leadsText, matchesText, moved, patternOf, patternText } from "./plan";

const outside = {
  kind: "outside",
  rule_id: "out",
  name: "Out",
  enabled: true,
  category: "local",
  patterns: [
    { prefix: "0", digits: null },
    { prefix: "9", digits: 3 },
  ],
  call: { prefix: "", keep: "all" },
  gateways: ["pri", "gone"],
  permissions: [],
  during: null,
} as unknown as Rule;
const plan = { rules: [outside], gateways: [{ gateway_id: "pri", name: "PRI", host: "192.0.2.1" }] } as unknown as Plan;

describe("a rule in words", () => {
  it("says what it matches and where it leads", () => {
    expect(matchesText(outside)).toBe("0…, 9xxx");
    expect(leadsText(outside, plan)).toBe("PRI, then gone");
    expect(leadsText({ ...outside, gateways: [] } as Rule, plan)).toBe("no gateway");
  });
});

describe("a pattern", () => {
  it("is read back as it is written", () => {
    for (const text of ["0…", "9xxx", "*99", "+49…", "xxx"]) {
      const read = patternOf(text);
      expect(read && patternText(read)).toBe(text);
    }
    expect(patternOf("00...")).toEqual({ prefix: "00", digits: null });
  });

  it("is refused where it makes no sense", () => {
    for (const text of ["", "0x…", "abc", "9x9"]) expect(patternOf(text)).toBeUndefined();
  });
});

describe("the order", () => {
  it("changes by one place and never loses anything", () => {
    expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
    expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
    expect(moved(["a", "b"], 1, 9)).toEqual(["a", "b"]);
    expect(moved(["a"], 5, 0)).toEqual(["a"]);
  });

  it("names new things unlike the others", () => {
    expect(freshId("rule", ["rule-1", "rule-2"])).toBe("rule-3");
  });
});
