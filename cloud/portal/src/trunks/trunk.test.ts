import { describe, expect, it } from "vitest";

import type { Alarm, Plan, TrunkTemplate } from "../api/types";
import { ProblemError } from "../api/problem";
import { atItsFields, listed } from "../dialplan/planPart";
import { freshTrunk, placesOf, trunkState, usesOf, withoutTrunk, wrongWith } from "./trunk";

const template = {
  key: "x",
  provider: "Provider",
  settings: { host: "sip.provider.example", register_seconds: 600, numbers: { style: "digits" } },
  source: "https://provider.example",
} as unknown as TrunkTemplate;
const plan = {
  trunks: [{ gateway_id: "trunk-1", name: "One" }],
  rules: [
    { kind: "outside", rule_id: "r1", name: "Town", gateways: ["pri", "trunk-1"] },
    { kind: "internal", rule_id: "r2", name: "Internal" },
  ],
} as unknown as Plan;
const down = { alarm: "trunk_down", text: "One: no answer; Two: refused with 403", cleared_at: null } as unknown as Alarm;

describe("a trunk", () => {
  it("begins with what its provider publishes, under an id that nothing has", () => {
    const trunk = freshTrunk(plan, template);
    expect([trunk.gateway_id, trunk.name, trunk.host]).toEqual(["trunk-2", "Provider", "sip.provider.example"]);
    expect(trunk.numbers).toEqual({ style: "digits", country_code: "", national_prefix: "0", international_prefix: "00" });
  });

  it("that registers needs an account, and numbers of the country its code", () => {
    const trunk = freshTrunk(plan, template);
    expect([...wrongWith({ ...trunk, numbers: { ...trunk.numbers, style: "national" } }).keys()]).toEqual([
      "username",
      "numbers.country_code",
    ]);
  });

  it("stands as its edge reports it: by name in the alarm, or not known without an edge", () => {
    const trunk = { ...freshTrunk(plan, template), name: "Two" };
    expect(trunkState(trunk, [down], true)).toMatchObject({ tone: "bad", label: "Not registered", detail: "refused with 403" });
    expect(trunkState({ ...trunk, name: "Three" }, [down], true).label).toBe("Registered");
    expect(trunkState({ ...trunk, name: "Three" }, [], false).label).toBe("Not known");
    expect(trunkState(trunk, [{ ...down, cleared_at: "2026-01-01T00:00:00Z" }], true).tone).toBe("good");
  });

  it("is named with what leads to it, and goes from there when it goes", () => {
    expect(usesOf(plan, "trunk-1")).toEqual(["rule Town"]);
    expect(placesOf(plan, "trunk-1")).toEqual(["second: Town"]);
    expect(withoutTrunk(plan, "trunk-1")).toMatchObject({ trunks: [], rules: [{ gateways: ["pri"] }, { name: "Internal" }] });
  });
});

describe("one part of a plan", () => {
  const part = listed("trunks", (one: NonNullable<Plan["trunks"]>[number]) => one.gateway_id, "trunk-1");

  it("is found, put in its place, and taken away", () => {
    const found = part.find(plan);
    expect(found?.name).toBe("One");
    expect(part.put(plan, undefined).trunks).toEqual([]);
    expect(part.put(plan, { ...found!, name: "New" }).trunks?.map((one) => one.name)).toEqual(["New"]);
  });

  it("has what the API says of it at its own fields", () => {
    const problem = new ProblemError(422, "", "", new Map([["document.trunks.0.host", "no host"], ["document", "clash"]]));
    expect([...atItsFields(problem, part.at(plan)).fields]).toEqual([["host", "no host"], ["", "clash"]]);
  });
});
