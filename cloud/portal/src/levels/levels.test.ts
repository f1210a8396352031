import { describe, expect, it } from "vitest";

import { inheritanceAt, widerScopes } from "./levels";

const tenant = { name: "tenant Bakery", settings: { "*": { a: 1, b: 1 }, yealink: { b: 2 } } };
const site = { name: "site Shop", settings: { "*": { a: 3 }, "yealink/t54w": { c: 4 } } };

describe("what a level takes from others", () => {
  it("is its own word for wider scopes before what the level below says", () => {
    const found = inheritanceAt("yealink/t54w", site, [tenant]);
    expect(found.a).toEqual({ value: 3, origin: "site Shop" });
    expect(found.b).toEqual({ value: 2, origin: "tenant Bakery, for yealink" });
    expect(found.c).toBeUndefined();
  });

  it("is nothing narrower than the scope itself", () => {
    expect(inheritanceAt("*", site, [tenant])).toEqual({
      a: { value: 1, origin: "tenant Bakery" },
      b: { value: 1, origin: "tenant Bakery" },
    });
    expect(widerScopes("yealink")).toEqual(["yealink", "*"]);
  });
});
